"""The data directory and its database as a service: opened first, closed last."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from .datadir import DataDirectory
from .datalock import DirectoryLock
from .interfaces import IBringsTables, IStore
from .persist.leases import LeaseStore
from .structs import prepare_structs


class OpenDatabase(Service):
    """The lock on the data directory and the open database, for the run time of the daemon.

    Workers share the lock of their parent, which has recorded the database already.
    """

    _log = Logger()

    def __init__(
        self,
        data: DataDirectory,
        store: IStore,
        brings: Sequence[IBringsTables],
        *,
        is_parent: bool,
        is_alone: bool,
        new: bool,
    ) -> None:
        """`brings` are the handlers with tables of their own.

        With `is_alone`, the database is that of the data directory, whose lock keeps other daemons
        from both. With `new`, the data directory may get another database than it had.
        """
        self._data = data
        self._store = store
        self._brings = brings
        self._is_parent = is_parent
        self._is_alone = is_alone
        self._new = new
        self._lock = DirectoryLock(data.path)
        self._started_at = datetime.datetime.now(datetime.UTC)

    def privilegedStartService(self) -> None:
        """Lock the data directory, then open the database that belongs to it.

        `DirectoryInUse` and `StoreError` say what to do if that fails.
        """
        super().privilegedStartService()
        if self._is_parent:
            self._lock.take(self.about())
            self._data.say_nothing()  # left by a killed daemon
        prepare_structs()  # the store starts threads
        found = self._store.start(self._brings, self._data.claim(new=self._new))
        if found is None:
            self._log.warn("The database is in memory: all of it is lost when the daemon stops")
        elif self._is_parent:
            self._data.remember(*found)

    def startService(self) -> None:
        """Release the leases of a killed daemon, whose work goes on at once."""
        super().startService()
        if self._is_alone:
            releasing = self._store.write(lambda tx: tx[LeaseStore].release_all())
            releasing.addErrback(
                lambda failure: self._log.failure("Leases of the last run stay", failure)
            )

    def stopService(self) -> Deferred[None]:
        """Commit all units of work, close the database, and unlock the data directory."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        try:
            await self._store.stop()
        finally:
            self.leave()
            self._lock.release()

    def leave(self) -> None:
        """Remove `run.json`."""
        if self._is_parent:
            self._data.say_nothing()

    def about(self) -> dict[str, object]:
        """Describe this process, for the lock and `run.json`."""
        at = self._started_at.isoformat(timespec="seconds").replace("+00:00", "Z")
        return {"pid": os.getpid(), "started_at": at}
