"""API of attendance: records, also as events, and attendance photos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta

from ...manage.limits import of_device
from ...manage.listing import DeviceQuery, OfUser
from ...manage.lists import ApiList
from ...manage.news import RecordSource
from ...manage.recordviews import (
    DOUBT,
    LOCAL_TIME,
    Damaged,
    show_record,
)
from ...manage.routes import Raw, Route
from ...manage.services import Services
from ...model import Caller, Page
from ...persist.transaction import Transaction
from ...protocol.codes import IdentityPhoto, RecordType
from ...protocol.fields import Scope
from .daysapi import DaysEndpoint
from .earlier import EarlierEndpoints
from .listing import PHOTO, AttendanceReadings, AttendanceView, attendance_view, picture_type
from .model import AttendancePhoto, Punch
from .photos import AttendancePhotoStore
from .schema import attendance
from .store import AttendanceStore
from .tables import ATTPHOTO


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


class PhotoQuery(DeviceQuery, frozen=True):
    """Filter of attendance photos."""

    pin: OfUser = None


class AttendanceEndpoints:
    """Handlers of the routes of attendance."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._readings = AttendanceReadings(services.store, services.secret_access)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            self._readings.punches(),
            ApiList[AttendancePhoto](
                path="/photos",
                summary="Attendance photos",
                view=PhotoView,
                query=PhotoQuery,
                find_thd=lambda tx, part, query: tx[AttendancePhotoStore].page(
                    part, query.device, query.pin
                ),
                show=lambda photo, caller: photo_view(photo),
                owner=of_device,
            ).route(self._store),
            Route(
                "GET",
                "/photos/<int:id>/content",
                Scope.BIOMETRICS,
                self.photo_content,
                "The picture of an attendance photo",
                produces=("image/jpeg", "image/png", "application/octet-stream"),
                takes=("caller",),
                limited=(PHOTO,),
            ),
        ]

    async def photo_content(self, id: int, caller: Caller) -> Raw:
        """Show the picture of an attendance photo."""
        return picture(await self._readings.photo(id, caller))


def picture(content: bytes) -> Raw:
    """Return a picture as a reply that browsers interpret as nothing else."""
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
    return Raw(picture_type(content), content, headers=headers)


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
    return [
        *AttendanceEndpoints(services).routes(),
        DaysEndpoint(services).route(),
        *EarlierEndpoints(services).routes(),
    ]
