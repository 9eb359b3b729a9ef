"""The audit log in the API."""

from __future__ import annotations

import csv
import io
import json

import pytest
import pytest_twisted

from zkpush.persist.audit import AuditStore
from zkpush.persist.transaction import Transaction
from zkpush.protocol.fields import Scope

from ..rig import NOON, TOKEN, Rig


async def recorded(rig: Rig, count: int) -> None:
    """Record something that somebody did, some times."""

    def unit(tx: Transaction) -> None:
        for number in range(count):
            tx[AuditStore].add(
                "device T1", "remote attendance", f"user {number}", None, NOON * 1000
            )

    await rig.store.write(unit)


@pytest_twisted.ensureDeferred
async def test_the_audit_log_says_who_did_what_and_when(rig: Rig) -> None:
    """A record has its actor, action, subject and instant."""
    await recorded(rig, 1)
    assert await rig.items("/audit") == [
        {
            "id": 1,
            "recorded_at": "2026-03-01T12:00:00.000Z",
            "actor": "device T1",
            "action": "remote attendance",
            "subject": "user 0",
            "detail": None,
            "pins": [],
        }
    ]


@pytest_twisted.ensureDeferred
async def test_the_audit_log_comes_in_parts(rig: Rig) -> None:
    """`limit` and `after` walk through it in the order of what was done."""
    await recorded(rig, 5)
    seen, after = [], 0
    while after is not None:
        part = (await rig.api("GET", f"/audit?limit=2&after={after}")).json
        seen += [item["subject"] for item in part["items"]]
        after = part["next"]
    assert seen == [f"user {number}" for number in range(5)]


@pytest_twisted.ensureDeferred
async def test_the_records_of_a_terminal_are_what_it_did_and_what_was_done_to_it(rig: Rig) -> None:
    """In one order, in parts, with the other filters, and for a terminal that is gone as well."""
    await recorded(rig, 2)
    await rig.api("PUT", "/devices/T1", {"state": "approved"})
    await rig.api("PUT", "/devices/T10", {"state": "approved"})
    await recorded(rig, 1)
    found = await rig.items("/audit?device=T1")
    assert [one["action"] for one in found] == [
        "remote attendance",
        "remote attendance",
        "add terminal",
        "change terminal",
        "remote attendance",
    ]
    newest = await rig.items("/audit?device=T1&order=desc&limit=2")
    assert newest == found[:2:-1]
    after = (await rig.api("GET", "/audit?device=T1&limit=3")).json["next"]
    assert await rig.items(f"/audit?device=T1&limit=3&after={after}") == found[3:]
    assert await rig.items("/audit?device=T1&action=change%20terminal") == [found[3]]
    unknown = await rig.api("GET", "/audit?device=T2")
    assert (unknown.status, unknown.json["detail"][:33]) == (
        400,
        "device: There is no terminal 'T2'",
    )


@pytest.mark.parametrize("scope", Scope)
@pytest_twisted.ensureDeferred
async def test_the_audit_log_is_for_administrators(rig: Rig, scope: Scope) -> None:
    """No other scope than `admin` shows it."""
    headers = (f"Authorization: Bearer {await rig.token('some', scope)}",)
    response = await rig.api("GET", "/audit", headers=headers)
    assert response.status == (200 if scope is Scope.ADMIN else 403)


@pytest_twisted.ensureDeferred
async def test_nothing_changes_or_drops_the_audit_log(rig: Rig) -> None:
    """It is read, and nothing else; the description of the API has it."""
    await recorded(rig, 1)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await rig.api(method, "/audit", {})).status == 405
    assert len(await rig.items("/audit")) == 1
    described = (await rig.api("GET", "/openapi.json")).json
    assert list(described["paths"]["/api/v1/audit"]) == ["get"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("actor=token%20hr", [1, 3]),
        ("action=refused", [2]),
        ("actor=token%20hr&action=refused", []),
        ("since=2026-03-01T12:00:01Z", [2, 3]),
        ("until=2026-03-01T12:00:01Z", [1]),
        ("since=2026-03-01T13:00:01%2B01:00&until=2026-03-01T12:00:02", [2]),
        ("since=2026-03-02", []),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_audit_log_is_filtered(rig: Rig, query: str, ids: list[int]) -> None:
    """Records are chosen by who did it, what it was, and when."""

    def unit(tx: Transaction) -> None:
        for second, actor, action in ((0, "hr", "x"), (1, "it", "refused"), (2, "hr", "x")):
            tx[AuditStore].add(f"token {actor}", action, "y", None, (NOON + second) * 1000)

    await rig.store.write(unit)
    assert [item["id"] for item in await rig.items(f"/audit?{query}")] == ids


@pytest_twisted.ensureDeferred
async def test_the_audit_log_is_exported(rig: Rig) -> None:
    """As CSV, in which nothing is a formula, and as lines of JSON; part by part."""

    def unit(tx: Transaction) -> None:
        tx[AuditStore].add("token hr", "=1+1", "file 1", 'a "b", c', NOON * 1000)
        tx[AuditStore].add("token hr", "x", "file 2", None, NOON * 1000)

    await rig.store.write(unit)
    auth = f"Authorization: Bearer {TOKEN}"
    as_csv = await rig.api("GET", "/audit", headers=(auth, "Accept: text/csv"))
    rows = list(csv.reader(io.StringIO(as_csv.body.decode())))
    assert rows == [
        ["id", "recorded_at", "actor", "action", "subject", "detail", "pins"],
        ["1", "2026-03-01T12:00:00.000Z", "token hr", "'=1+1", "file 1", 'a "b", c', ""],
        ["2", "2026-03-01T12:00:00.000Z", "token hr", "x", "file 2", "", ""],
    ]
    headers = (auth, "Accept: application/x-ndjson")
    part = await rig.api("GET", "/audit?limit=1", headers=headers)
    rest = await rig.api("GET", "/audit?after=1", headers=headers)
    lines = [json.loads(line) for line in [*part.body.splitlines(), *rest.body.splitlines()]]
    own = [(line["id"], line["action"]) for line in lines if line["action"] != "export"]
    assert own == [(1, "=1+1"), (2, "x")]
