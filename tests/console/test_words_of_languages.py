"""Lists and names of the protocol on pages, in the languages of the console."""

from __future__ import annotations

import pytest
import pytest_twisted

from ..rig import Rig
from .browser import signed_in, text_of
from .test_pages import filled


@pytest.mark.parametrize(
    ("language", "comma"), [("en", ", "), ("es", ", "), ("ar", "، "), ("zh-Hans", "、")]
)
@pytest_twisted.ensureDeferred
async def test_items_of_lists_have_the_comma_of_the_language(
    rig: Rig, language: str, comma: str
) -> None:
    """As between the areas of a person."""
    await rig.api("PUT", "/users/7", {"name": "Ann", "areas": ["East", "West"]})
    browser = await signed_in(rig)
    await browser.get(f"/?lang={language}")
    shown = (await browser.get("/people/7")).body.decode()
    assert f'dir="auto">East</a>{comma}<a ' in shown


@pytest.mark.parametrize(
    ("language", "what", "time"),
    [
        ("en", "Punches ATTLOG", "Time"),
        ("es", "Fichajes ATTLOG", "Hora"),
        ("ar", "الحركات ATTLOG", "الوقت"),
        ("zh-Hans", "打卡记录 ATTLOG", "时间"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_was_not_understood_is_named_in_words(
    rig: Rig, language: str, what: str, time: str
) -> None:
    """The kind of data and the field that is wrong are, beside the names of the protocol."""
    await filled(rig)
    browser = await signed_in(rig)
    await browser.get(f"/?lang={language}")
    for page in ("/rejects", "/rejects/1"):
        text = text_of(await browser.get(page))
        assert what in text
        assert time in text
        assert language == "en" or "Time" not in text
