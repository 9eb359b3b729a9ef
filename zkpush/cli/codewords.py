"""Codes of the protocol on the command line: a number, or its meaning in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from ..protocol.codes.code import Code
from ..protocol.suggestions import did_you_mean


class CodeParam(click.ParamType[int]):
    """A code of an enumeration, as a number or in words; returns the number."""

    name = "code"

    def __init__(self, codes: type[Code]) -> None:
        self._codes = codes

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a number or words; `click.BadParameter` says what was meant."""
        try:
            return number_of(self._codes, str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def number_of(codes: type[Code], text: str) -> int:
    """Return the number of a code; `ValueError` if the words are those of none."""
    if text.isascii() and text.isdecimal():
        return int(text)
    by_word = {code.meaning.lower(): int(code) for code in codes}
    found = by_word.get(text.strip().lower())
    if found is not None:
        return found
    meant = did_you_mean(text, [code.meaning.lower() for code in codes])
    some = meant and f" {meant.capitalize()}"
    raise ValueError(
        f"{text!r} is neither a number nor a code in words."
        f"{some or f' There are {in_words(codes)}.' if len(codes) < _FEW else some}"
    )


def in_words(codes: Iterable[Code]) -> str:
    """List codes with their words, such as `0 user, 14 super administrator`."""
    return ", ".join(f"{int(code)} {code.meaning[0].lower()}{code.meaning[1:]}" for code in codes)


_FEW = 10
"""Number of codes from which a message does not list all."""
