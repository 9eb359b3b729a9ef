"""In-memory state of a terminal."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence

import attrs

from ..http.messages import Declined
from ..interfaces import ICipherSuite, ITerminalFamily
from ..model import Device, DeviceState
from ..protocol.addresses import Network, is_within, parse_address, parse_networks
from ..protocol.dialect import Dialect
from ..protocol.versions import SERVER, UNENCRYPTED, Version
from ..settings.features import Encryption
from ..values.families import SessionTable
from ..values.keys import StoredKeys
from ..values.sessions import ENCRYPTED_STATES, EncryptionPolicy, SessionState, TokenPolicy
from . import tokens
from .families import Families
from .session import Session

turns = itertools.count()
"""Sequence numbers that order the events of this process's terminals."""
MOST_GENERATIONS = 4
"""Key generations whose request numbers are remembered; two are in use at a time."""
NOWHERE = ""
"""A value that equals no address."""
OTHERS = "others"
"""Counter of requests from all addresses beyond the ones counted separately."""
TOKEN = "token"  # noqa: S105 - a name
"""Counter of requests with a trusted token from an address that has used up its allowance."""
NEW_TOKEN = "new token"  # noqa: S105 - a name
"""Counter of requests with a token that is not trusted yet."""


@attrs.frozen(eq=False)
class Ciphers:
    """Encryption defaults of sessions; a terminal may override them."""

    suites: Mapping[str, ICipherSuite]
    """Cipher suites by name."""
    config: Encryption = attrs.field(factory=Encryption)

    def policy(self, device: Device) -> EncryptionPolicy:
        """The encryption policy of a terminal."""
        return device.encryption or self.config.policy

    def suite(self, device: Device) -> ICipherSuite | None:
        """The cipher suite of a terminal; None if its plugin is not installed."""
        return self.suites.get(device.cipher or self.config.suite)

    def version(self, device: Device) -> Version:
        """The protocol version to announce: one without encryption where the policy is NEVER."""
        return UNENCRYPTED if self.policy(device) is EncryptionPolicy.NEVER else SERVER

    def fixed(self, device: Device) -> ICipherSuite | None:
        """The cipher suite of a terminal with a configured key; None if keys are exchanged."""
        suite = self.suite(device)
        if suite is None or suite.exchanges or self.policy(device) is EncryptionPolicy.NEVER:
            return None
        return suite

    def exchanges(self, device: Device) -> bool:
        """Whether a terminal that can encrypt may perform the key exchanges (Appendix 8)."""
        suite = self.suite(device)
        return (
            suite is not None
            and suite.exchanges
            and self.policy(device) is not EncryptionPolicy.NEVER
        )


REFRESH_EVERY = 1000
"""Milliseconds for which data read from the store is recent enough to refuse a terminal."""


class RequestCounter:
    """Request count, the start of its period (ms), and the time (ms) of the last refusal."""

    __slots__ = ("count", "refused_at", "since")

    def __init__(self, since: int) -> None:
        self.count, self.since, self.refused_at = 0, since, 0


@functools.cache
def session_of(table: SessionTable, state: SessionState, required: bool) -> Session:
    """The session of all terminals in this state, shared: read it, but do not change it."""
    return Session(table, state, required=required)


class Terminal:
    """Cached state of a terminal between requests; the database is authoritative."""

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
        "foreign",
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
        "refusal",
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
    """Encoding and formats of the terminal."""
    session: Session
    is_plain: bool
    """Whether the terminal is served and its requests are not sealed."""
    is_judged: bool
    """Whether its requests must return a session token."""
    bare: tuple[str | None, ...] | None
    """Addresses served without a token and without recording it; None for all. The entry None
    stands for a Unix socket."""
    refusal: Declined | None
    """Refusal of requests while it is pending or blocked; None until it is built."""

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
        """Time (ms) at which a command is due: 0 for now, None for never."""
        self.due_turn = -1
        """Sequence number (`turns`) of that value."""
        self.reported: bytes | None = None
        """The last update information (spec 9), so that the same is not stored twice."""
        self.keys: tuple[int, Sequence[StoredKeys]] | None = None
        """Key generation and session keys."""
        self.taken: dict[int, int] = {}
        """Highest accepted sealed-request number, by key generation."""
        self.held_until = 0
        """Time (ms) until which unproved sessions need no command query."""
        self.stamps: dict[str, tuple[str, int]] = {}
        """Stored stamps and their times (ms), by table. The same stamp is not stored again within a
        minute, nor before the terminal changes. A missing stamp only makes the terminal send stored
        records again."""
        self.counters: dict[str | None, RequestCounter] = {}
        """Request counters by address; see `OTHERS` and `TOKEN`."""
        self.measured_at = 0
        """Time (ms) of the last clock measurement (`zkpush.device.skew`)."""
        self.hello: tuple[object, ...] | None = None
        """The last initialization exchange (spec 5) of a pending terminal."""
        self.address = device.address
        """Address of its last request."""
        self.former: str | None = None
        self.moved_at = 0
        """Time (ms) at which the terminal moved from `former` to its current address."""
        self.noted_keys: dict[str | None, int] = {}
        """Times (ms) at which refused pushcommkeys were recorded, by fingerprint; None stands for
        no key."""
        self.refreshed_at = 0
        """Time (ms) of the last read from the store."""
        self.refused_at = 0
        """Time (ms) of the last read from the store before a refusal."""
        self.foreign: int | None = None
        """Hash of the foreign cookie that came last."""
        self.networks = parse_networks(device.networks)
        self.checked: str | None = NOWHERE
        """The last address found to be in `networks`."""
        self.update(device)

    def update(self, device: Device) -> None:
        """Replace the cached state after a read or a change of the store."""
        self.turn = next(turns)
        """Sequence number (`turns`) of the last update."""
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
        self.refusal = None
        self.held_until = 0
        self.stamps.clear()
        networks = parse_networks(device.networks)
        if networks != self.networks:
            self.networks = networks
            self.checked = NOWHERE

    def set_due(self, due: int | None) -> None:
        """Set the time (ms) at which a command is due, as just read from the store."""
        self.next_due, self.due_turn = due, next(turns)

    def hurry(self, due: int) -> None:
        """Make a new command due at `due` (ms), unless another is due earlier."""
        self.set_due(due if self.next_due is None else min(due, self.next_due))

    def take(self, generation: int, number: int) -> None:
        """Remember the number of a sealed request, by key generation."""
        self.taken[generation] = max(number, self.taken.get(generation, 0))
        if len(self.taken) > MOST_GENERATIONS:
            del self.taken[min(self.taken)]

    def refuse(self, address: str | None, now: int) -> None:
        """Note a refusal at `now` (ms) that followed a read of the store.

        For a second, memory is recent enough to refuse further requests.
        """
        if not self.is_refusing(now):
            self.refused_at = self.refreshed_at or 1  # 0 means no refusal
        counter = self.counters.get(address) or self.counters.get(OTHERS)
        if counter is not None:
            counter.refused_at = now

    def is_refusing(self, now: int) -> bool:
        """Whether a request was refused within the last second, after a read of the store."""
        return 0 <= now - self.refused_at < REFRESH_EVERY

    def is_itself(self, address: str | None, cookie: bytes | None) -> bool:
        """Whether a request comes from the usual address or carries a trusted token."""
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
        """Whether encrypted sessions are on record, so that a plain one proves nothing."""
        return (
            self.device.encrypts
            and self.device.session not in ENCRYPTED_STATES
            and self.ciphers.policy(self.device) is not EncryptionPolicy.NEVER
        )

    def may_be_at(self, address: str | None) -> bool:
        """Whether the terminal's networks include an address."""
        return is_in(self.networks, address)

    def move(self, address: str | None, now: int) -> tuple[str | None, int] | None:
        """Record the address of a request at `now` (ms).

        If the terminal returns to its former address, returns the address in between and the time
        (ms) of the move to it; otherwise None.
        """
        self.checked = address
        if address == self.address:
            return None
        between, since = self.address, self.moved_at
        is_back = self.former is not None and address == self.former
        self.former, self.address, self.moved_at = between, address, now
        return (between, since) if is_back else None


def may_be_at(device: Device, address: str | None) -> bool:
    """Whether a terminal's networks include an address."""
    return is_in(parse_networks(device.networks), address)


def is_in(networks: Sequence[Network], address: str | None) -> bool:
    """Whether networks include an address; without networks, they include any."""
    if not networks:
        return True
    return address is not None and is_within(parse_address(address), networks)
