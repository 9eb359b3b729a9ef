"""The door: which requests of a terminal are served, and as what.

Theory of operation. Most requests are of approved terminals that are in a plain session, and pass
at once. All others are looked at here, one rule for all resources: the terminal is admitted; its
token, where that counts, is one of ours (`zkpush.device.tokens`); what is sealed opens, and was not
taken before; what is plain is served where the session, and the policy for the terminal, let it.
A request that its session does not allow is answered with a demand for new exchanges; where that
may go on for ever, it is a problem of the terminal. What this process remembers is enough to serve
a terminal, but not to turn it away: then the store is asked, once a second at most. The gate paces
further requests from an address that was refused, as those of strangers (`zkpush.device.gate`).

A session is *proved* if its request is sealed, or returns a trusted token, or if the terminal has
never shown that it can do either. Commands that hold secrets go to proved sessions only.

Sealed requests are taken once, by their numbers. One that changes something claims its number in
the store. One that changes nothing is remembered, and its number is written with the last-seen
times, within seconds: so an idle poll costs no write, and cannot be sent again later, either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import attrs
import msgspec
from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorThreads
from twisted.logger import Logger

from ..interfaces import ICipherSuite, IStore
from ..model import (
    ENCRYPTED_STATES,
    Device,
    Keys,
    Problem,
    SessionState,
    SessionToken,
    TokenPolicy,
)
from ..persist.transaction import Transaction
from ..problems import ProblemCode
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
from . import tokens
from .refusals import Refusal, RefusalLog
from .registry import Registry
from .session import OutOfOrder, Session, SessionReply
from .terminal import Terminal

SHORT_SEALED = 8 * 1024
"""Most bytes that are unsealed on the reactor."""


class AskForExchange(Exception):
    """The terminal is to begin with the initialization exchange."""


class ReceivedRequest(msgspec.Struct, frozen=True, gc=False):
    """A request, as far as the door looks at it."""

    method: str
    sn: str
    arguments: Arguments
    body: bytes
    address: str | None
    path: bytes
    cookie: bytes | None = None


@attrs.frozen(eq=False)
class AdmittedRequest:
    """A request that is served."""

    terminal: Terminal
    body: bytes
    seal: Callable[[bytes], bytes] | None = None
    """Seals the reply; None where it is plain."""
    is_proved: bool = True
    """Whether the session may have what is secret."""


class Door:
    """Lets requests in."""

    _log = Logger()

    def __init__(
        self, store: IStore, registry: Registry, log: RefusalLog, reactor: IReactorThreads
    ) -> None:
        self._reactor = reactor
        self.log = log
        """Hears of who is turned away."""
        self._store = store
        self._registry = registry

    def at_once(
        self, terminal: Terminal, address: str | None, cookie: bytes | None
    ) -> Terminal | None:
        """The terminal, if its plain request is served as it is; None if that takes a look."""
        if not terminal.is_plain:
            return None
        if cookie is not None and terminal.device.tokens:
            token = tokens.find(terminal.device, cookie)
            if token is not None:
                is_known = token.proved and (token.trusted or not terminal.is_judged)
                return terminal if is_known else None
        if terminal.is_judged:
            return None
        known = terminal.bare
        return terminal if known is None or tokens.bare(address) in known else None

    async def enter(
        self, knock: ReceivedRequest, *, polls: bool, changes: Callable[[Terminal, bytes], bool]
    ) -> AdmittedRequest:
        """Let a request in, and open what is sealed of it.

        `polls` is whether it asks for commands; `changes`, whether it would change anything, given
        its plain body. `Refused` if the terminal is not admitted, `AskForExchange`.
        """
        terminal = await self._registry.admit(knock.sn, knock.address)
        reason = None
        entry = None
        # After a refusal, memory counts as fresh for a second: a flood costs one look in it.
        knows = terminal.is_refusing(self._registry.now())
        for is_fresh in (True,) if knows else (False, True):
            if is_fresh:
                await self._registry.look(terminal)
            token = tokens.find(terminal.device, knock.cookie)
            if token is None and terminal.is_judged:
                reason = Refusal.WRONG_TOKEN
                continue
            place = place_of(knock.sn, knock.method, knock.path, knock.arguments)
            known = await self._keys(terminal) if terminal.device.generation else ()
            entry = await self._open(terminal, known, place, knock, polls, changes)
            if entry is None:
                entry = self._uncovered(terminal, known, place, knock, polls)
            if entry is not None:
                break
            if self._is_sealed(terminal, knock, known, is_fresh=is_fresh):
                reason = Refusal.NOT_OPENED
                continue
            reason = None if terminal.session.state not in ENCRYPTED_STATES else Refusal.NOT_SEALED
            verdict = terminal.session.poll if polls else terminal.session.upload
            if verdict is SessionReply.SERVE:
                entry = await self._plain(terminal, place, knock)
                break
        if entry is None:
            self._refuse(terminal, knock, reason)
            raise AskForExchange
        return await self._learn(entry, token, knock)

    def _is_sealed(
        self, terminal: Terminal, knock: ReceivedRequest, known: Sequence[Keys], *, is_fresh: bool
    ) -> bool:
        """Whether a request that does not open is to be taken for a sealed one.

        Of a terminal that never had keys, it is kept like anything that is not understood.
        """
        if not looks_sealed(SEAL in knock.arguments, knock.body):
            return False
        device = terminal.device
        has_had_keys = device.generation > 0 and self._registry.ciphers.fixed(device) is None
        return bool(known) or has_had_keys or not is_fresh

    def _refuse(self, terminal: Terminal, knock: ReceivedRequest, reason: str | None) -> None:
        """Note that a request is refused, and why, where the terminal may not get over it."""
        now = self._registry.now()
        terminal.refuse(knock.address, now)
        if reason is None:
            return
        self.log.refuse(reason, knock.sn, knock.address)
        place = knock.address or "a socket file"
        if reason == Refusal.WRONG_TOKEN:
            detail = f"A request from {place} did not return the token of its session."
            problem = Problem(ProblemCode.TOKEN_MISSING, detail, now)
            self._registry.report(terminal, problem, tokens.is_judged)
        elif reason == Refusal.NOT_OPENED:
            detail = f"A sealed request from {place} does not open under the keys of its session."
            self._registry.report(terminal, Problem(ProblemCode.NOT_OPENED, detail, now))

    async def _learn(
        self, entry: AdmittedRequest, token: SessionToken | None, knock: ReceivedRequest
    ) -> AdmittedRequest:
        """Note what a request that is served shows of the terminal's tokens."""
        terminal, address = entry.terminal, knock.address
        if token is not None and not token.proved:
            token = await self._prove(terminal, token, address)
        elif (
            token is None
            and terminal.bare is not None
            and not terminal.is_judged
            and tokens.bare(address) not in terminal.bare
        ):
            await self._note_bare(terminal, address)
        if not entry.is_proved:
            return entry
        if entry.seal is not None or not terminal.is_judged:
            return entry
        is_trusted = token is not None and token.trusted
        return entry if is_trusted else attrs.evolve(entry, is_proved=False)

    async def _prove(
        self, terminal: Terminal, token: SessionToken, address: str | None
    ) -> SessionToken | None:
        """Write that a token came back; returns it as it is now."""
        device_id, digest, now = terminal.device.id, token.digest, self._registry.now()

        def unit(tx: Transaction) -> Device:
            before = tx.devices.get(device_id)
            try:
                kept = tokens.prove(before, digest)
            except LookupError:
                return before
            proved = next(one for one in kept if one.digest == digest)
            is_elsewhere = tokens.is_elsewhere(before, address)
            changes: dict[str, object] = {"tokens": kept}
            if before.token_policy is not TokenPolicy.IGNORE and not is_elsewhere:
                changes["returns_token"] = True
            device = tx.devices.change(device_id, changes)
            if not proved.trusted or (is_elsewhere and not before.returns_token):
                detail = (
                    f"A session was begun from {address or 'a socket file'}, and did not show the "
                    "token of the one before."
                )
                tx.devices.raise_problem(
                    device_id, Problem(ProblemCode.SECOND_SESSION, detail, now)
                )
                device = tx.devices.get(device_id)
            return device

        terminal.update(await self._store.write(unit))
        return next((one for one in terminal.device.tokens if one.digest == digest), None)

    async def _note_bare(self, terminal: Terminal, address: str | None) -> None:
        """Write that a terminal was served without a token at an address: a few times at most."""
        device_id, place = terminal.device.id, tokens.bare(address)

        def unit(tx: Transaction) -> Device:
            before = tx.devices.get(device_id)
            known = before.bare_addresses
            if place in known or len(known) >= tokens.MOST_BARE or before.returns_token:
                return before
            return tx.devices.change(device_id, {"bare_addresses": (*known, place)})

        terminal.update(await self._store.write(unit))

    async def _open(
        self,
        terminal: Terminal,
        known: Sequence[Keys],
        place: Place,
        knock: ReceivedRequest,
        polls: bool,
        changes: Callable[[Terminal, bytes], bool],
    ) -> AdmittedRequest | None:
        """Open a sealed request under the keys of the terminal, and take it, once.

        None if it does not open. One that does, and was taken before, is nothing else, either.
        """
        sealed = sealed_of(knock.method, knock.arguments, knock.body)
        for keys, suite in self._agreed(known):
            if not sealed or not suite.covers(place, Direction.REQUEST):
                continue
            try:
                opened = await self._unseal(suite, keys.state, place, sealed)
            except NotOpened:
                continue
            taken = max(keys.number, terminal.taken.get(keys.generation, 0))
            if opened.number is not None and opened.number <= taken:
                raise self._replayed(terminal, knock)
            is_first = keys.step is not None or terminal.session.state not in ENCRYPTED_STATES
            is_claimed = is_first or changes(terminal, opened.body)
            if opened.number is not None:
                # Before anything is waited for: of two at once, one is taken.
                terminal.take(keys.generation, opened.number)
                if not is_claimed:
                    self._registry.took(terminal, keys.generation, opened.number)
            if is_claimed and not await self._claim(terminal, keys, opened, is_first=is_first):
                raise self._replayed(terminal, knock)
            if polls and terminal.session.sealed_poll is SessionReply.ASK_FOR_EXCHANGE:
                raise AskForExchange
            return AdmittedRequest(
                terminal, opened.body, _sealer(suite, keys, place, opened.number)
            )
        return None

    def _replayed(self, terminal: Terminal, knock: ReceivedRequest) -> AskForExchange:
        """Note that a sealed request was taken before; the error to raise."""
        self._refuse(terminal, knock, Refusal.REPLAYED)
        return AskForExchange()

    def _uncovered(
        self,
        terminal: Terminal,
        known: Sequence[Keys],
        place: Place,
        knock: ReceivedRequest,
        polls: bool,
    ) -> AdmittedRequest | None:
        """Let in what the suite of the session does not seal: that is for the suite to say."""
        for keys, suite in self._agreed(known):
            if suite.covers(place, Direction.REQUEST):
                continue
            if polls and terminal.session.state is SessionState.OUTDATED:
                raise AskForExchange
            return AdmittedRequest(terminal, knock.body, _sealer(suite, keys, place, None))
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

        def unit(tx: Transaction) -> tuple[bool, Device | None]:
            claimed = tx.sessions.claim(device_id, keys.generation, number)
            if not claimed and (keys.step is not None or opened.number is not None):
                return False, None
            if not is_first:
                return True, None
            device = tx.devices.get(device_id)
            session = Session(device.session)
            session.proved()
            changes = {
                "session": session.state,
                "generation": device.generation + 1,
                "encrypts": True,
            }
            return True, tx.devices.change(device_id, changes)

        try:
            claimed, device = await self._store.write(unit)
        except OutOfOrder:
            return False
        if device is not None:
            terminal.update(device)
            self._log.info("The session with terminal {sn} is encrypted", sn=device.sn)
        return bool(claimed)

    async def _plain(
        self, terminal: Terminal, place: Place, knock: ReceivedRequest
    ) -> AdmittedRequest:
        """Let a request in that is of no encrypted session: attendance records under RC4, say."""
        suite = self._registry.ciphers.fixed(terminal.device)
        if suite is None or not suite.covers(place, Direction.REQUEST):
            return AdmittedRequest(terminal, knock.body, is_proved=not terminal.has_to_encrypt)
        device_id = terminal.device.id
        secret = await self._store.read(lambda tx: tx.sessions.secret(device_id))
        state = suite.begin(knock.sn, secret, b"").state
        return AdmittedRequest(terminal, (await self._unseal(suite, state, place, knock.body)).body)

    async def _unseal(
        self, suite: ICipherSuite, state: bytes, place: Place, sealed: bytes
    ) -> Opened:
        """Open what is sealed, a long body on a thread; `NotOpened`."""
        if len(sealed) <= SHORT_SEALED:
            return suite.open(state, place, sealed)
        opening: Deferred[Opened] = threads.deferToThreadPool(
            self._reactor, self._reactor.getThreadPool(), suite.open, state, place, sealed
        )
        return await opening


def _sealer(
    suite: ICipherSuite, keys: Keys, place: Place, number: int | None
) -> Callable[[bytes], bytes] | None:
    if not suite.covers(place, Direction.REPLY):
        return None
    return lambda body: suite.seal(keys.state, place, number, body)
