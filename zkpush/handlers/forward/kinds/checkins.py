"""Employee Checkins that ERPNext has: finding, changing and deleting them by its REST API.

The document of a punch is the one whose name was kept when it was stored. Without a name, as after
an answer that was lost, it is the one with the same employee, time and device.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import attrs
import msgspec

from ....values.forwarding import Delivered, ForwardedEvent, Outcome, ReceiverDocuments
from .frappe import change_outcome, data_of_reply

_DOCTYPE = "Employee Checkin"
_DONE = frozenset({HTTPStatus.OK, HTTPStatus.ACCEPTED})

Send = Callable[[bytes, str, Mapping[str, Any] | None], Awaitable["SiteReply"]]
"""Sends a request: method, path and query, and the body, which is encoded as JSON."""


@attrs.frozen
class SiteReply:
    """A reply of a site."""

    status: int
    text: bytes
    wait: float | None
    """Seconds of Retry-After."""


class SiteRefusal(Exception):
    """A reply that ends an attempt; the argument is its outcome."""

    @property
    def outcome(self) -> Outcome:
        """What becomes of the attempt."""
        found: Outcome = self.args[0]
        return found


@attrs.frozen
class CheckinEditor:
    """Changes checkins of one site."""

    send: Send
    documents: ReceiverDocuments
    employee_field: str

    async def has(self, event: ForwardedEvent) -> bool:
        """Whether the site has the document that was made of an event."""
        name = await self.documents.name(event.subject)
        return name is not None and await self._document(event, name) is not None

    async def correct(self, event: ForwardedEvent, checkin: Mapping[str, str]) -> Outcome | None:
        """Make the document of an event as it should be; None if there is no document."""
        found = await self._found(event, checkin)
        if found is None:
            return None
        wanted = {"time": checkin["timestamp"], "log_type": checkin.get("log_type", "")}
        changed = {
            name: value
            for name, value in wanted.items()
            if str(found.get(name) or "")[: len("2026-03-01 13:00:00")] != value
        }
        name = str(found["name"])
        await self.documents.keep(event.subject, name)
        if not changed:
            return Delivered(f"{name} is right already")
        if found.get("attendance"):
            what = ", ".join(f"{name} {value or 'none'}" for name, value in changed.items())
            return _linked(event, found, f"It should get {what}")
        reply = await self.send(b"PUT", _path(_DOCTYPE, name), changed)
        if reply.status not in _DONE:
            return self._refused(event, reply)
        return Delivered(f"Changed {name}")

    async def withdraw(self, event: ForwardedEvent, checkin: Mapping[str, str]) -> Outcome:
        """Delete the document of an event."""
        found = await self._found(event, checkin)
        if found is None:
            return Delivered("ERPNext has no such checkin")
        name = str(found["name"])
        if found.get("attendance"):
            return _linked(event, found, "It should be deleted")
        reply = await self.send(b"DELETE", _path(_DOCTYPE, name), None)
        if reply.status not in _DONE and reply.status != HTTPStatus.NOT_FOUND:
            return self._refused(event, reply)
        await self.documents.forget(event.subject)
        return Delivered(f"Deleted {name}")

    async def _found(
        self, event: ForwardedEvent, checkin: Mapping[str, str]
    ) -> dict[str, Any] | None:
        name = await self.documents.name(event.subject)
        if name is None:
            name = await self._search(event, checkin)
        return None if name is None else await self._document(event, name)

    async def _search(self, event: ForwardedEvent, checkin: Mapping[str, str]) -> str | None:
        """Return the name of the checkin with the employee, time and device of a punch."""
        wanted = {self.employee_field: checkin["employee_field_value"]}
        employee = await self._first(event, "Employee", wanted)
        if employee is None:
            return None
        wanted = {
            "employee": employee,
            "time": checkin["timestamp"],
            "device_id": checkin["device_id"],
        }
        return await self._first(event, _DOCTYPE, wanted)

    async def _first(
        self, event: ForwardedEvent, doctype: str, wanted: Mapping[str, str]
    ) -> str | None:
        filters = msgspec.json.encode([[name, "=", value] for name, value in wanted.items()])
        query = urllib.parse.urlencode({"filters": filters, "limit_page_length": 1})
        reply = await self.send(b"GET", f"{_path(doctype)}?{query}", None)
        rows = data_of_reply(reply.text) if reply.status == HTTPStatus.OK else None
        if not isinstance(rows, list):
            raise SiteRefusal(self._refused(event, reply))
        return str(rows[0]["name"]) if rows else None

    async def _document(self, event: ForwardedEvent, name: str) -> dict[str, Any] | None:
        reply = await self.send(b"GET", _path(_DOCTYPE, name), None)
        if reply.status == HTTPStatus.NOT_FOUND:
            return None
        found = data_of_reply(reply.text) if reply.status == HTTPStatus.OK else None
        if not isinstance(found, dict):
            raise SiteRefusal(self._refused(event, reply))
        return found

    @staticmethod
    def _refused(event: ForwardedEvent, reply: SiteReply) -> Outcome:
        return change_outcome(reply.status, reply.text, event.id, reply.wait)


def _linked(event: ForwardedEvent, found: Mapping[str, Any], words: str) -> Outcome:
    """Park a correction of a checkin that counts already: changing it would not change the pay."""
    reason = (
        f"{found['name']} is part of the attendance {found['attendance']} already. {words}: "
        "cancel that attendance in ERPNext, and replay this event"
    )
    return Delivered("Parked: the checkin is part of an attendance", {event.id: reason})


def _path(*parts: str) -> str:
    return "/api/resource/" + "/".join(urllib.parse.quote(one, safe="") for one in parts)
