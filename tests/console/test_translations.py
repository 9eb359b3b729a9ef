"""Catalogues: complete, current, and in the language that they are named after."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog
from babel.support import NullTranslations
from jinja2 import Environment

from zkpush.manage.console.extraction import PackageCatalogues, catalogues_of, packages_of_zkpush
from zkpush.manage.console.formats import add_filters
from zkpush.manage.console.languages import (
    ENGLISH,
    LANGUAGES,
    PSEUDO,
    ConsoleLanguage,
    preferred,
    pseudo,
    translations_of,
)
from zkpush.manage.console.phrases import Phrase, counted_phrase
from zkpush.problems import ProblemCode, advice_phrase

from .phrases import phrases_of

PLACES = re.compile(r"%\((\w+)\)s")
CODE = re.compile(r"`[^`]*`")
SAME = frozenset(
    {
        "%(facts)s.",
        "%(field)s: %(reason)s",
        "%(label)s (`%(name)s`)",
        "%(words)s. %(more)s",
        "%(first)s %(next)s",
        "%(first)s, %(next)s",
        "%(first)s; %(next)s",
        "%(meaning)s. %(detail)s",
        "%(num)s byte",
        "%(num)s bytes",
        "%(num)s terminal",
        "%(one)s %(key)s",
        "%(value)s (%(meaning)s)",
        "%(name)s (%(meant)s)",
        "; %(meant)s",
        "ANSI",
        "Base64",
        "ISO",
        "No",
        "Normal",
        "Terminal",
        "URL",
        "ZK",
        "base64",
        "terminal %(sn)s",
        "token %(name)s",
    }
)
"""Phrases that are the same in another language."""
CASES = [
    pytest.param(package, language, id=f"{package.rpartition('.')[2]}-{language.code}")
    for package in packages_of_zkpush()
    for language in LANGUAGES
    if language is not ENGLISH
]


def entries(catalogue: Catalog) -> Iterator[tuple[str, list[str], list[str]]]:
    """The id of each entry, its originals and its translations."""
    for message in catalogue:
        if message.id:
            originals = [message.id] if isinstance(message.id, str) else [*message.id]
            texts = [message.string] if isinstance(message.string, str) else [*message.string]
            yield originals[0], originals, texts


@pytest.mark.parametrize("package", packages_of_zkpush())
def test_a_command_has_one_word_in_spanish(package: str) -> None:
    """It is "orden"; only the command line of a computer is the "línea de comandos"."""
    (spanish,) = (one for one in LANGUAGES if one.code == "es")
    texts = [text for _, _, each in entries(catalogues_of(package).read(spanish)) for text in each]
    others = [text for text in texts if "comando" in text.lower().replace("línea de comandos", "")]
    assert others == []
    assert [text for text in texts if re.search(r"(?i)\b(una|de|las) fichas?\b", text)] == []


TERMS: dict[str, tuple[str, str, str]] = {
    r"punch(es)?": ("fich", "حرك|تسجيل حضوره|يسجل أحد حضوره", "打.*卡"),
    r"fingerprints?": ("huella", "بصم", "指纹"),
    r"terminals?": ("terminal", "جهاز|أجهز", "终端"),
    r"areas?": ("área", "منطق|مناطق", "区域"),
    r"templates?": ("plantilla", "قالب|قوالب", "模板"),
    r"jobs?": ("tarea", "مهم|مهام", "任务"),
    r"rejects?|uploads? that w(as|ere) not understood": (
        "no entendid",
        "غير مفهوم|غير المفهوم",
        "无法识别",
    ),
    r"plugins?": ("complemento", "إضافة|إضافات|الإضافات|لإضافة", "插件"),
    r"forwarders?": ("reenv", "محو|مُحو|تحويل", "转发"),
    r"commands?": ("orden|órden|línea de comandos", "أمر|أوامر", "命令"),
}
"""Terms in English, as patterns, each with a pattern for the one word in Spanish, Arabic and
Chinese."""
NAMES_OF_API = re.compile(r"`[^`]*`|^\w+: |\(GET [^)]*\)|%\(\w+\)s")


@pytest.mark.parametrize(("package", "language"), CASES)
def test_each_term_has_one_word_in_a_language(package: str, language: ConsoleLanguage) -> None:
    """Sentences of different authors agree; names of commands and fields stay as they are."""
    place = LANGUAGES.index(language) - 1
    others = {
        original
        for term, words in TERMS.items()
        for original, originals, texts in entries(catalogues_of(package).read(language))
        if re.search(rf"\b{term}\b", NAMES_OF_API.sub("", originals[-1]), re.IGNORECASE)
        and re.search(words[place], texts[-1], re.IGNORECASE) is None
    }
    assert others == set()


def originals_of(package: str) -> set[str]:
    """What the templates and modules of a package say, in whatever language they are shown."""
    return {each if isinstance(each, str) else each[0] for each in phrases_of(package)}


@pytest.mark.parametrize(("package", "language"), CASES)
def test_a_catalogue_has_each_phrase_and_no_other(package: str, language: ConsoleLanguage) -> None:
    """What the templates and modules say is what the catalogue translates."""
    catalogue = catalogues_of(package).read(language)
    assert {name for name, _, _ in entries(catalogue)} == originals_of(package)


@pytest.mark.parametrize(("package", "language"), CASES)
def test_each_phrase_is_translated(package: str, language: ConsoleLanguage) -> None:
    """A translation is there, differs from the original, and keeps its places and commands."""
    catalogue = catalogues_of(package).read(language)
    for name, originals, texts in entries(catalogue):
        assert all(texts), name
        assert len(texts) == (1 if len(originals) == 1 else catalogue.num_plurals), name
        for text in texts:
            assert text not in originals or text in SAME, name
            assert set(CODE.findall(text)) == set(CODE.findall(originals[0])), name
            places = {place for each in originals for place in PLACES.findall(each)}
            assert set(PLACES.findall(text)) <= places, name
            if len(originals) == 1:
                assert set(PLACES.findall(text)) == places, name


def test_a_new_phrase_is_found(tmp_path) -> None:
    """Phrases of templates and of modules are found, with their plurals."""
    (tmp_path / "templates").mkdir()
    template = '{{ _("A  text") }}{{ ngettext("%(num)s dog", "%(num)s dogs", n) }}'
    (tmp_path / "templates" / "a.html").write_text(template)
    (tmp_path / "pages.py").write_text('TITLE = Phrase("A title %(name)s", name=1)')
    found = PackageCatalogues("dogs", tmp_path).phrases()
    assert set(found) == {"A  text", ("%(num)s dog", "%(num)s dogs"), "A title %(name)s"}


def test_the_first_catalogue_wins_and_the_others_are_joined() -> None:
    """Phrases of all packages are translated, and Arabic has its six plurals."""
    spanish = translations_of(packages_of_zkpush(), LANGUAGES[1])
    assert spanish.gettext("Save") == "Guardar"
    assert spanish.gettext("Overview") == "Resumen"
    arabic = translations_of(packages_of_zkpush(), LANGUAGES[2])
    words = ("%(num)s punch", "%(num)s punches")
    assert len({arabic.ngettext(*words, n) for n in (0, 1, 2, 3, 11)}) == 5


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "en"),
        ("de-DE,de;q=0.9", "en"),
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("ar", "ar"),
        ("zh-CN,zh;q=0.9", "zh-Hans"),
        ("fr;q=0.9,ar;q=0.8", "ar"),
        ("*", "en"),
        ("\x00,,;q=x", "en"),
    ],
)
def test_the_language_fits_the_browser(header: str | None, code: str) -> None:
    """Regions are ignored, and English is the language of all others."""
    assert preferred(header).code == code


def test_the_artificial_language_keeps_places_and_tags() -> None:
    """Only letters that a reader sees are changed."""
    text = pseudo("Hi %(name)s, 100%% &amp; <b>bold</b>")
    assert re.findall(r"[A-Za-z]+", text) == ["name", "s", "amp", "b", "b"]
    assert PSEUDO not in LANGUAGES


def test_values_of_a_text_are_data() -> None:
    """Values are neither markup nor commands, whatever a terminal has sent."""
    environment = Environment(autoescape=True)
    add_filters(environment, LANGUAGES[1], NullTranslations())
    marked = environment.filters["marked"]
    inner = counted_phrase("%(num)s day", "%(num)s days", 2)
    shown = marked({}, Phrase("`<a>` %(ago)s: %(said)s", ago=inner, said="<b>`x`"))
    assert shown == ('`&lt;a&gt;` 2 days: <bdi translate="no">&lt;b&gt;&#96;x&#96;</bdi>')
    assert str(Phrase("%(ago)s ago", ago=inner)) == "2 days ago"
    visit = SimpleNamespace(named={"<T1>": "<Gate>"}.get)
    advice = marked({"visit": visit}, advice_phrase(ProblemCode.COUNT_DIFFERS, "<T1>"))
    assert '<bdi translate="no">&lt;T1&gt;</bdi> attendance`' in advice
    asked = marked({"visit": visit}, Phrase("%(sn)s: `show %(sn)s`", sn="<T1>"))
    assert asked.startswith('<bdi translate="no" title="&lt;T1&gt;">&lt;Gate&gt;</bdi>: `show <bdi')


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        (LANGUAGES[0], ("12,345", "Sun 1 Mar 2026 12:00:07")),
        (LANGUAGES[1], ("12.345", "dom 1 mar 2026 12:00:07")),
        (LANGUAGES[3], ("12,345", "2026年3月1日 周日 12:00:07")),
    ],
    ids=lambda one: getattr(one, "code", ""),
)
def test_times_and_counts_of_a_text_are_of_the_language_and_the_zone(
    language: ConsoleLanguage, shown: tuple[str, str]
) -> None:
    """The text itself, which the API shows, has the instant in ISO 8601 and the bare number."""
    environment = Environment(autoescape=True)
    add_filters(environment, language, NullTranslations())
    visit = SimpleNamespace(zone=ZoneInfo("Asia/Dubai"))
    at = "2026-03-01T08:00:07.000Z"
    text = Phrase("%(num)s until %(at)s, code %(code)s", num=12345, at=at, code=-1003)
    marked = str(environment.filters["marked"]({"visit": visit}, text))
    assert re.sub("<[^>]*>", "", marked) == f"{shown[0]} until {shown[1]}, code -1003"
    assert str(text) == f"12345 until {at}, code -1003"
    strange = Phrase("at %(at)s", at="2026-99-01T08:00:00Z")
    assert "2026-99-01" in environment.filters["marked"]({"visit": visit}, strange)
