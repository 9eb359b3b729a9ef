"""Sentences that readers of the console did not understand, and what stands there now."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.manage.console.extraction import catalogues_of, packages_of_zkpush
from zkpush.manage.console.languages import LANGUAGES

from ..rig import Rig
from .browser import signed_in, text_of

UNCLEAR = (
    "instants",
    "dated anew",
    "An empty option is",
    "without an area of its own",
    "an upload may have several",
    "as soon as it has sent them",
    "is not asked to begin",
)


@pytest.mark.parametrize("words", UNCLEAR)
@pytest_twisted.ensureDeferred
async def test_pages_of_a_terminal_have_no_unclear_words(rig: Rig, words: str) -> None:
    """On its pages, in the overview and in the settings."""
    await rig.exchange("T1")
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", b"7\t2026-03-01 25:61:00\t0\t1\n")
    browser = await signed_in(rig)
    pages = ("/", "/settings", "/terminals/T1", "/terminals/T1/settings", "/terminals/T1/doctor")
    for page in pages:
        shown = await browser.get(page)
        assert shown.status == 200
        assert words not in text_of(shown), page


@pytest_twisted.ensureDeferred
async def test_an_age_of_a_little_more_than_a_minute_is_a_minute(rig: Rig) -> None:
    """Not 65 seconds."""
    await rig.exchange("T1")
    rig.clock.advance(65)
    shown = text_of(await (await signed_in(rig)).get("/terminals"))
    assert "1 minute ago" in shown
    assert "65 seconds" not in shown


@pytest.mark.parametrize("package", packages_of_zkpush())
def test_a_request_and_a_date_have_one_word_in_spanish(package: str) -> None:
    """A request is a "petición", and the form of a date is of Spanish letters."""
    (spanish,) = (one for one in LANGUAGES if one.code == "es")
    for message in catalogues_of(package).read(spanish):
        texts = [message.string] if isinstance(message.string, str) else [*message.string]
        for text in texts if message.id else ():
            assert "solicitud" not in text.lower()
            assert "YYYY" not in text
