"""Texts of the console that are translated when they are shown."""

from __future__ import annotations


class Phrase(str):
    """A text in English, marked for translation where it is declared.

    `Phrase("%(name)s is approved.", name="Gate")` is translated by its text; the named values are
    filled in afterwards and are never translated. A literal percent sign is written `%%` if there
    are values.
    """

    values: dict[str, object]

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
        return str.__str__(self) % self.values if self.values else str.__str__(self)

    @property
    def text(self) -> str:
        """The text as it was declared."""
        return str.__str__(self)
