"""Areas that accounts are limited to: given, changed and shown."""

from __future__ import annotations

import pytest_twisted

from ..rig import Rig
from .browser import location, signed_in, text_of


@pytest_twisted.ensureDeferred
async def test_an_account_is_added_and_changed_with_areas(rig: Rig) -> None:
    """The API shows its areas; other ones end its sessions, and null is no limit."""
    browser = await signed_in(rig, "read", name="ben", areas=["North"])
    (shown,) = await rig.items("/accounts")
    assert (shown["name"], shown["areas"]) == ("ben", ["North"])
    same = await rig.api("PATCH", "/accounts/ben", {"areas": ["North"]})
    assert (same.status, same.json["areas"]) == (200, ["North"])
    assert (await browser.get("/terminals")).status == 200
    changed = await rig.api("PATCH", "/accounts/ben", {"areas": None})
    assert changed.json["areas"] is None
    assert location(await browser.get("/terminals")).startswith("/sign-in")
    assert (await rig.api("PATCH", "/accounts/ben", {"areas": []})).status == 400
    audit = [one["detail"] for one in await rig.items("/audit") if one["action"] == "add account"]
    assert "areas: North" in audit[0]


@pytest_twisted.ensureDeferred
async def test_the_last_who_manages_the_server_stays_without_limits(rig: Rig) -> None:
    """An account that alone manages the server cannot be limited to areas."""
    await rig.api("PUT", "/areas/North", {})
    await signed_in(rig, name="ann")
    refused = await rig.api("PATCH", "/accounts/ann", {"areas": ["North"]})
    assert refused.status == 400
    assert "is the only account that may manage the server" in refused.json["detail"]
    await signed_in(rig, name="bea")
    assert (await rig.api("PATCH", "/accounts/ann", {"areas": ["North"]})).status == 200
    assert (await rig.api("PATCH", "/accounts/bea", {"areas": ["North"]})).status == 400


@pytest_twisted.ensureDeferred
async def test_the_page_of_accounts_offers_the_areas(rig: Rig) -> None:
    """Who adds an account chooses areas of the site; the list shows them."""
    for sn, area in (("T1", "North"), ("T2", "South")):
        await rig.exchange(sn)
        await rig.api("PATCH", f"/devices/{sn}", {"area": area})
    await rig.api("PUT", "/areas/East", {})
    browser = await signed_in(rig)
    for page in ("/accounts", "/tokens"):
        assert 'value="East"' in (await browser.get(page)).body.decode()
    fields = {"name": "ben", "scopes": ["read"], "areas": ["South"]}
    added = await browser.send("/accounts", "/accounts", fields)
    assert added.status == 200
    assert "only in South" in text_of(await browser.get("/accounts"))
    await browser.send("/accounts", "/accounts/ben", {"scopes": ["read"]})
    assert "only in South" not in text_of(await browser.get("/accounts"))
    assert [one["areas"] for one in await rig.items("/accounts")] == [None, None]
