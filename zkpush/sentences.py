"""Declared sentences, found again in texts that are stored as English only.

Theory of operation. Reasons of rejects, and why a part of a person does not fit, are made by the
readers of the wire, one for each damaged line, and are stored, compared, counted and shown through
the API as texts. They come from closed lists of templates. The console finds the template of a
stored text and its values, and translates them, also those of texts that older versions stored. A
text of no template is shown in English. Everything else is stored with its phrase; see
`zkpush.phrases`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .phrases import Phrase

LONGEST = 500
"""Characters of the longest text that is looked at. The time of a template with several places
grows faster than the text."""
_PLACE = re.compile(r"%\((\w+)\)s")
_INNER = frozenset({"reason", "also"})
"""Places of a sentence of the same list."""
_WORDS = frozenset({"form", "kind"})
"""Places of a text that the catalogues translate."""
_DECLARED = {"client": frozenset({"console"})}
"""Texts of places that the catalogues translate; others are data."""
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_FORMS = {
    "field": "[A-Za-z0-9_]{1,64}",
    "num": "[0-9…]+",
    "first_day": _DAY,
    "last_day": _DAY,
}
"""Patterns of the values of places; of others, any text."""


class SentenceList:
    """Declared templates; the first that fits a text is its own, so special ones stand first.

    One that is declared with `counted_phrase` fits with both of its texts.
    """

    def __init__(self, templates: Iterable[Phrase]) -> None:
        self.templates = tuple(templates)
        self._patterns = [
            (template, re.compile(_pattern(text), re.DOTALL))
            for template in self.templates
            for text in (template.text, template.plural)
            if text is not None
        ]

    def phrase(self, text: str) -> str:
        """Return the phrase of a text; the text itself if no template fits."""
        if len(text) > LONGEST:
            return text
        for template, pattern in self._patterns:
            found = pattern.fullmatch(text)
            if found is not None:
                values = {name: self._value(name, said) for name, said in found.groupdict().items()}
                if template.plural is not None and (num := str(values["num"])).isdecimal():
                    values["num"] = int(num)
                return Phrase.made(template.text, values, template.plural)
        return text

    def _value(self, name: str, said: str) -> object:
        if name in _INNER:
            return self.phrase(said)
        is_declared = name in _WORDS or said in _DECLARED.get(name, ())
        return Phrase.made(said, {}) if is_declared else said


def _pattern(template: str) -> str:
    """Return a pattern for the texts of a template."""
    parts = _PLACE.split(template)
    literal = [re.escape(part.replace("%%", "%")) for part in parts]
    return "".join(
        f"(?P<{part}>{_FORMS.get(part, '.+?')})" if number % 2 else literal[number]
        for number, part in enumerate(parts)
    )
