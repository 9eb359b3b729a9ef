"""Refusals: their reasons, their counts, and their summary in the audit log.

Theory of operation. Refusals with the same reason, terminal and address are counted together. The
first one is written within seconds. Later ones are written after a minute, as one record with their
number, then after two minutes, four, and so on up to an hour. Neither a forgotten terminal nor an
attacker can fill the audit log: at most `MOST` kinds are tracked separately, at most
`MOST_OF_ADDRESS` of one address, and all others are counted by reason only. Of requests for
unserved paths, whose paths and serial numbers anybody can invent, at most `MOST_PATHS` kinds are
tracked, and at most `MOST_PATHS_OF_ADDRESS` of one address.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..clock import wall_clock
from ..interfaces import IStore
from ..periodic import PeriodicService
from ..persist.audit import AuditStore
from ..persist.transaction import Transaction
from ..phrases import Phrase
from ..protocol.errors import TerminalError
from ..protocol.serials import check_serial
from ..values.audit import AuditRecord, device_actor

ACTION = "refused"
"""The action in audit records; the subject is the reason in words."""
DEVICE = device_actor("")
"""Start of the actor of a terminal."""
OTHERS = "others"
"""The actor of refusals that are not tracked separately."""
EVERY = 5.0
"""Seconds between checks for refusals to write."""
MINUTE = 60.0
"""Seconds between the first two records of one kind."""
HOUR = 3600.0
"""Maximum number of seconds between two records of one kind."""
MOST = 100
"""Maximum number of kinds tracked separately, and thus about the most records a minute."""
MOST_OF_ADDRESS = 25
"""Maximum number of kinds tracked separately that come from one address; further ones of it are
counted by reason and address."""
MOST_PATHS = 40
"""Maximum number of kinds of requests for unserved paths."""
MOST_PATHS_OF_ADDRESS = 5
"""Maximum number of kinds of requests for unserved paths that come from one address."""


class Refusal(StrEnum):
    """Reasons for refusing a request or a connection.

    The value is the label of the metric `zkpush_refused_total`; the words are the subject of the
    audit record. The member for a limit is named after its configuration key.
    """

    words: str

    def __new__(cls, key: str, words: str = "") -> Refusal:
        """Make a member; a limit needs no words of its own."""
        member = str.__new__(cls, key)
        member._value_ = key
        member.words = words or f"limits.{key}"
        return member

    ADDRESS = "address", "address is in none of the terminal's networks"
    ARGUMENTS = "arguments", "serial number or arguments are malformed"
    BLOCKED = "blocked", "terminal is blocked"
    BODY_BYTES = "body_bytes"
    BODIES_BYTES = "bodies_bytes"
    BROWSER = "browser", "request was sent by a browser"
    CONNECTIONS = "connections"
    CONNECTIONS_PER_ADDRESS = "connections_per_address"
    FAMILY = (
        "family",
        "protocol of the terminal is not approved, or not installed",
    )
    FILE = "file", "file does not exist"
    FILE_NOT_OPEN = "file_not_open", "file was not to be fetched"
    HEAD_BYTES = "head_bytes"
    IDLE_SECONDS = "idle_seconds"
    KEY_CHANGED = "key_changed", "pushcommkey has changed"
    KEY_EXCHANGE = "key_exchange", "exchange of keys is malformed, or out of order"
    MANAGE_BODIES_BYTES = "manage_bodies_bytes"
    MANAGE_CONNECTIONS = "manage_connections"
    MANAGE_CONNECTIONS_PER_ADDRESS = "manage_connections_per_address"
    NO_ENCRYPTION = "no_encryption", "terminal cannot encrypt, and has to"
    NO_SCOPE = "no_scope", "API was called without the scope"
    NO_SESSION_TOKEN = "no_session_token", "terminal cannot return a token, and has to"
    NO_TOKEN = "no_token", "API was called without a token that is good"
    NOT_OPENED = "not_opened", "sealed request does not open"
    NOT_SEALED = "not_sealed", "plain request in an encrypted session"
    PATH = "path", "path is not served"
    PENDING = "pending", "terminal is pending"
    PENDING_TERMINALS = "pending_terminals"
    PROXY = "proxy", "proxy is not trusted, or does not say whom it speaks for"
    REMOTE_OFF = "remote_off", "remote attendance is off"
    REMOTE_TOO_OFTEN = "remote_too_often", "remote attendance was asked for too often"
    REPLAYED = "replayed", "sealed request was taken before"
    REQUEST_SECONDS = "request_seconds"
    REQUESTS_PER_MINUTE = "requests_per_minute"
    SIGN_IN = "sign_in", "name, password or code of an account is wrong"
    SIGN_IN_TOO_OFTEN = "sign_in_too_often", "signing in to the console failed too often"
    STALLED_SECONDS = "stalled_seconds"
    TERMINALS = "terminals"
    TLS = "tls", "TLS on a port that speaks HTTP"
    UNKNOWN = "unknown", "terminal is unknown"
    UNKNOWN_PER_MINUTE = "unknown_per_minute"
    WRONG_TOKEN = "wrong_token", "token is not that of the session"


Refuse = Callable[[str, str | None, str | None], None]
"""Called with the reason (a `Refusal`, or its value), the serial number and the address."""


Kind = tuple[str | None, str, str | None, str | None]
"""Actor, reason, detail and address; without a detail, the serial number in place of the actor."""


@attrs.define(eq=False)
class _Pending:
    """Refusals of one kind that are not in the audit log yet."""

    count: int = 0
    """Number of unwritten refusals."""
    since: float = 0.0
    last: float = 0.0
    written_at: float | None = None
    pause: float = MINUTE
    """Seconds until the next record."""

    def is_due(self, now: float) -> bool:
        """Whether a record may be written now."""
        return self.count > 0 and self.has_paused(now)

    def has_paused(self, now: float) -> bool:
        """Whether the pause since the last record is over."""
        return self.written_at is None or now - self.written_at >= self.pause


class RefusalLog(PeriodicService):
    """Counts refusals and writes them to the audit log."""

    _log = Logger()

    def __init__(self, store: IStore, clock: IReactorTime) -> None:
        super().__init__(clock)
        self._store = store
        self._wall = wall_clock(clock)
        self._kinds: dict[Kind, _Pending] = {}
        self._of_address: Counter[str | None] = Counter()
        """Number of tracked kinds, by address."""
        self._paths: Counter[str | None] = Counter()
        """Number of tracked kinds of requests for unserved paths, by address."""
        self._tracked = 0
        """Sum of `_paths`."""
        self._counts = dict.fromkeys(Refusal, 0)
        self.every(EVERY, self._write_due, Phrase("Refusals are not recorded yet"))

    @property
    def counts(self) -> Mapping[Refusal, int]:
        """Number of refusals since startup by reason, in this process and its workers."""
        return self._counts

    async def finish(self) -> None:
        """Write the pending refusals."""
        await self._write([kind for kind, refusals in self._kinds.items() if refusals.count])

    def refuse(
        self, reason: str, sn: str | None, address: str | None, what: str | None = None
    ) -> None:
        """Count a refusal, by its `Refusal` or the value of one, for the metrics and the log.

        `sn` is the serial number in the request, whoever sent it; a malformed one is not kept. With
        `what`, it is the actor in the audit log; see `refuse_caller`.
        """
        self._counts[reason] += 1  # type: ignore[index]  # a member equals its value
        kind: Kind = (sn, reason, what, address)
        refusals = self._kinds.get(kind)
        if refusals is None:
            if address is not None and self._of_address[address] >= MOST_OF_ADDRESS:
                kind = (OTHERS, reason, "", address)
            if kind not in self._kinds and len(self._kinds) >= MOST:
                kind = (OTHERS, reason, "", None)
            refusals = self._kinds.get(kind) or self._begin(*kind)
        refusals.last = now = self._clock.seconds()
        if not refusals.count:
            refusals.since = now
        refusals.count += 1

    def refuse_caller(self, reason: Refusal, actor: str, what: str, address: str | None) -> None:
        """Count the refusal of an API caller known by a token.

        `what` must be a text of the program, never text from the request.
        """
        self.refuse(reason, actor, address, what)

    def refuse_path(self, sn: str, address: str | None, asked: str) -> None:
        """Count a request for an unserved path that names no approved terminal.

        `sn` is a valid serial number, and `asked` is the method and the path in words.
        """
        who = f"{DEVICE}{sn}"
        if (who, Refusal.PATH, asked, address) not in self._kinds and (
            self._tracked >= MOST_PATHS or self._paths.get(address, 0) >= MOST_PATHS_OF_ADDRESS
        ):
            who, asked, address = OTHERS, "", None
        self.refuse(Refusal.PATH, who, address, asked)

    def last_by_number(self) -> Mapping[str, int]:
        """Map the serial numbers of tracked refusals to the times (ms) of their last ones.

        A kind is tracked for a minute or longer after its last refusal.
        """
        ahead, found = self._wall() - self._clock.seconds(), dict[str, int]()
        for (who, *_), refusals in self._kinds.items():
            sn = (who or "").removeprefix(DEVICE)
            found[sn] = max(found.get(sn, 0), int((refusals.last + ahead) * 1000))
        return found

    def unwritten(self) -> Iterator[AuditRecord]:
        """Return the pending refusals in the form of their audit records."""
        for kind, refusals in self._kinds.items():
            if refusals.count:
                yield self._record(kind, refusals)

    def add(self, counts: Mapping[str, int]) -> None:
        """Add the counts of a worker, which writes its own refusals to the audit log."""
        for reason, count in counts.items():
            self._counts[Refusal(reason)] += count

    def _begin(
        self, who: str | None, reason: str, what: str | None, address: str | None
    ) -> _Pending:
        """Begin to count a kind; a malformed serial number is not kept."""
        who = _sound(who) if what is None else who
        kind: Kind = (who, Refusal(reason), what, address)
        if kind in self._kinds:
            return self._kinds[kind]
        self._of_address[address] += 1
        if what and reason == Refusal.PATH:
            self._paths[address] += 1
            self._tracked += 1
        return self._kinds.setdefault(kind, _Pending())

    async def _write_due(self) -> None:
        now = self._clock.seconds()
        for kind, refusals in [*self._kinds.items()]:
            if not refusals.count and refusals.has_paused(now):
                self._forget(kind)
        await self._write([kind for kind, known in self._kinds.items() if known.is_due(now)])

    def _forget(self, kind: Kind) -> None:
        del self._kinds[kind]
        _, reason, what, address = kind
        self._of_address[address] -= 1
        self._of_address += Counter()  # without zeros
        if what and reason == Refusal.PATH:
            self._paths[address] -= 1
            self._tracked -= 1
            self._paths += Counter()

    def _record(self, kind: Kind, refusals: _Pending) -> AuditRecord:
        who, reason, what, address = kind
        return AuditRecord(
            id=0,
            at=int((self._wall() - (self._clock.seconds() - refusals.last)) * 1000),
            actor=_actor(who, address) if what is None or who is None else who,
            action=ACTION,
            subject=Refusal(reason).words,
            detail=_detail(refusals, what, address),
        )

    async def _write(self, kinds: list[Kind]) -> None:
        if not kinds:
            return
        taken = {kind: attrs.evolve(self._kinds[kind]) for kind in kinds}
        records = [self._record(kind, refusals) for kind, refusals in taken.items()]
        now = self._clock.seconds()
        for kind in kinds:
            refusals = self._kinds[kind]
            if refusals.written_at is not None:
                refusals.pause = min(2 * refusals.pause, HOUR)
            refusals.count, refusals.written_at = 0, now

        def unit(tx: Transaction) -> None:
            for one in records:
                tx[AuditStore].add(one.actor, one.action, one.subject, one.detail, one.at)

        try:
            await self._store.write(unit)
        except BaseException:
            self._put_back(taken)
            raise

    def _put_back(self, taken: Mapping[Kind, _Pending]) -> None:
        """Restore refusals that could not be written."""
        for kind, before in taken.items():
            now = self._kinds[kind]
            before.count += now.count
            before.last = max(before.last, now.last)
            self._kinds[kind] = before


def _sound(sn: str | None) -> str | None:
    try:
        return None if sn is None else check_serial(sn)
    except TerminalError:
        return None


def _actor(sn: str | None, address: str | None) -> str:
    if sn is not None:
        return device_actor(sn)
    return "somebody" if address is None else f"address {address}"


def _detail(refusals: _Pending, what: str | None, address: str | None) -> str:
    times = (
        "once"
        if refusals.count == 1
        else f"{refusals.count} times in {refusals.last - refusals.since:.0f} seconds"
    )
    words = [what] if what else []
    return ", ".join([*words, times, *([] if address is None else [f"from {address}"])])
