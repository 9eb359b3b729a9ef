"""The audit log in the API."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.interfaces import ITransaction
from zkpush.protocol.fields import Scope

from ..rig import NOON, Rig


async def recorded(rig: Rig, count: int) -> None:
    """Record something that somebody did, some times."""

    def unit(tx: ITransaction) -> None:
        for number in range(count):
            tx.audit.add("device T1", "remote attendance", f"user {number}", None, NOON * 1000)

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
