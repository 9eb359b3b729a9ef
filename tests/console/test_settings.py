"""The page of the settings in force."""

from __future__ import annotations

from typing import Any

import pytest_twisted

from zkpush import tap
from zkpush.origins import SettingOrigins

from ..rig import Rig
from ..server.test_zones import keeper
from .browser import location, signed_in, text_of


@pytest_twisted.ensureDeferred
async def test_settings_are_shown_by_section_with_their_origin(
    make_rig: Any, monkeypatch: Any
) -> None:
    """What is set comes first, without secrets; each section has all its keys."""
    origins = SettingOrigins(in_file=frozenset({"audit", "audit.keep_days"}))
    build = tap.build
    monkeypatch.setattr(
        tap, "build", lambda *given, **named: build(*given, **named, origins=origins)
    )
    rig = await make_rig(audit={"keep_days": 400})
    browser = await signed_in(rig)
    set_here = text_of(await browser.get("/settings"))
    assert "audit.keep_days" in set_here
    assert "400" in set_here
    assert "configuration file" in set_here
    assert "limits.body_bytes" not in set_here
    limits = text_of(await browser.get("/settings?part=limits"))
    assert "limits.body_bytes" in limits
    assert "67108864" in limits
    general = text_of(await browser.get("/settings?part=general"))
    assert "admission" in general
    assert "limits.body_bytes" not in general


@pytest_twisted.ensureDeferred
async def test_options_of_single_terminals_lead_to_their_form(rig: Rig) -> None:
    """Terminals without options of their own are not listed."""
    await rig.exchange("T1")
    await rig.exchange("T2")
    await rig.api("PATCH", "/devices/T1", {"settings": {"Delay": 7}})
    browser = await signed_in(rig)
    shown = await browser.get("/settings?part=terminals")
    assert "Delay=7" in text_of(shown)
    assert b'href="/console/terminals/T1/settings"' in shown.body
    assert b"/console/terminals/T2/settings" not in shown.body


@pytest_twisted.ensureDeferred
async def test_an_administrator_changes_the_time_zone_of_the_site(make_rig: Any) -> None:
    """Times are shown in it; a terminal without a zone gets it, and so do its punches."""
    rig = await make_rig(timezone=None)
    await rig.exchange("T1")
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", b"1\t2026-03-01 08:00:00\t0\t1\n")
    assert (await rig.items("/attendance"))[0]["utc"] is None
    browser = await signed_in(rig)
    assert "1 terminal has no time zone now." in text_of(await browser.get("/settings"))
    action = "/settings/zone"
    wrong = await browser.send("/settings", action, {"zone": "Mars/Olympus"})
    assert wrong.status == 422
    assert "Choose a time zone of the list." in text_of(wrong)
    assert location(await browser.send("/settings", action, {"zone": "Asia/Tokyo"})) == "/settings"
    shown = await browser.get("/settings")
    assert b'<option selected translate="no">Asia/Tokyo</option>' in shown.body
    assert "0 terminals have no time zone now." in text_of(shown)
    assert (await rig.api("GET", "/devices/T1")).json["timezone"] == "Asia/Tokyo"
    assert (await rig.items("/attendance"))[0]["utc"] == "2026-02-28T23:00:00Z"
    (change,) = await rig.items("/audit?action=change+site")
    assert change["actor"] == "account ann"
    assert "T21:00:00+09:00" in (await browser.get("/terminals/T1")).body.decode()


@pytest_twisted.ensureDeferred
async def test_the_zone_of_the_server_counts_before_that_of_the_site(make_rig: Any) -> None:
    """A terminal with a zone keeps it, and the page says which one terminals get."""
    rig = await make_rig(timezone="Europe/Madrid")
    await rig.exchange("T1")
    browser = await signed_in(rig)
    assert "whatever is chosen here: Europe/Madrid" in text_of(await browser.get("/settings"))
    await browser.send("/settings", "/settings/zone", {"zone": "Asia/Tokyo"})
    assert (await rig.api("GET", "/devices/T1")).json["timezone"] == "Europe/Madrid"


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_comes_later_gets_the_time_zone_of_the_site(make_rig: Any) -> None:
    """Within a minute after it was approved without a zone of its own."""
    rig = await make_rig(timezone=None)
    browser = await signed_in(rig)
    await browser.send("/settings", "/settings/zone", {"zone": "Asia/Tokyo"})
    await rig.exchange("T1")
    assert (await rig.api("GET", "/devices/T1")).json["timezone"] is None
    await keeper(rig).follow()
    assert (await rig.api("GET", "/devices/T1")).json["timezone"] == "Asia/Tokyo"


@pytest_twisted.ensureDeferred
async def test_meanings_show_no_backticks(rig: Rig) -> None:
    """What stands in them is code, on each part of the page."""
    browser = await signed_in(rig)
    shown = (await browser.get("/settings?part=watch")).body.decode()
    assert "`" not in shown
    assert '<code dir="ltr">silent</code>' in shown
