"""Attendance records as the console shows them."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence
from zoneinfo import ZoneInfo

import attrs

from ...manage.console.phrases import Phrase
from ...persist.limits import AreaLimitStore
from ...persist.targets import TargetStore
from ...persist.transaction import Transaction
from ...protocol.codes import AttendanceState, Mask, VerificationMode
from ...protocol.times import AMBIGUOUS, FUTURE, NO_ZONE, NONEXISTENT, PAST
from ..people.model import PunchClaim, PunchOwner
from ..people.store import ClaimStore, FormerPeople, Holders, PeopleStore
from .model import Punch, claim_to
from .photos import AttendancePhotoStore
from .tables import ATTLOG


@attrs.frozen
class Doubt:
    """What is doubtful about the time of a record."""

    mark: Phrase
    meaning: Phrase


DOUBT_WORDS: Mapping[str, Doubt] = {
    AMBIGUOUS: Doubt(
        Phrase("hour occurs twice"),
        Phrase("Clocks were put back, so this hour occurred twice; the first is assumed."),
    ),
    NONEXISTENT: Doubt(
        Phrase("hour was skipped"),
        Phrase("Clocks were put forward, so this time did not exist."),
    ),
    FUTURE: Doubt(
        Phrase("in the future"),
        Phrase("The clock of the terminal was more than a day ahead."),
    ),
    PAST: Doubt(
        Phrase("long ago"),
        Phrase("The clock of the terminal was more than ten years behind: it was not set."),
    ),
    NO_ZONE: Doubt(
        Phrase("time zone unknown"),
        Phrase(
            "The terminal has no time zone, so the time is that of its own clock. Choose its zone "
            "on the page of the terminal."
        ),
    ),
}
_SHORT = {VerificationMode.AUTOMATIC: Phrase("Any method")}
"""Words of codes whose meaning is too long for a column."""
_NO_WORK_CODE = "0"
IN = frozenset({AttendanceState.CHECK_IN, AttendanceState.BREAK_IN, AttendanceState.OVERTIME_IN})
OUT = frozenset(
    {AttendanceState.CHECK_OUT, AttendanceState.BREAK_OUT, AttendanceState.OVERTIME_OUT}
)


@attrs.frozen(kw_only=True)
class ShownPunch:
    """A record with its names, photo and words."""

    id: int
    utc: int
    """Seconds since the epoch, as stored."""
    wall: datetime.datetime
    """Wall clock time in the zone of the visit, or that of the terminal if its zone is unknown."""
    own_time: datetime.datetime | None
    """Wall clock time of the terminal, if it differs."""
    pin: str
    name: str | None
    has_left: bool
    """Whether the person was removed from the list, but not erased."""
    earlier: int | None
    """Number of an earlier holder of the user ID, whose punch it is; None for the present one."""
    instead: Phrase | None
    """Words in place of the name of an erased person, of an earlier holder who is hidden from the
    account, or of nobody."""
    is_erased: bool
    """Whether the person was erased."""
    is_unknown: bool
    """Whether nobody here has, or had, the user ID."""
    has_page: bool
    """Whether the account that sees the record may see the page of the person."""
    sn: str
    alias: str | None
    state: str | None
    """The state in words; None if the person has chosen none."""
    direction: str
    """`in`, `out` or `none`."""
    method: str
    doubt: Doubt | None
    photo: int | None
    work_code: str | None
    temperature: float | None
    mask: str | None
    claim: PunchClaim | None
    """That the terminal had somebody else under the user ID, whose the punch is or may be; None if
    it is the person's."""

    @property
    def has_zone(self) -> bool:
        """Whether the zone of the terminal was known; else the instant is not."""
        return self.doubt is not DOUBT_WORDS[NO_ZONE]

    @property
    def other(self) -> str | None:
        """Name of whom the terminal had, while the punch may be that one's; else None."""
        return None if self.claim is None or self.claim.owner is not None else self.claim.name

    @property
    def is_hidden(self) -> bool:
        """Whether an earlier holder of the user ID made the punch, whose name is not shown."""
        return self.earlier is not None and self.instead is not None

    @property
    def is_foreign(self) -> bool:
        """Whether it is decided that the punch is another person's."""
        return self.claim is not None and self.claim.owner is PunchOwner.OTHER


def shown_punches(
    tx: Transaction,
    punches: Sequence[Punch],
    zone: ZoneInfo,
    areas: frozenset[str] | None,
    *,
    photos: bool,
    oldest_first: bool = False,
) -> list[ShownPunch]:
    """Add names, words and, if wanted, photos to records, and sort them by their time.

    `areas` are those of a limited account, to which other people are not named.
    """
    pins = {punch.pin for punch in punches}
    holders = tx[PeopleStore].holders(pins, areas)
    left = tx[FormerPeople].among(pins, areas)
    mine = pins if areas is None else tx[AreaLimitStore].people(pins, areas) | left
    claims = tx[ClaimStore].by_place(mine)
    serials = {punch.device for punch in punches}
    aliases = {sn: one.alias for sn, one in tx[TargetStore].named(serials).items()}
    found = tx[AttendancePhotoStore].beside(punches) if photos else {}
    shown = [
        _shown(punch, zone, holders, mine, aliases, claims, found.get(punch.id))
        for punch in punches
    ]
    return sorted(shown, key=lambda one: (one.wall, one.id), reverse=not oldest_first)


def _shown(
    punch: Punch,
    zone: ZoneInfo,
    holders: Holders,
    with_page: Collection[str],
    aliases: Mapping[str, str | None],
    claims: Mapping[tuple[str, str], Sequence[PunchClaim]],
    photo: int | None,
) -> ShownPunch:
    wall = punch.wall(zone)
    values = {name: getattr(punch, name) for name in ATTLOG.names}
    status, verify, mask = values["status"], values["verify"], values["mask"]
    direction = "in" if status in IN else "out" if status in OUT else "none"
    holder = holders.at(punch.pin, punch.utc)
    is_chosen = status != AttendanceState.NONE_CHOSEN
    return ShownPunch(
        id=punch.id,
        utc=punch.utc,
        wall=wall,
        own_time=None if str(wall) == punch.time else datetime.datetime.fromisoformat(punch.time),
        pin=punch.pin,
        name=holder.name,
        has_left=holder.has_left,
        earlier=holder.earlier,
        instead=holder.instead,
        is_erased=holder.is_erased,
        is_unknown=holder.is_unknown,
        has_page=holder.has_page(punch.pin in with_page),
        sn=punch.device,
        alias=aliases.get(punch.device),
        state=ATTLOG.field("status").words(status, values) if is_chosen else None,
        direction="none" if values["record_type"] else direction,
        method=_SHORT.get(verify) or ATTLOG.field("verify").words(verify, values) or "",
        doubt=None if punch.doubt is None else DOUBT_WORDS.get(punch.doubt),
        photo=photo,
        work_code=None if values["work_code"] in ("", _NO_WORK_CODE) else values["work_code"],
        temperature=values["temperature"],
        mask=None if mask in (None, Mask.UNKNOWN_MASK) else Mask(mask).meaning,
        claim=claim_to(punch, holder.name, claims),
    )
