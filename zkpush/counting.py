"""Numbers with their nouns, in the singular or the plural."""

from __future__ import annotations

from .phrases import Phrase, counted_phrase


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun, such as `1 terminal` or `2 terminals`.

    `many` is the plural; by default, the singular with an `s`.
    """
    return f"{number} {agreeing(number, one, many)}"


def agreeing(number: int, one: str, many: str | None = None) -> str:
    """Return the word that agrees with a number, such as `is` or `are`."""
    if number == 1:
        return one
    return f"{one}s" if many is None else many


def counted_people(number: int) -> str:
    """Return a number of people."""
    return counted(number, "person", "people")


def people_phrase(number: int) -> Phrase:
    """Return a number of people, for translation."""
    return counted_phrase("%(num)s person", "%(num)s people", number)


def terminals_phrase(number: int) -> Phrase:
    """Return a number of terminals, for translation."""
    return counted_phrase("%(num)s terminal", "%(num)s terminals", number)
