"""Options that the server sent in the exchange (5), as the terminal interprets them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from ..handlers.attendance.tables import ATTPHOTO
from ..handlers.people.tables import BIODATA, BIOPHOTO
from ..protocol.envelope import ENCRYPTION
from ..protocol.exchange import STAMPS
from ..protocol.handshake import SEND_EVERYTHING, decode_transfer_flag
from ..protocol.hybrid import negotiate_types
from ..protocol.versions import BASELINE, negotiate
from .model import Model
from .record import Record, RecordForm

DEFAULT_DELAY = 10.0
DEFAULT_ERROR_DELAY = 1.0
"""Seconds, used until the server sends a value."""
_SUPPORT = ("MultiBioDataSupport", "MultiBioPhotoSupport")


class Orders:
    """The option reply, interpreted for one model of terminal."""

    def __init__(self, told: Mapping[str, str], model: Model, options: Mapping[str, str]) -> None:
        """`options` are those of the terminal itself (8); `ValueError` for an invalid number."""
        self._told = told
        flag = told.get("TransFlag")
        self._words = None if flag is None else decode_transfer_flag(flag)
        self._nothing = self._words is not None and self._words <= set(ATTPHOTO.transfer)
        self._speaks_hybrid = model.hybrid and any(name in told for name in _SUPPORT)
        self._hybrid = negotiate_types(options, {}, {name: told.get(name, "") for name in _SUPPORT})
        self._version = negotiate(told.get("PushProtVer"), model.version or BASELINE)
        self.delay = float(told.get("Delay", DEFAULT_DELAY))
        """Seconds between two polls."""
        self.error_delay = float(told.get("ErrorDelay", DEFAULT_ERROR_DELAY))
        """Seconds between two attempts after a failure."""
        self.zone = _zone(int(told.get("TimeZone", "0")))
        """Zone of the clock."""

        self._realtime = told.get("Realtime") != "0"
        self._interval = datetime.timedelta(minutes=int(told.get("TransInterval", "0")))
        self._times = [_time(text) for text in told.get("TransTimes", "").split(";") if text]

    @property
    def encrypts(self) -> bool:
        """Whether both sides implement a version with encrypted sessions (Appendix 8)."""
        return self._version >= ENCRYPTION

    @property
    def wants_options(self) -> bool:
        """Whether the server requests options (8)."""
        return self._told.get("PushOptionsFlag") == "1"

    @property
    def wants_base64(self) -> bool:
        """Whether the server requests attendance photos in base64."""
        return self._told.get("ATTPHOTOBase64") == "1"

    def again(self) -> list[str]:
        """Return the data types that the server requests completely."""
        return [
            data_type
            for data_type, stamp, old in STAMPS
            if self._told.get(stamp, self._told.get(old or "")) == SEND_EVERYTHING
        ]

    def due(self, since: datetime.datetime, now: datetime.datetime) -> bool:
        """Whether to send new records now (11.1), given the last upload at `since`.

        Without Realtime, they are sent at the interval and at the configured times of day.
        """
        if self._realtime or (self._interval and now - since >= self._interval):
            return True
        moments = (datetime.datetime.combine(now, time, now.tzinfo) for time in self._times)
        return any(since < moment <= now for moment in moments)

    def choose(self, record: Record) -> RecordForm | None:
        """Return the form in which to send a record; None if the server does not request it."""
        if not self._asked(record):
            return None
        form = record.own
        if record.type is not None:
            shared = self._hybrid.of(record.type)
            if record.unified is not None and shared.templates:
                form = record.unified
            elif self._speaks_hybrid and form.table in (BIODATA, BIOPHOTO):
                supported = shared.photos if form.table is BIOPHOTO else shared.templates
                if not supported:
                    return None
        return None if form.table.since > self._version else form

    def _asked(self, record: Record) -> bool:
        """Whether TransFlag requests the record.

        Records without a word in TransFlag are sent if it has any word other than those of
        attendance photos.
        """
        if self._words is None:
            return True
        if record.words:
            return not self._words.isdisjoint(record.words)
        return not self._nothing


def _zone(value: int) -> datetime.timezone:
    """Parse a zone: hours if the absolute value is below 12, else minutes."""
    minutes = value * 60 if abs(value) < 12 else value
    return datetime.timezone(datetime.timedelta(minutes=minutes))


def _time(text: str) -> datetime.time:
    hour, _, minute = text.partition(":")
    return datetime.time(int(hour), int(minute))
