"""Forms of people refuse cards that belong to others."""

from __future__ import annotations

import pytest
import pytest_twisted

from ..rig import Rig
from .browser import document, location, signed_in, text_of
from .test_attendance import rows
from .test_people import token

SENTENCES = {
    "en": "Card 12345678 belongs to user 701 (Elena García) already. "
    "Take it from that person first.",
    "es": "La tarjeta 12345678 ya es del usuario 701 (Elena García). "
    "Quítesela primero a esa persona.",
}


async def elena(rig: Rig) -> None:
    """A person with a card."""
    await rig.api("PUT", "/users/701", {"name": "Elena García", "card": "12345678"})


@pytest.mark.parametrize("language", ["en", "es"])
@pytest_twisted.ensureDeferred
async def test_a_card_of_another_person_is_refused_at_its_field(rig: Rig, language: str) -> None:
    """When a person is added and when one is changed, in the language of the visit."""
    await elena(rig)
    await rig.api("PUT", "/users/703", {"name": "Luis"})
    browser = await signed_in(rig)
    browser.language = language
    for path, fields in (
        ("/people/new", {"pin": "702", "card": "12345678"}),
        ("/people/703/edit", {"name": "Luis", "vice_card": "12345678"}),
    ):
        shown = await browser.send(path, path, fields)
        assert shown.status == 422
        marked = [one for one in document(shown).iter() if one.get("aria-invalid") == "true"]
        assert [one.attrib["value"] for one in marked] == ["12345678"]
        assert SENTENCES[language] in text_of(shown)
    assert (await rig.api("GET", "/users/702")).status == 404
    saved = await browser.send("/people/701/edit", "/people/701/edit", {"card": "12345678"})
    assert location(saved) == "/people/701"


@pytest_twisted.ensureDeferred
async def test_the_preview_of_an_import_names_the_other_person(rig: Rig) -> None:
    """A line with the card of another person is a mistake."""
    await elena(rig)
    browser = await signed_in(rig)
    content = "pin,card\n702,12345678\n703,5\n704,5\n"
    fields = {"csrf": await token(browser)}
    shown = await browser.upload("/people/import", fields, "file", content.encode())
    (first, second, _) = rows(shown)
    assert "Card 12345678 belongs to user 701" in first
    assert "Card 5 is in line 3 already" in second
