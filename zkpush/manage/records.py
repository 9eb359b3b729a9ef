"""The API of records: what terminals uploaded, as it is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Literal, TypeVar

from msgspec import Meta

from ..interfaces import IStore, NotUnsealed
from ..model import Caller
from ..persist.attendance import AttendanceStore
from ..persist.entries import EntryStore
from ..persist.photos import AttendancePhotoStore
from ..protocol.fields import Scope, Table
from ..protocol.secrecy import Scopes
from ..protocol.tables import ATTLOG
from ..stored import StoredRecord
from . import recordviews as views
from .errors import ApiError, not_found
from .listing import DeviceQuery, Listing, ListQuery, OfDevice, OfUser, listing, negotiated
from .readings import SecretAccessLog
from .recordlists import devices_of
from .routes import Raw, Route
from .times import parse_instant


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


class EntryQuery(DeviceQuery, frozen=True):
    """Which entries are wanted."""

    table: Annotated[str | None, Meta(description="A table such as WORKCODE")] = None


class RecordEndpoints:
    """What the routes of records do."""

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
                views.AttendanceView,
                query=AttendanceQuery,
                takes=("accept", "caller"),
            ),
            listed("/photos", "Attendance photos", self.photos, views.PhotoView, query=PhotoQuery),
            Route(
                "GET",
                "/photos/<int:id>/content",
                Scope.BIOMETRICS,
                self.photo_content,
                "The picture of an attendance photo",
                takes=("caller",),
            ),
            listed(
                "/entries",
                "What terminals hold beside people: work codes, short messages, lists",
                self.entries,
                views.EntryView,
                query=EntryQuery,
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
        part = _records(found, views.attendance_view, query, caller)
        await self._note(ATTLOG, "unknown columns of attendance", query, caller, part)
        return negotiated(accept, views.AttendanceView, part)

    async def photos(self, query: PhotoQuery) -> Listing[Any]:
        """List attendance photos."""
        found = await self._store.read(
            lambda tx: tx[AttendancePhotoStore].page(query.page, query.device, query.pin)
        )
        items = [views.photo_view(photo) for photo in found]
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

    async def entries(self, query: EntryQuery, caller: Caller) -> Listing[views.EntryView]:
        """List entries."""
        found = await self._store.read(
            lambda tx: tx[EntryStore].page(query.page, query.device, query.table)
        )
        items = [views.entry_view(entry, caller.scopes) for entry in found]
        if any(item.extra for item in items):
            await self._readings.note(caller, "unknown columns of entries", devices_of(query))
        return listing(items, [entry.id for entry in found], query)

    async def _note(
        self, table: Table, what: str, query: DeviceQuery, caller: Caller, part: Listing[Any]
    ) -> None:
        """Record that a caller is shown secrets of a table, if there are some."""
        if any(views.shows_secrets(table, item) for item in part.items):
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
