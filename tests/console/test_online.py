"""Terminals that are online: the number, the filter and the badge agree at any instant."""

from __future__ import annotations

import re

import pytest
import pytest_twisted

from zkpush.counting import counted
from zkpush.model import Problem
from zkpush.persist.devices import DeviceStore
from zkpush.persist.transaction import Transaction
from zkpush.phrases import Phrase
from zkpush.problems import ProblemCode

from ..rig import Rig
from .browser import Browser, document, signed_in, text_of
from .test_attendance import rows

BADGES = ("online", "not connected", "silent", "never connected")


async def listed(browser: Browser, query: str) -> dict[str, str]:
    """The badge of each terminal of a list, by serial number."""
    found: dict[str, str] = {}
    page = await browser.get(f"/terminals{query}")
    for row in rows(page) if "<tbody>" in page.body.decode() else ():
        (badge,) = [one for one in BADGES if re.search(rf"\b{one}\b", row)]
        (sn,) = re.findall(r"\bT[0-9]\b", row)[:1]
        found[sn] = badge
    return found


async def shown(browser: Browser) -> tuple[str, ...]:
    """The terminals that are online, after all pages agree about them."""
    every = await listed(browser, "")
    online, offline = [await listed(browser, f"?state={one}") for one in ("online", "offline")]
    assert {*online.values()} <= {"online"}
    assert "online" not in offline.values()
    assert {**online, **offline} == every
    words = text_of(await browser.get("/"))
    assert counted(len(online), "terminal online", "terminals online") in words
    assert f"{len(offline)} not connected" in words
    for sn, badge in every.items():
        page = document(await browser.get(f"/terminals/{sn}"))
        assert any((node.text or "").strip() == badge for node in page.iter("span")), sn
    return tuple(sorted(online))


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_number_filter_and_badge_agree_while_terminals_go(rig: Rig) -> None:
    """One polls every 10 s, one every 100 s by its own setting, and one has not come yet."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    await rig.api("PATCH", "/devices/T2", {"settings": {"Delay": 100}})
    await rig.api("PATCH", "/devices/T3", {"state": "approved"})
    browser = await signed_in(rig)
    seen = [await shown(browser)]  # what was heard is not written yet
    for seconds in (6, 20, 8, 2, 8, 250, 10, 5, 2):
        rig.clock.advance(seconds)
        seen.append(await shown(browser))
    changes = [one for number, one in enumerate(seen) if number == 0 or one != seen[number - 1]]
    assert changes == [("T1", "T2"), ("T2",), ()]
    await rig.get("getrequest?SN=T1")
    assert await shown(browser) == ("T1",)


@pytest_twisted.ensureDeferred
async def test_a_terminal_whose_requests_are_refused_is_said_to_be_refused(rig: Rig) -> None:
    """It is connected, and none of its requests is served."""
    await rig.exchange("T1")
    problem = Problem(ProblemCode.TOKEN_MISSING, Phrase("The token is missing."), 0)

    def refuse(tx: Transaction) -> None:
        (device,) = tx[DeviceStore].find_all(["T1"])
        tx[DeviceStore].raise_problem(device.id, problem)

    await rig.store.write(refuse)
    rig.clock.advance(300)
    await rig.registry.follow()
    browser = await signed_in(rig)
    for path in ("/terminals", "/terminals/T1"):
        assert "requests are refused" in text_of(await browser.get(path)), path
    assert "last request that was served" in text_of(await browser.get("/terminals/T1"))
