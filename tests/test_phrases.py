"""Phrases: sentences with values that stay translatable after they were stored."""

from __future__ import annotations

import msgspec
import pytest
from babel.support import NullTranslations
from jinja2 import Environment

from zkpush.manage.console.formats import add_filters
from zkpush.manage.console.languages import LANGUAGES, translations_of
from zkpush.model import Problem
from zkpush.phrases import (
    A_SOCKET_FILE,
    Phrase,
    StoredPhrase,
    counted_phrase,
    in_english,
    in_series,
    listed_phrases,
    restored,
    stored_phrase,
)
from zkpush.problems import ProblemCode

PHRASES = [
    Phrase("No value, 100 %"),
    Phrase("At least %(percent)s %% of %(things)s.", percent=90, things=Phrase("users")),
    counted_phrase("%(num)s day", "%(num)s days", 1),
    counted_phrase("%(num)s day", "%(num)s days", 3),
    Phrase("It came from %(address)s.", address=A_SOCKET_FILE),
    listed_phrases([Phrase("a"), "b", 3]),
    in_series([Phrase("a"), Phrase("b")]),
]


@pytest.mark.parametrize("phrase", PHRASES, ids=str)
def test_a_stored_phrase_is_the_same_phrase_again(phrase: Phrase) -> None:
    """Its template, its values and its plural are read back, also those of phrases inside it."""
    stored = msgspec.json.decode(msgspec.json.encode(stored_phrase(phrase)), type=StoredPhrase)
    again = restored(str(phrase), stored)
    assert isinstance(again, Phrase)
    assert again == phrase
    assert stored_phrase(again) == stored_phrase(phrase)


def test_a_phrase_is_text_in_english() -> None:
    """It is joined, formatted, compared and encoded as its text."""
    phrase = Phrase("%(name)s is missing", name="PIN")
    assert f"{phrase}; {phrase}" == "; ".join([phrase, phrase]) == "PIN is missing; PIN is missing"
    assert msgspec.json.encode({"detail": phrase}, enc_hook=in_english) == (
        b'{"detail":"PIN is missing"}'
    )
    assert type(str(phrase)) is str


@pytest.mark.parametrize(
    "stored",
    [
        None,
        StoredPhrase("Its clock is %(by)s ahead.", {"by": "3 h"}),
        StoredPhrase("Its clock is %(by)s ahead."),
        StoredPhrase("Its clock is %(by)d ahead.", {"by": "2 h"}),
        StoredPhrase("Its clock is 100% %(", {"by": "2 h"}),
    ],
)
def test_a_text_that_its_phrase_does_not_say_stays_as_it_is(stored: StoredPhrase | None) -> None:
    """So an older version can change a text without knowing of the phrase beside it."""
    text = restored("Its clock is 2 h ahead.", stored)
    assert text == "Its clock is 2 h ahead."
    assert not isinstance(text, Phrase)


def test_a_stored_problem_keeps_its_phrase_and_an_old_one_its_text() -> None:
    """The detail is stored in English, as before, and its phrase beside it."""
    detail = Phrase("Its clock is %(by)s ahead of the server's.", by="2 h")
    problem = Problem(ProblemCode.CLOCK_WRONG, detail, 5)
    encoded = msgspec.json.encode(problem, enc_hook=in_english)
    assert msgspec.json.decode(encoded)["detail"] == "Its clock is 2 h ahead of the server's."
    again = msgspec.json.decode(encoded, type=Problem)
    assert again == problem
    assert isinstance(again.detail, Phrase)
    old = msgspec.json.decode(b'{"code":"x","detail":"As it was.","since_at":5}', type=Problem)
    assert old == Problem("x", "As it was.", 5)
    assert not isinstance(old.detail, Phrase)


def test_the_console_translates_a_phrase_and_all_phrases_in_it() -> None:
    """Values stay as they are, and are isolated from the direction of the text."""
    environment = Environment(autoescape=True)
    translations = translations_of(["zkpush.manage.console"], LANGUAGES[1])
    assert type(translations) is not NullTranslations
    add_filters(environment, LANGUAGES[1], translations)
    marked = environment.filters["marked"]
    first = Phrase(
        "Requests come from %(first)s and %(second)s in turns.",
        first="192.0.2.1",
        second=A_SOCKET_FILE,
    )
    assert marked({}, first) == (
        'Llegan peticiones alternadas desde <bdi translate="no">192.0.2.1</bdi> y un archivo de '
        "socket."
    )
