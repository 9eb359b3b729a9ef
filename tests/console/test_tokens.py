"""The page of tokens."""

from __future__ import annotations

import re

import pytest
import pytest_twisted

from ..rig import Rig
from .browser import location, signed_in, text_of


@pytest_twisted.ensureDeferred
async def test_a_token_is_shown_once_and_works_until_revoked(rig: Rig) -> None:
    """The secret is on one page only; the API takes it until it is revoked."""
    browser = await signed_in(rig)
    made = await browser.send("/tokens", "/tokens", {"name": "payroll", "scopes": ["read"]})
    assert made.status == 200
    secret = re.search(r"zkp_[\w-]+", made.body.decode())
    assert secret is not None
    listed = await browser.get("/tokens")
    assert "payroll" in text_of(listed)
    assert secret[0] not in listed.body.decode()
    bearer = (f"Authorization: Bearer {secret[0]}",)
    assert (await rig.api("GET", "/devices", headers=bearer)).status == 200
    assert (await rig.api("GET", "/tokens", headers=bearer)).status == 403
    sent = await browser.confirm("/tokens", "/tokens/payroll/revoke", {})
    assert location(sent) == "/tokens"
    assert (await rig.api("GET", "/devices", headers=bearer)).status == 401
    assert (await rig.api("GET", "/tokens")).json["items"] == []
    found = await rig.api("GET", "/audit?actor=account+ann")
    assert [one["action"] for one in found.json["items"]][-2:] == ["create token", "revoke token"]


@pytest_twisted.ensureDeferred
async def test_mistakes_are_beside_their_fields(rig: Rig) -> None:
    """A name that is taken or wrong, a day that is over and foreign scopes make no token."""
    browser = await signed_in(rig, "read", "admin")
    await rig.api("POST", "/tokens", {"name": "taken", "scopes": ["read"]})
    for fields, words in (
        ({"name": "taken", "scopes": ["read"]}, "There is a token of this name."),
        ({"name": "admin", "scopes": ["read"]}, "There is a token of this name."),
        ({"name": "a b", "scopes": ["read"]}, "Use 1 to 64 letters"),
        ({"name": "new", "scopes": []}, "This is needed."),
        ({"name": "new", "scopes": ["write"]}, "You cannot allow what you are not allowed"),
        ({"name": "new", "scopes": ["read"], "until": "2001-01-01"}, "in the future"),
        ({"name": "new", "scopes": ["read"], "until": "soon"}, "This is not a date"),
    ):
        refused = await browser.send("/tokens", "/tokens", fields)
        assert refused.status == 422, fields
        assert words in text_of(refused), fields
    assert [one["name"] for one in (await rig.api("GET", "/tokens")).json["items"]] == ["taken"]
    assert 'value="write"' not in (await browser.get("/tokens")).body.decode()


@pytest_twisted.ensureDeferred
async def test_a_token_ends_after_its_last_day(rig: Rig) -> None:
    """The last day counts whole, in the zone of the visit."""
    browser = await signed_in(rig)
    fields = {"name": "guest", "scopes": ["read"], "until": "2999-12-31"}
    assert (await browser.send("/tokens", "/tokens", fields)).status == 200
    made = (await rig.api("GET", "/tokens")).json["items"][0]
    assert made["expires_at"] == "3000-01-01T00:00:00.000Z"


@pytest_twisted.ensureDeferred
async def test_a_token_is_limited_to_areas(rig: Rig) -> None:
    """Areas are offered where there are several, and the token has those that were ticked."""
    for sn, area in (("T1", "North"), ("T2", "South")):
        await rig.exchange(sn)
        assert (await rig.api("PATCH", f"/devices/{sn}", {"area": area})).status == 200
    browser = await signed_in(rig)
    fields = {"name": "north", "scopes": ["read"], "areas": ["North"]}
    assert (await browser.send("/tokens", "/tokens", fields)).status == 200
    assert (await rig.api("GET", "/tokens")).json["items"][0]["areas"] == ["North"]
    assert "only in North" in text_of(await browser.get("/tokens"))


@pytest.mark.parametrize("path", ["/tokens", "/accounts"])
@pytest_twisted.ensureDeferred
async def test_nothing_is_allowed_beforehand(rig: Rig, path: str) -> None:
    """No scope of a new token or account is ticked, and one without scopes is a mistake."""
    browser = await signed_in(rig)
    shown = (await browser.get(path)).body.decode().split('id="add"')[1]
    assert 'name="scopes"' in shown
    assert " checked" not in shown
    wrong = await browser.send(path, path, {"name": "new"})
    assert wrong.status == 422
    assert "This is needed." in text_of(wrong)
