"""Changes of access data by callers: units of work for the API and the console."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http import HTTPStatus

import attrs

from ...device import acts
from ...manage.errors import ApiError, not_found
from ...model import Caller
from ...persist.transaction import Transaction
from ...phrases import Phrase, counted_phrase, listed_phrases
from ..areas.store import AreaStore
from .declared import ACCESS_TABLES, BY_NAME, WORK_CODES, AccessMistakes, AccessTable
from .fields import Given, Value
from .model import AccessEntry
from .store import AccessStore

CHANGE, REMOVE = "change access data", "delete access data"
MOST_ENTRIES = 1000
"""Most entries of a table in an area."""
_INDEX = "index"


def check_area_thd(tx: Transaction, area: str) -> None:
    """Raise `ApiError` unless an area exists."""
    if tx[AreaStore].find(area) is None:
        raise not_found(Phrase("There is no area %(area)s.", area=area[:40]))


def find_thd(tx: Transaction, area: str, table: AccessTable, key: str) -> AccessEntry:
    """Return an entry; `ApiError` if there is none."""
    check_area_thd(tx, area)
    entry = tx[AccessStore].find(area, table.name, key)
    if entry is None:
        raise not_found(
            Phrase(
                "There is no %(one)s %(key)s in the area %(area)s.",
                one=table.one,
                key=key[:40],
                area=area,
            )
        )
    return entry


@attrs.frozen
class AccessChange:
    """An entry to add or to replace."""

    area: str
    table: AccessTable
    key: str
    given: Mapping[str, Given]

    def __call__(self, tx: Transaction, caller: Caller, now: int) -> AccessEntry:
        """Store the entry.

        Raises `AccessMistakes` for wrong fields, also for a reference to an entry that does not
        exist, and `ApiError` if there is no such area.
        """
        check_area_thd(tx, self.area)
        self.table.check_key(self.key)
        fields = self.table.read(self.given)
        store = tx[AccessStore]
        keys = store.keys(self.area, self.table.name)
        if self.key not in keys and len(keys) >= MOST_ENTRIES:
            raise ValueError(
                counted_phrase(
                    "An area has at most %(num)s entry in %(name)s.",
                    "An area has at most %(num)s entries in %(name)s.",
                    MOST_ENTRIES,
                    name=self.table.name,
                )
            )
        self._check_references(tx, fields)
        if self.table.name == WORK_CODES.name:
            fields = _with_index(self.key, fields, store.of_table(self.area, self.table.name))
        if store.put(self.area, self.table.name, self.key, fields, now):
            detail = f"{self.table.name} {self.key}"
            acts.record(tx, caller, CHANGE, f"area {self.area}", detail, now)
        return find_thd(tx, self.area, self.table, self.key)

    def _check_references(self, tx: Transaction, fields: Mapping[str, Value]) -> None:
        mistakes = {}
        for name, target in self.table.refers.items():
            known = tx[AccessStore].keys(self.area, target)
            missing = [one for one in _references(fields.get(name)) if one not in known]
            if missing:
                mistakes[name] = Phrase(
                    "there is no %(one)s %(missing)s in the area %(area)s; define it first",
                    one=BY_NAME[target].one,
                    missing=", ".join(missing),
                    area=self.area,
                )
        if mistakes:
            raise AccessMistakes(mistakes)


def remove_thd(
    tx: Transaction, area: str, table: AccessTable, key: str, caller: Caller, now: int
) -> None:
    """Delete an entry; `ApiError` if there is none, or if other entries refer to it."""
    find_thd(tx, area, table, key)
    users = [
        Phrase("%(one)s %(key)s", one=other.one, key=entry.key)
        for other in ACCESS_TABLES
        for name, target in other.refers.items()
        if target == table.name
        for entry in tx[AccessStore].of_table(area, other.name)
        if key in _references(entry.fields.get(name))
    ]
    if users:
        raise ApiError(
            HTTPStatus.CONFLICT,
            Phrase(
                "The %(one)s %(key)s is used by %(users)s. Change these first.",
                one=table.one,
                key=key,
                users=listed_phrases(users),
            ),
        )
    tx[AccessStore].remove(area, table.name, key, now)
    acts.record(tx, caller, REMOVE, f"area {area}", f"{table.name} {key}", now)


def _references(value: Value | None) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _with_index(
    key: str, fields: Mapping[str, Value], codes: Collection[AccessEntry]
) -> dict[str, Value]:
    """Return the fields of a work code with its index: its own, or the next free one."""
    taken = {code.fields.get(_INDEX): code.key for code in codes if code.key != key}
    own = next((code.fields.get(_INDEX) for code in codes if code.key == key), None)
    index = fields.get(_INDEX, own)
    if index is None:
        index = next(number for number in range(1, len(codes) + 2) if number not in taken)
    if index in taken:
        raise AccessMistakes(
            {
                _INDEX: Phrase(
                    "%(index)s is the index of the work code %(code)s",
                    index=index,
                    code=taken[index],
                )
            }
        )
    return {**fields, _INDEX: index}
