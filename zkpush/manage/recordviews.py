"""API views of records and people: types derived from the tables that declare them.

Secrets (`zkpush.protocol.secrecy`) are null for callers without the scope for them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ..protocol import fields, secrecy
from ..protocol.fields import Scope
from ..protocol.secrecy import Scopes, may_see, secrets_of
from ..protocol.times import DOUBTS, NO_ZONE
from ..stored import StoredRecord
from .times import instant, local_time

R = TypeVar("R", bound=StoredRecord)
Extra = tuple[str, Any] | tuple[str, Any, Any]

MEANING = "_meaning"
"""Suffix of the field that holds the meaning of a coded field."""
_SECRETS: dict[str, Mapping[str, Scope]] = {}
_LEADING = ("id", "device", "utc", "received_at")
"""First fields of a record."""
DOUBT = Annotated[
    str | None,
    Meta(description=f"What is doubtful about the time: {', '.join(DOUBTS)}"),
]


def _secrets(table: fields.Table) -> Mapping[str, Scope]:
    """Return the secrets of a table; cached."""
    if table.name not in _SECRETS:
        _SECRETS[table.name] = secrets_of(table)
    return _SECRETS[table.name]


def _field_type(field: fields.Field) -> Any:
    python = str if field.kind is fields.Kind.BASE64 else field.kind.python
    open_ = field.required and not field.secret
    meaning = field.meaning + _without(field.secret)
    return Annotated[python if open_ else python | None, Meta(description=meaning)]


def _words(field: fields.Field) -> Extra:
    """Return the field that holds the meaning of a coded field."""
    meaning = f"`{field.name}` in words{_without(field.secret)}"
    return f"{field.name}{MEANING}", Annotated[str | None, Meta(description=meaning)], None


def _without(needed: Scope | None) -> str:
    return "" if needed is None else f"; null without the scope `{needed.value}`"


Damaged = Annotated[
    Sequence[str] | UnsetType,
    Meta(description="Fields whose stored values are damaged, and null here; absent if none"),
]
EXTRA = Annotated[
    dict[str, str] | None,
    Meta(description=f"What the protocol does not declare{_without(secrecy.UNDECLARED)}"),
]


def record_view(
    name: str, table: fields.Table, *more: Extra, without: Collection[str] = ()
) -> type[msgspec.Struct]:
    """Make the type of a stored record in the API; `more` are its fields outside the table."""
    shown = [f for f in table.fields if f.stored and f.name not in without]
    required = [field for field in shown if field.required]
    optional = [field for field in shown if not field.required]
    return msgspec.defstruct(
        name,
        [
            *(one for one in more if one[0] in _LEADING and len(one) == 2),
            *((field.name, _field_type(field)) for field in required),
            *((field.name, _field_type(field), None) for field in optional),
            *(_words(field) for field in shown if field.codes is not None),
            *(one for one in more if one[0] not in _LEADING or len(one) == 3),
            ("extra", EXTRA, None),
            ("damaged", Damaged, UNSET),
        ],
        namespace={"__doc__": f"{table.meaning} ({table.name}, spec {table.section})"},
        frozen=True,
        kw_only=True,
    )


OWN: Sequence[Extra] = (("id", int), ("device", str), ("received_at", str))
_UTC = Annotated[
    str | None, Meta(description="The instant; null until the zone of the terminal is known")
]
LOCAL_TIME = Annotated[
    str | None,
    Meta(
        description="The terminal's wall clock with the offset from UTC that it had; null until "
        "the zone of the terminal is known"
    ),
]
TIMED: Sequence[Extra] = (
    *OWN[:2],
    ("utc", _UTC),
    OWN[2],
    ("local_time", LOCAL_TIME, None),
    ("doubt", DOUBT, None),
)


def show_record(
    view: type[msgspec.Struct],
    table: fields.Table,
    record: StoredRecord,
    scopes: Scopes,
    more: Mapping[str, object],
) -> Any:
    """Show a record as `view`, without secrets that the scopes do not include.

    `more` are the values outside the table's fields.
    """
    secrets = _secrets(table)
    stored = {
        name: getattr(record, name)
        for name in view.__struct_fields__
        if name in record.__struct_fields__
    }
    values: dict[str, Any] = {
        name: None if name in secrets and not may_see(secrets[name], scopes) else value
        for name, value in {**stored, **more}.items()
    }
    for field in table.fields:
        name = f"{field.name}{MEANING}"
        if name in view.__struct_fields__:
            values[name] = field.words(values.get(field.name), values)
    time = values.get("time")
    if values.get("doubt") == NO_ZONE:
        values["utc"] = None
    if values.get("utc") is not None:
        if time is not None and "local_time" in view.__struct_fields__:
            values["local_time"] = local_time(time, values["utc"])
        values["utc"] = instant(values["utc"] * 1000).replace(".000Z", "Z")
    if time is not None:
        values["time"] = time.replace(" ", "T")
    for name in ("received_at", "updated_at"):
        if values.get(name) is not None:
            values[name] = instant(values[name])
    values["damaged"] = record.damaged or UNSET
    return view(**values)


def without_secrets(table: fields.Table, record: R) -> R:
    """Leave the secrets of its table out of a record."""
    hidden = _secrets(table).keys() & {*record.__struct_fields__}
    return msgspec.structs.replace(record, **dict.fromkeys(hidden))


def shows_secrets(table: fields.Table, item: Any) -> bool:
    """Whether a shown item contains a secret of its table."""
    return any(getattr(item, name, None) not in (None, "") for name in _secrets(table))
