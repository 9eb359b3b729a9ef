"""Names of fields of the protocol in words, for readers of what was not understood."""

from __future__ import annotations

from collections.abc import Mapping

from ...manage.console.phrases import Phrase

FIELD_WORDS: Mapping[str, Phrase] = {
    "Time": Phrase("Time"),
    "Pin": Phrase("User ID"),
    "PIN": Phrase("User ID"),
    "Status": Phrase("Attendance state"),
    "Verify": Phrase("Way of verification"),
    "Name": Phrase("Name"),
    "Card": Phrase("Card number"),
}
"""Fields that people know, by their names on the wire."""


def in_words(reason: str) -> str:
    """Return the reason of a reject with names of fields in words."""
    if not isinstance(reason, Phrase):
        return reason
    values = {
        name: FIELD_WORDS.get(str(value), value) if name == "field" else in_words_of(value)
        for name, value in reason.values.items()
    }
    return Phrase.made(reason.text, values, reason.plural)


def in_words_of(value: object) -> object:
    """Return a value of a reason with names of fields in words."""
    return in_words(value) if isinstance(value, Phrase) else value
