"""Words of the console that stand where pages have data, which nothing translates."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.config import Config, WatchSettings
from zkpush.declarations import declarations
from zkpush.manage.console.languages import LANGUAGES
from zkpush.manage.console.zonechoice import zone_options
from zkpush.origins import KEY_FILE, KEY_FILE_MODE

from ..rig import Rig
from .browser import document, signed_in
from .test_terminal_names import NAMES, named
from .walk import WORDS, english_as_data, english_left, pages_of, path_of

PLANTED = "admin assembly bin default example firmware https log maria menu payroll txt update"
"""Words of names that the daemon of the test was given."""
SENT = {"Time", "'this'", "'no time of any day'"}
"""What terminals sent, and names of its columns."""
KEYS = {
    *Config.__struct_fields__,
    *(f"watch.{name}" for name in WatchSettings.__struct_fields__),
    KEY_FILE,
    KEY_FILE_MODE,
}
"""Keys of the configuration, and environment variables."""
OWN = {
    *PLANTED.split(),
    *SENT,
    *KEYS,
    *NAMES.values(),
    *(name for name, _ in zone_options()),
    *(one.name for one in LANGUAGES),
    *(one.name for one in declarations().catalogue),
    "API",
    "url",
    "zkpush",
}
"""What is data: names of terminals, zones, languages, commands, and keys of the configuration."""


def has_words(text: str) -> bool:
    """Whether a text, such as the title of a page, has other words than those of names."""
    for one in NAMES.values():
        text = text.replace(one, "")
    return WORDS.search(text) is not None


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_no_page_has_words_of_the_console_in_place_of_data(rig: Rig) -> None:
    """A reader of another language would see them in English; each part of the settings as well."""
    await named(rig)
    browser = await signed_in(rig, name="maria")
    await browser.get("/?lang=en-XA")
    await browser.get("/")
    found = {}
    parts = ["/settings?part=general", "/settings?part=watch", "/settings?part=terminals"]
    for path in [*(path_of(page.path) for page in pages_of(rig)), *parts]:
        if path != "/sign-in":
            page = document(await browser.get(path))
            left = [*english_as_data(page, OWN), *filter(has_words, english_left(page))]
            if left:
                found[path] = left
    assert found == {}
