"""Sealed requests of encrypted sessions: decryption and replay protection.

Theory of operation. Sealed requests are numbered. A request that changes something claims its
number in the store. The number of any other request is remembered in memory and written with the
last-seen times, within seconds. So an idle poll costs no write, and still cannot be replayed later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorThreads
from twisted.logger import Logger

from ..interfaces import ICipherSuite, IStore
from ..model import Device
from ..persist.devices import DeviceStore
from ..persist.sessions import SessionStore
from ..persist.transaction import Transaction
from ..protocol.envelope import (
    SEAL,
    Direction,
    NotOpened,
    Opened,
    Place,
    looks_sealed,
    sealed_of,
)
from ..values.keys import StoredKeys
from ..values.sessions import ENCRYPTED_STATES, SessionState
from .registry import Registry
from .request import AdmittedRequest, Request
from .session import AskForExchange, OutOfOrder, Session, SessionReply
from .terminal import Terminal

SHORT_SEALED = 8 * 1024
"""Maximum size (bytes) of a body decrypted on the reactor."""


class Replayed(Exception):
    """A sealed request was already accepted."""


class SealedRequests:
    """Decrypts sealed requests and selects the cipher of their replies."""

    _log = Logger()

    def __init__(self, store: IStore, registry: Registry, reactor: IReactorThreads) -> None:
        self._store = store
        self._registry = registry
        self._reactor = reactor

    def is_sealed(
        self,
        terminal: Terminal,
        request: Request,
        body: bytes,
        known: Sequence[StoredKeys],
        *,
        is_fresh: bool,
    ) -> bool:
        """Whether to treat a request that does not decrypt as a sealed one.

        For a terminal that never had keys, it is stored as a reject instead.
        """
        if not looks_sealed(SEAL in request.arguments, body):
            return False
        device = terminal.device
        has_had_keys = device.generation > 0 and self._registry.ciphers.fixed(device) is None
        return bool(known) or has_had_keys or not is_fresh

    async def open(
        self,
        terminal: Terminal,
        known: Sequence[StoredKeys],
        place: Place,
        request: Request,
        body: bytes,
    ) -> AdmittedRequest | None:
        """Decrypt a sealed request with the terminal's keys, and accept it once.

        None if it does not decrypt. Raises `Replayed` if it was accepted before, and
        `AskForExchange`.
        """
        route = request.route
        sealed = sealed_of(request.head.method, request.arguments, body)
        for keys, suite in self._agreed(known):
            if not sealed or not suite.covers(place, Direction.REQUEST):
                continue
            try:
                opened = await self._unseal(suite, keys.state, place, sealed)
            except NotOpened:
                continue
            taken = max(keys.number, terminal.taken.get(keys.generation, 0))
            if opened.number is not None and opened.number <= taken:
                raise Replayed
            is_first = keys.step is not None or terminal.session.state not in ENCRYPTED_STATES
            is_claimed = is_first or route.changes(request, terminal)
            if opened.number is not None:
                # Before the first await, so that only one of two concurrent copies is accepted.
                terminal.take(keys.generation, opened.number)
                if not is_claimed:
                    self._registry.took(terminal, keys.generation, opened.number)
            if is_claimed and not await self._claim(terminal, keys, opened, is_first=is_first):
                raise Replayed
            if route.polls and terminal.session.sealed_poll is SessionReply.ASK_FOR_EXCHANGE:
                raise AskForExchange
            return AdmittedRequest(
                terminal,
                opened.body,
                _sealer(suite, keys, place, opened.number),
                has_secret=keys.has_secret,
            )
        return None

    def uncovered(
        self,
        terminal: Terminal,
        known: Sequence[StoredKeys],
        place: Place,
        request: Request,
        body: bytes,
    ) -> AdmittedRequest | None:
        """Admit a request that the cipher suite leaves in plain text; raises `AskForExchange`."""
        for keys, suite in self._agreed(known):
            if suite.covers(place, Direction.REQUEST):
                continue
            if request.route.polls and terminal.session.state is SessionState.OUTDATED:
                raise AskForExchange
            return AdmittedRequest(terminal, body, _sealer(suite, keys, place, None))
        return None

    def _agreed(self, known: Sequence[StoredKeys]) -> Iterator[tuple[StoredKeys, ICipherSuite]]:
        """The keys that both sides may hold, each with its cipher suite."""
        for keys in known:
            suite = self._registry.ciphers.suites.get(keys.suite)
            if suite is not None and keys.step is not SessionState.KEYS:
                yield keys, suite

    async def keys(self, terminal: Terminal) -> Sequence[StoredKeys]:
        """The keys of a terminal, read from the store if the cached generation is outdated."""
        device = terminal.device
        known = terminal.keys
        if known is None or known[0] != device.generation:
            found = await self._store.read(lambda tx: tx[SessionStore].keys(device.id))
            known = terminal.keys = (device.generation, found)
        return known[1]

    async def _claim(
        self, terminal: Terminal, keys: StoredKeys, opened: Opened, *, is_first: bool
    ) -> bool:
        """Claim a request's number; the first request proves that the terminal has the key.

        The claim is committed before the request is processed. If processing fails, the terminal
        tries again with the next number.
        """
        if opened.number is None and not is_first:
            return True
        device_id, number = terminal.device.id, opened.number or 0

        def unit(tx: Transaction) -> tuple[bool, Device | None]:
            claimed = tx[SessionStore].claim(device_id, keys.generation, number)
            if not claimed and (keys.step is not None or opened.number is not None):
                return False, None
            if not is_first:
                return True, None
            device = tx[DeviceStore].get(device_id)
            session = Session(terminal.family.session, device.session)
            session.proved()
            changes = {
                "session": session.state,
                "generation": device.generation + 1,
                "encrypts": True,
            }
            return True, tx[DeviceStore].change(device_id, changes)

        try:
            claimed, device = await self._store.write(unit)
        except OutOfOrder:
            return False
        if device is not None:
            terminal.update(device)
            self._log.info("The session with terminal {sn} is encrypted", sn=device.sn)
        return bool(claimed)

    async def plain(self, terminal: Terminal, place: Place, body: bytes) -> AdmittedRequest:
        """Admit a request outside encrypted sessions; a configured key (RC4) may seal it."""
        suite = self._registry.ciphers.fixed(terminal.device)
        if suite is None or not suite.covers(place, Direction.REQUEST):
            return AdmittedRequest(terminal, body, is_proved=not terminal.has_to_encrypt)
        device_id = terminal.device.id
        secret = await self._store.read(lambda tx: tx[SessionStore].secret(device_id))
        state = suite.begin(place.sn, secret, b"").state
        return AdmittedRequest(terminal, (await self._unseal(suite, state, place, body)).body)

    async def _unseal(
        self, suite: ICipherSuite, state: bytes, place: Place, sealed: bytes
    ) -> Opened:
        """Decrypt data, on a thread if it is long; raises `NotOpened`."""
        if len(sealed) <= SHORT_SEALED:
            return suite.open(state, place, sealed)
        opening: Deferred[Opened] = threads.deferToThreadPool(
            self._reactor, self._reactor.getThreadPool(), suite.open, state, place, sealed
        )
        return await opening


def _sealer(
    suite: ICipherSuite, keys: StoredKeys, place: Place, number: int | None
) -> Callable[[bytes], bytes] | None:
    if not suite.covers(place, Direction.REPLY):
        return None
    return lambda body: suite.seal(keys.state, place, number, body)
