"""Forms of a person, and the stored values as their texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...manage.console.days import wall_time
from ...manage.console.phrases import Phrase
from ...phrases import listed_phrases, two_sentences
from .showing import TEXT_FIELDS


class NewPersonQuery(msgspec.Struct, frozen=True):
    """What is entered beforehand."""

    pin: Annotated[str, Meta(max_length=100)] = ""


class PersonForm(msgspec.Struct, frozen=True):
    """Fields of a person."""

    name: str = ""
    card: str = ""
    vice_card: str = ""
    privilege: str = ""
    group: str = ""
    start_datetime: str = ""
    end_datetime: str = ""
    password: str = ""
    areas: list[str] = []
    typed_areas: str = ""
    """Names of areas with commas between them, where there are too many to tick."""


class NewPersonForm(PersonForm, frozen=True, kw_only=True):
    """A new person."""

    pin: str


def shown_texts(person: Any) -> dict[str, str]:
    """Return the stored values as texts of the form."""
    return {
        name: "" if getattr(person, name) is None else str(getattr(person, name))
        for name in TEXT_FIELDS
    }


def entered_texts(form: PersonForm) -> dict[str, str]:
    """Return the entered texts; an empty password leaves it as it is."""
    texts = {name: getattr(form, name) for name in TEXT_FIELDS}
    texts |= {name: wall_time(texts[name]) for name in ("start_datetime", "end_datetime")}
    return {**texts, "password": form.password} if form.password else texts


def saved_phrase(idle: Sequence[str]) -> Phrase:
    """Say that a person is saved, and which areas do not send the person to terminals."""
    saved = Phrase("Saved.")
    if not idle:
        return saved
    text = Phrase(
        "These areas do not send people to terminals: %(areas)s. Switch that on on the page of the "
        "area.",
        areas=listed_phrases(idle),
    )
    return two_sentences(saved, text)
