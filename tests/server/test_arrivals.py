"""People whom terminals add are in the audit log."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.handlers.people.arrivals import BRING

from ..console.browser import document, signed_in, text_of
from ..console.walk import english_left
from ..rig import Rig

UPLOAD = "cdata?SN=T1&table=OPERLOG&Stamp=1"
PUNCHES = "cdata?SN=T1&table=ATTLOG&Stamp=1"


def users(*pins: int) -> bytes:
    """An upload of users, with a finger of each and of one more."""
    lines = [f"USER PIN={pin}\tName=P{pin}" for pin in pins]
    fingers = [f"FP PIN={pin}\tFID=1\tSize=4\tValid=1\tTMP=AAAA" for pin in (*pins, 999)]
    return "\n".join([*lines, *fingers]).encode()


async def arrivals(rig: Rig) -> list[dict[str, object]]:
    """The records of people whom terminals brought, the oldest first."""
    found = (await rig.api("GET", "/audit?limit=1000")).json["items"]
    return [one for one in found if one["action"] == BRING]


@pytest_twisted.ensureDeferred
async def test_an_upload_with_new_people_is_one_record(either: Rig) -> None:
    """It names the terminal, and the first ten by their pseudonyms; people who are known are not
    in it."""
    rig = either
    await rig.exchange("T1")
    await rig.api("PUT", "/users/3", {"name": "Known"})
    await rig.post(UPLOAD, users(*range(1, 13)))
    (one,) = await arrivals(rig)
    assert (one["actor"], one["subject"]) == ("device T1", "terminal T1")
    named = [await rig.person(str(pin)) for pin in sorted((1, 2, *range(4, 13)), key=str)]
    assert one["detail"] == f"12 people: {', '.join(named[:10])}, …"
    await rig.post(UPLOAD, users(*range(1, 13)))
    assert len(await arrivals(rig)) == 1
    await rig.post(UPLOAD, users(20))
    assert (await arrivals(rig))[-1]["detail"] == f"1 person: {await rig.person('20')}"


@pytest.mark.parametrize("known", [True, False])
@pytest_twisted.ensureDeferred
async def test_punches_leave_no_such_record(rig: Rig, known: bool) -> None:
    """Whether somebody here has the user ID or not."""
    await rig.exchange("T1")
    if known:
        await rig.api("PUT", "/users/7", {"name": "Ann"})
    await rig.post(PUNCHES, b"7\t2026-01-05 08:00:00\t0\t1")
    assert await arrivals(rig) == []


@pytest_twisted.ensureDeferred
async def test_the_page_names_the_people_until_they_are_erased(rig: Rig) -> None:
    """By their user IDs, with links; and of whom is erased nothing is left."""
    await rig.exchange("T1")
    await rig.post(UPLOAD, b"USER PIN=417\tName=Ann\nUSER PIN=418\tName=Bo")
    browser = await signed_in(rig)
    page = "/audit?action=bring+people"
    assert "2 people: 417, 418" in text_of(await browser.get(page))
    assert (await rig.api("DELETE", "/users/417?erase=true")).status == 200
    shown = text_of(await browser.get(page))
    assert "2 people: …, 418" in shown
    assert "417" not in shown
    await browser.get("/?lang=en-XA")
    assert english_left(document(await browser.get(page))) == []
