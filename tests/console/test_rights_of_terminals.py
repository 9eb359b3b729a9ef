"""Rights that only a terminal has given stay there until an account gives them."""

from __future__ import annotations

import pytest_twisted

from ..rig import Rig
from ..server.test_distribution import distribute, wired
from .browser import location, signed_in, text_of

WHERE = "At the terminal that gave them only"


@pytest_twisted.ensureDeferred
async def test_an_account_gives_the_rights_of_one_terminal_everywhere(rig: Rig) -> None:
    """The page says where they hold, and who stated the person; stale forms are refused."""
    await wired(rig)
    await rig.post("cdata?SN=A1&table=OPERLOG&Stamp=1", b"USER PIN=1\tName=Chloe\tPri=14")
    await rig.exchange("B1")
    await rig.api("PATCH", "/devices/B1", {"state": "approved", "area": "North"})
    await distribute(rig, "North")
    browser = await signed_in(rig)
    shown = text_of(await browser.get("/people/1"))
    assert WHERE in shown
    assert "First stated by the terminal: A1" in shown
    stale = await browser.confirm("/people/1", "/people/1/rights", {"privilege": "2"})
    assert "The rights have changed meanwhile" in text_of(stale)
    assert WHERE in text_of(await browser.get("/people/1"))
    done = await browser.confirm("/people/1", "/people/1/rights", {})
    assert location(done) == "/people/1"
    shown = text_of(await browser.get("/people/1"))
    assert "Super administrator" in shown
    assert WHERE not in shown
    (entry,) = await rig.items("/audit?action=change+person")
    assert "rivilege" in entry["detail"]
