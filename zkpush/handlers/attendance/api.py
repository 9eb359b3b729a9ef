"""The API of attendance: records, also as events, and the photos taken with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta

from ...interfaces import IStore, NotUnsealed
from ...manage.errors import ApiError, not_found
from ...manage.feed import RecordSource
from ...manage.listing import (
    DeviceQuery,
    Listing,
    ListQuery,
    OfDevice,
    OfUser,
    listing,
    negotiated,
)
from ...manage.readings import SecretAccessLog
from ...manage.recordlists import devices_of
from ...manage.recordviews import DOUBT, TIMED, Damaged, record_view, show_record, shows_secrets
from ...manage.routes import Raw, Route
from ...manage.services import Services
from ...manage.times import parse_instant
from ...model import Caller, Page
from ...persist.transaction import Transaction
from ...protocol.codes import IdentityPhoto
from ...protocol.fields import Scope, Table
from ...protocol.secrecy import Scopes
from ...protocol.tables import ATTLOG, ATTPHOTO
from ...stored import StoredRecord
from .model import AttendancePhoto, Punch
from .photos import AttendancePhotoStore
from .store import AttendanceStore

AttendanceView = record_view("AttendanceRecord", ATTLOG, *TIMED)


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
    doubt: DOUBT
    id_number: str | None
    received_at: str
    damaged: Damaged = UNSET


class AttendanceQuery(DeviceQuery, frozen=True):
    """Which attendance records are wanted."""

    pin: OfUser = None
    since: Annotated[str | None, Meta(description="ISO 8601; from this instant on")] = None
    until: Annotated[str | None, Meta(description="ISO 8601; before this instant")] = None
    received_since: Annotated[
        str | None, Meta(description="ISO 8601; those that came from this instant on")
    ] = None
    doubt: Annotated[
        Literal["ambiguous", "nonexistent", "future", "past", "no zone"] | None,
        Meta(description="Those with this doubt about their time"),
    ] = None


class PhotoQuery(ListQuery, frozen=True):
    """Which attendance photos are wanted."""

    device: OfDevice = None
    pin: OfUser = None


class AttendanceEndpoints:
    """What the routes of attendance do."""

    def __init__(self, store: IStore, readings: SecretAccessLog) -> None:
        self._store = store
        self._readings = readings

    def routes(self) -> list[Route]:
        """The routes."""

        def listed(path: str, summary: str, run: Any, view: Any, **more: Any) -> Route:
            settings = {"query": DeviceQuery, "returns": Listing[view], **more}
            return Route("GET", path, Scope.READ, run, summary, **settings)

        return [
            listed(
                "/attendance",
                "Attendance records, in the order they were stored; also as text/csv and "
                "application/x-ndjson",
                self.attendance,
                AttendanceView,
                query=AttendanceQuery,
                takes=("accept", "caller"),
            ),
            listed("/photos", "Attendance photos", self.photos, PhotoView, query=PhotoQuery),
            Route(
                "GET",
                "/photos/<int:id>/content",
                Scope.BIOMETRICS,
                self.photo_content,
                "The picture of an attendance photo",
                takes=("caller",),
            ),
        ]

    async def attendance(self, query: AttendanceQuery, accept: str, caller: Caller) -> object:
        """List attendance records."""
        since = None if query.since is None else parse_instant(query.since)
        until = None if query.until is None else parse_instant(query.until)
        received = None if query.received_since is None else parse_instant(query.received_since)
        found = await self._store.read(
            lambda tx: tx[AttendanceStore].page(
                query.page,
                query.device,
                query.pin,
                since,
                until,
                query.doubt,
                None if received is None else received * 1000,
            )
        )
        part = _records(found, attendance_view, query, caller)
        await self._note(ATTLOG, "unknown columns of attendance", query, caller, part)
        return negotiated(accept, AttendanceView, part)

    async def photos(self, query: PhotoQuery) -> Listing[Any]:
        """List attendance photos."""
        found = await self._store.read(
            lambda tx: tx[AttendancePhotoStore].page(query.page, query.device, query.pin)
        )
        items = [photo_view(photo) for photo in found]
        return listing(items, [photo.id for photo in found], query)

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

    async def _note(
        self, table: Table, what: str, query: DeviceQuery, caller: Caller, part: Listing[Any]
    ) -> None:
        """Record that a caller is shown secrets of a table, if there are some."""
        if any(shows_secrets(table, item) for item in part.items):
            await self._readings.note(caller, what, devices_of(query))


R = TypeVar("R", bound=StoredRecord)


def _records(
    found: Sequence[R], view: Callable[[R, Scopes], Any], query: ListQuery, caller: Caller
) -> Listing[Any]:
    items = [view(record, caller.scopes) for record in found]
    return listing(items, [record.id for record in found], query)


def picture(content: bytes) -> Raw:
    """A picture as a reply, which a browser shows as nothing else."""
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
    return Raw(_content_type(content), content, headers=headers)


def _content_type(content: bytes) -> str:
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/png" if content.startswith(b"\x89PNG") else "application/octet-stream"


def attendance_view(record: Punch, scopes: Scopes) -> Any:
    """Show an attendance record."""
    return show_record(AttendanceView, ATTLOG, record, scopes, {})


def photo_view(record: AttendancePhoto) -> PhotoView:
    """Show an attendance photo."""
    meaning = None if record.kind is None else IdentityPhoto(record.kind).meaning
    shown: PhotoView = show_record(PhotoView, ATTPHOTO, record, (), {"meaning": meaning})
    return shown


def _last_thd(tx: Transaction) -> int:
    return tx[AttendanceStore].last()


def _read_thd(tx: Transaction, part: Page) -> Sequence[Punch]:
    return tx[AttendanceStore].page(part, None, None, None, None)


def _view(record: Punch) -> object:
    return attendance_view(record, ())


RECORDS = RecordSource(_last_thd, _read_thd, _view)


def routes(services: Services) -> list[Route]:
    """The routes of attendance."""
    return AttendanceEndpoints(services.store, services.secret_access).routes()
