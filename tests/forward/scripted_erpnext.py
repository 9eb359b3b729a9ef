"""An ERPNext in memory, with the answers of the real one (Frappe 15, HRMS 15)."""

from __future__ import annotations

import datetime
import json
import urllib.parse
from collections.abc import Callable
from typing import Any

import attrs
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

METHOD = (
    "/api/method/hrms.hr.doctype.employee_checkin.employee_checkin.add_log_based_on_employee_field"
)
GERMAN = {
    "No Employee found for the given employee field value. '{}': {}": (
        "Für den angegebenen Mitarbeiterfeldwert wurde kein Mitarbeiter gefunden. '{}': {}"
    ),
    "This employee already has a log with the same timestamp.{}": (
        "Dieser Mitarbeiter hat bereits ein Protokoll mit demselben Zeitstempel.{}"
    ),
}
FIELDS = {"name", "attendance_device_id", "employee_number"}


@attrs.define
class FrappeError(Exception):
    """An exception of Frappe that became an answer."""

    status: int
    kind: str
    message: str = ""
    module: str = "frappe.exceptions"


@attrs.define(kw_only=True)
class Employee:
    """An employee."""

    name: str
    attendance_device_id: str | None = None
    employee_number: str | None = None
    status: str = "Active"


Intercept = Callable[[Request], tuple[int, dict[str, str], bytes] | None]


@attrs.define(eq=False)
class ScriptedERPNext(Resource):
    """A site: its users' keys, its employees, and the checkins that it has stored."""

    employees: list[Employee] = attrs.field(factory=list)
    keys: dict[str, str] = attrs.field(factory=lambda: {"k3y": "s3cret"})
    may_create: bool = True
    may_write: bool = True
    """Whether the key may read, change and delete checkins."""
    refuses_changes: bool = False
    """Whether a rule of the site forbids changes of checkins."""
    language: str = "de"
    checkins: list[dict[str, Any]] = attrs.field(factory=list)
    made: int = 0
    """Number of checkins that were ever stored."""
    requests: int = 0
    intercept: Intercept = lambda request: None
    """Answers instead of the site, as a proxy in front of it does."""
    loses_answers: bool = False
    """Stores, and hangs up before the answer."""
    port: Any = None
    isLeaf = True

    def __attrs_post_init__(self) -> None:
        Resource.__init__(self)

    def listen(self) -> str:
        """Listen on a loopback port; return the URL."""
        self.port = reactor.listenTCP(0, Site(self), interface="127.0.0.1")
        return f"http://127.0.0.1:{self.port.getHost().port}"

    def stop(self) -> Deferred[None]:
        """Stop listening."""
        stopped: Deferred[None] = self.port.stopListening()
        return stopped

    def render(self, request: Request) -> bytes | int:
        """Answer a request."""
        self.requests += 1
        instead = self.intercept(request)
        if instead is not None:
            status, headers, body = instead
            request.setResponseCode(status)
            for name, value in headers.items():
                request.setHeader(name, value)
            return body
        try:
            answer = self._answer(request)
        except FrappeError as error:
            return self._error(request, error)
        if self.loses_answers:
            assert request.transport is not None
            request.transport.abortConnection()
            return NOT_DONE_YET
        request.setHeader("Content-Type", "application/json")
        return json.dumps(answer).encode()

    def _answer(self, request: Request) -> dict[str, Any]:
        parts = [urllib.parse.unquote(one) for one in request.path.decode().split("/")]
        if parts[:3] != ["", "api", "resource"]:
            return {"message": self._call(request)}
        self._authenticate(request)
        if parts[3] == "Employee":
            return {"data": self._listed(request, [attrs.asdict(one) for one in self.employees])}
        assert parts[3] == "Employee Checkin"
        if not self.may_write:
            raise FrappeError(403, "PermissionError", "No permission for Employee Checkin")
        if len(parts) == 4:
            return {"data": self._listed(request, self.checkins)}
        found = [one for one in self.checkins if one["name"] == parts[4]]
        if not found:
            raise FrappeError(404, "DoesNotExistError", f"Employee Checkin {parts[4]} not found")
        return self._edit(request, found[0])

    def _listed(self, request: Request, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        assert request.method == b"GET"
        wanted = json.loads(request.args[b"filters"][0])
        for name, _, _ in wanted:
            if rows and name not in rows[0]:
                text = f"(1054, \"Unknown column '{name}' in 'WHERE'\")"
                raise FrappeError(500, "OperationalError", text, "pymysql.err")
        most = int(request.args[b"limit_page_length"][0])
        found = [one for one in rows if all(one[name] == value for name, _, value in wanted)]
        return [{"name": one["name"]} for one in found[:most]]

    def _edit(self, request: Request, found: dict[str, Any]) -> dict[str, Any]:
        if request.method == b"GET":
            return {"data": found}
        if self.refuses_changes:
            raise FrappeError(
                417, "ValidationError", "Checkins of a closed month cannot be changed"
            )
        if request.method == b"DELETE":
            self.checkins.remove(found)
            request.setResponseCode(202)
            return {"message": "ok"}
        assert request.method == b"PUT"
        assert request.content is not None
        changed = {**found, **json.load(request.content)}
        changed["log_type"] = changed["log_type"] or None
        self._check_unique(changed, lambda text: text)
        found |= changed
        return {"data": found}

    def _call(self, request: Request) -> dict[str, Any]:
        self._authenticate(request)
        path = request.path.decode()
        if path != METHOD:
            cmd = path.rpartition("/")[2]
            raise FrappeError(
                417,
                "ValidationError",
                f"Failed to get method for command {cmd} with App {cmd.partition('.')[0]} is "
                "not installed",
            )
        assert request.getHeader("Content-Type") == "application/json"
        assert request.content is not None
        given = json.load(request.content)
        return self.add_log(self._english(request), **given)

    def _authenticate(self, request: Request) -> None:
        scheme, _, pair = (request.getHeader("Authorization") or "").partition(" ")
        key, _, secret = pair.partition(":")
        if scheme.lower() != "token" or self.keys.get(key) != secret:
            raise FrappeError(401, "AuthenticationError")

    def _english(self, request: Request) -> bool:
        return self.language == "en" or request.getHeader("Accept-Language") == "en"

    def add_log(
        self,
        is_english: bool,
        employee_field_value: str,
        timestamp: str,
        device_id: str | None = None,
        log_type: str | None = None,
        employee_fieldname: str = "attendance_device_id",
    ) -> dict[str, Any]:
        """Store a checkin."""

        def words(text: str) -> str:
            return text if is_english else GERMAN.get(text, text)

        if not employee_field_value or not timestamp:
            text = "'employee_field_value' and 'timestamp' are required."
            raise FrappeError(417, "ValidationError", text)
        if employee_fieldname not in FIELDS:
            text = f"(1054, \"Unknown column '{employee_fieldname}' in 'WHERE'\")"
            raise FrappeError(500, "OperationalError", text, "pymysql.err")
        found = [
            one
            for one in self.employees
            if getattr(one, employee_fieldname) == employee_field_value
        ]
        if not found:
            text = words("No Employee found for the given employee field value. '{}': {}")
            raise FrappeError(
                417, "ValidationError", text.format(employee_fieldname, employee_field_value)
            )
        if not self.may_create:
            raise FrappeError(
                403,
                "PermissionError",
                "User <strong>terminals@example.com</strong> does not have doctype access via "
                "role permission for document <strong>Employee Checkin</strong>",
            )
        employee = found[0]
        if employee.status == "Inactive":
            raise FrappeError(
                417,
                "InactiveEmployeeStatusError",
                f'Transactions cannot be created for an Inactive Employee <a href="/app/employee/'
                f'{employee.name}">{employee.name}</a>.',
                "erpnext.setup.doctype.employee.employee",
            )
        time = datetime.datetime.fromisoformat(timestamp).replace(microsecond=0)
        checkin = {
            "name": f"EMP-CKIN-{time:%m-%Y}-{self.made + 1:06}",
            "doctype": "Employee Checkin",
            "employee": employee.name,
            "time": str(time),
            "device_id": device_id,
            "log_type": log_type,
            "attendance": None,
        }
        self._check_unique(checkin, words)
        self.made += 1
        self.checkins.append(checkin)
        return checkin

    def _check_unique(self, checkin: dict[str, Any], words: Callable[[str], str]) -> None:
        names = ("employee", "time", "log_type")
        others = [one for one in self.checkins if one["name"] != checkin["name"]]
        if any(all(one[name] == checkin[name] for name in names) for one in others):
            text = words("This employee already has a log with the same timestamp.{}")
            link = '<Br><a href="/app/employee-checkin/EMP-CKIN-03-2026-000001">EMP-CKIN</a>'
            raise FrappeError(417, "ValidationError", text.format(link))

    def _error(self, request: Request, error: FrappeError) -> bytes:
        request.setResponseCode(error.status)
        if "application/json" not in (request.getHeader("Accept") or ""):
            request.setHeader("Content-Type", "text/html; charset=utf-8")
            return b"<!DOCTYPE html><html><head><title>Server Error</title></head></html>"
        request.setHeader("Content-Type", "application/json")
        last = f"{error.module}.{error.kind}: {error.message}"
        frames = 'File "apps/frappe/frappe/app.py", line 114, in application\n' * 120
        body = {
            "exception": last,
            "exc_type": error.kind,
            "exc": json.dumps([f"Traceback (most recent call last):\n{frames}{last}\n"]),
        }
        if error.message and error.status != 500:
            message = {"message": error.message, "title": "Message", "indicator": "red"}
            body["_server_messages"] = json.dumps([json.dumps({**message, "raise_exception": 1})])
        return json.dumps(body).encode()
