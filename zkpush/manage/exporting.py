"""Audit of exports: who took a whole list away, with which filters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from ..device import acts
from ..interfaces import IStore
from ..model import Caller, Page
from ..persist.audit import AuditStore
from ..persist.transaction import Transaction

EXPORT = "export"
"""The action."""
MINUTE, DAY = 60_000, 24 * 3600 * 1000
"""Milliseconds within which an equal export is recorded once: from the begin of a list, and from
where an earlier one ended, as programs do all the time."""
MOST = 200
"""Most recent exports of a caller that are compared."""
_PAGING = frozenset({"after", "before", "order", "past"})
_PERSON = "pin"
_SHOWN = frozenset(
    {"area", "code", "command", "device", "doubt", "has_photo", "has_templates", "holder", "job"}
    | {
        "kind",
        "limit",
        "mark",
        "period",
        "privilege",
        "received_since",
        "record_type",
        "secrets",
        "since",
    }
    | {"state", "table", "until"}
)
"""Filters whose values name no person and are no secret."""
_VARIABLE = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>", re.ASCII)
_START = "0"


async def note_export(
    store: IStore,
    caller: Caller,
    form: str,
    path: str,
    query: msgspec.Struct,
    names: Mapping[str, object] | None = None,
    *,
    found: Mapping[str, object | None] = MappingProxyType({}),
) -> None:
    """Record that a caller takes a list away; the record is on disk when this returns.

    `form` is that of the file, such as `csv`; `path` may have variables, with their values in
    `names`. `found` replaces filters by what they were found to mean, such as a part of a name by
    the user ID `pin`; None drops one. `StoreError` if it cannot be stored: send nothing then.
    """
    asked = {name: getattr(query, name) for name in query.__struct_fields__}
    given = {
        name: value
        for name, value in {**asked, **found}.items()
        if value is not None and value is not False and value != ""
    }
    goes_on = given.get("after", _START) != _START

    def unit(tx: Transaction) -> None:
        audit, now = tx[AuditStore], tx.now()

        def shown(found: re.Match[str]) -> str:
            name, value = found[1], str((names or {})[found[1]])
            return audit.person(value) if name == _PERSON else value

        subject = f"list {_VARIABLE.sub(shown, path).strip('/')}"
        filters = [_filter(audit, name, given[name]) for name in sorted(given.keys() - _PAGING)]
        detail = ", ".join([form, *filters])
        since = now - (DAY if goes_on else MINUTE)
        recent = audit.page(
            Page(MOST, newest_first=True), since, actor=caller.actor, action=EXPORT, subject=subject
        )
        if f"{detail}; {caller.origin}" not in {one.detail for one in recent}:
            acts.record(tx, caller, EXPORT, subject, detail, now)

    await store.write(unit)


def _filter(audit: AuditStore, name: str, value: object) -> str:
    if name == _PERSON:
        return f"{name}={audit.person(str(value))}"
    return f"{name}={str(value)[: acts.LONGEST]}" if name in _SHOWN else f"{name} (not shown)"
