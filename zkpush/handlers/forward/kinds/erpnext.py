"""The kind `erpnext`: punches as Employee Checkins, by the REST API of Frappe.

Each punch is a request and a batch of its own, so that each is settled by itself: stored, parked
with a reason, or sent again. ERPNext finds the employee by a field of Employee. A punch that it has
already counts as delivered: it came with an attempt whose answer was lost. A correction changes or
deletes the checkin of its punch.
"""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from hyperlink import URL
from msgspec import Meta
from twisted.internet.defer import Deferred
from twisted.plugin import IPlugin
from zope.interface import implementer

from .... import __version__
from ....interfaces import IDelivery, IForwarder
from ....protocol.codes import AttendanceState
from ....protocol.times import check_zone
from ....values.forwarding import (
    BatchLimits,
    Delivered,
    ForwardBatch,
    ForwardedEvent,
    ForwarderTarget,
    Outcome,
)
from ..addresses import check_url
from ..replies import retry_after, unreached
from .checkins import CheckinEditor, SiteRefusal, SiteReply
from .frappe import MOST_REPLY, document_of, outcome_of

if TYPE_CHECKING:
    from twisted.web.http_headers import Headers

SECONDS = 20.0
"""Longest time of a request."""
METHOD = "hr.doctype.employee_checkin.employee_checkin.add_log_based_on_employee_field"
"""The method of ERPNext that finds the employee and stores a checkin, without its app."""
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,60}", re.ASCII)
_KEY = re.compile(r"[!-9;-~]{1,200}", re.ASCII)
"""A key or a secret: printable ASCII without spaces and colons."""
_IN = (AttendanceState.CHECK_IN, AttendanceState.BREAK_IN, AttendanceState.OVERTIME_IN)
_OUT = (AttendanceState.CHECK_OUT, AttendanceState.BREAK_OUT, AttendanceState.OVERTIME_OUT)


class ERPNextSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A site of ERPNext, and how punches look there."""

    url: Annotated[
        str, Meta(description="Address of the site", examples=["https://erp.example.com"])
    ]
    api_key: Annotated[str, Meta(description="API key of a user who may create Employee Checkins")]
    api_secret: Annotated[str, Meta(description="API secret of this user", extra={"secret": True})]
    employee_field: Annotated[
        str, Meta(description="Field of Employee that contains the user ID of the terminals")
    ] = "attendance_device_id"
    timezone: Annotated[
        str | None,
        Meta(
            description="IANA time zone of the site; by default, times are sent as the terminals "
            "show them"
        ),
    ] = None
    in_states: Annotated[
        tuple[int, ...], Meta(description="Attendance states that are sent as IN")
    ] = tuple(map(int, _IN))
    out_states: Annotated[
        tuple[int, ...],
        Meta(description="Attendance states that are sent as OUT; others have no log type"),
    ] = tuple(map(int, _OUT))
    app: Annotated[
        Literal["hrms", "erpnext"],
        Meta(description="The app with Employee Checkin; erpnext before version 14"),
    ] = "hrms"
    allow_private: Annotated[
        bool,
        Meta(
            description="Whether the site may be in a private network or on this machine, and "
            "speak plain http"
        ),
    ] = False


@implementer(IPlugin, IForwarder)
class ERPNext:
    """Stores punches as Employee Checkins of ERPNext."""

    name = "erpnext"
    summary = "Employee Checkins in ERPNext"
    settings = ERPNextSettings
    limits = BatchLimits(events=1)
    makes_secret = False

    def check(self, settings: Any) -> None:
        """Check the URL, the key and what punches look like."""
        check_url(settings.url, allow_private=settings.allow_private)
        url = URL.from_text(settings.url)
        if any(url.path) or url.query:
            raise ValueError("url: It is the address of the site, without a path.")
        for name in ("api_key", "api_secret"):
            if not _KEY.fullmatch(getattr(settings, name)):
                raise ValueError(
                    f"{name}: Generate keys in ERPNext at User, Settings, API Access, and copy "
                    "it from there."
                )
        if not _FIELD.fullmatch(settings.employee_field):
            raise ValueError(
                "employee_field: It is the name of a field of Employee, such as "
                "attendance_device_id."
            )
        if settings.timezone is not None:
            try:
                check_zone(settings.timezone)
            except ValueError as error:
                raise ValueError(f"timezone: {error}") from None
        both = sorted({*settings.in_states} & {*settings.out_states})
        if both:
            raise ValueError(f"in_states, out_states: {both[0]} is in both.")

    def open(self, target: ForwarderTarget) -> IDelivery:
        """Make a client; it connects at the first delivery."""
        delivery: IDelivery = ERPNextDelivery(target)
        return delivery


@implementer(IDelivery)
class ERPNextDelivery:
    """Requests to one site."""

    def __init__(self, target: ForwarderTarget) -> None:
        from ..agent import ReceiverClient  # with the HTTP client, which only deliveries need

        self._target = target
        self._settings: ERPNextSettings = target.settings
        self._site = target.settings.url.rstrip("/")
        self._method = f"/api/method/{target.settings.app}.{METHOD}"
        self._checkins = CheckinEditor(self._send, target.documents, target.settings.employee_field)
        self._client = ReceiverClient(
            target.clock, allow_private=target.settings.allow_private, most_body=MOST_REPLY
        )

    def deliver(self, batch: ForwardBatch) -> Deferred[Outcome]:
        """Store the punch of a batch."""
        sending = Deferred.fromCoroutine(self._deliver(batch))
        return sending.addTimeout(SECONDS, self._target.clock).addErrback(unreached, SECONDS)

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()

    async def _deliver(self, batch: ForwardBatch) -> Outcome:
        parked: dict[str, str] = {}
        words = ""
        for event in batch.events:  # one, unless limits become larger
            outcome = await self._settle(event)
            if not isinstance(outcome, Delivered):
                return outcome
            parked |= outcome.parked
            words = outcome.words
        return Delivered(words, parked)

    async def _settle(self, event: ForwardedEvent) -> Outcome:
        if event.type == "test":
            return await self._try(event)
        try:
            checkin = checkin_of(event, self._settings)
        except ValueError as error:
            return Delivered("Not sent", {event.id: str(error)})
        try:
            if event.is_withdrawn:
                return await self._checkins.withdraw(event, checkin)
            if event.corrects is not None:
                corrected = await self._checkins.correct(event, checkin)
                if corrected is not None:
                    return corrected
            elif await self._checkins.has(event):
                return Delivered("ERPNext has this checkin already")
        except SiteRefusal as error:
            return error.outcome
        reply = await self._store(checkin)
        name = document_of(reply.status, reply.text)
        if name is not None:
            await self._target.documents.keep(event.subject, name)
        return outcome_of(reply.status, reply.text, event.id, reply.wait)

    async def _try(self, event: ForwardedEvent) -> Outcome:
        reply = await self._store(sample(event))
        outcome = outcome_of(reply.status, reply.text, event.id, reply.wait)
        if isinstance(outcome, Delivered) and outcome.parked:
            return Delivered(
                f"The site accepts the API key, and looks for employees by "
                f"{self._settings.employee_field}. Nothing was stored."
            )
        return outcome

    async def _store(self, checkin: Mapping[str, str]) -> SiteReply:
        body = {**checkin, "employee_fieldname": self._settings.employee_field}
        return await self._send(b"POST", self._method, body)

    async def _send(self, method: bytes, path: str, body: Mapping[str, Any] | None) -> SiteReply:
        encoded = None if body is None else msgspec.json.encode(body)
        status, headers, text = await self._client.request(
            method, f"{self._site}{path}", encoded, self._headers()
        )
        return SiteReply(status, text, self._wait(headers))

    def _headers(self) -> dict[str, str]:
        settings = self._settings
        return {
            "Authorization": f"token {settings.api_key}:{settings.api_secret}",
            "Content-Type": "application/json",
            # Without these, errors are pages, in the language of the site.
            "Accept": "application/json",
            "Accept-Language": "en",
            "User-Agent": f"zkpush/{__version__}",
        }

    def _wait(self, headers: Headers) -> float | None:
        text = headers.getRawHeaders("retry-after", [None])[-1]
        return retry_after(text, self._target.wall())


def checkin_of(event: ForwardedEvent, settings: ERPNextSettings) -> dict[str, str]:
    """Return the arguments of the method; `ValueError` says why an event is no checkin."""
    data = event.data
    if event.type.partition(".")[0] != "attendance" or "pin" not in data or "time" not in data:
        raise ValueError(f"ERPNext takes attendance records, and this is an event {event.type}.")
    checkin = {
        "employee_field_value": str(data["pin"]),
        "timestamp": _timestamp(data, settings.timezone),
        "device_id": str(data.get("device", "")),
    }
    log_type = _log_type(data, settings)
    return checkin if log_type is None else {**checkin, "log_type": log_type}


def sample(event: ForwardedEvent) -> dict[str, str]:
    """Return the arguments of a test: those of an employee whom nobody has."""
    time = event.timestamp[:19].replace("T", " ")
    return {"employee_field_value": event.id, "timestamp": time}


def _timestamp(data: dict[str, Any], timezone: str | None) -> str:
    if timezone is None:
        return str(data["time"]).replace("T", " ")
    if data.get("utc") is None:
        raise ValueError("The time zone of the terminal is not known.")
    utc = datetime.datetime.fromisoformat(data["utc"])
    return f"{utc.astimezone(zoneinfo.ZoneInfo(timezone)):%Y-%m-%d %H:%M:%S}"


def _log_type(data: dict[str, Any], settings: ERPNextSettings) -> str | None:
    """Return the log type: by the direction, if the rules of the forwarder find one."""
    if "direction" in data:
        return str(data["direction"]).upper()
    state = data.get("status")
    if state in settings.in_states:
        return "IN"
    return "OUT" if state in settings.out_states else None
