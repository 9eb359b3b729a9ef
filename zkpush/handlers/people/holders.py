"""Who had a user ID before somebody else got it, and whose a punch is by its time.

When a user ID of somebody who left is given to somebody else, the punches up to that moment stay
with the one who left. The same holds for an erased person, whose punches have no name. Somebody
with the name of the present holder is the same person, who has come back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import msgspec
from sqlalchemy import delete, insert, select, update

from ...folding import fold
from ...phrases import Phrase
from .former import FormerPeople
from .model import PunchClaim, Spans
from .schema import earlier_holders, removed_people, users

if TYPE_CHECKING:
    from ...persist.transaction import Transaction


_FOREVER = 2**62
_ERASED = Phrase("erased person")
_EARLIER = Phrase("earlier person")
NOBODY_HERE = Phrase("nobody here has this user ID")
_NOBODY = "\0"
"""Name of nobody, for user IDs that nobody has."""


@attrs.frozen(kw_only=True)
class EarlierHolder:
    """Somebody who had a user ID, up to the moment at which somebody else got it."""

    id: int
    pin: str
    name: str | None
    """None without a name, if erased, and for callers who are limited to other areas."""
    is_named: bool
    """Whether this is a person whom the caller may see, and who is not erased."""
    is_present: bool
    """Whether the same person has the user ID again."""
    since: int | None
    """Seconds since the epoch from which on the punches are this person's; None for all."""
    until: int
    """Seconds since the epoch before which they are."""
    is_erased: bool = False

    @property
    def is_hidden(self) -> bool:
        """Whether this is somebody else than the present holder, without a name to show."""
        return not self.is_named and not self.is_present

    @property
    def is_known(self) -> bool:
        """Whether this is somebody else than the present holder, with a name to show."""
        return self.is_named and not self.is_present


@attrs.frozen(kw_only=True)
class Holder:
    """Whose a punch is."""

    name: str | None
    has_left: bool
    """Whether the person was removed from the list, but not erased."""
    earlier: int | None = None
    """Number of an earlier holder of the user ID; None for the present one."""
    is_hidden: bool = False
    """Whether an earlier holder is erased, or not to be shown to the caller."""
    instead: Phrase | None = None
    """Words in place of the name of a hidden earlier holder, of an erased person, or of nobody."""
    is_erased: bool = False
    """Whether the person was erased, as far as the caller may know."""
    is_unknown: bool = False
    """Whether nobody here has, or had, the user ID."""

    def has_page(self, is_visible: bool) -> bool:
        """Whether the caller may see the page; `is_visible` tells that of the present holder."""
        return is_visible if self.earlier is None else not self.is_hidden


class EarlierHolders:
    """Earlier holders of user IDs.

    `areas` are those of a limited caller, to whom only those are named who left one of them.
    """

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def begin(self, pin: str, digest: bytes, now: int) -> str | None:
        """End the removal of a former holder, because somebody gets the user ID now (ms).

        Returns the name of who was removed, which is empty if it is not stored; None for nobody.
        """
        former = delete(removed_people).where(removed_people.c.digest == digest)
        row = self._connection.execute(former.returning(removed_people)).first()
        if row is None:
            return None
        kept = {"pin": pin, "until": now, "name": row.name, "areas": row.areas}
        self._connection.execute(insert(earlier_holders).values(kept))
        return row.name or ""

    def of(
        self, pins: Collection[str], areas: frozenset[str] | None = None
    ) -> dict[str, list[EarlierHolder]]:
        """Return the earlier holders of user IDs, by user ID and in order."""
        query = select(earlier_holders).where(earlier_holders.c.pin.in_(pins))
        rows = self._connection.execute(query.order_by(earlier_holders.c.id)).all()
        return self._holders(rows, areas)

    def given_away(self, since: int, until: int) -> set[str]:
        """Return the user IDs that somebody else got in a period, in seconds since the epoch."""
        at = earlier_holders.c.until
        query = select(earlier_holders.c.pin).where(at >= since * 1000, at < until * 1000)
        return {*self._connection.execute(query).scalars()}

    def hidden_since(self, since: int, areas: frozenset[str] | None = None) -> set[str]:
        """Return the user IDs that hidden holders had up to a time after an instant (seconds)."""
        columns = earlier_holders.c
        query = select(columns.pin).where(columns.until >= since * 1000)
        if areas is None:
            query = query.where(columns.areas.is_(None))
        return {*self._connection.execute(query).scalars()}

    def find(
        self, pin: str, number: int, areas: frozenset[str] | None = None
    ) -> EarlierHolder | None:
        """Return an earlier holder by number, if the caller may see it."""
        found = self.of([pin], areas).get(pin, ())
        return next((one for one in found if one.id == number and one.is_known), None)

    def search(
        self, text: str, limit: int, areas: frozenset[str] | None = None
    ) -> list[EarlierHolder]:
        """Return earlier holders with all words of a text in their names; all for no text."""
        words = fold(text).split()
        query = select(earlier_holders.c.pin, earlier_holders.c.name)
        named = self._connection.execute(query.where(earlier_holders.c.areas.is_not(None)))
        pins = {row.pin for row in named if all(word in fold(row.name or "") for word in words)}
        found = [
            one
            for some in self.of(pins, areas).values()
            for one in some
            if one.is_known and all(word in fold(one.name or "") for word in words)
        ]
        return sorted(found, key=lambda one: (one.name or "", one.id))[:limit]

    def erase(self, number: int) -> None:
        """Take the name of an earlier holder away; the punches become nobody else's."""
        which = earlier_holders.c.id == number
        self._connection.execute(update(earlier_holders).where(which).values(name=None, areas=None))

    def _holders(
        self, rows: Sequence[Any], areas: frozenset[str] | None
    ) -> dict[str, list[EarlierHolder]]:
        present = self._present({row.pin for row in rows}) if rows else {}
        found: dict[str, list[EarlierHolder]] = {}
        for row in rows:
            before = found.setdefault(row.pin, [])
            is_kept = row.areas is not None
            is_present = is_kept and _is_same(row.name, present.get(row.pin, _NOBODY))
            left = msgspec.json.decode(row.areas or "[]", type=list[str])
            is_named = is_kept and (areas is None or bool(areas & {*left}))
            before.append(
                EarlierHolder(
                    id=row.id,
                    pin=row.pin,
                    name=row.name if is_named else None,
                    is_named=is_named,
                    is_present=is_present,
                    since=before[-1].until if before else None,
                    until=row.until // 1000,
                    is_erased=not is_kept,
                )
            )
        return found

    def _present(self, pins: Collection[str]) -> dict[str, str | None]:
        """Return the names of those who have user IDs now, or who left last, by user ID."""
        left = removed_people.c.pin, removed_people.c.name
        present = users.c.pin, users.c.name
        found: dict[str, str | None] = {}
        for pin, name in (left, present):
            query = select(pin, name).where(pin.in_(pins))
            found |= {row.pin: row.name for row in self._connection.execute(query)}
        return found


class Holders:
    """The holders of some user IDs, by time."""

    def __init__(
        self,
        names: Mapping[str, str],
        left: Collection[str],
        earlier: Mapping[str, Sequence[EarlierHolder]],
        unknown: Collection[str] = (),
        erased: Collection[str] = (),
    ) -> None:
        """`names` are those of the present holders, and `left` who of them has left.

        `unknown` are the user IDs that nobody has, in any area, and `erased` those of erased
        people that nobody has since.
        """
        self._unknown = unknown
        self._erased = erased
        self._names = names
        self._left = left
        self._earlier = earlier

    @classmethod
    def of(
        cls,
        tx: Transaction,
        names: Mapping[str, str],
        pins: Collection[str],
        areas: frozenset[str] | None = None,
    ) -> Holders:
        """Read the holders of user IDs; `names` are those of the present ones.

        Of an erased person no area is known, so that a limited caller is not told of any.
        """
        unknown, erased = tx[FormerPeople].without_holder({*pins} - names.keys())
        return cls(
            names,
            tx[FormerPeople].among(pins, areas),
            tx[EarlierHolders].of(pins, areas),
            unknown,
            erased if areas is None else (),
        )

    def at(self, pin: str, instant: int) -> Holder:
        """Return the holder of a user ID at an instant, in seconds since the epoch."""
        for one in self._earlier.get(pin, ()):
            if instant < one.until and one.is_present:
                break
            if instant < one.until:
                return Holder(
                    name=one.name,
                    has_left=one.is_named,
                    earlier=one.id,
                    is_hidden=not one.is_named,
                    instead=None if one.is_named else self._instead(one),
                    is_erased=one.is_erased,
                )
        if pin in self._unknown:
            return Holder(name=None, has_left=False, instead=NOBODY_HERE, is_unknown=True)
        if pin in self._erased:
            return Holder(name=None, has_left=False, instead=_ERASED, is_erased=True)
        return Holder(name=self._names.get(pin), has_left=pin in self._left)

    def _instead(self, one: EarlierHolder) -> Phrase:
        """Say that an earlier holder is not the one whose name people know the user ID by."""
        name = self._names.get(one.pin)
        if one.is_erased:
            return _ERASED if name is None else Phrase("erased person, not %(name)s", name=name)
        return _EARLIER if name is None else Phrase("earlier person, not %(name)s", name=name)

    def of_claim(self, claim: PunchClaim) -> Holder:
        """Return the holder of the user ID whose punches those of a claim may be."""
        if claim.until_at is None:
            return self.at(claim.pin, _FOREVER)
        last = max((claim.since_at or 0) // 1000, claim.until_at // 1000 - 1)
        return self.at(claim.pin, last)

    def present_spans(self, pin: str) -> Spans | None:
        """Return when the punches under a user ID are those of its present holder; None: always."""
        earlier = self._earlier.get(pin, ())
        if not earlier:
            return None
        own = [(one.since, one.until) for one in earlier if one.is_present]
        return (*own, (earlier[-1].until, None))


def _is_same(one: str | None, other: str | None) -> bool:
    return fold(one or "") == fold(other or "")
