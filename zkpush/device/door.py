"""The door: which requests of a terminal are served, and as what.

Theory of operation. Most requests are of approved terminals that are in a plain session, and pass
at once. All others are looked at here, one rule for all resources: the terminal is admitted; its
token, if it sends one, is that of its session; what is sealed opens, and was not there before; what
is plain is served where the session, and the policy for the terminal, let it. Whoever is not served
because of its session is told to make the exchanges again. What this process remembers is enough to
serve a terminal, but not to turn it away: then the store is asked.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Sequence

import attrs
import msgspec
from twisted.logger import Logger

from ..interfaces import ICipherSuite, IStore, ITransaction
from ..model import ENCRYPTED_STATES, Device, Keys, SessionState, TokenPolicy
from ..protocol.envelope import (
    SEAL,
    Direction,
    NotOpened,
    Opened,
    Place,
    looks_sealed,
    place_of,
    sealed_of,
)
from ..protocol.requests import Arguments
from . import doorlog
from .doorlog import DoorLog
from .registry import Registry
from .session import OutOfOrder, Session, Verdict
from .terminal import Terminal


class AskForExchange(Exception):
    """The terminal is to begin with the initialization exchange."""


class Knock(msgspec.Struct, frozen=True, gc=False):
    """A request, as far as the door looks at it."""

    method: str
    sn: str
    arguments: Arguments
    body: bytes
    address: str | None
    path: bytes
    cookie: bytes | None = None


@attrs.frozen(eq=False)
class Entry:
    """A request that is served."""

    terminal: Terminal
    body: bytes
    seal: Callable[[bytes], bytes] | None = None
    """Seals the reply; None where it is plain."""


class Door:
    """Lets requests in."""

    _log = Logger()

    def __init__(self, store: IStore, registry: Registry, log: DoorLog) -> None:
        self.log = log
        """Hears of who is turned away."""
        self._store = store
        self._registry = registry

    def at_once(self, terminal: Terminal, cookie: bytes | None) -> Terminal | None:
        """The terminal, if its plain request is served as it is; None if that takes a look."""
        if terminal.is_plain and (cookie is None or _fits(terminal.device, cookie)):
            return terminal
        return None

    async def enter(
        self, knock: Knock, *, polls: bool, changes: Callable[[Terminal, bytes], bool]
    ) -> Entry:
        """Let a request in, and open what is sealed of it.

        `polls` is whether it asks for commands; `changes`, whether it would change anything, given
        its plain body. `Refused` if the terminal is not admitted, `AskForExchange`.
        """
        terminal = await self._registry.admit(knock.sn, knock.address)
        reason = None
        for is_fresh in (False, True):
            if is_fresh:
                await self._registry.refresh(terminal)
            if not _fits(terminal.device, knock.cookie):
                reason = doorlog.STRANGE_COOKIE
                continue
            place = place_of(knock.sn, knock.method, knock.path, knock.arguments)
            known = await self._keys(terminal) if terminal.device.generation else ()
            entry = await self._open(terminal, known, place, knock, polls, changes)
            if entry is not None:
                return entry
            bare = self._uncovered(terminal, known, place, knock, polls)
            if bare is not None:
                return bare
            if looks_sealed(SEAL in knock.arguments, knock.body) and (known or not is_fresh):
                reason = doorlog.NOT_OPENED
                continue
            reason = None if terminal.session.state not in ENCRYPTED_STATES else doorlog.NOT_SEALED
            verdict = terminal.session.poll if polls else terminal.session.upload
            if verdict is Verdict.SERVE:
                return await self._plain(terminal, place, knock)
        if reason is not None:
            self.log.refused(reason, knock.sn, knock.address)
        raise AskForExchange

    async def _open(
        self,
        terminal: Terminal,
        known: Sequence[Keys],
        place: Place,
        knock: Knock,
        polls: bool,
        changes: Callable[[Terminal, bytes], bool],
    ) -> Entry | None:
        """Open a sealed request under the keys of the terminal, and take it, once.

        None if it does not open. One that does, and was taken before, is nothing else, either.
        """
        sealed = sealed_of(knock.method, knock.arguments, knock.body)
        for keys, suite in self._agreed(known):
            if not sealed or not suite.covers(place, Direction.REQUEST):
                continue
            try:
                opened = suite.open(keys.state, place, sealed)
            except NotOpened:
                continue
            if opened.number is not None and opened.number <= keys.number:
                self.log.refused(doorlog.REPLAYED, knock.sn, knock.address)
                raise AskForExchange
            is_first = keys.step is not None or terminal.session.state not in ENCRYPTED_STATES
            if (is_first or changes(terminal, opened.body)) and not await self._claim(
                terminal, keys, opened, is_first=is_first
            ):
                self.log.refused(doorlog.REPLAYED, knock.sn, knock.address)
                raise AskForExchange
            if polls and terminal.session.sealed_poll is Verdict.ASK_FOR_EXCHANGE:
                raise AskForExchange
            return Entry(terminal, opened.body, _sealer(suite, keys, place, opened.number))
        return None

    def _uncovered(
        self,
        terminal: Terminal,
        known: Sequence[Keys],
        place: Place,
        knock: Knock,
        polls: bool,
    ) -> Entry | None:
        """Let in what the suite of the session does not seal: that is for the suite to say."""
        for keys, suite in self._agreed(known):
            if suite.covers(place, Direction.REQUEST):
                continue
            if polls and terminal.session.state is SessionState.OUTDATED:
                raise AskForExchange
            return Entry(terminal, knock.body, _sealer(suite, keys, place, None))
        return None

    def _agreed(self, known: Sequence[Keys]) -> Iterator[tuple[Keys, ICipherSuite]]:
        """The keys that both sides may have, each with its suite."""
        for keys in known:
            suite = self._registry.ciphers.suites.get(keys.suite)
            if suite is not None and keys.step is not SessionState.KEYS:
                yield keys, suite

    async def _keys(self, terminal: Terminal) -> Sequence[Keys]:
        """The keys of a terminal, from the store unless they are those this process has."""
        device = terminal.device
        known = terminal.keys
        if known is None or known[0] != device.generation:
            found = await self._store.read(lambda tx: tx.sessions.keys(device.id))
            known = terminal.keys = (device.generation, found)
        return known[1]

    async def _claim(
        self, terminal: Terminal, keys: Keys, opened: Opened, *, is_first: bool
    ) -> bool:
        """Take a request by its number; the first one proves that the terminal has the key.

        That is on disk before anything is done of what is asked for. If nothing more comes of it,
        the terminal asks again, by the next number.
        """
        if opened.number is None and not is_first:
            return True
        device_id, number = terminal.device.id, opened.number or 0

        def unit(tx: ITransaction) -> tuple[bool, Device | None]:
            claimed = tx.sessions.claim(device_id, keys.generation, number)
            if not claimed and (keys.step is not None or opened.number is not None):
                return False, None
            if not is_first:
                return True, None
            device = tx.devices.get(device_id)
            session = Session(device.session)
            session.proved()
            changes = {"session": session.state, "generation": device.generation + 1}
            return True, tx.devices.change(device_id, changes)

        try:
            claimed, device = await self._store.write(unit)
        except OutOfOrder:
            return False
        if claimed:
            _remember(terminal, keys, number)
        if device is not None:
            terminal.update(device)
            self._log.info("The session with terminal {sn} is encrypted", sn=device.sn)
        return bool(claimed)

    async def _plain(self, terminal: Terminal, place: Place, knock: Knock) -> Entry:
        """Let a request in that is of no encrypted session: attendance records under RC4, say."""
        suite = self._registry.ciphers.fixed(terminal.device)
        if suite is None or not suite.covers(place, Direction.REQUEST):
            return Entry(terminal, knock.body)
        device_id = terminal.device.id
        secret = await self._store.read(lambda tx: tx.sessions.secret(device_id))
        state = suite.begin(knock.sn, secret, b"").state
        return Entry(terminal, suite.open(state, place, knock.body).body)


def _remember(terminal: Terminal, taken: Keys, number: int) -> None:
    """Note which number was taken, so that the store is not asked about it or a lower one."""
    if terminal.keys is not None:
        generation, known = terminal.keys
        terminal.keys = (
            generation,
            [
                msgspec.structs.replace(keys, number=max(keys.number, number))
                if keys.generation == taken.generation
                else keys
                for keys in known
            ],
        )


def _sealer(
    suite: ICipherSuite, keys: Keys, place: Place, number: int | None
) -> Callable[[bytes], bytes] | None:
    if not suite.covers(place, Direction.REPLY):
        return None
    return lambda body: suite.seal(keys.state, place, number, body)


def digest_of(token: bytes) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token).hexdigest()


def _fits(device: Device, cookie: bytes | None) -> bool:
    """Whether a request may go on with the token that it brings, or does not."""
    policy = device.token_policy
    if policy is TokenPolicy.IGNORE:
        return True
    token = None if cookie is None else token_of(cookie)
    if token is None:
        return policy is not TokenPolicy.REQUIRE
    digest = digest_of(token)
    return not device.tokens or any(hmac.compare_digest(digest, one) for one in device.tokens)


def token_of(cookie: bytes) -> bytes | None:
    """The token in a Cookie header; None if there is none."""
    for part in cookie.split(b";"):
        name, _, value = part.strip().partition(b"=")
        if name == b"token":
            return value.strip(b'"')
    return None
