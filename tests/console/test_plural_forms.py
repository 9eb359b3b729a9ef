"""Texts with a number: each has the forms that the languages need."""

from __future__ import annotations

import re

import pytest

from zkpush.manage.console.extraction import catalogues_of, packages_of_zkpush
from zkpush.manage.console.languages import LANGUAGES

from .phrases import phrases_of
from .test_translations import entries

NOUNS = [
    "accounts",
    "addresses",
    "answers",
    "areas",
    "attempts",
    "bytes",
    "characters",
    "columns",
    "commands",
    "conflicts",
    "days",
    "deletions",
    "devices",
    "digits",
    "entries",
    "events",
    "fields",
    "files",
    "fingerprints",
    "hours",
    "jobs",
    "letters",
    "lines",
    "megabytes",
    "members",
    "messages",
    "minutes",
    "months",
    "networks",
    "numbers",
    "options",
    "pages",
    "parts",
    "people",
    "photos",
    "pixels",
    "places",
    "plugins",
    "problems",
    "punches",
    "records",
    "rejects",
    "requests",
    "rows",
    "seconds",
    "templates",
    "terminals",
    "times",
    "tokens",
    "tries",
    "users",
    "values",
    "weeks",
]
COUNTED = re.compile(rf"%\((\w+)\)s (?:[a-z]+ ){{0,2}}?(?:{'|'.join(NOUNS)})\b")
"""A value before a plural noun, with up to two words between them."""
NAMES = frozenset({"fields", "name", "pin", "pins", "sn"})
"""Values that are no numbers."""
ACCUSATIVE = re.compile(r"%\(num\)s [\u0600-\u06ff]+\u064b\u0627?(?![\u0600-\u06ff])")
"""An Arabic noun as it stands after the numbers 11 to 99 only."""
BEFORE_11, HUNDREDS = 0, 5
ARABIC = next(one for one in LANGUAGES if one.code == "ar")


def uncounted(text: str) -> list[str]:
    """The places of a text that are numbers of something."""
    return [found for found in COUNTED.findall(text) if found not in NAMES]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("%(num)s more punches", ["num"]),
        ("at most %(most)s printable characters", ["most"]),
        ("terminal %(sn)s has records", []),
        ("%(num)s of them", []),
    ],
)
def test_numbers_are_found(text: str, found: list[str]) -> None:
    """A number stands before what it counts."""
    assert uncounted(text) == found


@pytest.mark.parametrize("package", packages_of_zkpush())
def test_a_text_with_a_number_has_plural_forms(package: str) -> None:
    """It is declared with `counted_phrase`, `counted_template` or `ngettext`, and `num`."""
    texts = [one for one in phrases_of(package) if isinstance(one, str)]
    assert [text for text in texts if uncounted(text)] == []


@pytest.mark.parametrize("package", packages_of_zkpush())
def test_arabic_nouns_have_the_case_of_their_number(package: str) -> None:
    """After 11 to 99 they are in the accusative, after 0 and the hundreds they are not."""
    wrong = [
        (name, texts[form])
        for name, originals, texts in entries(catalogues_of(package).read(ARABIC))
        if len(originals) > 1
        for form in (BEFORE_11, HUNDREDS)
        if ACCUSATIVE.search(texts[form])
    ]
    assert wrong == []
