"""Texts that the console translates when it shows them; elsewhere they are English."""

from __future__ import annotations

from collections.abc import Mapping


class Phrase(str):
    """A text in English, marked for translation where it is declared.

    `Phrase("%(name)s is approved.", name="Gate")` is translated by its text; the named values are
    filled in afterwards and are never translated. A literal percent sign is written `%%` if there
    are values.
    """

    values: dict[str, object]
    plural: Phrase | None = None
    """The text for other numbers than one, chosen by the value `num`; None without a number."""

    def __new__(cls, text: str, **values: object) -> Phrase:
        """Declare a text; `values` fill its named places."""
        message = str.__new__(cls, text)
        message.values = values
        return message

    def __hash__(self) -> int:
        """Hash the text."""
        return str.__hash__(self)

    def __eq__(self, other: object) -> bool:
        """Compare the text and the values; a plain text has none."""
        values = getattr(other, "values", {})
        return str.__eq__(self, other) is True and values == self.values

    def __str__(self) -> str:
        """Return the text in English, with its values."""
        if self.plural is not None and self.values["num"] != 1:
            return str(self.plural)
        return self.filled(self.text, self.values)

    def filled(self, text: str, values: Mapping[str, object]) -> str:
        """Fill values into this text or its translation."""
        return text % values if values else text

    @property
    def text(self) -> str:
        """The text as it was declared."""
        return str.__str__(self)


def counted_phrase(one: str, many: str, num: int) -> Phrase:
    """Declare a text with a number, `%(num)s`: that for one, and that for other numbers."""
    message = Phrase(one, num=num)
    message.plural = Phrase(many, num=num)
    return message
