"""The API: tokens, lists, errors, and its description."""

from __future__ import annotations

import csv
import io
import json

import pytest
import pytest_twisted

from ..rig import TOKEN, Rig

BODY = b"".join(b"%d\t2026-01-05 08:00:%02d\t0\t1\n" % (i % 3, i) for i in range(10))


async def filled(rig: Rig) -> None:
    """Two terminals with ten records each."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
        await rig.post(f"cdata?SN={sn}&table=ATTLOG&Stamp=1", BODY)


@pytest_twisted.ensureDeferred
async def test_nothing_but_health_is_shown_without_a_token(rig: Rig) -> None:
    """Requests without a token, or with a wrong one, get 401 and a problem that says what to do."""
    health = await rig.api("GET", "/health", headers=(), prefix="")
    assert (health.status, health.json) == (200, {"status": "ok"})
    for headers in ((), ("Authorization: Bearer wrong",), (f"Authorization: Basic {TOKEN}",)):
        response = await rig.api("GET", "/devices", headers=headers)
        assert response.status == 401
        assert response.header(b"Content-Type") == b"application/problem+json"
        assert response.header(b"WWW-Authenticate") == b"Bearer"
        assert response.json["status"] == 401


@pytest_twisted.ensureDeferred
async def test_health_says_why_data_cannot_be_stored(rig: Rig) -> None:
    """With the store gone, health is 503 and names the reason."""
    await rig.store.stop()
    health = await rig.api("GET", "/health", headers=(), prefix="")
    assert health.status == 503
    assert health.json["reason"]


@pytest_twisted.ensureDeferred
async def test_lists_come_in_parts(rig: Rig) -> None:
    """`limit` and `after` walk through a list without gaps or repetitions."""
    await filled(rig)
    seen, after = [], 0
    while after is not None:
        part = (await rig.api("GET", f"/attendance?limit=7&after={after}")).json
        seen += [item["id"] for item in part["items"]]
        after = part["next"]
    assert seen == sorted(set(seen))
    assert len(seen) == 20


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("device=T1", 10),
        ("pin=0", 8),
        ("device=T2&pin=1", 3),
        ("since=2026-01-05T08:00:05Z", 10),
        ("until=2026-01-05T08:00:05Z", 10),
        ("since=2026-01-05T09:00:02%2B01:00&until=2026-01-05T08:00:04", 4),
        ("since=2026-01-06", 0),
    ],
)
@pytest_twisted.ensureDeferred
async def test_attendance_is_filtered(rig: Rig, query: str, count: int) -> None:
    """Records are chosen by terminal, user and instant."""
    await filled(rig)
    assert len(await rig.items(f"/attendance?{query}")) == count


@pytest_twisted.ensureDeferred
async def test_attendance_comes_as_csv_and_as_lines_of_json(rig: Rig) -> None:
    """`Accept` chooses the form; formulas in CSV are defused."""
    await rig.exchange()
    body = b"=1+1\t2026-01-05 08:00:00\t0\t1\n7\t2026-01-05 08:00:01\t0\t1\n"
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", body)
    auth = f"Authorization: Bearer {TOKEN}"
    as_csv = await rig.api("GET", "/attendance", headers=(auth, "Accept: text/csv"))
    rows = list(csv.DictReader(io.StringIO(as_csv.body.decode())))
    assert [row["pin"] for row in rows] == ["'=1+1", "7"]
    assert rows[1]["time"] == "2026-01-05T08:00:01"
    lines = await rig.api(
        "GET", "/attendance?limit=1", headers=(auth, "Accept: application/x-ndjson")
    )
    assert [json.loads(line)["pin"] for line in lines.body.splitlines()] == ["=1+1"]


MISTAKES = {
    "no such path": ("GET", "/nothing", None, 404),
    "wrong method": ("POST", "/devices", {}, 405),
    "no such terminal": ("GET", "/devices/T9", None, 404),
    "no such command": ("GET", "/commands/none", None, 404),
    "commands of nobody": ("GET", "/devices/T9/commands", None, 404),
    "unknown argument": ("GET", "/attendance?user=1", None, 400),
    "argument twice": ("GET", "/attendance?pin=1&pin=2", None, 400),
    "limit too large": ("GET", "/attendance?limit=1001", None, 400),
    "no time": ("GET", "/attendance?since=yesterday", None, 400),
    "unknown key": ("PATCH", "/devices/T1", {"colour": "red"}, 400),
    "state nobody decides": ("PATCH", "/devices/T1", {"state": "pending"}, 400),
    "no such zone": ("PATCH", "/devices/T1", {"timezone": "Mars/Olympus"}, 400),
    "bad setting": ("PATCH", "/devices/T1", {"settings": {"Delay": 0}}, 400),
    "unknown setting": ("PATCH", "/devices/T1", {"settings": {"Colour": "1"}}, 400),
    "computed setting": ("PATCH", "/devices/T1", {"settings": {"TimeZone": "8"}}, 400),
    "change nobody": ("PATCH", "/devices/T9", {"alias": "x"}, 404),
    "no body": ("POST", "/devices/T1/commands", None, 400),
    "no serial number": ("PUT", "/devices/a%20b", {}, 400),
}


@pytest.mark.parametrize("name", MISTAKES)
@pytest_twisted.ensureDeferred
async def test_a_mistake_is_a_problem_that_says_what_to_do(rig: Rig, name: str) -> None:
    """Bad requests get a problem with a detail, and change nothing."""
    method, path, body, status = MISTAKES[name]
    await rig.exchange()
    before = await rig.items("/devices")
    response = await rig.api(method, path, body)
    assert response.status == status
    assert response.header(b"Content-Type") == b"application/problem+json"
    assert response.json["detail"]
    assert await rig.items("/devices") == before


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/attendance", {"GET", "HEAD"}),
        ("POST", "/devices/T1", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_wrong_method_is_answered_with_the_right_ones(
    rig: Rig, method: str, path: str, allowed: set[str]
) -> None:
    """405 has `Allow`, as RFC 9110 wants."""
    response = await rig.api(method, path, {})
    assert response.status == 405
    listed = response.header(b"Allow")
    assert listed is not None
    assert set(listed.decode().split(", ")) == allowed


@pytest_twisted.ensureDeferred
async def test_the_api_describes_itself(rig: Rig) -> None:
    """openapi.json has every path with its types, the fields of records among them."""
    described = (await rig.api("GET", "/openapi.json")).json
    assert described["openapi"] == "3.1.0"
    assert set(described["paths"]) >= {
        "/health",
        "/api/v1/devices",
        "/api/v1/devices/{sn}",
        "/api/v1/devices/{sn}/commands",
        "/api/v1/commands/{id}",
        "/api/v1/attendance",
        "/api/v1/rejects",
    }
    record = described["components"]["schemas"]["AttendanceRecord"]["properties"]
    assert record["pin"]["description"] == "User ID"
    assert {"id", "device", "time", "utc", "status", "verify", "work_code"} <= set(record)
    assert {"id_number", "record_type", "mask", "temperature", "received_at"} <= set(record)


@pytest_twisted.ensureDeferred
async def test_a_body_of_more_than_a_mebibyte_is_refused(rig: Rig) -> None:
    """The API does not take endless bodies."""
    response = await rig.api("PATCH", "/devices/T1", {"alias": "x" * 1_100_000})
    assert response.status == 413


@pytest_twisted.ensureDeferred
async def test_one_bad_part_of_a_change_changes_nothing(rig: Rig) -> None:
    """A change with a mistake in it is refused as a whole, with every mistake named."""
    await rig.exchange()
    settings = {"Delay": "often", "Realtime": 2}
    response = await rig.api("PATCH", "/devices/T1", {"alias": "Gate", "settings": settings})
    assert response.status == 400
    assert "Delay" in response.json["detail"]
    assert "Realtime" in response.json["detail"]
    assert (await rig.items("/devices"))[0]["alias"] is None


@pytest_twisted.ensureDeferred
async def test_figures_are_shown_as_openmetrics(rig: Rig) -> None:
    """Units, commits and terminals are counted where they happen, and shown without a token."""
    await filled(rig)
    response = await rig.api("GET", "/metrics", headers=(), prefix="")
    assert response.header(b"Content-Type").startswith(b"application/openmetrics-text")
    figures = dict(
        line.rsplit(" ", 1)
        for line in response.body.decode().splitlines()
        if not line.startswith("#")
    )
    assert float(figures["zkpush_terminals"]) == 2
    assert float(figures["zkpush_units_total"]) >= float(figures["zkpush_commits_total"]) >= 4
    assert response.body.endswith(b"# EOF\n")
