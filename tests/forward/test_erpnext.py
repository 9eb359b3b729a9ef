"""The kind `erpnext`: punches become Employee Checkins, each settled by itself."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_twisted
from sqlalchemy import delete

from zkpush.handlers.forward.kinds.erpnext import ERPNext, ERPNextSettings, checkin_of
from zkpush.handlers.forward.kinds.frappe import outcome_of
from zkpush.handlers.forward.schema import forward_documents
from zkpush.values.forwarding import Delivered, ForwardedEvent, RefusedBatch, RetryLater

from ..cli.program import zkpush
from ..daemon.process import Daemon
from ..rig import Rig
from .receivers import add, happens, punch, shown, turn, turns
from .scripted_erpnext import Employee, ScriptedERPNext
from .test_rules import lines

SETTINGS = {"api_key": "k3y", "api_secret": "s3cret", "allow_private": True}


@pytest.fixture
def site() -> Iterator[ScriptedERPNext]:
    """A site with two employees, whose language is not English."""
    made = ScriptedERPNext()
    made.employees = [
        Employee(name="HR-EMP-00007", attendance_device_id="7", employee_number="A7"),
        Employee(name="HR-EMP-00008", attendance_device_id="8", employee_number="A8"),
    ]
    yield made
    if made.port is not None:
        pytest_twisted.blockon(made.stop())


async def to(rig: Rig, site: ScriptedERPNext, **more: Any) -> dict[str, Any]:
    """Add a forwarder to a site."""
    settings = {"url": site.listen(), **SETTINGS, **more}
    return await add(rig, kind="erpnext", settings=settings)


async def dead(rig: Rig) -> list[tuple[str, str]]:
    """User IDs and reasons of the dead letters."""
    found = await rig.items("/forwarders/1/dead")
    return [(one["event"]["data"]["pin"], one["reason"]) for one in found]


@pytest_twisted.ensureDeferred
async def test_a_punch_becomes_a_checkin(rig: Rig, site: ScriptedERPNext) -> None:
    """With the employee, the terminal's wall clock, its serial number, and IN or OUT."""
    await rig.exchange()
    await to(rig, site)
    body = (
        b"7\t2026-03-01 13:00:00\t0\t1\n"
        b"8\t2026-03-01 13:00:05\t5\t1\n"
        b"7\t2026-03-01 13:00:09\t255\t1\n"
    )
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", body)
    await turns(rig, 2)
    assert [
        (one["employee"], one["time"], one["device_id"], one["log_type"]) for one in site.checkins
    ] == [
        ("HR-EMP-00007", "2026-03-01 13:00:00", "T1", "IN"),
        ("HR-EMP-00008", "2026-03-01 13:00:05", "T1", "OUT"),
        ("HR-EMP-00007", "2026-03-01 13:00:09", "T1", None),
    ]
    view = await shown(rig)
    assert (view["delivered"], view["dead"], view["last_error"]) == (3, 0, None)
    attempts = await rig.items("/forwarders/1/deliveries")
    assert attempts[0]["words"] == "Stored as EMP-CKIN-03-2026-000001"


@pytest_twisted.ensureDeferred
async def test_unmapped_and_inactive_employees_hold_up_nobody(
    rig: Rig, site: ScriptedERPNext
) -> None:
    """Their punches are dead letters with the reason, and arrive once the employee is there."""
    site.employees[1].status = "Inactive"
    await rig.exchange()
    await to(rig, site)
    await punch(rig, [9, 8, 7])
    await turns(rig, 2)
    assert [one["employee"] for one in site.checkins] == ["HR-EMP-00007"]
    assert await dead(rig) == [
        (
            "9",
            "No Employee found for the given employee field value. 'attendance_device_id': 9",
        ),
        ("8", "Transactions cannot be created for an Inactive Employee  HR-EMP-00008 ."),
    ]
    view = await shown(rig)
    assert (view["delivered"], view["dead"], view["tries"], view["backlog"]) == (1, 2, 0, 0)
    site.employees.append(Employee(name="HR-EMP-00009", attendance_device_id="9"))
    await rig.api("POST", "/forwarders/1/replay", {"dead": True})
    await turns(rig, 2)
    assert [one["employee"] for one in site.checkins] == ["HR-EMP-00007", "HR-EMP-00009"]
    assert [pin for pin, _ in await dead(rig)] == ["8"]


@pytest_twisted.ensureDeferred
async def test_a_checkin_whose_answer_was_lost_is_stored_once(
    rig: Rig, site: ScriptedERPNext
) -> None:
    """The site says at the next attempt that it has it, which counts as delivered."""
    site.loses_answers = True
    await rig.exchange()
    await to(rig, site)
    await punch(rig, [7, 8])
    await turn(rig)
    view = await shown(rig)
    assert (view["backlog"], view["tries"], len(site.checkins)) == (2, 1, 1)
    site.loses_answers = False
    await turns(rig, 12)
    assert [one["employee"] for one in site.checkins] == ["HR-EMP-00007", "HR-EMP-00008"]
    view = await shown(rig)
    assert (view["delivered"], view["dead"], view["backlog"]) == (2, 0, 0)
    words = [one["words"] for one in await rig.items("/forwarders/1/deliveries")]
    assert words[-2:] == ["ERPNext has this checkin already", "Stored as EMP-CKIN-03-2026-000002"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"keys": {}}, "The site does not accept the API key: generate a new one. HTTP 401"),
        (
            {"may_create": False},
            "The user of the API key needs a role that may create Employee Checkins. HTTP 403 "
            "Forbidden: User terminals@example.com does not have doctype access",
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_nothing_is_given_up_while_the_key_is_wrong(
    rig: Rig, site: ScriptedERPNext, change: dict[str, Any], words: str
) -> None:
    """All punches stay, the words say what to do, and they arrive when it is done."""
    before = {name: getattr(site, name) for name in change}
    for name, value in change.items():
        setattr(site, name, value)
    await rig.exchange()
    await to(rig, site)
    await punch(rig, [7, 8])
    await turns(rig, 20, seconds=30)
    view = await shown(rig)
    assert " ".join(view["last_error"].split()).startswith(words)
    assert (view["backlog"], view["dead"]) == (2, 0)
    for name, value in before.items():
        setattr(site, name, value)
    await rig.api("POST", "/forwarders/1/resume")
    await turns(rig, 3)
    assert len(site.checkins) == 2


@pytest_twisted.ensureDeferred
async def test_a_test_stores_nothing_and_checks_key_app_and_field(
    rig: Rig, site: ScriptedERPNext
) -> None:
    """The words name what is wrong."""
    await to(rig, site)

    async def tested(**settings: object) -> tuple[bool, str]:
        await rig.api("PATCH", "/forwarders/1", {"settings": settings})
        found = (await rig.api("POST", "/forwarders/1/test")).json
        return found["delivered"], found["words"]

    assert await tested() == (
        True,
        "The site accepts the API key, and looks for employees by attendance_device_id. "
        "Nothing was stored.",
    )
    is_delivered, words = await tested(employee_field="badge")
    assert not is_delivered
    assert "Unknown column 'badge'" in words
    is_delivered, words = await tested(employee_field="employee_number", app="erpnext")
    assert not is_delivered
    assert "App erpnext is not installed" in words
    is_delivered, words = await tested(app="hrms", api_secret="other")
    assert not is_delivered
    assert "does not accept the API key" in words
    assert "other" not in str(await rig.items("/forwarders"))
    assert site.checkins == []


@pytest_twisted.ensureDeferred
async def test_another_field_finds_the_employee(rig: Rig, site: ScriptedERPNext) -> None:
    """Such as the employee number, where user IDs are these."""
    await rig.exchange()
    await to(rig, site, employee_field="employee_number")
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", b"A8\t2026-03-01 13:00:00\t1\t1\n")
    await turns(rig, 2)
    assert [one["employee"] for one in site.checkins] == ["HR-EMP-00008"]


@pytest_twisted.ensureDeferred
async def test_a_site_in_a_private_network_needs_a_permission(
    rig: Rig, site: ScriptedERPNext
) -> None:
    """As for webhooks: without it, no connection is made."""
    url = site.listen().replace("http:", "https:")
    await add(rig, kind="erpnext", settings={**SETTINGS, "url": url, "allow_private": False})
    found = (await rig.api("POST", "/forwarders/1/test")).json
    assert "private network" in found["words"]
    assert site.requests == 0


BODY = b"<html><head><title>502 Bad Gateway</title></head></html>"


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (502, BODY, RetryLater(f"HTTP 502 Bad Gateway: {BODY.decode()}", 7.0)),
        (429, b"", RetryLater("HTTP 429 Too Many Requests", 7.0)),
        (
            404,
            b"<h1>erp.example.com does not exist</h1>",
            RetryLater(
                "There is no such site or method: check the URL, and that the app is installed. "
                "HTTP 404 Not Found: <h1>erp.example.com does not exist</h1>",
                7.0,
            ),
        ),
        (
            301,
            b"",
            RetryLater(
                "HTTP 301 Moved Permanently; redirects are not followed: set the URL to the new "
                "address",
                7.0,
            ),
        ),
        (200, b"<html>", RefusedBatch("Not an answer of ERPNext: HTTP 200 OK: <html>")),
        (200, b'{"message": "pong"}', None),
        (417, b"[1]", RefusedBatch("HTTP 417 Expectation Failed: [1]")),
        (417, b'{"_server_messages": "[1, {}, \\"x\\"]", "exc_type": 3}', None),
        (417, b'{"_server_messages": "{"}', None),
        (599, b"\xff", RefusedBatch("HTTP 599: \ufffd", 7.0)),
        (
            417,
            b'{"exception": "frappe.exceptions.ValidationError: Log Type is required"}',
            RefusedBatch("HTTP 417 Expectation Failed: Log Type is required"),
        ),
        # A value of a punch cannot pretend to be a message.
        (
            417,
            b'{"exception": "frappe.exceptions.ValidationError: Device ID This employee already '
            b'has a log with the same timestamp is too long"}',
            RefusedBatch(
                "HTTP 417 Expectation Failed: Device ID This employee already has a log with the "
                "same timestamp is too long"
            ),
        ),
        (
            417,
            b'{"exception": "frappe.exceptions.ValidationError: No Employee found for the given '
            b"employee field value. 'attendance_device_id': This employee already has a log with "
            b'the same timestamp"}',
            Delivered(
                "Parked: no such employee",
                {
                    "rec_1": "No Employee found for the given employee field value. "
                    "'attendance_device_id': This employee already has a log with the same "
                    "timestamp"
                },
            ),
        ),
    ],
)
def test_each_answer_has_its_outcome(status: int, text: bytes, expected: object) -> None:
    """Whatever a site, or a proxy in front of it, answers."""
    found = outcome_of(status, text, "rec_1", 7.0)
    if expected is None:
        assert isinstance(found, RefusedBatch)
    else:
        assert found == expected


def event(**data: object) -> ForwardedEvent:
    """A punch."""
    return ForwardedEvent(
        id="rec_1", type="attendance", timestamp="2026-03-01T12:00:00.000Z", data=data
    )


def settings(**more: Any) -> ERPNextSettings:
    """Settings of a site."""
    return ERPNextSettings(url="https://erp.example.com", api_key="k", api_secret="s", **more)


def test_times_can_be_those_of_the_site() -> None:
    """Where the terminal is in another time zone than the site."""
    one = event(pin="7", device="T1", time="2026-03-01T13:00:00", utc="2026-03-01T12:00:00Z")
    assert checkin_of(one, settings())["timestamp"] == "2026-03-01 13:00:00"
    there = settings(timezone="Asia/Kolkata")
    assert checkin_of(one, there)["timestamp"] == "2026-03-01 17:30:00"
    with pytest.raises(ValueError, match="time zone of the terminal is not known"):
        checkin_of(event(pin="7", time="2026-03-01T13:00:00"), there)
    with pytest.raises(ValueError, match="takes attendance records"):
        checkin_of(event(at="2026-03-01T12:00:00Z"), settings())


def test_states_of_the_site_decide_about_in_and_out() -> None:
    """A site that has assigned other numbers to its keys says so."""
    one = event(pin="7", time="2026-03-01T13:00:00", status=8)
    assert "log_type" not in checkin_of(one, settings())
    assert checkin_of(one, settings(out_states=(8,)))["log_type"] == "OUT"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"url": "https://erp.example.com/app"}, "without a path"),
        ({"url": "https://erp.example.com/?a=1"}, "without a path"),
        ({"url": "http://erp.example.com"}, "plain http"),
        ({"url": "https://u:p@erp.example.com"}, "cannot be part of it"),
        ({"api_key": "a:b"}, "api_key: Generate keys in ERPNext"),
        ({"api_secret": "a\r\nX: y"}, "api_secret: Generate keys in ERPNext"),
        ({"employee_field": "name; --"}, "employee_field: It is the name of a field"),
        ({"timezone": "Mars/Olympus"}, "timezone: 'Mars/Olympus' is not an IANA time zone"),
        ({"in_states": (1,)}, "in_states, out_states: 1 is in both"),
    ],
)
def test_mistakes_in_settings_are_explained(changed: dict[str, Any], words: str) -> None:
    """Before anything is stored."""
    good: dict[str, Any] = {"url": "https://erp.example.com/", "api_key": "k", "api_secret": "s"}
    kind = ERPNext()
    kind.check(ERPNextSettings(**good))
    with pytest.raises(ValueError, match=re.escape(words)):
        kind.check(ERPNextSettings(**{**good, **changed}))


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_punch_of_a_simulated_terminal_is_in_erpnext_right_after(
    tmp_path: pathlib.Path, site: ScriptedERPNext
) -> None:
    """From the terminal through a daemon process to the site, and nothing else is asked for."""
    site.employees = [Employee(name="HR-EMP-00001", attendance_device_id="1")]
    url = site.listen()

    with Daemon(tmp_path) as daemon:
        settings = {"url": url, **SETTINGS}
        made = daemon.api(
            "POST", "forwarders", {"name": "hr", "kind": "erpnext", "settings": settings}
        )
        assert made["state"] == "active", made
        plan = ("--users", "1", "--rate", "50", "--punches", "1")
        run = zkpush("simulate", "--server", daemon.terminals.geturl(), *plan)
        assert "acknowledged  1" in run.stdout
        await happens(lambda: bool(site.checkins))
        listed = daemon.api("GET", "attendance")
    (stored,), (checkin,) = listed["items"], site.checkins
    assert checkin["employee"] == "HR-EMP-00001"
    assert checkin["time"] == stored["time"].replace("T", " ")
    assert checkin["device_id"] == stored["device"]


async def corrected(make_rig: Any, site: ScriptedERPNext, **settings: Any) -> Rig:
    """Store two punches without a state; a late one between them changes the second."""
    rig: Rig = await make_rig()
    await rig.exchange()
    await rig.exchange("T2")
    rules = {"since": "2026-01-01", "directions": {}, "minimum_gap_seconds": 60}
    found = {"url": site.listen(), **SETTINGS, **settings}
    await add(rig, kind="erpnext", settings=found, rules=rules)
    await lines(rig, "7,2026-03-01 08:00:00,255,1", "7,2026-03-01 12:00:00,255,1")
    await turns(rig, 2)
    assert checkins(site) == [("08:00:00", "IN"), ("12:00:00", "OUT")]
    return rig


async def late(rig: Rig) -> None:
    """Send a punch late, and let corrections follow."""
    await lines(rig, "7,2026-03-01 10:00:00,255,1", sn="T2")
    await turns(rig, 8, seconds=90)


def checkins(site: ScriptedERPNext) -> list[tuple[str, str]]:
    """Time of day and log type of all checkins."""
    return [(one["time"][11:], one["log_type"]) for one in site.checkins]


AFTER = [("08:00:00", "IN"), ("12:00:00", "IN"), ("10:00:00", "OUT")]


@pytest_twisted.ensureDeferred
async def test_a_correction_changes_the_checkin(make_rig, site: ScriptedERPNext) -> None:
    """Instead of making a second one."""
    rig = await corrected(make_rig, site)
    names = [one["name"] for one in site.checkins]
    await late(rig)
    assert checkins(site) == AFTER
    assert [one["name"] for one in site.checkins][:2] == names
    words = [one["words"] for one in await rig.items("/forwarders/1/deliveries")]
    assert words[-1] == f"Changed {names[1]}"
    view = await shown(rig)
    assert (view["delivered"], view["dead"], view["backlog"]) == (4, 0, 0)


@pytest_twisted.ensureDeferred
async def test_a_new_instant_changes_the_time_of_the_checkin(
    make_rig, site: ScriptedERPNext
) -> None:
    """A site with a time zone of its own has other times when that of a terminal is mended."""
    rig = await corrected(make_rig, site, timezone="UTC")
    await rig.api("PATCH", "/devices/T1", {"timezone": "Europe/Madrid"})
    await rig.api("POST", "/devices/T1/recompute", {})
    await turns(rig, 4)
    assert checkins(site) == [("07:00:00", "IN"), ("11:00:00", "OUT")]


@pytest_twisted.ensureDeferred
async def test_a_withdrawn_punch_is_deleted(make_rig, site: ScriptedERPNext) -> None:
    """And an earlier punch that lets it pass again makes it anew."""
    rig = await corrected(make_rig, site)
    await lines(rig, "7,2026-03-01 11:59:30,255,1")
    await turns(rig, 4)
    assert checkins(site) == [("08:00:00", "IN"), ("11:59:30", "OUT")]
    await lines(rig, "7,2026-03-01 11:59:00,255,1")
    await turns(rig, 4)
    assert sorted(checkins(site)) == [("08:00:00", "IN"), ("11:59:00", "OUT"), ("12:00:00", "IN")]


@pytest.mark.parametrize("is_deleted", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_checkin_whose_name_is_not_known_is_found(
    make_rig, site: ScriptedERPNext, is_deleted: bool
) -> None:
    """By employee, time and device; one that was deleted there is made again."""
    rig = await corrected(make_rig, site)
    await rig.store.write(lambda tx: tx.connection.execute(delete(forward_documents)))
    if is_deleted:
        site.checkins.pop()
    await late(rig)
    assert sorted(checkins(site)) == sorted(AFTER)


@pytest_twisted.ensureDeferred
async def test_a_checkin_that_was_deleted_there_is_made_again(
    make_rig, site: ScriptedERPNext
) -> None:
    """Its name is known, and leads nowhere."""
    rig = await corrected(make_rig, site)
    site.checkins.pop()
    await late(rig)
    assert sorted(checkins(site)) == sorted(AFTER)


@pytest.mark.parametrize("attendance", ["HR-ATT-2026-00001", None])
@pytest_twisted.ensureDeferred
async def test_a_correction_that_cannot_be_made_is_a_dead_letter(
    make_rig, site: ScriptedERPNext, attendance: str | None
) -> None:
    """With the reason; the attendance of a closed day is never changed without anybody's notice."""
    rig = await corrected(make_rig, site)
    name = site.checkins[1]["name"]
    site.checkins[1]["attendance"] = attendance
    site.refuses_changes = attendance is None
    await late(rig)
    assert checkins(site) == [("08:00:00", "IN"), ("12:00:00", "OUT"), ("10:00:00", "OUT")]
    ((_, reason),) = await dead(rig)
    assert reason == (
        f"{name} is part of the attendance {attendance} already. It should get log_type IN: cancel "
        "that attendance in ERPNext, and replay this event"
        if attendance
        else "Checkins of a closed month cannot be changed"
    )
    site.refuses_changes, site.checkins[1]["attendance"] = False, None
    await rig.api("POST", "/forwarders/1/replay", {"dead": True})
    await turns(rig, 3)
    assert checkins(site) == AFTER


@pytest_twisted.ensureDeferred
async def test_a_key_without_the_right_to_change_is_explained(
    make_rig, site: ScriptedERPNext
) -> None:
    """Nothing is lost meanwhile."""
    rig = await corrected(make_rig, site)
    site.may_write = False
    await lines(rig, "7,2026-03-01 10:00:00,255,1", sn="T2")
    await turns(rig, 2)
    error = (await shown(rig))["last_error"]
    assert error.startswith(
        "Corrections need a role that may read, write and delete Employee Checkins. HTTP 403"
    )
    site.may_write = True
    await rig.api("POST", "/forwarders/1/replay", {"dead": True})
    await rig.api("POST", "/forwarders/1/resume")
    await turns(rig, 4)
    assert checkins(site) == AFTER
