"""Texts that the console translates when it shows them; elsewhere they are English.

Theory of operation. A sentence with values is a `Phrase`: the sentence in English, which keeps the
template and the values that it was made of. The API, the command line, the log and events use it as
any other text. The console looks the template up in the catalogue of its language and fills the
values in afterwards. Where a sentence is stored, a `StoredPhrase` is stored beside it; a sentence
of a version that stored none is shown in English.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import msgspec


class Phrase(str):
    """A text in English, marked for translation where it is declared.

    `Phrase("%(name)s is approved.", name="Gate")` is the text `Gate is approved.`; it is translated
    by its template, and the named values are filled in afterwards and are never translated, unless
    they are phrases themselves. A literal percent sign is written `%%` if there are values.
    """

    text: str
    """The text as it was declared: the template."""
    values: Mapping[str, object]
    plural: str | None
    """The template for other numbers than one, chosen by the value `num`; None without a number."""

    def __new__(cls, text: str, /, **values: object) -> Self:
        """Declare a text; `values` fill its named places."""
        return cls.made(text, values)

    @classmethod
    def made(cls, text: str, values: Mapping[str, object], plural: str | None = None) -> Self:
        """Make a text of a template, its values, and the template for other numbers than one."""
        template = text if plural is None or values["num"] == 1 else plural
        phrase = str.__new__(cls, cls.filled(template, values))
        phrase.text, phrase.values, phrase.plural = text, values, plural
        return phrase

    @staticmethod
    def filled(text: str, values: Mapping[str, object]) -> str:
        """Fill values into a template or its translation."""
        return text % values if values else text


def counted_phrase(one: str, many: str, num: int, **values: object) -> Phrase:
    """Declare a text with a number, `%(num)s`: that for one, and that for other numbers."""
    return Phrase.made(one, {"num": num, **values}, many)


def counted_template(one: str, many: str) -> Phrase:
    """Declare the texts of `counted_phrase` without values, for a list of sentences."""
    template = Phrase(one)
    template.plural = many
    return template


LISTED = Phrase("%(first)s, %(next)s")
"""Two items of a list."""


def listed_phrases(parts: Sequence[object]) -> Phrase:
    """Join texts by commas, or what a language uses instead."""
    *before, last = parts or [Phrase.made("", {})]
    if not before:
        return last if isinstance(last, Phrase) else Phrase.made("%(part)s", {"part": last})
    return Phrase.made(LISTED.text, {"first": listed_phrases(before), "next": last})


def terminal_phrase(sn: str) -> Phrase:
    """Return a text that is a terminal, which the console shows by its name."""
    return Phrase.made("%(sn)s", {"sn": sn})


def either_of(parts: Sequence[object]) -> Phrase:
    """Join texts by the word for a choice."""
    *before, last = parts
    if not before:
        return last if isinstance(last, Phrase) else Phrase.made("%(part)s", {"part": last})
    return Phrase("%(first)s or %(next)s", first=either_of(before), next=last)


def in_series(parts: Sequence[object]) -> Phrase:
    """Join texts by semicolons."""
    *before, last = parts or [Phrase.made("", {})]
    if not before:
        return last if isinstance(last, Phrase) else Phrase.made("%(part)s", {"part": last})
    return Phrase("%(first)s; %(next)s", first=in_series(before), next=last)


def with_more(listed: str, num: int) -> Phrase:
    """Add to a list that it has more items."""
    return Phrase("%(listed)s and %(num)s more", listed=listed, num=num)


def two_sentences(first: str, second: str) -> Phrase:
    """Write a sentence behind another one."""
    return Phrase("%(first)s %(next)s", first=first, next=second)


def sentences(texts: Sequence[Phrase]) -> Phrase:
    """Write sentences behind each other."""
    *before, last = texts
    return two_sentences(sentences(before), last) if before else last


A_SOCKET_FILE = Phrase("a socket file")
"""The address of requests that come by a Unix socket."""


def words_of(error: BaseException) -> str:
    """Return the message of an error: a phrase if it was made of one."""
    if len(error.args) == 1 and isinstance(error.args[0], str):
        return error.args[0]  # `str` would lose the phrase, and quote that of a `KeyError`
    return str(error)


class StoredPhrase(msgspec.Struct, frozen=True, omit_defaults=True):
    """A phrase as it is stored, beside its text in English."""

    text: str
    values: dict[str, StoredPhrase | int | float | str | None] = {}
    plural: str | None = None


def stored_phrase(text: str | None) -> StoredPhrase | None:
    """Return what is stored of a text; None if it is no phrase."""
    if not isinstance(text, Phrase):
        return None
    values = {name: _stored_value(value) for name, value in text.values.items()}
    return StoredPhrase(text.text, values, text.plural)


def _stored_value(value: object) -> StoredPhrase | int | float | str | None:
    if isinstance(value, Phrase):
        return stored_phrase(value)
    return value if value is None or isinstance(value, int | float) else str(value)


def restored(text: str, stored: StoredPhrase | None) -> str:
    """Return a stored text as the phrase that it was; the text itself if that was another one.

    They differ if a version that knows no phrases has changed the text.
    """
    if stored is None:
        return text
    try:
        phrase = _made_again(stored)
    except (KeyError, TypeError, ValueError):
        return text
    return phrase if phrase == text else text


def _made_again(stored: StoredPhrase) -> Phrase:
    values = {
        name: _made_again(value) if isinstance(value, StoredPhrase) else value
        for name, value in stored.values.items()
    }
    return Phrase.made(stored.text, values, stored.plural)


def in_english(value: Any) -> str:
    """Encode a phrase in JSON, as its text; a hook for `msgspec`."""
    if isinstance(value, Phrase):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} is not encoded in JSON")
