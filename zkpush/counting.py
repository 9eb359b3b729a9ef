"""Numbers with their nouns, in the singular or the plural."""

from __future__ import annotations


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
