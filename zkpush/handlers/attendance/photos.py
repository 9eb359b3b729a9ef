"""Attendance photos in the store."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, select

from ...interfaces import NotUnsealed
from ...model import Page
from ...persist.databases import Insert
from ...persist.paging import key_of, part_of
from ...persist.pictures import PictureStore
from ...persist.rows import stored
from ...persist.schema import devices
from ...persist.sealed import POINTER, check_pointer, opened, seal_columns
from ...protocol.photos import Photo, parse_name
from ...protocol.times import WallClock, doubt_about
from ..people.store import ErasedPeople
from .model import AttendancePhoto, Punch
from .schema import attendance_photos

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

_NOT_DIGITS = re.compile("[^0-9]")
_NAMES = tuple(column.name for column in attendance_photos.columns if column.name != "id")


class AttendancePhotoStore:
    """Photos taken at successful and failed verifications (11.3, 11.8)."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._vault = tx.vault
        self._connection = tx.connection
        self._pictures = tx[PictureStore]

    def add(self, device_id: int, photo: Photo, clock: WallClock, now: int) -> None:
        """Store a photo; a stored one with the same name and picture is left unchanged."""
        self.add_all(device_id, [photo], clock, now)

    def add_all(self, device_id: int, photos: Sequence[Photo], clock: WallClock, now: int) -> None:
        """Store the photos of one upload, except for those of people who were erased."""
        pins = [parse_name(photo.name).pin for photo in photos]
        gone = self._tx[ErasedPeople].found_at(device_id, {pin for pin in pins if pin})
        photos = [photo for photo, pin in zip(photos, pins, strict=True) if pin not in gone]
        pictures = self._pictures.keep_all([photo.content for photo in photos])
        rows = [
            self._row(device_id, photo, pictures[photo.content], clock, now) for photo in photos
        ]
        if rows:
            columns = [[row[name] for row in rows] for name in _NAMES]
            written = seal_columns(self._vault, attendance_photos, _NAMES, columns)
            self._tx.insert(Insert(attendance_photos, _NAMES, written))

    def _row(
        self, device_id: int, photo: Photo, picture: str, clock: WallClock, now: int
    ) -> Mapping[str, object]:
        said = parse_name(photo.name)
        utc = None if said.time is None else clock.utc(said.time)
        doubt = None
        if said.time is not None and utc is not None:
            doubt = doubt_about(clock, said.time, utc, now // 1000)
        return {
            "device_id": device_id,
            "received_at": now,
            "name": photo.name,
            "picture": picture,
            POINTER: picture,
            "size": len(photo.content),
            "kind": said.kind,
            "pin": said.pin,
            "id_number": said.id_number,
            "time": said.time,
            "utc": utc,
            "doubt": doubt,
            "command": photo.command,
            "extra": photo.extra,
            "raw": photo.raw,
        }

    def page(self, part: Page, device: str | None, pin: str | None) -> list[AttendancePhoto]:
        """List photos by id."""
        query = select(attendance_photos, devices.c.sn.label("device")).join(
            devices, devices.c.id == attendance_photos.c.device_id
        )
        if device is not None:
            query = query.where(attendance_photos.c.device_id == key_of(device))
        if pin is not None:
            query = query.where(attendance_photos.c.pin == pin)
        found = self._connection.execute(part_of(query, attendance_photos.c.id, part))
        return [stored(AttendancePhoto, self._opened(row)) for row in found]

    def terminal_of(self, photo_id: int) -> str | None:
        """Return the serial number of the terminal that took a photo; None for an unknown one."""
        query = (
            select(devices.c.sn)
            .join(attendance_photos, attendance_photos.c.device_id == devices.c.id)
            .where(attendance_photos.c.id == photo_id)
        )
        sn: str | None = self._connection.execute(query).scalar_one_or_none()
        return sn

    def beside(self, punches: Sequence[Punch]) -> dict[int, int]:
        """Return the ids of photos of some records, by the ids of the records.

        A photo belongs to the record of the same terminal, user and second.
        """
        by_time = {(one.device, one.time, one.pin): one.id for one in punches}
        names = {f"{_NOT_DIGITS.sub('', one.time)}-{one.pin}.jpg" for one in punches}
        query = (
            select(
                attendance_photos.c.id,
                attendance_photos.c.time,
                attendance_photos.c.pin,
                devices.c.sn,
            )
            .join(devices, devices.c.id == attendance_photos.c.device_id)
            .where(devices.c.sn.in_({one.device for one in punches}))
            # The name is second in the index of identities.
            .where(attendance_photos.c.name.in_(names))
        )
        found: dict[int, int] = {}
        for row in self._connection.execute(query):
            punch = by_time.get((row.sn, row.time, row.pin))
            if punch is not None:
                found[punch] = row.id
        return found

    def content(self, photo_id: int) -> bytes | None:
        """Return the picture of a photo; None if there is no such photo.

        Raises `LookupError` if the picture is missing, `NotUnsealed` if it is damaged or another
        photo's.
        """
        query = select(attendance_photos).where(attendance_photos.c.id == photo_id)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        digest = self._opened(row)["picture"]
        if digest is None:
            raise NotUnsealed(f"the picture of photo {photo_id} is damaged")
        try:
            return self._pictures.get(digest)
        except NotUnsealed as error:
            self._vault.damage.add(attendance_photos.name, "picture", photo_id, error)
            raise

    def _opened(self, row: Row[Any]) -> dict[str, Any]:
        values = opened(self._vault, attendance_photos, row._mapping)
        check_pointer(self._vault, attendance_photos, values, "picture")
        return values
