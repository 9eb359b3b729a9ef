"""The page of the settings in force."""

from __future__ import annotations

from typing import Any

import pytest_twisted

from zkpush import tap
from zkpush.origins import SettingOrigins

from ..rig import Rig
from .browser import signed_in, text_of


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
