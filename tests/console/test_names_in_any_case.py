"""Names of accounts in upper and lower case."""

from __future__ import annotations

import re

import pytest
import pytest_twisted
from sqlalchemy import update

from zkpush.handlers.accounts.schema import accounts

from ..rig import Rig
from .browser import PASSWORD, Browser, signed_in


async def _name_after_sign_in(rig: Rig, typed: str) -> str | None:
    """The account that somebody has who types a name; None if that is refused."""
    browser = Browser(rig)
    sent = await browser.send("/sign-in", "/sign-in", {"name": typed, "password": PASSWORD})
    if sent.status != 303:
        return None
    shown = (await browser.get("/account")).body.decode()
    found = re.search(r'href="/console/account"[^>]*>.*?(\w+)</a>', shown)
    return None if found is None else found[1]


@pytest.mark.parametrize("typed", ["Ann", "ann", "ANN"])
@pytest_twisted.ensureDeferred
async def test_a_name_is_typed_in_any_case(rig: Rig, typed: str) -> None:
    """As phones do, which begin a field with a capital letter."""
    await signed_in(rig, name="Ann")
    assert await _name_after_sign_in(rig, typed) == "Ann"


@pytest_twisted.ensureDeferred
async def test_no_two_names_differ_in_case_only(rig: Rig) -> None:
    """The second one is refused as a taken name is."""
    await signed_in(rig, name="Ann")
    refused = await rig.api("POST", "/accounts", {"name": "ann", "scopes": ["read"]})
    assert refused.status in (400, 409)
    assert "already" in refused.json["detail"]


@pytest_twisted.ensureDeferred
async def test_of_stored_names_that_differ_in_case_the_exact_one_signs_in(rig: Rig) -> None:
    """Accounts of earlier versions stay usable; a third spelling means neither."""
    for name in ("ann", "bob"):
        await signed_in(rig, name=name)
    await rig.store.write(
        lambda tx: tx.connection.execute(
            update(accounts).where(accounts.c.name == "bob").values(name="Ann")
        )
    )
    assert await _name_after_sign_in(rig, "ann") == "ann"
    assert await _name_after_sign_in(rig, "Ann") == "Ann"
    assert await _name_after_sign_in(rig, "ANN") is None
