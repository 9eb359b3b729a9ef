"""What the API shows and takes: the types from which OpenAPI is derived, and how they are made.

Times are ISO 8601: instants end in `Z`, `time` is the terminal's own wall clock, without zone.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ..model import CommandState, Device, DeviceState, QueuedCommand, Record, StoredReject
from ..protocol import fields
from ..protocol.tables import ATTLOG

T = TypeVar("T")


def instant(milliseconds: int) -> str:
    """An instant in ISO 8601, UTC."""
    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _instant(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else instant(milliseconds)


def parse_instant(text: str) -> int:
    """Seconds since the epoch of an ISO 8601 date or time; UTC where it names no zone.

    `ValueError` if it is none.
    """
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text[:40]!r} is not an ISO 8601 time such as 2026-03-01 or 2026-03-01T08:00:00Z"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return int(moment.timestamp())


class Listing(msgspec.Struct, Generic[T], frozen=True):
    """Part of a list."""

    items: list[T]
    next: str | None
    """The cursor for `after=`; null at the end."""


class ProblemView(msgspec.Struct, frozen=True):
    """Something about a terminal that a person should look at."""

    code: str
    detail: str
    since_at: str


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal."""

    sn: str
    alias: str | None
    state: DeviceState
    area: str | None
    timezone: Annotated[str, Meta(description="IANA zone of its wall clock")]
    online: Annotated[bool, Meta(description="Heard of within three of its polls")]
    created_at: str
    last_seen_at: str | None
    address: str | None
    firmware: str | None
    push_version: Annotated[str | None, Meta(description="The version it says it has")]
    protocol_version: Annotated[str, Meta(description="The version both sides use")]
    language: Annotated[str | None, Meta(description="Language number, spec Appendix 2")]
    device_type: str | None
    session: Literal["plain", "encrypted"]
    exchange: Annotated[
        str, Meta(description="new: not made yet; ready: made; stale: to be made again")
    ]
    settings: dict[str, str | int]
    options: dict[str, str]
    attributes: dict[str, str]
    counts: dict[str, int]
    pending_commands: int
    clock_skew_seconds: int | None
    problems: list[ProblemView]


def device_view(
    device: Device,
    *,
    online: bool,
    last_seen_at: int | None,
    address: str | None,
    pending_commands: int,
) -> DeviceView:
    """Show a terminal."""
    return DeviceView(
        sn=device.sn,
        alias=device.alias,
        state=device.state,
        area=device.area,
        timezone=device.timezone,
        online=online,
        created_at=instant(device.created_at),
        last_seen_at=_instant(last_seen_at),
        address=address,
        firmware=device.firmware,
        push_version=device.push_version,
        protocol_version=device.protocol_version,
        language=device.language,
        device_type=device.device_type,
        session="plain",
        exchange=device.session.value,
        settings=device.settings,
        options=device.options,
        attributes=device.attributes,
        counts=device.counts,
        pending_commands=pending_commands,
        clock_skew_seconds=None,
        problems=[
            ProblemView(problem.code, problem.detail, instant(problem.since_at))
            for problem in device.problems
        ],
    )


class DeviceChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator may change of a terminal."""

    state: Literal["approved", "blocked"] | UnsetType = UNSET
    alias: str | UnsetType | None = UNSET
    area: str | UnsetType | None = UNSET
    timezone: str | UnsetType = UNSET
    settings: Annotated[
        dict[str, str | int | None] | UnsetType,
        Meta(description="Options told to this terminal otherwise; null takes one back"),
    ] = UNSET


def _field_type(field: fields.Field) -> object:
    kind = field.kind.python if field.required else field.kind.python | None
    return Annotated[kind, Meta(description=field.meaning)]


def record_view(name: str, table: fields.Table) -> type[msgspec.Struct]:
    """The type of a stored record in the API, from the table that declares it."""
    own = [("id", int), ("device", str), ("utc", str), ("received_at", str)]
    required = [field for field in table.fields if field.stored and field.required]
    optional = [field for field in table.fields if field.stored and not field.required]
    return msgspec.defstruct(
        name,
        [
            *own,
            *((field.name, _field_type(field)) for field in required),
            *((field.name, _field_type(field), None) for field in optional),
            ("extra", dict[str, str] | None, None),
        ],
        namespace={"__doc__": f"{table.meaning} ({table.name}, spec {table.section})"},
        frozen=True,
        kw_only=True,
    )


AttendanceView = record_view("AttendanceRecord", ATTLOG)


def shown_record(view: type[msgspec.Struct], record: Record) -> msgspec.Struct:
    """Show a stored record."""
    values = dict(record)
    values["time"] = str(values["time"]).replace(" ", "T")
    values["utc"] = instant(int(str(values["utc"])) * 1000).replace(".000Z", "Z")
    values["received_at"] = instant(int(str(values["received_at"])))
    return view(**values)


class RejectView(msgspec.Struct, frozen=True):
    """Something that was not understood; `raw` is in base64."""

    id: int
    device: str
    table: str
    reason: str
    raw: bytes
    received_at: str


def reject_view(reject: StoredReject) -> RejectView:
    """Show a reject."""
    return RejectView(
        reject.id,
        reject.device,
        reject.table,
        reject.reason,
        reject.raw,
        instant(reject.received_at),
    )


class CommandRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A command to queue."""

    command: Annotated[str, Meta(description="The words of the protocol, such as INFO")]
    params: dict[str, str] = {}


class ResendRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a terminal is to send again, all of it."""

    table: Annotated[str, Meta(description="The table of the upload, such as ATTLOG")]


class CommandView(msgspec.Struct, frozen=True, kw_only=True):
    """A command, and what has become of it."""

    id: Annotated[str, Meta(description="The CmdID on the wire")]
    device: str
    command: str
    params: dict[str, str]
    state: CommandState
    attempts: int
    return_code: int | None
    meaning: str | None
    result: dict[str, str] | None
    created_at: str
    sent_at: str | None
    finished_at: str | None


def command_view(command: QueuedCommand, meanings: Mapping[int, str]) -> CommandView:
    """Show a command; `meanings` are those of return codes (Appendix 1)."""
    code = command.return_code
    return CommandView(
        id=command.id,
        device=command.device,
        command=command.command,
        params=command.params,
        state=command.state,
        attempts=command.attempts,
        return_code=code,
        meaning=None if code is None else meanings.get(code),
        result=command.result,
        created_at=instant(command.created_at),
        sent_at=_instant(command.sent_at),
        finished_at=_instant(command.finished_at),
    )
