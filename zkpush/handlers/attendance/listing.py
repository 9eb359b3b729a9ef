"""Attendance records as the API and the console list them, and pictures of photos."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

from msgspec import Meta

from ...interfaces import IStore, NotUnsealed
from ...manage.errors import ApiError, not_found
from ...manage.limits import TERMINAL, Belongs, Owner, id_of, of_device
from ...manage.listing import DeviceQuery, OfUser
from ...manage.lists import ApiList, Shown
from ...manage.readings import SecretAccessLog
from ...manage.recordlists import devices_of
from ...manage.recordviews import TIMED, record_view, show_record, shows_secrets
from ...manage.routes import Route
from ...manage.times import instant_of, time_argument
from ...model import Caller
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...protocol.codes import RecordType
from ...protocol.fields import Scope
from ...protocol.secrecy import Scopes
from .claimed import ListedPunch, ListedView, listed_thd, listed_view
from .export import csv_slice_thd
from .model import Punch, PunchFilter
from .photos import AttendancePhotoStore
from .tables import ATTLOG

AttendanceView = record_view("NewAttendanceRecord", ATTLOG, *TIMED)
"""A record as an event, without what may be decided later; lists have `claimed.ListedView`."""


class AttendanceQuery(DeviceQuery, frozen=True):
    """Filter of attendance records."""

    history: Annotated[
        bool | None,
        Meta(description="With `device`, also records of the terminals that it has replaced"),
    ] = None
    pin: OfUser = None
    area: Annotated[str | None, Meta(description="Area of the terminal")] = None
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


class AttendanceReadings:
    """Reads records and pictures, and records in the audit log that secrets are shown."""

    def __init__(self, store: IStore, access: SecretAccessLog) -> None:
        self._store = store
        self._access = access

    def punches(self) -> Route:
        """Return the route of attendance records."""
        return ApiList[ListedPunch](
            path="/attendance",
            summary="Attendance records, in the order they were stored",
            view=ListedView,
            query=AttendanceQuery,
            filter=punch_filter,
            find_thd=listed_thd,
            show=lambda one, caller: listed_view(one, caller.scopes),
            note=self._note,
            scope=Scope.ATTENDANCE,
            owner=of_device,
            csv_thd=lambda tx, part, wanted: csv_slice_thd(
                tx, part, wanted, ListedView.__struct_fields__
            ),
        ).route(self._store)

    async def photo(self, id: int, caller: Caller) -> bytes:
        """Return the picture of an attendance photo, and record that it is shown."""
        try:
            content = await self._store.read(lambda tx: tx[AttendancePhotoStore].content(id))
        except NotUnsealed:
            detail = Phrase("The picture of photo %(id)s is damaged; see GET problems.", id=id)
            raise ApiError(HTTPStatus.GONE, detail) from None
        if content is None:
            raise not_found(Phrase("There is no photo %(id)s.", id=id))
        await self._access.note(caller, "photos", f"attendance photo {id}")
        return content

    async def _note(self, shown: Shown[ListedPunch]) -> None:
        """Record that undeclared columns, if any, were shown to a caller."""
        if any(shows_secrets(ATTLOG, item) for item in shown.items):
            whose = devices_of(shown.query)
            await self._access.note(shown.caller, "unknown columns of attendance", whose)


def _photo_owner_thd(tx: Transaction, names: Mapping[str, Any]) -> Collection[Owner]:
    sn = tx[AttendancePhotoStore].terminal_of(int(id_of(names)))
    return () if sn is None else (Owner(TERMINAL, sn),)


PHOTO = Belongs(_photo_owner_thd, "There is no photo {id}.")
"""The attendance photo that a path names."""


def punch_filter(query: AttendanceQuery) -> PunchFilter:
    """Convert a query to a filter; raises `ValueError` for an invalid time."""
    received = instant_of("received_since", query.received_since)
    if query.history and query.device is None:
        raise ValueError("history: needs `device`, whose history is meant.")
    return PunchFilter(
        device=query.device,
        with_history=bool(query.history),
        area=query.area,
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


def attendance_view(record: Punch, scopes: Scopes) -> Any:
    """Return the view of an attendance record."""
    return show_record(AttendanceView, ATTLOG, record, scopes, {})


def picture_type(content: bytes) -> str:
    """Return the media type of a picture, one that browsers show if it is known."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/png" if content.startswith(b"\x89PNG") else "application/octet-stream"
