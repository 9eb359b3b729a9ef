"""Languages of the console, and their catalogues.

Theory of operation. Each package with pages may have a folder `translations` with a file in the PO
format for each language, such as `es.po`. The files are read when a language is first used, and
joined: those of the console first, then those of the capabilities in their order. Nothing is
compiled beforehand. `PSEUDO` is an artificial language for tests: each message of the catalogues is
shown in brackets and with changed letters, so that a text that is not translated is easy to see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from io import BytesIO

import attrs
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import get_decimal_symbol
from babel.support import NullTranslations, Translations
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header


@attrs.frozen
class ConsoleLanguage:
    """A language of the console."""

    code: str
    """Code of the language (BCP 47), which is the name of its catalogues."""
    name: str
    """Name of the language in itself."""
    locale: str
    """Locale of numbers and dates."""
    is_rtl: bool = False

    @property
    def direction(self) -> str:
        """Direction of the text, as in the attribute `dir`."""
        return "rtl" if self.is_rtl else "ltr"

    @property
    def has_decimal_commas(self) -> bool:
        """Whether numbers are written with a decimal comma."""
        return get_decimal_symbol(self.locale) == ","


ENGLISH = ConsoleLanguage("en", "English", "en_GB")
LANGUAGES: Sequence[ConsoleLanguage] = (
    ENGLISH,
    ConsoleLanguage("es", "Español", "es"),
    ConsoleLanguage("ar", "العربية", "ar", is_rtl=True),
    ConsoleLanguage("zh-Hans", "简体中文", "zh_Hans_CN"),
)
"""The languages that people can choose."""
PSEUDO = ConsoleLanguage("en-XA", "[Ṕšéüðö]", "en_GB")
_BY_CODE = {one.code: one for one in (*LANGUAGES, PSEUDO)}
_FOLDER = "translations"
_PLACES = re.compile(r"(%\(\w+\)[sd]|%%|<[^<>]*>|&\w+;)")
_LETTERS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "áƀçðéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýžÅƁÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽ",
)


def language_of(code: str | None) -> ConsoleLanguage | None:
    """Return the language of a code; None if there is none."""
    return None if code is None else _BY_CODE.get(code)


def preferred(header: str | None) -> ConsoleLanguage:
    """Return the language that fits an `Accept-Language` header best; English if none does."""
    accepted = parse_accept_header(header, LanguageAccept)
    # Regions choose the script of Chinese only implicitly, and there is one script here.
    found = accepted.best_match(["en", "es", "ar", "zh-Hans", "zh"], default="en")
    return language_of("zh-Hans" if found == "zh" else found) or ENGLISH


def translations_of(packages: Iterable[str], language: ConsoleLanguage) -> NullTranslations:
    """Read and join the catalogues of packages in a language; blocks.

    The first package that translates a message wins.
    """
    if language is PSEUDO:
        return _Pseudo(translations_of(packages, LANGUAGES[1]))
    joined: NullTranslations = NullTranslations()
    for package in reversed([*packages]):
        file = files(package) / _FOLDER / f"{language.code}.po"
        if file.is_file():
            with file.open("rb") as opened:
                found = _compiled(read_po(opened, locale=language.locale))
            if isinstance(joined, Translations):
                joined.merge(found)
            else:
                joined = found
    return joined


def _compiled(catalogue: Catalog) -> Translations:
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(fp=compiled)


class _Pseudo(NullTranslations):
    """Translations into the artificial language, of what a real catalogue translates."""

    def __init__(self, known: NullTranslations) -> None:
        super().__init__()
        self._known: Mapping[object, str] = getattr(known, "_catalog", {})

    def gettext(self, message: str) -> str:
        """Mark a message."""
        return pseudo(message) if message in self._known else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Mark a message with a number."""
        text = msgid1 if n == 1 else msgid2
        return pseudo(text) if (msgid1, 0) in self._known else text

    ugettext = gettext
    ungettext = ngettext


def pseudo(message: str) -> str:
    """Translate a message into the artificial language; places, tags and entities stay."""
    parts = _PLACES.split(message)
    changed = [
        part if number % 2 else part.translate(_LETTERS) for number, part in enumerate(parts)
    ]
    return f"⟦{''.join(changed)}⟧"
