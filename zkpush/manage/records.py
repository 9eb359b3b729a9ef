"""The API of records: what terminals uploaded, as it is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from msgspec import Meta

from ..interfaces import ILog, IStore, ITransaction
from ..model import Caller, Record
from ..protocol.fields import Scope
from . import recordviews as views
from .errors import not_found
from .listing import DeviceQuery, Listing, ListQuery, OfDevice, OfUser, listing, negotiated
from .readings import Readings
from .routes import Raw, Route
from .times import parse_instant


class AttendanceQuery(ListQuery, frozen=True):
    """Which attendance records are wanted."""

    device: OfDevice = None
    pin: OfUser = None
    since: Annotated[str | None, Meta(description="ISO 8601; from this instant on")] = None
    until: Annotated[str | None, Meta(description="ISO 8601; before this instant")] = None


class PhotoQuery(ListQuery, frozen=True):
    """Which attendance photos are wanted."""

    device: OfDevice = None
    pin: OfUser = None


class EntryQuery(ListQuery, frozen=True):
    """Which entries are wanted."""

    device: OfDevice = None
    table: Annotated[str | None, Meta(description="A table such as WORKCODE")] = None


class RecordEndpoints:
    """What the routes of records do."""

    def __init__(self, store: IStore, readings: Readings) -> None:
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
                takes=("accept",),
            ),
            listed(
                "/operations", "What was done on terminals", self.operations, views.OperationView
            ),
            listed("/errors", "Errors that terminals report", self.errors, views.ErrorView),
            listed(
                "/idcards",
                "Identity cards that terminals read",
                self.idcards,
                views.IdCardView,
                takes=("caller",),
            ),
            listed(
                "/rejects",
                "What terminals sent and was not understood, with its bytes",
                self.rejects,
                views.RejectView,
                takes=("caller",),
            ),
            Route(
                "GET",
                "/rejects/<int:id>",
                Scope.READ,
                self.reject,
                "Something that was not understood, with all its bytes",
                returns=views.RejectView,
                takes=("caller",),
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
            ),
        ]

    async def attendance(self, query: AttendanceQuery, accept: str) -> object:
        """List attendance records."""
        since = None if query.since is None else parse_instant(query.since)
        until = None if query.until is None else parse_instant(query.until)
        found = await self._store.read(
            lambda tx: tx.attendance.page(query.page, query.device, query.pin, since, until)
        )
        part = _records(found, views.attendance_view, query)
        return negotiated(accept, views.AttendanceView, part)

    async def operations(self, query: DeviceQuery) -> Listing[Any]:
        """List operations."""
        return await self._log(lambda tx: tx.operations, views.operation_view, query)

    async def errors(self, query: DeviceQuery) -> Listing[Any]:
        """List errors."""
        return await self._log(lambda tx: tx.errors, views.error_view, query)

    async def idcards(self, query: DeviceQuery, caller: Caller) -> Listing[Any]:
        """List identity cards."""

        def view(record: Record) -> Any:
            return views.idcard_view(record, caller.scopes)

        part = await self._log(lambda tx: tx.idcards, view, query)
        if any(views.shows_secrets(card) for card in part.items):
            await self._readings.note(caller, "identity cards", _all_of(query))
        return part

    async def rejects(self, query: DeviceQuery, caller: Caller) -> Listing[views.RejectView]:
        """List rejects."""
        found = await self._store.read(lambda tx: tx.rejects.page(query.page, query.device))
        items = [views.reject_view(reject, caller.scopes) for reject in found]
        if any(item.raw and not views.is_open(item.table) for item in items):
            await self._readings.note(caller, "bytes of rejects", _all_of(query))
        return listing(items, [reject.id for reject in found], query)

    async def reject(self, id: int, caller: Caller) -> views.RejectView:
        """Show a reject."""
        found = await self._store.read(lambda tx: tx.rejects.get(id))
        if found is None:
            raise not_found(f"There is no reject {id}.")
        item = views.reject_view(found, caller.scopes)
        if item.raw and not views.is_open(item.table):
            await self._readings.note(caller, "bytes of rejects", f"reject {id}")
        return item

    async def photos(self, query: PhotoQuery) -> Listing[Any]:
        """List attendance photos."""
        found = await self._store.read(
            lambda tx: tx.photos.page(query.page, query.device, query.pin)
        )
        return _records(found, views.photo_view, query)

    async def photo_content(self, id: int, caller: Caller) -> Raw:
        """Show the picture of an attendance photo."""
        content = await self._store.read(lambda tx: tx.photos.content(id))
        if content is None:
            raise not_found(f"There is no photo {id}.")
        await self._readings.note(caller, "photos", f"attendance photo {id}")
        return picture(content)

    async def entries(self, query: EntryQuery) -> Listing[views.EntryView]:
        """List entries."""
        found = await self._store.read(
            lambda tx: tx.entries.page(query.page, query.device, query.table)
        )
        items = [views.entry_view(entry) for entry in found]
        return listing(items, [entry.id for entry in found], query)

    async def _log(
        self,
        log: Callable[[ITransaction], ILog],
        view: Callable[[Record], Any],
        query: DeviceQuery,
    ) -> Listing[Any]:
        found = await self._store.read(lambda tx: log(tx).page(query.page, query.device))
        return _records(found, view, query)


def _all_of(query: DeviceQuery) -> str:
    """Of which terminals a list is; the caller has named the one, which may be any text."""
    return "all terminals" if query.device is None else f"terminal {query.device[:32]}"


def _records(found: list[Record], view: Callable[[Record], Any], query: ListQuery) -> Listing[Any]:
    return listing([view(record) for record in found], [record["id"] for record in found], query)


def picture(content: bytes) -> Raw:
    """A picture as a reply, which a browser shows as nothing else."""
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
    return Raw(_content_type(content), content, headers=headers)


def _content_type(content: bytes) -> str:
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/png" if content.startswith(b"\x89PNG") else "application/octet-stream"
