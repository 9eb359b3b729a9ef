"""Declared sentences: stored texts in English are recognised, with their values."""

from __future__ import annotations

import re

import pytest

from zkpush.commandreasons import COMMAND_REASONS
from zkpush.handlers.areas.reasons import PLACE_REASONS
from zkpush.handlers.audit.wording import ACTIONS, DETAILS, SUBJECTS
from zkpush.handlers.completeness.wording import COUNT_REASONS
from zkpush.handlers.forward.wording import DELIVERY_WORDS
from zkpush.phrases import Phrase
from zkpush.protocol.reasons import REASONS
from zkpush.sentences import LONGEST, SentenceList

PLACES = re.compile(r"%\((\w+)\)s")
LISTS = (
    REASONS,
    PLACE_REASONS,
    COMMAND_REASONS,
    COUNT_REASONS,
    ACTIONS,
    SUBJECTS,
    DETAILS,
    DELIVERY_WORDS,
)


@pytest.mark.parametrize("sentences", LISTS, ids=range(len(LISTS)))
def test_each_template_is_found_again(sentences: SentenceList) -> None:
    """A text of a template is recognised, and the phrase says exactly this text."""
    for template in sentences.templates:
        names: dict[str, object] = dict.fromkeys(
            ("num", "key", "code", "size", "bytes", "length", "most", "number"), 7
        )
        names |= dict.fromkeys(("first_day", "last_day"), "2026-03-01")
        values = {name: names.get(name, "X1") for name in PLACES.findall(template.text)}
        text = str(Phrase.made(template.text, values, template.plural))
        found = sentences.phrase(text)
        assert isinstance(found, Phrase), text
        assert found == text


@pytest.mark.parametrize(
    ("text", "template", "values"),
    [
        ("PIN is missing", "%(field)s is missing", {"field": "PIN"}),
        (
            "Time: 'no time' is not a time of the form YYYY-MM-DD HH:MM:SS (3 times)",
            "%(reason)s (%(num)s time)",
            {"num": 3},
        ),
        ("packet: member 2: the tar breaks off", "packet: %(reason)s", {}),
        (
            "… more parts are not understood; this is the whole body",
            "%(num)s more part is not understood; this is the whole body",
            {"num": "…"},
        ),
        (
            "1 more part is not understood; this is the whole packet",
            "%(num)s more part is not understood; this is the whole packet",
            {"num": 1},
        ),
        (
            "1 answer names no command of this terminal",
            "%(num)s answer names no command of this terminal",
            {"num": 1},
        ),
    ],
)
def test_a_reason_of_a_reject_is_recognised(
    text: str, template: str, values: dict[str, object]
) -> None:
    """Also one inside another, and one whose numbers are left out."""
    found = REASONS.phrase(text)
    assert isinstance(found, Phrase)
    assert found == text
    assert found.text == template
    assert values.items() <= dict(found.values).items()
    inner = found.values.get("reason")
    assert inner is None or isinstance(inner, Phrase)


@pytest.mark.parametrize("text", ["", "Nobody has declared this.", "x" * LONGEST + " is missing"])
def test_another_text_stays_as_it_is(text: str) -> None:
    """It is shown in English, and marked so."""
    assert not isinstance(REASONS.phrase(text), Phrase)
    assert REASONS.phrase(text) == text
