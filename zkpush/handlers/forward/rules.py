"""The rules of a forwarder: which events it sends, and how punches look."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy import select

from ...manage.news import NewsItem
from ...manage.times import parse_instant
from ...model import GAP
from ...persist.schema import devices
from ...persist.transaction import Transaction
from ...protocol.times import NO_ZONE
from ..attendance.model import Punch
from .model import ForwardRules, StoredForwarder

RECORD = 1
"""Place of records in a cursor."""
_FIELD = re.compile(r"\{([a-z0-9_]+)\}", re.ASCII)


@attrs.frozen
class EventSelection:
    """Which events a forwarder sends."""

    rules: ForwardRules
    kinds: frozenset[str]
    devices: frozenset[str] | None
    """Serial numbers of the terminals; None for all."""
    since: int
    """Start, in milliseconds since the epoch."""

    @classmethod
    def of(cls, tx: Transaction, stored: StoredForwarder, *, is_first: bool) -> EventSelection:
        """Make the selection of a forwarder; `is_first` is whether it has read no event yet."""
        rules = stored.rules
        since = stored.created_at if rules.since is None else parse_instant(rules.since) * 1000
        # At the beginning, events that were dropped before are not missed.
        gaps = frozenset() if is_first else frozenset({GAP})
        return cls(rules, frozenset(stored.events) | gaps, _devices_thd(tx, rules), since)

    def wants(self, item: NewsItem) -> bool:
        """Whether an event is sent."""
        if item.kind not in self.kinds:
            return False
        if item.place == RECORD:
            return self.wants_punch(item.row)
        device = item.row.data.get("device")
        return item.at >= self.since and (device is None or self._has(device))

    def wants_punch(self, punch: Punch) -> bool:
        """Whether a punch is sent; not while the time zone of its terminal is unknown.

        It follows when the zone is known.
        """
        if self.holds(punch.doubt) or punch.utc < self.since // 1000:
            return False
        return self._has(punch.device)

    def holds(self, doubt: str | None) -> bool:
        """Whether records with this doubt about their time are held back."""
        return doubt is not None and (doubt == NO_ZONE or self.rules.doubt == "hold")

    def counts(self, punch: Punch) -> bool:
        """Whether a punch counts for the directions of others and for their gaps.

        Punches from before the start count: a person who came in then goes out later.
        """
        return punch.doubt != NO_ZONE and self._has(punch.device)

    def _has(self, device: Any) -> bool:
        return self.devices is None or device in self.devices


def _devices_thd(tx: Transaction, rules: ForwardRules) -> frozenset[str] | None:
    """Return the serial numbers of the terminals that the rules name; None for all."""
    named = None if rules.devices is None else frozenset(rules.devices)
    if rules.areas is None:
        return named
    query = select(devices.c.sn).where(devices.c.area.in_(list(rules.areas)))
    found = frozenset(tx.connection.execute(query).scalars())
    return found if named is None else found & named


def areas_thd(tx: Transaction, serials: Iterable[Any]) -> Mapping[Any, str]:
    """Return the areas of terminals by serial number, of those that have one."""
    named = [one for one in serials if isinstance(one, str)]
    if not named:
        return {}
    query = select(devices.c.sn, devices.c.area).where(devices.c.sn.in_(named))
    rows = tx.connection.execute(query.where(devices.c.area.is_not(None)))
    return {row.sn: row.area for row in rows if row.area}


def fill(template: str, data: Mapping[str, Any]) -> Any:
    """Fill the fields of a template; one that is a single field keeps its type."""
    whole = _FIELD.fullmatch(template)
    if whole is not None:
        return data.get(whole[1])

    def value(found: re.Match[str]) -> str:
        one = data.get(found[1])
        return "" if one is None else str(one)

    return _FIELD.sub(value, template)


def check_rules(rules: ForwardRules, names: Sequence[str]) -> None:
    """Raise `ValueError` unless rules are valid; `names` are the fields of punches."""
    if rules.since is not None:
        try:
            parse_instant(rules.since)
        except ValueError as error:
            raise ValueError(f"rules.since: {error}") from None
    known = {*names, "direction"}
    for template in (rules.fields or {}).values():
        unknown = [name for name in _FIELD.findall(template) if name not in known]
        if unknown or "{" in _FIELD.sub("", template):
            what = f"{{{unknown[0]}}}" if unknown else template[:40]
            raise ValueError(
                f"rules.fields: {what} is no field of a punch; there are "
                f"{', '.join(sorted(known))}."
            )
