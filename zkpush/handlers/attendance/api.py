"""API of attendance: records, also as events, and attendance photos."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta

from ...interfaces import IStore, NotUnsealed
from ...manage.errors import ApiError, not_found
from ...manage.listing import DeviceQuery, OfUser
from ...manage.lists import ApiList, Shown
from ...manage.news import RecordSource
from ...manage.readings import SecretAccessLog
from ...manage.recordlists import devices_of
from ...manage.recordviews import (
    DOUBT,
    LOCAL_TIME,
    TIMED,
    Damaged,
    record_view,
    show_record,
    shows_secrets,
)
from ...manage.routes import Raw, Route
from ...manage.services import Services
from ...manage.times import instant_of, time_argument
from ...model import Caller, Page
from ...persist.transaction import Transaction
from ...protocol.codes import IdentityPhoto, RecordType
from ...protocol.fields import Scope
from ...protocol.secrecy import Scopes
from .export import csv_slice_thd
from .model import AttendancePhoto, Punch, PunchFilter
from .photos import AttendancePhotoStore
from .schema import attendance
from .store import AttendanceStore
from .tables import ATTLOG, ATTPHOTO

AttendanceView = record_view("AttendanceRecord", ATTLOG, *TIMED)


class PhotoView(msgspec.Struct, frozen=True, kw_only=True):
    """An attendance photo (spec 11.3, 11.8); its picture is at `photos/{id}/content`."""

    id: int
    device: str
    pin: str | None
    name: str
    kind: Annotated[int | None, Meta(description="Photo type, spec 11.8")]
    meaning: Annotated[str | None, Meta(description="As `kind_meaning`")]
    kind_meaning: Annotated[str | None, Meta(description="`kind` in words")]
    size: Annotated[int, Meta(description="Bytes of the picture")]
    time: str | None
    utc: str | None
    local_time: LOCAL_TIME = None
    doubt: DOUBT
    id_number: str | None
    received_at: str
    damaged: Damaged = UNSET


class AttendanceQuery(DeviceQuery, frozen=True):
    """Filter of attendance records."""

    history: Annotated[
        bool | None,
        Meta(description="With `device`, also records of the terminals that it has replaced"),
    ] = None
    pin: OfUser = None
    since: Annotated[str | None, time_argument("ISO 8601; from this instant on")] = None
    until: Annotated[str | None, time_argument("ISO 8601; before this instant")] = None
    received_since: Annotated[
        str | None, time_argument("ISO 8601; received from this instant on")
    ] = None
    doubt: Annotated[
        Literal["ambiguous", "nonexistent", "future", "past", "no zone"] | None,
        Meta(description="Records with this doubt about their time"),
    ] = None
    record_type: Annotated[
        Literal["attendance", "verification", "all"],
        Meta(
            description="attendance: punches; verification: checks of identity cards, which are "
            "not punches (record type 1)"
        ),
    ] = "attendance"


class PhotoQuery(DeviceQuery, frozen=True):
    """Filter of attendance photos."""

    pin: OfUser = None


class AttendanceEndpoints:
    """Handlers of the routes of attendance."""

    def __init__(self, store: IStore, readings: SecretAccessLog) -> None:
        self._store = store
        self._readings = readings

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            ApiList[Punch](
                path="/attendance",
                summary="Attendance records, in the order they were stored",
                view=AttendanceView,
                query=AttendanceQuery,
                filter=punch_filter,
                find_thd=lambda tx, part, wanted: tx[AttendanceStore].page(part, wanted),
                show=lambda punch, caller: attendance_view(punch, caller.scopes),
                note=self._note,
                csv_thd=lambda tx, part, wanted: csv_slice_thd(
                    tx, part, wanted, AttendanceView.__struct_fields__
                ),
            ).route(self._store),
            ApiList[AttendancePhoto](
                path="/photos",
                summary="Attendance photos",
                view=PhotoView,
                query=PhotoQuery,
                find_thd=lambda tx, part, query: tx[AttendancePhotoStore].page(
                    part, query.device, query.pin
                ),
                show=lambda photo, caller: photo_view(photo),
            ).route(self._store),
            Route(
                "GET",
                "/photos/<int:id>/content",
                Scope.BIOMETRICS,
                self.photo_content,
                "The picture of an attendance photo",
                produces=("image/jpeg", "image/png", "application/octet-stream"),
                takes=("caller",),
            ),
        ]

    async def photo_content(self, id: int, caller: Caller) -> Raw:
        """Show the picture of an attendance photo."""
        try:
            content = await self._store.read(lambda tx: tx[AttendancePhotoStore].content(id))
        except NotUnsealed:
            detail = f"The picture of photo {id} is damaged; see GET problems."
            raise ApiError(HTTPStatus.GONE, detail) from None
        if content is None:
            raise not_found(f"There is no photo {id}.")
        await self._readings.note(caller, "photos", f"attendance photo {id}")
        return picture(content)

    async def _note(self, shown: Shown[Punch]) -> None:
        """Record that undeclared columns, if any, were shown to a caller."""
        if any(shows_secrets(ATTLOG, item) for item in shown.items):
            whose = devices_of(shown.query)
            await self._readings.note(shown.caller, "unknown columns of attendance", whose)


def punch_filter(query: AttendanceQuery) -> PunchFilter:
    """Convert a query to a filter; raises `ValueError` for an invalid time."""
    received = instant_of("received_since", query.received_since)
    if query.history and query.device is None:
        raise ValueError("history: needs `device`, whose history is meant.")
    return PunchFilter(
        device=query.device,
        with_history=bool(query.history),
        pin=query.pin,
        since=instant_of("since", query.since),
        until=instant_of("until", query.until),
        received_since=None if received is None else received * 1000,
        doubt=query.doubt,
        record_type=_TYPES[query.record_type],
    )


_TYPES = {
    "attendance": RecordType.ATTENDANCE,
    "verification": RecordType.VERIFICATION,
    "all": None,
}


def picture(content: bytes) -> Raw:
    """Return a picture as a reply that browsers interpret as nothing else."""
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
    return Raw(_content_type(content), content, headers=headers)


def _content_type(content: bytes) -> str:
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/png" if content.startswith(b"\x89PNG") else "application/octet-stream"


def attendance_view(record: Punch, scopes: Scopes) -> Any:
    """Return the view of an attendance record."""
    return show_record(AttendanceView, ATTLOG, record, scopes, {})


def photo_view(record: AttendancePhoto) -> PhotoView:
    """Return the view of an attendance photo."""
    meaning = None if record.kind is None else IdentityPhoto(record.kind).meaning
    shown: PhotoView = show_record(
        PhotoView, ATTPHOTO, record, (), {"meaning": meaning, "kind_meaning": meaning}
    )
    return shown


def _last_thd(tx: Transaction) -> int:
    return tx[AttendanceStore].last()


def _read_thd(tx: Transaction, part: Page) -> Sequence[Punch]:
    return tx[AttendanceStore].page(part)


def _view(record: Punch) -> object:
    return attendance_view(record, ())


ATTENDANCE = "attendance"
VERIFICATION = "verification"
"""Kind of records that are not punches; sent only to listeners that ask for them."""


def _kind(record: Punch) -> str:
    is_punch = (record.record_type or 0) == RecordType.ATTENDANCE
    return ATTENDANCE if is_punch else VERIFICATION


RECORDS = RecordSource(
    kinds=frozenset({ATTENDANCE, VERIFICATION}),
    on_request=frozenset({VERIFICATION}),
    last_thd=_last_thd,
    read_thd=_read_thd,
    find_thd=lambda tx, ids: tx[AttendanceStore].of_ids(ids),
    between_thd=lambda tx, since, until: tx[AttendanceStore].between(since, until),
    table=str(attendance.name),
    view=_view,
    view_type=AttendanceView,
    kind=_kind,
)


def routes(services: Services) -> list[Route]:
    """Return the routes of attendance."""
    return AttendanceEndpoints(services.store, services.secret_access).routes()
