"""Attendance: punches (11.2, 11.7), and the photos taken with them (11.3, 11.8)."""

from __future__ import annotations

import datetime
import random

import attrs

from ..handlers.attendance.tables import ATTLOG, ATTPHOTO
from ..protocol.codes import (
    IdentityPhoto,
    IdentityStatus,
    IdentityVerification,
    RecordType,
    VerificationMode,
)
from .clock import text
from .people import SimulatedPerson
from .record import Record, RecordForm

STATUSES = (0, 1)
VERIFY_MODES = (VerificationMode.FINGERPRINT, VerificationMode.CARD, VerificationMode.FACE)
_PHOTOS = {
    IdentityStatus.SUCCESS: IdentityPhoto.VERIFICATION_SUCCESSFUL,
    IdentityStatus.FAILURE: IdentityPhoto.VERIFICATION_FAILED,
    IdentityStatus.BLACKLIST: IdentityPhoto.BLACKLIST,
}


@attrs.frozen
class SimulatedPunch:
    """Verification of a user."""

    pin: str
    time: datetime.datetime
    status: int
    verify: int
    work_code: str = "0"
    id_number: str | None = None
    """Number of the user's identity card, on terminals that read those."""
    type: RecordType = RecordType.ATTENDANCE

    def record(self) -> Record:
        """Make the attendance record: seven columns, or nine with the identity card."""
        values: dict[str, object] = {
            "pin": self.pin,
            "time": text(self.time),
            "status": self.status,
            "verify": self.verify,
            "work_code": self.work_code,
            "reserved_1": "0",
            "reserved_2": "0",
        }
        if self.id_number is not None:
            values |= {"id_number": self.id_number, "record_type": int(self.type)}
        return Record(RecordForm(ATTLOG, values), ATTLOG.transfer)

    def photo(self, picture: bytes) -> Record:
        """Make the attendance photo, whose name contains the user ID."""
        parts = [f"{self.time:%Y%m%d%H%M%S}"]
        if self.id_number is not None:
            parts.append(str(int(self._photo_type())))
        parts += [part for part in (self.pin, self.id_number) if part]
        values = {"name": f"{'-'.join(parts)}.jpg"}
        return Record(RecordForm(ATTPHOTO, values), ATTPHOTO.transfer, picture=picture)

    def _photo_type(self) -> IdentityPhoto:
        if self.type is RecordType.ATTENDANCE:
            return IdentityPhoto.ATTENDANCE_SUCCESSFUL
        return _PHOTOS[IdentityStatus(self.status)]


def punch(chance: random.Random, pin: str, time: datetime.datetime) -> SimulatedPunch:
    """Make a verification with a finger, a card or a face."""
    return SimulatedPunch(pin, time, chance.choice(STATUSES), int(chance.choice(VERIFY_MODES)))


def identify(
    chance: random.Random, person: SimulatedPerson, time: datetime.datetime
) -> SimulatedPunch:
    """Make a verification with an identity card, as attendance or as a card event only."""
    if chance.choice(list(RecordType)) is RecordType.ATTENDANCE:
        return attrs.evolve(punch(chance, person.pin, time), id_number=person.id_number)
    return SimulatedPunch(
        person.pin,
        time,
        int(chance.choice(list(IdentityStatus))),
        int(chance.choice(list(IdentityVerification))),
        id_number=person.id_number,
        type=RecordType.VERIFICATION,
    )
