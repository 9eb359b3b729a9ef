"""Base of code numbers: a meaning in words, and unknown numbers that are kept."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import ClassVar, NamedTuple, Self

_LONG = 10
"""Number of digits from which a text is not a code."""


class Word(NamedTuple):
    """A code that is a text, with its meaning in words."""

    text: str
    meaning: str


class Code(IntEnum):
    """A code number of the protocol, with its meaning in words.

    Members are written `NAME = number, "Meaning"`, in a class that names what a number is: `class
    Operation(Code, noun="Operation")`. A code is an `int` and compares as one.

    Firmware is newer than any specification, so every number is a code: a number that is not a
    member is kept, is named UNKNOWN, and means `Operation 77 (unknown)`. Such a code is created on
    each call and never becomes a member, so no terminal can fill the memory with them; compare
    codes with `==`. Only a value that is not an integer raises `ValueError`.
    """

    noun: ClassVar[str]
    meaning: str

    def __init_subclass__(cls, *, noun: str) -> None:
        super().__init_subclass__()
        cls.noun = noun

    def __new__(cls, value: int, meaning: str = "") -> Self:
        """Create a member; the enumeration is then called with the number alone."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int):
            return None
        kept = int.__new__(cls, value)
        kept._name_ = "UNKNOWN"
        kept._value_ = int(value)
        kept.meaning = f"{cls.noun} {kept._value_} (unknown)"
        return kept

    @property
    def known(self) -> bool:
        """Whether this is a member, with a meaning of its own."""
        return self.name in type(self).__members__


class CodesAndWord:
    """A code table with one more code, which is no member of the enumeration."""

    def __init__(self, codes: type[Code], word: Word) -> None:
        """`word` is the further code; its text is a number."""
        self._codes = codes
        self._word = word

    def __call__(self, value: int) -> Code | Word:
        """Return a code with its meaning."""
        return self._word if str(value) == self._word.text else self._codes(value)

    def __iter__(self) -> Iterator[Code | Word]:
        """Iterate over all codes that have a meaning."""
        yield self._word
        yield from self._codes


class NumberCodes:
    """Code table of a text field that normally holds numbers of an enumeration."""

    def __init__(self, codes: type[Code]) -> None:
        self._codes = codes

    def __call__(self, text: str) -> Code | Word:
        """Return a code with its meaning."""
        if text.isdecimal() and text.isascii() and len(text) < _LONG:
            return self._codes(int(text))
        return Word(text, f"{self._codes.noun} {text} (unknown)")

    def __iter__(self) -> Iterator[Code]:
        """Iterate over all codes that have a meaning."""
        return iter(self._codes)


class Words:
    """Code table of texts."""

    def __init__(self, *words: Word) -> None:
        self._words = {one.text: one for one in words}

    def __call__(self, text: str) -> Word:
        """Return a text with its meaning; another text means itself."""
        return self._words.get(text, Word(text, text))

    def __iter__(self) -> Iterator[Word]:
        """Iterate over all texts that have a meaning."""
        yield from self._words.values()


class Flag(Code, noun="Flag"):
    """Answer to a question."""

    NO = 0, "No"
    YES = 1, "Yes"
