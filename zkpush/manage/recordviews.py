"""What the API shows of records and people: types derived from the tables that declare them.

A secret field (template, photo, password) is null for a caller without the scope `biometrics`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ..model import Entry, Record, StoredReject
from ..protocol import fields
from ..protocol.codes import BiometricType, ErrorCode, IdentityPhoto, Nation, Operation
from ..protocol.fields import Scope
from ..protocol.tables import (
    ATTLOG,
    BIODATA,
    BIOPHOTO,
    ERRORLOG,
    IDCARD,
    OPLOG,
    RECORD_TABLES,
    USER,
)
from .times import instant

Scopes = Collection[Scope]
Extra = tuple[str, Any] | tuple[str, Any, Any]

_OPEN_TABLES = frozenset(
    table.name
    for table in RECORD_TABLES
    if table.layout is not fields.Layout.PHOTO and not any(f.secret for f in table.fields)
)
"""The tables without secret fields; of anything else, the bytes of a reject are not for all."""
_QUOTED = re.compile(r"""(['"]).*\1""", re.DOTALL)
"""What of a reason was sent: from the first quote to the last."""
_LEADING = ("id", "device", "utc", "received_at")
"""What a record begins with."""
_DOUBT = Annotated[
    str | None,
    Meta(description="ambiguous, nonexistent, future or past: what is doubtful about the time"),
]


def _field_type(field: fields.Field) -> Any:
    python = str if field.kind is fields.Kind.BASE64 else field.kind.python
    open_ = field.required and not field.secret
    meaning = field.meaning + ("; null without the scope `biometrics`" if field.secret else "")
    return Annotated[python if open_ else python | None, Meta(description=meaning)]


def record_view(
    name: str, table: fields.Table, *more: Extra, without: Collection[str] = ()
) -> type[msgspec.Struct]:
    """The type of a stored record in the API; `more` are what it has beside the table's fields."""
    shown = [f for f in table.fields if f.stored and f.name not in without]
    required = [field for field in shown if field.required]
    optional = [field for field in shown if not field.required]
    return msgspec.defstruct(
        name,
        [
            *(one for one in more if one[0] in _LEADING and len(one) == 2),
            *((field.name, _field_type(field)) for field in required),
            *((field.name, _field_type(field), None) for field in optional),
            *(one for one in more if one[0] not in _LEADING or len(one) == 3),
            ("extra", dict[str, str] | None, None),
        ],
        namespace={"__doc__": f"{table.meaning} ({table.name}, spec {table.section})"},
        frozen=True,
        kw_only=True,
    )


_OWN: Sequence[Extra] = (("id", int), ("device", str), ("received_at", str))
_TIMED: Sequence[Extra] = (*_OWN[:2], ("utc", str), _OWN[2], ("doubt", _DOUBT, None))

AttendanceView = record_view("AttendanceRecord", ATTLOG, *_TIMED)
_VALUES = Annotated[
    dict[str, str], Meta(description="Operation objects by what they are, spec Appendix 4")
]
OperationView = record_view(
    "Operation",
    OPLOG,
    *_TIMED,
    ("meaning", Annotated[str, Meta(description="The code in words, spec Appendix 3")]),
    ("values", _VALUES),
    without=[f"value_{number}" for number in range(1, 5)],
)
ErrorView = record_view(
    "ErrorRecord",
    ERRORLOG,
    *_OWN,
    ("meaning", Annotated[str, Meta(description="The code in words, spec Appendix 9")]),
    ("words", Annotated[dict[str, str], Meta(description="Each part of the code in words")]),
)
IdCardView = record_view(
    "IdentityCard",
    IDCARD,
    *_OWN,
    ("nation_meaning", Annotated[str | None, Meta(description="The nation in words")], None),
)
_UPDATED: Sequence[Extra] = (
    ("device", Annotated[str | None, Meta(description="The terminal that said it last")], None),
    ("updated_at", str | None, None),
)
UserView = record_view(
    "User",
    USER,
    ("templates", Annotated[dict[str, int], Meta(description="How many, by biometric type")]),
    ("has_photo", bool),
    *_UPDATED,
)
TemplateView = record_view(
    "Template",
    BIODATA,
    ("meaning", Annotated[str, Meta(description="The type in words, spec Appendix 10")]),
    ("form", Annotated[str, Meta(description="The table that it came in")]),
    *_UPDATED,
)
PersonPhotoView = record_view(
    "PersonPhoto",
    BIOPHOTO,
    ("kind", Annotated[str, Meta(description="USERPIC or BIOPHOTO")]),
    ("meaning", Annotated[str, Meta(description="The type in words, spec Appendix 10")]),
    ("content", Annotated[bytes | None, Meta(description="The picture, in base64")]),
    *_UPDATED,
    without=["content"],
)


class PhotoView(msgspec.Struct, frozen=True, kw_only=True):
    """An attendance photo (spec 11.3, 11.8); its picture is at `photos/{id}/content`."""

    id: int
    device: str
    pin: str | None
    name: str
    kind: Annotated[int | None, Meta(description="Photo type, spec 11.8")]
    meaning: Annotated[str | None, Meta(description="The type in words")]
    size: Annotated[int, Meta(description="Bytes of the picture")]
    time: str | None
    utc: str | None
    doubt: _DOUBT
    id_number: str | None
    received_at: str


class EntryView(msgspec.Struct, frozen=True):
    """What a terminal holds in a table that is not of people, such as a work code."""

    id: int
    device: str
    table: str
    fields: dict[str, str | int]
    updated_at: str


class RejectView(msgspec.Struct, frozen=True):
    """Something that was not understood."""

    id: int
    device: str
    table: str
    reason: str
    raw: Annotated[
        bytes | None,
        Meta(
            description="Its bytes, in base64; null if they may be secret, without `biometrics`, "
            "and in a list where they are more than 4,096"
        ),
    ]
    size: Annotated[int, Meta(description="How many bytes there are")]
    received_at: str


def _shown(view: type[msgspec.Struct], record: Record, more: Mapping[str, object]) -> Any:
    values = {name: value for name, value in record.items() if name in view.__struct_fields__}
    if values.get("time") is not None:
        values["time"] = str(values["time"]).replace(" ", "T")
    if values.get("utc") is not None:
        values["utc"] = instant(int(str(values["utc"])) * 1000).replace(".000Z", "Z")
    for name in ("received_at", "updated_at"):
        if values.get(name) is not None:
            values[name] = instant(int(str(values[name])))
    return view(**{**values, **more})


def attendance_view(record: Record) -> Any:
    """Show an attendance record."""
    return _shown(AttendanceView, record, {})


def operation_view(record: Record) -> Any:
    """Show an operation."""
    operation = Operation(int(str(record["code"])))
    objects = [str(record[f"value_{number}"] or "") for number in range(1, 5)]
    more = {"meaning": operation.meaning, "values": operation.named(objects)}
    return _shown(OperationView, record, more)


def error_view(record: Record) -> Any:
    """Show an error."""
    code = ErrorCode(str(record["code"]))
    return _shown(ErrorView, record, {"meaning": code.meaning, "words": code.words})


def idcard_view(record: Record, scopes: Scopes) -> Any:
    """Show an identity card."""
    nation = record["nation"]
    more = {} if nation is None else {"nation_meaning": Nation(int(str(nation))).meaning}
    return _shown(IdCardView, _open(IDCARD, record, scopes), more)


def user_view(record: Record, scopes: Scopes) -> Any:
    """Show a user."""
    counts = record["templates"]
    templates = {str(type_): count for type_, count in dict(counts).items()}  # type: ignore[call-overload]
    return _shown(UserView, _open(USER, record, scopes), {"templates": templates})


def template_view(record: Record) -> Any:
    """Show a template, to a caller who may see it."""
    more = {"meaning": _type_meaning(record), "template": _ascii(record["template"])}
    return _shown(TemplateView, record, more)


def person_photo_view(record: Record) -> Any:
    """Show a photo of a user, to a caller who may see it."""
    return _shown(PersonPhotoView, record, {"meaning": _type_meaning(record)})


def photo_view(record: Record) -> PhotoView:
    """Show an attendance photo."""
    kind = record["kind"]
    meaning = None if kind is None else IdentityPhoto(int(str(kind))).meaning
    shown: PhotoView = _shown(PhotoView, record, {"meaning": meaning})
    return shown


def entry_view(entry: Entry) -> EntryView:
    """Show an entry."""
    return EntryView(entry.id, entry.device, entry.table, entry.fields, instant(entry.updated_at))


def shows_secrets(card: Any) -> bool:
    """Whether what is shown of an identity card is not for everyone."""
    return any(getattr(card, field.name) is not None for field in IDCARD.fields if field.secret)


def is_open(table: str) -> bool:
    """Whether the bytes of a table's rejects are for everyone."""
    return table in _OPEN_TABLES


def reject_view(reject: StoredReject, scopes: Scopes) -> RejectView:
    """Show a reject."""
    shown = Scope.BIOMETRICS in scopes or is_open(reject.table)
    return RejectView(
        reject.id,
        reject.device,
        reject.table,
        reject.reason if shown else _QUOTED.sub("…", reject.reason),
        reject.raw if shown else None,
        reject.size,
        instant(reject.received_at),
    )


def _open(table: fields.Table, record: Record, scopes: Scopes) -> Record:
    """A record without what the caller may not see."""
    if Scope.BIOMETRICS in scopes:
        return record
    return {**record, **{field.name: None for field in table.fields if field.secret}}


def _type_meaning(record: Record) -> str:
    return BiometricType(int(str(record["type"]))).meaning


def _ascii(value: object) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else ""
