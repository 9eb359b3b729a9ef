"""Users in the store: fields with authors, changes, conflicts, areas and removals."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, func, select, update

from ...model import DEFAULT_AREA, Page
from ...persist.databases import Insert
from ...persist.events import EventStore
from ...persist.limits import people_in
from ...persist.paging import part_of
from ...persist.schema import devices
from ...persist.sealed import opened
from .arrivals import ArrivalLog
from .authorship import COMMAND, FIELDS, NAME, AuthoredValue, Merged, commanded, stated, terminal
from .claims import ClaimStore
from .contradictions import ConflictStore
from .erased import ErasedPeople
from .former import FormerPeople
from .holders import EarlierHolders
from .model import HeardPeople, PersonChange, PersonStatement, Portrait
from .news import Keyed, StatementLog, first_of, keyed, merged, parts_of, pins_of
from .oneperson import PersonMerger
from .personrows import PersonRow, PersonRows, changes_of
from .removals import about
from .schema import (
    REMOVED,
    STALE,
    conflicts,
    contested_parts,
    holdings,
    person_areas,
    person_authors,
    person_changes,
    person_photos,
    person_words,
    removed_people,
    strangers,
    templates,
    users,
    versions,
)

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

_OF_PERSON = (person_words, person_authors, person_areas, conflicts, contested_parts, strangers)
"""Tables whose rows about a person are deleted with the person."""


class PersonStore:
    """Users, merged from what operators and terminals say about them."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._vault = tx.vault
        self._connection = tx.connection
        self._events = tx[EventStore]
        self._rows = PersonRows(tx)
        self._find = self._rows.find

    def keep(
        self,
        device_id: int,
        said: Sequence[PersonStatement],
        now: int,
        written_at: int | None = None,
    ) -> HeardPeople:
        """Merge statements of a terminal about users; see `authorship`.

        With `written_at` (ms), the terminal has executed a command with these values that was
        queued then: they are an operator's word, unless something newer is stored.
        """
        statements = keyed(self._tx[ErasedPeople].admit(device_id, said))
        recorded = self._tx[StatementLog].record(
            users, device_id, [*statements, *merged(statements)], now
        )
        spoken = recorded.changed if written_at is None else statements
        spoken, new = self.admit(device_id, spoken, now)
        if not spoken:
            return HeardPeople()
        spoken.sort(key=first_of)
        news = {key for key, _ in recorded.news}
        if written_at is None:
            # Another terminal may have said the same, and is in conflict about it.
            said_before = [(key, one) for key, one in spoken if key not in news]
            doubted = self._tx[ConflictStore].doubted(pins_of(said_before))
            news |= {key for key, one in said_before if str(one.key[0]) in doubted}
        sn, _ = self._terminal(device_id)
        by = terminal(sn) if written_at is None else COMMAND
        known = [pin for pin in pins_of(spoken) if pin not in new]
        stored = {**self._rows.stored(known), **dict.fromkeys(new, PersonRow.new(terminal(sn)))}
        former = self._rows.words(device_id, known)
        changed: list[dict[str, object]] = []
        authors: list[tuple[str, str, str]] = []
        changes: list[tuple[object, ...]] = []
        contradicted: dict[str, Mapping[str, object]] = {}
        words: dict[str, Mapping[str, object]] = {}
        adopted: list[str] = []
        merger = PersonMerger(self._tx, device_id, known, by)
        for key, one in spoken:
            pin = str(one.key[0])
            row = stored[pin]
            if not row.is_known and row.main != by and written_at is None:
                row = self._rows.adopt(pin, device_id, row, by)
                adopted.append(pin)
            word = words.get(pin) or former.get(pin, {})
            words[pin] = {**word, **stated(one.values)}
            if written_at is None and key not in news:
                continue
            if written_at is None:
                result = merger.merge(pin, row, one.values, word)
                contradicted[pin] = result.contradicted
            elif not self._rows.is_overtaken(pin, row, one.values, written_at):
                result = commanded(row.fields, one.values)
                contradicted[pin] = {}
            else:
                continue
            if result.taken:
                authors += [(pin, name, by) for name in result.taken if row.main != by]
                if row.is_known:
                    changes += changes_of(pin, row.fields, result, now, by)
                stored[pin] = row.with_values(result.taken, by, now)
            if result.taken or not row.is_known:
                values = stored[pin].writable()
                changed.append({"pin": pin, "updated_at": written_at or now, **values})
        self._rows.write(changed)
        self._rows.author(authors)
        self._rows.remember(changes)
        self._rows.keep_words(device_id, words)
        if written_at is None:
            names = {pin: merger.names.get(pin) or stored[pin].value(NAME) for pin in words}
            heard = {str(one.key[0]): recorded.heard_at.get(key) for key, one in spoken}
            self._tx[ClaimStore].heard(device_id, contradicted, words, former, heard, names, now)
        in_conflict, agreed = self._tx[ConflictStore].keep(device_id, contradicted, now)
        # A terminal that has a known wrong name is compared with what is stored, too.
        self.tell("user", sn, [*(str(row["pin"]) for row in changed), *merger.names], now)
        self.tell("conflict", sn, in_conflict, now)
        return HeardPeople(agreed, adopted)

    def admit(
        self, device_id: int, news: Sequence[Keyed], now: int
    ) -> tuple[list[Keyed], list[str]]:
        """Record the people of statements, in the area of the terminal, if they are unknown.

        Returns the statements about people who were not removed, and the user IDs of new people.
        """
        pins = pins_of(news)
        if not pins:
            return [], []
        # The locks keep other processes from removing these people meanwhile.
        keys = {"keys": msgspec.json.encode(sorted(pins)).decode()}
        known = {str(row.pin) for row in self._connection.execute(self._find.kept, keys)}
        gone = self._removed(pins)
        if gone:
            sn, _ = self._terminal(device_id)
            self.tell("removed", sn, sorted(gone), now)
            news = [(key, one) for key, one in news if str(one.key[0]) not in gone]
        new = sorted({pin for pin in pins_of(news) if pin not in known})
        if new:
            sn, area = self._terminal(device_id)
            self._tx.insert(Insert(users, ("pin", "device_id"), (new, [device_id] * len(new))))
            self._tx.insert(Insert(person_areas, ("pin", "area"), (new, [area] * len(new))))
            self._tx[ArrivalLog].add(sn, new, now)
        return list(news), new

    def tell(
        self,
        what: str,
        sn: str | None,
        pins: Iterable[str],
        now: int,
        areas: Collection[str] | None = None,
    ) -> None:
        """Add one event for each person, however many records changed.

        `areas` are those whose limited listeners are told; by default the present ones.
        """
        for pin in dict.fromkeys(pins):
            self._events.add("user", {"pin": pin, "what": what, "device": sn}, now, areas)

    def put(self, pin: str, values: Mapping[str, object], author: str, now: int) -> bool:
        """Change fields of a user for an operator, who becomes their author; None empties a field.

        Adds the user if there is none; of a new one, an empty value says nothing. Past punches of
        somebody else under the user ID stay that person's; see `holders`. Settles conflicts about
        these fields. Returns whether the user is new.
        """
        former = self._tx[EarlierHolders].begin(pin, self._digest(pin), now)
        if former is not None:
            waiting = self._tx[ErasedPeople].hand_over(pin)
            self._tx[ClaimStore].reuse(pin, former, values.get(NAME), now, waiting)
            self._hear_again(pin)
        keys = {"keys": msgspec.json.encode([pin]).decode()}
        is_new = self._connection.execute(self._find.known, keys).first() is None
        if is_new:
            self._tx.insert(Insert(users, ("pin",), ([pin],)))
            values = {name: value for name, value in values.items() if value is not None}
        row = self._rows.stored([pin])[pin]
        differing = {name: value for name, value in values.items() if value != row.value(name)}
        self._rows.write(
            [{"pin": pin, "updated_at": now, **row.with_values(values, author, now).writable()}]
        )
        self._rows.author([(pin, name, author) for name in values])
        self._rows.remember(changes_of(pin, row.fields, Merged(differing), now, author))
        self._tx[ConflictStore].settle_fields(pin, values.keys(), author, now)
        self.tell("user", None, [pin], now)
        return is_new

    def put_areas(self, pin: str, areas: Collection[str], author: str, now: int) -> None:
        """Set the areas of a user."""
        before = self.areas([pin]).get(pin, [])
        wanted = sorted(set(areas))
        if before == wanted:
            return
        self._connection.execute(delete(person_areas).where(person_areas.c.pin == pin))
        if wanted:
            self._tx.insert(Insert(person_areas, ("pin", "area"), ([pin] * len(wanted), wanted)))
        old, new = (", ".join(names) or None for names in (before, wanted))
        self._rows.remember([(pin, "areas", now, author, old, new)])
        self.tell("areas", None, [pin], now, {*before, *wanted})

    def areas(self, pins: Collection[str]) -> dict[str, list[str]]:
        """Return the areas of users by user ID, sorted."""
        query = select(person_areas).where(person_areas.c.pin.in_(pins))
        found: dict[str, list[str]] = {}
        for row in self._connection.execute(query.order_by(person_areas.c.area)):
            found.setdefault(row.pin, []).append(row.area)
        return found

    def area_counts(self) -> dict[str, int]:
        """Return the number of people in each area that has any."""
        query = select(person_areas.c.area, func.count()).group_by(person_areas.c.area)
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def pins_in(self, area: str, after: str, limit: int) -> list[str]:
        """List the people of an area in the order of their user IDs, after one of them."""
        query = select(person_areas.c.pin).where(
            person_areas.c.area == area, person_areas.c.pin > after
        )
        return list(
            self._connection.execute(query.order_by(person_areas.c.pin).limit(limit)).scalars()
        )

    def count(self, areas: frozenset[str] | None = None) -> int:
        """Return the number of users, or of those of some areas."""
        query = select(func.count()).select_from(users)
        if areas is not None:
            query = query.where(users.c.pin.in_(people_in(areas)))
        return int(self._connection.execute(query).scalar_one())

    def holders(self, pin: str) -> list[str]:
        """Return the serial numbers of terminals that last stated that they have a user."""
        query = (
            select(devices.c.sn)
            .join(holdings, holdings.c.device_id == devices.c.id)
            .where(about(holdings, pin), holdings.c.digest != REMOVED)
            .distinct()
            .order_by(devices.c.sn)
        )
        return list(self._connection.execute(query).scalars())

    def remove(self, pin: str, author: str, now: int, *, erased: bool = False) -> bool:
        """Remove a user with templates and photos; False if there is none.

        The name stays for past punches. An erased user, and one who is erased after a removal,
        leaves no user ID, no name and no changes behind.
        """
        areas = self.areas([pin]).get(pin, [])
        named = select(users.c.name).where(users.c.pin == pin)
        name = None if erased else self._connection.execute(named).scalar()
        self._tx[ClaimStore].keep_names(pin)
        gone = self._connection.execute(delete(users).where(users.c.pin == pin)).rowcount
        for table in (templates, person_photos, *_OF_PERSON):
            gone += self._connection.execute(delete(table).where(table.c.pin == pin)).rowcount
        self._connection.execute(delete(versions).where(about(versions, pin)))
        if erased:
            self._connection.execute(delete(person_changes).where(person_changes.c.pin == pin))
            self._connection.execute(delete(holdings).where(about(holdings, pin)))
        removal = {"digest": self._digest(pin), "pin": None if erased else pin, "at": now}
        kept = {"name": name, "areas": None if erased else msgspec.json.encode(areas).decode()}
        had_left = self._tx[FormerPeople].replace({**removal, **kept, "author": author})
        if gone:
            self.tell("deleted", None, [pin], now, areas)
        return gone > 0 or (erased and had_left)

    def changes(self, pin: str, part: Page) -> list[PersonChange]:
        """List the changes of a user by id."""
        query = part_of(select(person_changes), person_changes.c.id, part)
        rows = self._connection.execute(query.where(person_changes.c.pin == pin))
        return [
            PersonChange(
                id=values["id"],
                pin=values["pin"],
                field=values["field"],
                at=values["at"],
                author=values["author"],
                old=values["old"],
                new=values["new"],
            )
            for values in (opened(self._vault, person_changes, row._mapping) for row in rows)
        ]

    def lock(self, pin: str) -> bool:
        """Lock a user against removal; returns whether there is one."""
        query = select(users.c.id).where(users.c.pin == pin)
        query = query.with_for_update(read=True, key_share=True)
        return self._connection.execute(query).first() is not None

    def author_photo(
        self,
        pin: str,
        field: str,
        author: str | None,
        now: int,
        by: str,
        old: str | None,
        new: str | None,
    ) -> None:
        """Record who uploaded or removed a photo; an `author` of None leaves it to terminals."""
        if author is None:
            of_photo = (person_authors.c.pin == pin) & (person_authors.c.field == field)
            self._connection.execute(delete(person_authors).where(of_photo))
        else:
            self._rows.author([(pin, field, author)])
        self._rows.remember([(pin, field, now, by, old, new)])

    def is_erased(self, pin: str) -> bool:
        """Whether a person was erased."""
        query = select(removed_people.c.pin).where(removed_people.c.digest == self._digest(pin))
        row = self._connection.execute(query).one_or_none()
        return row is not None and row.pin is None

    def values(self, pin: str) -> dict[str, object]:
        """Return the values of the fields of a user, without damaged ones."""
        return self._rows.stored([pin])[pin].writable()

    def authored(self, pins: Sequence[str]) -> dict[str, Mapping[str, AuthoredValue]]:
        """Return the fields of users with their authors, by user ID; unknown ones are left out."""
        return {pin: row.fields for pin, row in self._rows.stored(pins).items()}

    def emptied(self, pins: Collection[str]) -> dict[str, list[str]]:
        """Return the fields that operators have emptied, by user ID."""
        return {
            pin: [name for name in FIELDS if row.fields[name].is_emptied]
            for pin, row in self._rows.stored([*pins]).items()
        }

    def authors(self, pin: str) -> dict[str, str]:
        """Return the authors of fields with values, and of uploaded photos, of a known user."""
        row = self._rows.stored([pin]).get(pin)
        of_photos = select(person_authors.c.field, person_authors.c.author).where(
            person_authors.c.pin == pin, person_authors.c.field.in_([*Portrait])
        )
        photos = {row.field: row.author for row in self._connection.execute(of_photos)}
        return photos | {
            name: field.author
            for name, field in ({} if row is None else row.fields).items()
            if name in FIELDS
            and field.author is not None
            and (field.value is not None or field.is_damaged)
        }

    def _terminal(self, device_id: int) -> tuple[str, str]:
        """Return the serial number and the area of a terminal."""
        row = self._connection.execute(self._find.terminal, {"device": device_id}).one()
        return row.sn, row.area or DEFAULT_AREA

    def _hear_again(self, pin: str) -> None:
        """Make the next statements about a person news, whatever was stated before the removal."""
        is_held = about(holdings, pin) & (holdings.c.digest != REMOVED)
        self._connection.execute(delete(versions).where(about(versions, pin)))
        self._connection.execute(update(holdings).where(is_held).values(digest=STALE))

    def _digest(self, pin: str) -> bytes:
        return self._vault.index(pin.encode())

    def _removed(self, pins: Sequence[str]) -> set[str]:
        """Return which of these people were removed."""
        if self._connection.execute(self._find.any_removed).first() is None:
            return set()
        digests = {self._digest(pin): pin for pin in pins}
        gone = set()
        for some in parts_of([*digests]):
            query = select(removed_people.c.digest).where(removed_people.c.digest.in_(some))
            found = self._connection.execute(query).scalars()
            gone |= {digests[bytes(digest)] for digest in found}
        return gone
