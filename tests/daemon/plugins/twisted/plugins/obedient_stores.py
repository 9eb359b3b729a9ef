"""SQLite stores that a test can hold up, or that end the process right after a commit.

They look for files in the folder that ZKPUSH_TEST_ORDERS names: while `hold` is there, no unit is
run; if `die` is there, the process is killed when the next operation record is committed.
"""

import os
import pathlib
import signal
import time

from twisted.plugin import IPlugin
from zope.interface import implementer

from zkpush.interfaces import IStoreFactory
from zkpush.persist.sqlite import SQLiteStores

HELD_AT_MOST = 30


@implementer(IPlugin, IStoreFactory)
class ObedientStores:
    """Opens `obedient:///path`."""

    schemes = ("obedient",)

    def open(self, url, key, reactor):
        """Open a SQLite store that follows orders."""
        orders = pathlib.Path(os.environ["ZKPUSH_TEST_ORDERS"])
        store = SQLiteStores().open(url.replace("obedient:", "sqlite:"), key, reactor)
        write = store.write

        def obedient_write(unit, risky=False):
            before, stored = [], []

            def count(tx):
                return tx.connection.exec_driver_sql("SELECT count(*) FROM operations").scalar()

            def held(tx):
                deadline = time.monotonic() + HELD_AT_MOST
                while (orders / "hold").exists() and time.monotonic() < deadline:
                    time.sleep(0.01)
                if not (orders / "die").exists():
                    return unit(tx)
                before.append(count(tx))  # of the first try; a plugin may commit there
                result = unit(tx)
                stored.append(count(tx) > before[0])
                return result

            def die(result):
                if any(stored):
                    os.kill(os.getpid(), signal.SIGKILL)
                return result

            return write(held, risky).addCallback(die)

        store.write = obedient_write
        return store


obedient_stores = ObedientStores()
