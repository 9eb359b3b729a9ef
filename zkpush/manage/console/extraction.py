"""Find the phrases of packages, and keep their catalogues up to date.

    python -m zkpush.manage.console.extraction PACKAGE…

Without a package, those of zkpush are taken. Each package has a catalogue in `translations` for
each language. It holds the phrases of its templates (`_`, `ngettext`) and of its modules
(`Phrase`). That of the console also has those of the engines, and the meanings that are
declared elsewhere. Entries are sorted, so that two people who add phrases rarely conflict. A phrase
that another package has translated is taken from there; new ones are left empty, and the console
shows them in English.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import attrs
import msgspec
from babel.messages.catalog import Catalog
from babel.messages.extract import extract, extract_python
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from ...config import Config, meaning
from ...device.refusals import Refusal
from ...endings import EndReason
from ...problems import ProblemCode
from ...protocol.codes import (
    AttendanceState,
    BiometricType,
    KeyFunction,
    Language,
    Mask,
    Privilege,
    VerificationMode,
)
from ...protocol.codes.returns import return_meanings
from ...protocol.exchange import OPTION_REPLY
from ...protocol.fields import Command
from ...values.devicewords import ENCRYPTION_WORDS, TOKEN_WORDS
from .languages import ENGLISH, LANGUAGES, ConsoleLanguage
from .phrases import UNTRANSLATED

OWN = "zkpush.manage.console"
NOUNS = "zkpush.handlers"
_KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "Phrase": (1,),
    "counted_phrase": (1, 2),
    "counted_template": (1, 2),
}
_OPTIONS = {
    "extensions": "jinja2.ext.do",
    "trimmed": "true",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
}

Found = str | tuple[str, str]
"""A phrase, or its singular and plural."""


@attrs.frozen
class PackageCatalogues:
    """The catalogues of one package."""

    package: str
    folder: Path

    def phrases(self) -> list[Found]:
        """Return the phrases of the package, sorted."""
        found: set[Found] = set()
        for file in sorted(self.folder.rglob("*.html")):
            found.update(_extracted(babel_extract, file, _OPTIONS))
        for file in self._modules():
            found.update(_extracted(extract_python, file, {}))
        if self.package == OWN:
            found.update(declared_phrases())
        return sorted(found, key=lambda each: each if isinstance(each, str) else each[0])

    def _modules(self) -> Iterator[Path]:
        """Iterate over the modules that declare phrases, sorted.

        Those of the engines, and of nouns without pages, belong to the console.
        """
        if self.package != OWN:
            yield from sorted(self.folder.rglob("*.py"))
            return
        others = [_folder(name) for name in packages_of_zkpush() if name != OWN]
        for file in sorted(_folder("zkpush").rglob("*.py")):
            if not any(file.is_relative_to(other) for other in others):
                yield file

    def path(self, language: ConsoleLanguage) -> Path:
        """Return the file of a catalogue."""
        return self.folder / "translations" / f"{language.code}.po"

    def read(self, language: ConsoleLanguage) -> Catalog:
        """Read a catalogue; an empty one if there is no file."""
        file = self.path(language)
        if not file.exists():
            return Catalog(locale=language.locale)
        with file.open("rb") as opened:
            return read_po(opened, locale=language.locale)

    def update(self, language: ConsoleLanguage, known: Mapping[str, object]) -> int:
        """Write a catalogue with the present phrases; return the number without translation.

        `known` are translations of other packages.
        """
        before = self.read(language)
        catalogue = Catalog(locale=language.locale, fuzzy=False)
        missing = 0
        for phrase in self.phrases():
            old = before.get(phrase if isinstance(phrase, str) else phrase[0])
            key = phrase if isinstance(phrase, str) else phrase[0]
            count = 1 if isinstance(phrase, str) else catalogue.num_plurals
            text: object = None if old is None else old.string
            if not _is_whole(text, phrase, count):
                text = known.get(key)
            if not _is_whole(text, phrase, count):
                text, missing = None, missing + 1
            catalogue.add(phrase, text)  # type: ignore[arg-type]  # of the same shape
        file = self.path(language)
        file.parent.mkdir(exist_ok=True)
        with file.open("wb") as opened:
            write_po(opened, catalogue, omit_header=True, sort_output=True, width=96)
        return missing


def declared_phrases() -> Iterator[str]:
    """Return the meanings that the console shows, and that are declared without it."""
    for problem in ProblemCode:
        yield problem.meaning
        yield problem.advice
    for reason in EndReason:
        yield reason.words
    for refusal in Refusal:
        if refusal.words != f"limits.{refusal.value}":
            yield refusal.words
    yield from return_meanings()
    for command in _commands():
        yield from _command_phrases(command)
    for codes in (
        AttendanceState,
        VerificationMode,
        Mask,
        Privilege,
        BiometricType,
        KeyFunction,
        Language,
    ):
        for code in codes:
            yield code.meaning
    for words in (ENCRYPTION_WORDS, TOKEN_WORDS):
        yield from words.values()
    yield from _setting_meanings(Config)
    for field in OPTION_REPLY.fields:
        if field.stored:
            yield field.meaning


def _setting_meanings(section: type[msgspec.Struct]) -> Iterator[str]:
    for field in msgspec.structs.fields(section):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from _setting_meanings(field.type)
        else:
            yield meaning(section, field.name)


def _command_phrases(command: Command) -> Iterator[str]:
    yield command.meaning
    for rule in command.scope_rules:
        yield rule.meaning
    for field in command.parameters:
        yield field.meaning
        if field.label:
            yield field.label
        yield field.kind.title
        if field.form:
            yield field.form
        if field.name not in UNTRANSLATED:
            yield from field.coded_values().values()


def _commands() -> Iterator[Command]:
    """Generate the commands that the nouns declare."""
    for noun in iter_modules(import_module(NOUNS).__path__, f"{NOUNS}."):
        if (_folder(noun.name) / "tables.py").exists():
            yield from getattr(import_module(f"{noun.name}.tables"), "COMMANDS", ())


def packages_of_zkpush() -> list[str]:
    """Return the packages of zkpush that have pages."""
    nouns = iter_modules(import_module(NOUNS).__path__, f"{NOUNS}.")
    return [OWN, *(one.name for one in nouns if _has_pages(_folder(one.name)))]


def catalogues_of(package: str) -> PackageCatalogues:
    """Return the catalogues of a package."""
    return PackageCatalogues(package, _folder(package))


def _folder(package: str) -> Path:
    return Path(import_module(package).__path__[0])


def _has_pages(folder: Path) -> bool:
    return (folder / "pages.py").exists()


def _extracted(method: object, file: Path, options: Mapping[str, str]) -> Iterator[Found]:
    if file.suffix == ".py" and b"hrase" not in file.read_bytes():
        return
    with file.open("rb") as opened:
        found = extract(method, opened, _KEYWORDS, options=options)  # type: ignore[arg-type]
        for _, message, _, _ in found:
            yield message if isinstance(message, str) else (message[0], message[1])


def _is_whole(text: object, phrase: Found, count: int) -> bool:
    """Whether a translation is there, in as many forms as the phrase has in the language."""
    if isinstance(phrase, str):
        return isinstance(text, str) and bool(text)
    return isinstance(text, tuple | list) and all(text) and len(text) >= count


def main(packages: Sequence[str]) -> int:
    """Update the catalogues; the exit status is 1 if a phrase has no translation."""
    missing = 0
    all_of_them = [catalogues_of(name) for name in packages or packages_of_zkpush()]
    for language in LANGUAGES:
        if language is ENGLISH:
            continue
        known: dict[str, object] = {}
        for one in all_of_them:
            for message in one.read(language):
                texts = (
                    (message.string,)
                    if isinstance(message.string, str)
                    else message.string or ("",)
                )
                if message.id and all(texts):
                    key = message.id if isinstance(message.id, str) else message.id[0]
                    known.setdefault(key, message.string)
        for one in all_of_them:
            count = one.update(language, known)
            missing += count
            if count:
                print(f"{one.path(language)}: {count} without translation")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
