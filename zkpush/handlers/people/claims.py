"""Punches of terminals that have somebody else under a user ID: whose they are.

Theory of operation. A punch has a user ID and no name. While a terminal has somebody else under
the user ID of a person, its punches may be those of that one. Such a span of time is a *claim*:

- It begins with the upload that names somebody else, and has the punches that came shortly before:
  a terminal that was away sends all in any order. It has none that came before the terminal last
  stated the person, and none whose time is sure and before that, whenever they come. If nothing
  that is stored shows that the terminal ever had the person, it has all earlier punches, too.
- It has no punch that came, or was made, after its end.
- It ends when the terminal states the person by itself, or has deleted the user. The settlement of
  the conflict does not end it: the terminal still has a stranger; see `strangers`.
- It begins, too, when somebody else gets the user ID of a person who left, if the terminal still
  has that person. Claims from before then are about the punches of who left.
- Taking the terminal's values makes its user the person: the punches are the person's.

Its punches are *doubtful* until somebody decides whose they are, whatever becomes of the conflict
and of the person. A decision can be changed. Those that are the other one's stay stored, and count
for nobody. A decision holds for punches to come while the claim goes on; if the terminal names
somebody else then, or states the person although it has a stranger, another claim begins.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import ColumnElement, Select, delete, select, update

from ...folding import fold
from ...model import Page
from ...persist.databases import Insert, texts
from ...persist.paging import part_of
from ...persist.schema import devices
from ...persist.sealed import opened, seal_columns
from .authorship import NAME, is_same_name
from .model import ARRIVAL, PunchClaim, PunchOwner, key_text
from .schema import REMOVED, conflicts, holdings, punch_claims, users
from .strangers import StrangerStore

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

_NAMES = ("pin", "device_id", "name", "since_at", "stated_at", "named_at")
_GOES_ON = punch_claims.c.until_at.is_(None)


class ClaimStore:
    """Claims; each terminal has at most one about a user that goes on."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._vault = tx.vault
        self._connection = tx.connection

    def page(
        self, part: Page, pin: str | None = None, *, undecided: bool = False
    ) -> list[PunchClaim]:
        """List claims by id."""
        query = part_of(_claims(), punch_claims.c.id, part)
        if pin is not None:
            query = query.where(punch_claims.c.pin == pin)
        if undecided:
            query = query.where(punch_claims.c.owner.is_(None))
        return self._found(query)

    def get(self, claim_id: int) -> PunchClaim | None:
        """Find a claim."""
        return next(iter(self._found(_claims().where(punch_claims.c.id == claim_id))), None)

    def of_people(self, pins: Collection[str]) -> list[PunchClaim]:
        """Return the claims to punches of some user IDs, by id."""
        keys = texts(self._connection.dialect.name, "keys")
        query = _claims().where(punch_claims.c.pin.in_(keys)).order_by(punch_claims.c.id)
        return self._found(query, {"keys": msgspec.json.encode([*pins]).decode()})

    def by_place(self, pins: Collection[str]) -> dict[tuple[str, str], list[PunchClaim]]:
        """Return the claims that are not decided for the person, by user ID and terminal."""
        found: dict[tuple[str, str], list[PunchClaim]] = {}
        for one in self.of_people(pins):
            if one.owner is not PunchOwner.PERSON:
                found.setdefault((one.pin, one.device), []).append(one)
        return found

    def heard(
        self,
        device_id: int,
        contradicted: Mapping[str, Mapping[str, object]],
        words: Mapping[str, Mapping[str, object]],
        former: Mapping[str, Mapping[str, object]],
        heard_at: Mapping[str, int | None],
        names: Mapping[str, object],
        now: int,
    ) -> None:
        """Begin and end claims by what a terminal has stated.

        All are by user ID: the values that contradict the stored ones, all that the terminal has
        stated, what it had stated before, when that was (ms), and the stored names.
        """
        named = {pin: str(one[NAME]) for pin, one in contradicted.items() if NAME in one}
        stated = {
            pin
            for pin, name in names.items()
            if pin not in named and name and words[pin].get(NAME) == name
        }
        if not named and not stated:
            return
        found = self.of_people(named.keys() | stated)
        earlier = [one for one in found if one.device_id == device_id]
        going = {one.pin: one for one in earlier if one.until_at is None}
        if not named and not going:
            return
        strangers = self._tx[StrangerStore].at(device_id, sorted(named.keys() | stated))
        had = {one.pin: one.stated_at for one in earlier}
        had |= {
            pin: heard_at.get(pin)
            for pin in named
            if pin not in strangers and _is_named(former.get(pin), names[pin])
        }
        begun: dict[str, tuple[str, int | None]] = {
            pin: (name, max(now - ARRIVAL, had[pin] or 0) if pin in had else None)
            for pin, name in named.items()
            if pin not in going or not is_same_name(going[pin].name, name)
        }
        ended = {pin for pin in going.keys() & stated if pin not in strangers}
        # The terminal was given the name, or has got the person without a deletion.
        renewed = {pin for pin in going.keys() & strangers & stated if going[pin].owner is not None}
        begun |= {pin: (going[pin].name, now) for pin in renewed}
        self.end(device_id, ended | begun.keys(), now)
        self._begin(
            [
                (pin, device_id, name, since, had.get(pin), now)
                for pin, (name, since) in begun.items()
            ]
        )

    def reuse(
        self, pin: str, former: str, name: object, now: int, waiting: Collection[int] = ()
    ) -> None:
        """Begin claims where terminals still have the former holder of a user ID.

        `waiting` are those that have not confirmed yet that they have deleted an erased one.

        Those of others begin anew: the punches until now are not those of the new holder.
        `former` is the name of the former holder, and `name` the name of the new one. If both are
        the same, so is the person, and nothing begins.
        """
        if fold(former) == fold(str(name or "")):
            return
        is_held = (holdings.c.table_name == str(users.name)) & (holdings.c.digest != REMOVED)
        query = select(holdings.c.device_id).where(is_held, holdings.c.key == key_text((pin,)))
        terminals = {*self._connection.execute(query).scalars(), *waiting}
        self._tx[StrangerStore].add([pin], terminals, now)
        going = {one.device_id: one.name for one in self.of_people([pin]) if one.until_at is None}
        others = {**dict.fromkeys(terminals, former), **going}
        for device_id in others:
            self.end(device_id, [pin], now)
        self._begin(
            [
                (pin, device_id, other, now, None, now)
                for device_id, other in others.items()
                if fold(other) != fold(str(name or ""))
            ]
        )

    def _begin(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Store claims, by the columns `_NAMES`."""
        if rows:
            columns = [*zip(*rows, strict=True)]
            values = seal_columns(self._vault, punch_claims, _NAMES, columns)
            self._tx.insert(Insert(punch_claims, _NAMES, values))

    def end(self, device_id: int, pins: Collection[str], now: int) -> None:
        """Record that a terminal has nobody else under some user IDs any more."""
        is_own = (punch_claims.c.device_id == device_id) & punch_claims.c.pin.in_([*pins])
        self._end(is_own, now)

    def end_all(self, device_id: int, at: int) -> None:
        """Record that a terminal has lost its users."""
        self._end(punch_claims.c.device_id == device_id, at)

    def _end(self, which: ColumnElement[bool], at: int) -> None:
        self._connection.execute(update(punch_claims).where(which, _GOES_ON).values(until_at=at))

    def take(self, device_id: int, pin: str, author: str, now: int) -> None:
        """Give the person the punches of the user whom a terminal has, and end the claim."""
        is_own = (punch_claims.c.device_id == device_id) & (punch_claims.c.pin == pin)
        values = {"owner": PunchOwner.PERSON.value, "decided_at": now, "decided_by": author}
        self._connection.execute(
            update(punch_claims).where(is_own, _GOES_ON).values(until_at=now, **values)
        )

    def decide(self, claim_id: int, owner: PunchOwner | None, author: str, now: int) -> None:
        """Record whose punches they are; None makes them doubtful again."""
        self._connection.execute(
            update(punch_claims)
            .where(punch_claims.c.id == claim_id)
            .values(owner=None if owner is None else owner.value, decided_at=now, decided_by=author)
        )

    def resume(self, claim: PunchClaim) -> None:
        """Let a claim go on, unless another one about the user goes on at the terminal."""
        if not any(
            one.until_at is None and one.device_id == claim.device_id
            for one in self.of_people([claim.pin])
        ):
            self._connection.execute(
                update(punch_claims).where(punch_claims.c.id == claim.id).values(until_at=None)
            )

    def keep_names(self, pin: str) -> None:
        """Store the names that only the conflicts of a person say, before these are removed."""
        is_bare = (punch_claims.c.pin == pin) & punch_claims.c.name.is_(None)
        for one in self._found(_claims().where(is_bare)):
            names = ("pin", "device_id", "name")
            columns: list[list[object]] = [[one.pin], [one.device_id], [one.name]]
            (_, _, (name,)) = seal_columns(self._vault, punch_claims, names, columns)
            self._connection.execute(
                update(punch_claims).where(punch_claims.c.id == one.id).values(name=name)
            )

    def forget(self, ids: Collection[int]) -> None:
        """Remove claims whose punches are gone."""
        self._connection.execute(delete(punch_claims).where(punch_claims.c.id.in_([*ids])))

    def _found(
        self, query: Select[Any], values: Mapping[str, str] | None = None
    ) -> list[PunchClaim]:
        return [self._claim(row) for row in self._connection.execute(query, values or {}).all()]

    def _claim(self, row: Any) -> PunchClaim:
        name = opened(self._vault, punch_claims, row._mapping)["name"]
        if name is None and row.conflict_id is not None:
            name = self._said(row.conflict_id)
        return PunchClaim(
            id=row.id,
            pin=row.pin,
            device=row.sn,
            device_id=row.device_id,
            name=name or "",
            since_at=row.since_at,
            until_at=row.until_at,
            stated_at=row.stated_at,
            named_at=row.named_at,
            owner=None if row.owner is None else PunchOwner(row.owner),
            decided_at=row.decided_at,
            decided_by=row.decided_by,
        )

    def _said(self, conflict_id: int) -> str:
        query = select(conflicts).where(conflicts.c.id == conflict_id)
        row = self._connection.execute(query).one_or_none()
        said = None if row is None else opened(self._vault, conflicts, row._mapping)["said"]
        return "" if said is None else str(msgspec.json.decode(said).get(NAME) or "")


def _is_named(word: Mapping[str, object] | None, name: object) -> bool:
    """Whether a terminal has stated a name."""
    said = (word or {}).get(NAME)
    return bool(said) and is_same_name(str(said), str(name))


def _claims() -> Select[Any]:
    return select(punch_claims, devices.c.sn).join(
        devices, devices.c.id == punch_claims.c.device_id
    )
