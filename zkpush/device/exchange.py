"""Initialization, key and factor exchanges with one terminal (spec 5, 6, 7).

Theory of operation. The initialization exchange sends the terminal its options and a session token,
which it may return as a cookie. If both sides can encrypt (Appendix 8), the terminal may continue
with its public key and then its factor. The cipher suite answers each step. The state for the next
step is stored encrypted, so that any process can take that step. No key is used before the terminal
has proved that it holds the session key (`zkpush.device.sealedrequests`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import cast

import attrs
from twisted.logger import Logger

from ..interfaces import IStore, ITerminalFamily
from ..model import Device, DeviceState, Problem
from ..persist.commkeys import CommKeyStore
from ..persist.devices import DeviceStore
from ..persist.sessions import SessionStore
from ..persist.stamps import StampStore
from ..persist.transaction import Transaction
from ..phrases import Phrase
from ..problems import ProblemCode
from ..protocol.catalogue import Catalogue
from ..protocol.envelope import NotOpened, Step
from ..protocol.errors import Refused
from ..protocol.fields import Table
from ..protocol.handshake import Hello
from ..protocol.times import zone_option
from ..protocol.versions import BASELINE, parse_version
from ..values.families import Opening
from ..values.keys import StoredKeys
from ..values.sessions import REPEATED_STATES, EncryptionPolicy, SessionState, TokenPolicy
from . import tokens
from .answers import answered_by_restart
from .commkey import CommKeyGuard, fingerprint_of, is_wrong_key
from .modes import PendingModes, problems_after
from .privacy import Privacy
from .refusals import Refusal, RefusalLog
from .registry import Registry
from .session import AskForExchange, OutOfOrder, Session
from .terminal import Terminal

_CANNOT_ENCRYPT_DETAIL = Phrase(
    "Encryption is required of this terminal, and it reports a version before 2.4.0, which has "
    "none."
)
_TOO_OLD_DETAIL = Phrase(
    "A token is required of this terminal, and it reports a version before 2.4.0, which has none."
)
_ASKED = REPEATED_STATES | {SessionState.NEW}
"""Session states in which the server asks the terminal for the exchange."""
_TOKEN_BYTES = 16


@attrs.frozen
class HandshakeReply:
    """The reply to an exchange."""

    body: bytes
    token: str | None
    """The session token; None for a terminal that does not support tokens."""


class Exchange:
    """Stores what terminals report, sends them their options, and agrees on keys."""

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        tables: Iterable[Table],
        settings: Mapping[str, str | int],
        random: Callable[[int], bytes],
        refusals: RefusalLog,
        privacy: Privacy,
        catalogue: Catalogue,
    ) -> None:
        """`random` returns the given number of random bytes, for tokens."""
        self._random = random
        self._refusals = refusals
        self._store = store
        self._registry = registry
        self._tables = tuple(privacy.tables(tables))
        self._privacy = privacy
        self._catalogue = catalogue
        self._settings = settings
        self._comm_keys = CommKeyGuard(store, registry, refusals)
        self._modes = PendingModes(store, registry)

    async def answer(
        self,
        sn: str,
        hello: Hello,
        address: str | None,
        cookie: bytes | None,
        said: ITerminalFamily,
        *,
        is_proxied: bool = False,
    ) -> HandshakeReply:
        """Perform the initialization exchange and return the option reply.

        `said` is the family that the terminal claims; `is_proxied` tells whether an HTTP proxy
        forwarded the request. Of an unapproved terminal, only the fingerprint of its
        pushcommkey, its family and its mode are stored.

        Raises `Refused` if the terminal is not admitted.
        """
        terminal = await self._registry.meet(sn, address, hello, said.name)
        offered = fingerprint_of(hello.comm_key)
        if not self._is_refused(terminal, hello, offered):
            await self._registry.refresh(terminal)
        await self._comm_keys.check(terminal, offered, address)
        await self._check_family(terminal, said, address)
        await self._modes.note(terminal, hello.device_type)
        terminal = await self._registry.admit(sn, address)
        if hello.push_version and parse_version(hello.push_version) is None:
            self._log.warn(
                "Terminal {sn} sent a pushver that cannot be read; taken for {baseline}",
                sn=sn,
                baseline=str(BASELINE),
            )
        await self._check_version(terminal, hello, address)
        kept = self._privacy.kept_hello(hello)
        time_zone = zone_option(terminal.device.timezone, self._registry.now() / 1000)
        key, ciphers, now = terminal.device.id, self._registry.ciphers, self._registry.now()
        family = terminal.family
        has_token = family.can_encrypt(hello.push_version)
        token = self._random(_TOKEN_BYTES).hex() if has_token else None

        def unit(tx: Transaction) -> tuple[Device, dict[str, str]]:
            before = tx[DeviceStore].get(key)
            self._comm_keys.note(tx, before, offered, address)
            session = Session(family.session, before.session)
            session.exchanged()
            changes = {
                **self._without_keys(tx, before),
                "session": session.state,
                "tokens": before.tokens
                if token is None
                else tokens.issue(before, token, address, cookie, offered),
                "address": address,
                **_settled_family(before),
            }
            stamps = tx[StampStore].of(key)
            if not tokens.continues(before, address, cookie, offered):
                # This exchange counts for this client only, not for the terminal. If the terminal
                # was still due new options, it stays so (`registry`).
                if before.session in REPEATED_STATES:
                    changes["told_time_zone"] = None
                return tx[DeviceStore].change(key, changes), stamps
            tx[StampStore].told(key)
            if before.session not in _ASKED:
                answered_by_restart(tx, before, self._catalogue, now)
            known = cast(tuple[Problem, ...], changes.get("problems", before.problems))
            problems = problems_after(before, known, hello.device_type, now, is_proxied=is_proxied)
            if problems != before.problems:
                changes["problems"] = problems
            return tx[DeviceStore].exchanged(
                key, kept, {**changes, "told_time_zone": time_zone}
            ), stamps

        device, stamps = await self._store.write(unit)
        terminal.update(device)
        opening = Opening(
            sn=sn,
            hello=hello,
            settings=self._privacy.told({**self._settings, **device.settings}),
            stamps=stamps,
            timezone=device.timezone,
            at=now,
            tables=[table for table in self._tables if table.family == family.name],
            version=ciphers.version(device),
            encrypts_records=ciphers.fixed(device) is not None,
        )
        return HandshakeReply(family.opening(opening), token)

    async def _check_family(
        self, terminal: Terminal, said: ITerminalFamily, address: str | None
    ) -> None:
        """Raise `Refused` if a terminal claims a family other than the stored one.

        Before its first session, a terminal takes the family that it claims. Later, its family
        stays until an operator approves it again, because any client can make the claim in its
        name.
        """
        device, now = terminal.device, self._registry.now()
        if device.family == said.name or device.state.is_refused:
            return
        is_settled = device.state is DeviceState.APPROVED and device.session is not SessionState.NEW
        problem = Problem(
            ProblemCode.OTHER_FAMILY,
            Phrase(
                "It was approved for %(approved)s, and says that it speaks %(said)s.",
                approved=terminal.family.title,
                said=said.title,
            ),
            now,
        )

        def unit(tx: Transaction) -> Device:
            if not is_settled:
                return tx[DeviceStore].change(device.id, {"family": said.name})
            tx[DeviceStore].raise_problem(device.id, problem)
            return tx[DeviceStore].change(device.id, {"offered_family": said.name})

        if not is_settled or device.offered_family != said.name:
            terminal.update(await self._store.write(unit))
        if is_settled:
            self._refusals.refuse(Refusal.FAMILY, device.sn, address)
            raise Refused("This terminal was approved for another protocol; approve it again.")

    def _is_refused(self, terminal: Terminal, hello: Hello, offered: str | None) -> bool:
        """Whether to refuse an exchange from memory.

        True if another was refused within the last second and the known state refuses this one too.
        """
        if not terminal.is_refusing(self._registry.now()):
            return False
        device = terminal.device
        is_old = not terminal.family.can_encrypt(hello.push_version)
        return is_wrong_key(device, offered) or (
            is_old and (self._must_encrypt(device) or device.token_policy is TokenPolicy.REQUIRE)
        )

    def _must_encrypt(self, device: Device) -> bool:
        """Whether a terminal must perform the key and factor exchanges."""
        ciphers = self._registry.ciphers
        return ciphers.policy(device) is EncryptionPolicy.REQUIRE and ciphers.fixed(device) is None

    async def step(
        self,
        sn: str,
        step: Step,
        value: bytes,
        address: str | None,
        cookie: bytes | None = None,
    ) -> HandshakeReply:
        """Take a public key (spec 6) or a factor (spec 7) and return the server's.

        Raises `Refused` if the terminal is not admitted or must not encrypt, `AskForExchange`
        before the initialization exchange, and `NotOpened` if the step is out of order or cannot be
        decrypted. A step carries no pushcommkey: if one is pinned, only the client that showed it
        in the exchange may take a step.
        """
        terminal = await self._registry.admit(sn, address)
        await self._registry.refresh(terminal)
        device, ciphers = terminal.device, self._registry.ciphers
        can = terminal.family.can_encrypt(device.push_version)
        if not (can and ciphers.exchanges(device)):
            raise Refused("Sessions with this terminal are not encrypted; go on in the plain.")
        token = self._random(_TOKEN_BYTES).hex()
        take = self._take_key if step is Step.PUBLIC_KEY else self._take_factor

        def unit(tx: Transaction) -> tuple[Device, bytes]:
            before = tx[DeviceStore].get(device.id)
            if not _made_exchange(tx, before, address, cookie):
                raise OutOfOrder
            session = Session(terminal.family.session, before.session)
            (session.keys if step is Step.PUBLIC_KEY else session.factors)()
            generation, answer = take(tx, before, value)
            changes = {
                "session": session.state,
                "generation": generation,
                "tokens": tokens.continued(before, token, address, cookie),
            }
            return tx[DeviceStore].change(device.id, changes), answer

        try:
            changed, answer = await self._store.write(unit)
        except (OutOfOrder, NotOpened) as error:
            self._refusals.refuse(Refusal.KEY_EXCHANGE, sn, address)
            if isinstance(error, OutOfOrder) and step is Step.PUBLIC_KEY:
                raise AskForExchange from None
            raise NotOpened from None
        terminal.update(changed)
        return HandshakeReply(answer, token)

    def _take_key(self, tx: Transaction, device: Device, value: bytes) -> tuple[int, bytes]:
        """Store the result of the public keys; returns the generation and the server's key."""
        suite = self._registry.ciphers.suite(device)
        if suite is None:
            raise NotOpened
        made = suite.begin(device.sn, tx[SessionStore].secret(device.id), value)
        return tx[SessionStore].begin(device.id, suite.name, made.state), made.answer

    def _take_factor(self, tx: Transaction, device: Device, value: bytes) -> tuple[int, bytes]:
        """Store the session key; returns the generation and the server's factor."""
        keys = _waiting(tx[SessionStore].keys(device.id))
        suite = None if keys is None else self._registry.ciphers.suites.get(keys.suite)
        if keys is None or suite is None:
            raise NotOpened
        made = suite.agree(keys.state, value)
        generation = tx[SessionStore].agree(device.id, keys.generation, made.state)
        if generation is None:
            raise NotOpened
        return generation, made.answer

    def _without_keys(self, tx: Transaction, device: Device) -> dict[str, object]:
        """Drop the keys of a terminal that must not encrypt.

        Other terminals keep their keys until new ones are proved: any client can start an exchange,
        while the terminal continues to encrypt its requests.
        """
        policy = self._registry.ciphers.policy(device)
        if not device.generation or policy is not EncryptionPolicy.NEVER:
            return {}
        tx[SessionStore].drop(device.id)
        return {"generation": device.generation + 1}

    async def _check_version(self, terminal: Terminal, hello: Hello, address: str | None) -> None:
        """Raise `Refused` if a terminal is too old for required encryption or tokens."""
        device = terminal.device
        is_old = not terminal.family.can_encrypt(hello.push_version)
        now = self._registry.now()
        for problem, cannot, reason, message in (
            (
                Problem(ProblemCode.CANNOT_ENCRYPT, _CANNOT_ENCRYPT_DETAIL, now),
                is_old and self._must_encrypt(device),
                Refusal.NO_ENCRYPTION,
                "This terminal has to encrypt its sessions, and is too old to do so.",
            ),
            (
                Problem(ProblemCode.NO_TOKEN, _TOO_OLD_DETAIL, now),
                is_old and device.token_policy is TokenPolicy.REQUIRE,
                Refusal.NO_SESSION_TOKEN,
                "This terminal has to return the token of its session, and is too old to do so.",
            ),
        ):
            await self._settle(terminal, problem, has_it=cannot)
            if cannot:
                terminal.refuse(address, now)
                self._refusals.refuse(reason, device.sn, address)
                raise Refused(message)

    async def _settle(self, terminal: Terminal, problem: Problem, *, has_it: bool) -> None:
        """Raise or clear a problem of a terminal."""
        device = terminal.device
        if has_it is any(known.code == problem.code for known in device.problems):
            return

        def unit(tx: Transaction) -> Device:
            if has_it:
                tx[DeviceStore].raise_problem(device.id, problem)
            else:
                tx[DeviceStore].clear_problem(device.id, problem.code)
            return tx[DeviceStore].get(device.id)

        terminal.update(await self._store.write(unit))


def _settled_family(device: Device) -> dict[str, object]:
    """The changes to a terminal that starts a session in its approved family."""
    if device.offered_family is None:
        return {}
    left = tuple(one for one in device.problems if one.code != ProblemCode.OTHER_FAMILY)
    return {"offered_family": None, "problems": left}


def _waiting(found: Iterable[StoredKeys]) -> StoredKeys | None:
    return next((keys for keys in found if keys.step is SessionState.KEYS), None)


def _made_exchange(
    tx: Transaction, device: Device, address: str | None, cookie: bytes | None
) -> bool:
    """Whether a client made the exchange with the pinned pushcommkey, if one is pinned.

    It shows a token of that exchange; a terminal that returns no tokens comes from its address.
    """
    if device.comm_key is None:
        return True
    if tokens.is_judged(device):
        return tokens.find(device, cookie) is not None
    offered = tx[CommKeyStore].of(device.id)
    return any(one.fingerprint == device.comm_key and one.address == address for one in offered)
