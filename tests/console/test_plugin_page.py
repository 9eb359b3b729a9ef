"""The page of a plugin: the example of visitors, in the console."""

from __future__ import annotations

import pathlib

import pytest
import pytest_twisted

from zkpush.capability import Capability

from .browser import document, signed_in, text_of

EXAMPLE = pathlib.Path(__file__).parent.parent.parent / "examples" / "visitors"


@pytest_twisted.ensureDeferred
async def test_a_plugin_brings_a_page_with_its_own_words(
    make_rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its template, its place in the navigation and its translations are found with it."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    rig = await make_rig(plugins=[Capability("visitors", "visitors", "Visitors")])
    await rig.exchange("R1")
    await rig.post("cdata?SN=R1&table=VISITOR&Stamp=1", b"PIN=7\tArrived=2026-03-01 08:00:00")
    await rig.settle()
    browser = await signed_in(rig)
    shown = await browser.get("/visitors")
    assert shown.status == 200, shown.raw
    document(shown)
    assert "2026-03-01 08:00:00" in text_of(shown)
    assert b'href="/console/visitors" aria-current="page"' in shown.body
    await browser.get("/visitors?lang=es")
    spanish = text_of(await browser.get("/visitors"))
    assert "Últimas llegadas" in spanish
    assert "Resumen" in spanish
