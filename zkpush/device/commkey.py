"""The pushcommkey of a terminal (spec 5): offered keys and the pinned key.

Theory of operation. A terminal may send a secret of its own in the initialization exchange, which
cannot be derived from the serial number. But any client can offer a key in a terminal's name, so an
offer alone decides nothing: it is listed by its fingerprint, with its address and times. Exchanges
without a key are listed too, because a single key beside them may be a stranger's. An operator pins
a key by approving the terminal or by naming the fingerprint. From then on, an exchange with another
key or without one is refused. Only fingerprints are stored, never keys.
"""

from __future__ import annotations

import hashlib
import hmac

from twisted.logger import Logger

from ..causes import NO_KEY, OTHER_KEY
from ..interfaces import IStore
from ..model import Device, DeviceState, Problem
from ..persist.commkeys import CommKeyStore
from ..persist.devices import DeviceStore
from ..persist.transaction import Transaction
from ..phrases import Phrase, two_sentences
from ..problems import ProblemCode
from ..protocol.errors import Refused
from ..values.keys import MOST_OFFERED
from .refusals import Refusal, RefusalLog
from .registry import Registry
from .terminal import Terminal

NOTED_EVERY = 1000
"""Milliseconds between records of refused keys of one terminal, beyond the listed ones."""
SAME_NOTED_EVERY = 60 * 1000
"""Milliseconds until the same key is recorded again."""
_SEVERAL = Phrase(
    "Several pushcommkeys were offered for this serial number, or one in some exchanges only, and "
    "none is pinned, so that each exchange is served."
)


def fingerprint_of(comm_key: str | None) -> str | None:
    """Return the SHA-256 of a pushcommkey, in hex; None for none."""
    return None if comm_key is None else hashlib.sha256(comm_key.encode()).hexdigest()


def is_wrong_key(device: Device, fingerprint: str | None) -> bool:
    """Whether a key other than this one is pinned for a terminal."""
    pinned = device.comm_key
    return pinned is not None and not hmac.compare_digest(pinned, fingerprint or "")


def several_keys(now: int) -> Problem:
    """The problem of several offered keys, since `now` (ms)."""
    return Problem(ProblemCode.SEVERAL_KEYS, _SEVERAL, now)


def _detail_of(device: Device, fingerprint: str | None) -> str:
    """Return the detail of the problem of a wrong key; what was said of earlier exchanges stays."""
    said = (NO_KEY if fingerprint is None else OTHER_KEY).said()
    for problem in device.problems:
        if problem.code == ProblemCode.KEY_CHANGED:
            is_said = said in problem.detail
            return problem.detail if is_said else two_sentences(problem.detail, said)
    return said


class CommKeyGuard:
    """Compares the keys of exchanges with the pinned one, and lists offered keys."""

    _log = Logger()

    def __init__(self, store: IStore, registry: Registry, door: RefusalLog) -> None:
        self._store = store
        self._registry = registry
        self._door = door

    async def check(self, terminal: Terminal, fingerprint: str | None, address: str | None) -> None:
        """Check the key of an exchange; raises `Refused` if another key is pinned.

        This records the key of a terminal that is refused or awaits approval. The key of any other
        terminal is recorded by `note`, in the unit of work of the exchange.
        """
        device = terminal.device
        if device.state.is_refused:
            return
        is_wrong = is_wrong_key(device, fingerprint)
        if device.state is DeviceState.APPROVED and not is_wrong:
            return
        is_known = any(problem.code == ProblemCode.KEY_CHANGED for problem in device.problems)
        if self._is_news(terminal, fingerprint) or (is_wrong and not is_known):
            now = self._registry.now()

            def unit(tx: Transaction) -> Device:
                if is_wrong:
                    detail = _detail_of(tx[DeviceStore].get(device.id), fingerprint)
                    tx[DeviceStore].raise_problem(
                        device.id, Problem(ProblemCode.KEY_CHANGED, detail, now)
                    )
                self.note(tx, device, fingerprint, address)
                return tx[DeviceStore].get(device.id)

            terminal.update(await self._store.write(unit))
        if is_wrong:
            now = self._registry.now()
            if not terminal.is_refusing(now):
                self._log.error("Terminal {sn} came with another pushcommkey", sn=device.sn)
            terminal.refuse(address, now)
            self._door.refuse(Refusal.KEY_CHANGED, device.sn, address)
            raise Refused("This terminal's pushcommkey has changed; an operator has to approve it.")

    def note(
        self, tx: Transaction, device: Device, fingerprint: str | None, address: str | None
    ) -> None:
        """List an offered key, or an exchange without one."""
        now = self._registry.now()
        count, without = tx[CommKeyStore].offer(device.id, fingerprint, address, now)
        is_known = any(problem.code == ProblemCode.SEVERAL_KEYS for problem in device.problems)
        is_doubtful = count > 1 or (count == 1 and without)
        if is_doubtful and device.comm_key is None and not is_known:
            tx[DeviceStore].raise_problem(device.id, several_keys(now))

    def _is_news(self, terminal: Terminal, fingerprint: str | None) -> bool:
        """Whether to store an offered key; limits the writes that strangers can cause.

        Keys are stored at once up to the number that is listed, and further ones once a second.
        """
        now = self._registry.now()
        noted = terminal.noted_keys = {
            key: at for key, at in terminal.noted_keys.items() if 0 <= now - at < SAME_NOTED_EVERY
        }
        if fingerprint in noted:
            return False
        if len(noted) > MOST_OFFERED:  # the listed keys and "no key"
            newest = [*noted][-1]
            if now - noted[newest] < NOTED_EVERY:
                return False
            del noted[newest]
        noted[fingerprint] = now
        return True
