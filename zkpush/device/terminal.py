"""A terminal that this process knows."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence

import attrs

from ..interfaces import ICipherSuite, ITerminalFamily
from ..model import (
    ENCRYPTED_STATES,
    Device,
    DeviceState,
    EncryptionPolicy,
    SessionState,
    StoredKeys,
    TokenPolicy,
)
from ..protocol.addresses import Network, is_within, parse_address, parse_networks
from ..protocol.dialect import Dialect
from ..protocol.versions import SERVER, UNENCRYPTED, Version
from ..settings.features import Encryption
from ..values.families import SessionTable
from . import tokens
from .families import Families
from .session import Session

turns = itertools.count()
"""Numbers what happens to the terminals of this process, to tell what came first."""
MOST_GENERATIONS = 4
"""Generations of keys whose numbers are remembered: two are in use at a time."""
NOWHERE = ""
"""No address is this one."""
OTHERS = "others"
"""Where the requests of a terminal are counted that come from too many addresses to tell apart."""
TOKEN = "token"  # noqa: S105 - a name
"""Where those are counted that bring its token, once its address has used up what it may ask."""
NEW_TOKEN = "new token"  # noqa: S105 - a name
"""Where those are counted that bring a token which is not trusted yet."""


@attrs.frozen(eq=False)
class Ciphers:
    """How sessions are encrypted, unless a terminal has its own way."""

    suites: Mapping[str, ICipherSuite]
    """By their names."""
    config: Encryption = attrs.field(factory=Encryption)

    def policy(self, device: Device) -> EncryptionPolicy:
        """Whether the sessions of a terminal are encrypted."""
        return device.encryption or self.config.policy

    def suite(self, device: Device) -> ICipherSuite | None:
        """The suite of a terminal; None if there is no such plugin any more."""
        return self.suites.get(device.cipher or self.config.suite)

    def version(self, device: Device) -> Version:
        """The version that a terminal is told: one without encryption where there is to be none."""
        return UNENCRYPTED if self.policy(device) is EncryptionPolicy.NEVER else SERVER

    def fixed(self, device: Device) -> ICipherSuite | None:
        """The suite of a terminal whose key is configured, and not exchanged; None if there is
        none."""
        suite = self.suite(device)
        if suite is None or suite.exchanges or self.policy(device) is EncryptionPolicy.NEVER:
            return None
        return suite

    def exchanges(self, device: Device) -> bool:
        """Whether a terminal that can encrypt may make the exchanges of keys and factors
        (Appendix 8)."""
        suite = self.suite(device)
        return (
            suite is not None
            and suite.exchanges
            and self.policy(device) is not EncryptionPolicy.NEVER
        )


REFRESH_EVERY = 1000
"""Milliseconds for which what the store said is enough to turn a terminal away."""


class RequestCounter:
    """How many requests came, since when (ms), and when (ms) the last of them was refused."""

    __slots__ = ("count", "refused_at", "since")

    def __init__(self, since: int) -> None:
        self.count, self.since, self.refused_at = 0, since, 0


@functools.cache
def session_of(table: SessionTable, state: SessionState, required: bool) -> Session:
    """A session to ask, and not to change: it is that of all terminals in this state."""
    return Session(table, state, required=required)


class Terminal:
    """What a process remembers of a terminal between its requests; all of it is in the store."""

    __slots__ = (
        "address",
        "bare",
        "checked",
        "ciphers",
        "counters",
        "device",
        "dialect",
        "due_turn",
        "families",
        "family",
        "former",
        "held_until",
        "hello",
        "is_judged",
        "is_plain",
        "keys",
        "measured_at",
        "moved_at",
        "networks",
        "next_due",
        "noted_keys",
        "refreshed_at",
        "refused_at",
        "reported",
        "session",
        "stamps",
        "taken",
        "turn",
    )

    device: Device
    family: ITerminalFamily
    dialect: Dialect
    """How it writes."""
    session: Session
    is_plain: bool
    """Whether it is served, and its requests are what they seem: nothing of them is sealed."""
    is_judged: bool
    """Whether its requests have to return a token."""
    bare: tuple[str | None, ...] | None
    """The addresses that may be served without a token and without a note of it; None for all.
    Among them, None stands for a socket file."""

    def __init__(
        self,
        device: Device,
        ciphers: Ciphers,
        families: Families,
        next_due: int | None = None,
    ) -> None:
        self.ciphers = ciphers
        self.families = families
        self.next_due = next_due
        """When (ms) there is a command to look at: 0 for now, None for never."""
        self.due_turn = -1
        """When that was found, by `turns`."""
        self.reported: bytes | None = None
        """The last update information (9), so that the same is not stored twice."""
        self.keys: tuple[int, Sequence[StoredKeys]] | None = None
        """The keys of its sessions, and the generation of which they are."""
        self.taken: dict[int, int] = {}
        """The highest number of a sealed request that was taken, by the generation of its keys."""
        self.held_until = 0
        """Until when (ms) sessions that prove nothing need not be looked at for commands."""
        self.stamps: dict[str, tuple[str, int]] = {}
        """Stamps that were stored, by table, and when (ms): the same is not stored again within a
        minute, nor before the next change of the terminal. If one is missing, the terminal sends
        again what is there already, and no more than that."""
        self.counters: dict[str | None, RequestCounter] = {}
        """Its requests, by the address they came from; see `OTHERS` and `TOKEN`."""
        self.measured_at = 0
        """When (ms) its clock was last measured (`zkpush.device.skew`)."""
        self.hello: tuple[object, ...] | None = None
        """The last exchange (5) it made while it waits for approval."""
        self.address = device.address
        """Where it was heard of last."""
        self.former: str | None = None
        self.moved_at = 0
        """Where it was before, and when (ms) it moved."""
        self.noted_keys: dict[str | None, int] = {}
        """When (ms) refused pushcommkeys were noted, by fingerprint; None stands for no key."""
        self.refreshed_at = 0
        """When (ms) the store was last asked about it."""
        self.refused_at = 0
        """When (ms) the store was asked before a request of it was refused."""
        self.networks = parse_networks(device.networks)
        self.checked: str | None = NOWHERE
        """The address that is known to be one of those it may have."""
        self.update(device)

    def update(self, device: Device) -> None:
        """Take over what the store says now."""
        self.turn = next(turns)
        """When that was."""
        self.device = device
        self.family = self.families.of(device)
        self.dialect = device.dialect
        fixed = self.ciphers.fixed(device)
        required = fixed is None and self.ciphers.policy(device) is EncryptionPolicy.REQUIRE
        self.session = session_of(self.family.session, device.session, required)
        self.is_plain = (
            device.state is DeviceState.APPROVED
            and device.session is SessionState.READY
            and not required
            and fixed is None
            and not self.has_to_encrypt
        )
        self.is_judged = tokens.is_judged(device)
        learns = device.token_policy is TokenPolicy.CHECK and bool(device.tokens)
        is_full = len(device.bare_addresses) >= tokens.MOST_BARE
        self.bare = (
            tuple([address or None for address in device.bare_addresses])
            if learns and not is_full
            else None
        )
        self.held_until = 0
        self.stamps.clear()
        networks = parse_networks(device.networks)
        if networks != self.networks:
            self.networks = networks
            self.checked = NOWHERE

    def set_due(self, due: int | None) -> None:
        """Take over when there is a command to look at (ms), as the store has just said."""
        self.next_due, self.due_turn = due, next(turns)

    def hurry(self, due: int) -> None:
        """Look for commands at an instant (ms), or before it: one was queued."""
        self.set_due(due if self.next_due is None else min(due, self.next_due))

    def take(self, generation: int, number: int) -> None:
        """Remember the number of a sealed request, by the generation of its keys."""
        self.taken[generation] = max(number, self.taken.get(generation, 0))
        if len(self.taken) > MOST_GENERATIONS:
            del self.taken[min(self.taken)]

    def refuse(self, address: str | None, now: int) -> None:
        """Note that a request from an address was refused, at `now` (ms), after a look at the
        store: what is in memory is enough to refuse the next ones, for a second."""
        if not self.is_refusing(now):
            self.refused_at = self.refreshed_at or 1  # 0 where none was refused
        counter = self.counters.get(address) or self.counters.get(OTHERS)
        if counter is not None:
            counter.refused_at = now

    def is_refusing(self, now: int) -> bool:
        """Whether a request was refused after a look at the store within the last second."""
        return 0 <= now - self.refused_at < REFRESH_EVERY

    def is_itself(self, address: str | None, cookie: bytes | None) -> bool:
        """Whether a request comes from the usual address, or with a trusted token."""
        if next(iter(self.counters), None) == address:
            return True
        token = tokens.find(self.device, cookie)
        return token is not None and bool(token.proved and token.trusted)

    def is_suspect(self, address: str | None, now: int) -> bool:
        """Whether a request from an address was refused within the last second."""
        counter = self.counters.get(address) or self.counters.get(OTHERS)
        return counter is not None and 0 <= now - counter.refused_at < REFRESH_EVERY

    @property
    def has_to_encrypt(self) -> bool:
        """Whether it has had an encrypted session, so that a plain one proves nothing."""
        return (
            self.device.encrypts
            and self.device.session not in ENCRYPTED_STATES
            and self.ciphers.policy(self.device) is not EncryptionPolicy.NEVER
        )

    def may_be_at(self, address: str | None) -> bool:
        """Whether an operator lets it come from there."""
        return _is_in(self.networks, address)

    def move(self, address: str | None, now: int) -> tuple[str | None, int] | None:
        """Note where it is heard of, at `now` (ms).

        Of one that comes back: where it has been in between, and since when (ms).
        """
        self.checked = address
        if address == self.address:
            return None
        between, since = self.address, self.moved_at
        is_back = self.former is not None and address == self.former
        self.former, self.address, self.moved_at = between, address, now
        return (between, since) if is_back else None


def may_be_at(device: Device, address: str | None) -> bool:
    """Whether an operator lets a terminal come from an address."""
    return _is_in(parse_networks(device.networks), address)


def _is_in(networks: Sequence[Network], address: str | None) -> bool:
    if not networks:
        return True
    return address is not None and is_within(parse_address(address), networks)
