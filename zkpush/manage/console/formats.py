"""Filters of templates: instants, numbers and texts in the language of the visit."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import attrs
import jinja2
from babel import dates, lists, numbers, units
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from ...pathparts import path_part
from .actors import actor_phrase
from .days import for_picker
from .languages import ConsoleLanguage
from .pages import PREFIX
from .permissions import permission_of
from .phrases import Phrase
from .tablewords import COMMAND, TABLE, TABLE_WORDS
from .visits import Visit
from .ways import is_command, way_of

MINUTE, HOUR, DAY = 60, 3600, 86_400
TERMINALS = frozenset({"sn", "device", "successor"})
"""Names of the values of a phrase that are serial numbers."""
DATES = frozenset({"day", "first_day", "last_day", "time"})
"""Names of the values of a phrase that are shown as dates; others may be typed as they are."""
COUNT = "num"
"""Name of the value of a phrase that is a count; other integers may be codes."""
MANY = 100
"""Number whose form has a count that is not known exactly."""
_ON_SERVER = Phrase("the command %(command)s on the server")
_SENTENCE_ENDS = (".", "!", "?")
_TWO_MINUTES = datetime.timedelta(minutes=2)
LABELLED = 3
"""Least number of columns of a table that is shown as cards on a phone."""
_CELL = re.compile(r"(<t[dh]\b)")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?Z")
"""An instant in a phrase, as the API writes it."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WALL = re.compile(_DAY.pattern + r"(?: [0-9]{2}:[0-9]{2}(:[0-9]{2})?)?")
"""A day, or a time of a wall clock, in a phrase."""


@attrs.frozen
class DateForms:
    """Patterns of dates (Unicode TR 35): one for each language, so that no page has two forms."""

    day: str = "EEE d MMM y"
    month: str = "LLLL y"

    def instant(self, *, seconds: bool = True) -> str:
        """Return the pattern of a day with a time."""
        return f"{self.day} {'HH:mm:ss' if seconds else 'HH:mm'}"


DATE_FORMS: Mapping[str, DateForms] = {"zh-Hans": DateForms("y年M月d日 EEE", "y年M月")}
"""Patterns of languages that begin a date with the year, by code."""


def add_filters(
    environment: jinja2.Environment,
    language: ConsoleLanguage,
    translate: Any,
    commands: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Add the filters for a language; `translate` are its translations."""
    locale = language.locale
    forms = DATE_FORMS.get(language.code, DateForms())

    def said(text: Any) -> Any:
        """Translate a text that is declared in Python; what is translated already stays."""
        if hasattr(text, "__html__"):
            return text
        if not isinstance(text, Phrase):
            return (
                str(translate.gettext(text)) if isinstance(text, str) and text else str(text or "")
            )
        return text.filled(
            _found(text), {name: _plain(name, value) for name, value in text.values.items()}
        )

    @pass_context
    def marked(context: Context, text: Any, linked: bool = False) -> Markup:
        """Translate a text, and mark its values as data, whose direction is their own.

        Instants among the values are shown in the zone of the visit, days in its language, counts
        with separators, and terminals by their names, but in commands, which stand in backticks.
        With `linked`, names of terminals are links.
        """
        if not isinstance(text, Phrase):
            return escape(said(text))
        values = {name: _marked(context, name, value) for name, value in text.values.items()}
        named = {
            name: _terminal(context, value, linked) if name in TERMINALS else values[name]
            for name, value in text.values.items()
        }
        parts = str(escape(_found(text))).split("`")
        filled = [
            text.filled(part, values if number % 2 else named) for number, part in enumerate(parts)
        ]
        return Markup("`".join(filled))  # noqa: S704 - escaped parts

    def _marked(context: Context, name: str, value: object) -> object:
        if isinstance(value, Phrase):
            return marked(context, value)
        if value is None or isinstance(value, int):
            return _plain(name, value)
        text = str(value)
        if name == TABLE and text in TABLE_WORDS:
            return Markup("{} ({})").format(said(TABLE_WORDS[text]), _data(text))
        if name == COMMAND and text in commands:
            return Markup("“{}” ({})").format(said(commands[text]), _data(text))
        at = _milliseconds(text) if _INSTANT.fullmatch(text) else None
        if at is not None:
            return instant(context, at, seconds=True)
        wall = _wall_time(text) if name in DATES else None
        if wall is not None:
            is_day = _DAY.fullmatch(text) is not None
            return wall_day(wall) if is_day else wall_instant(wall, text.count(":") > 1)
        return _data(text)

    def _terminal(context: Context, sn: object, linked: bool) -> object:
        """Return the name of a terminal as data, with its serial number as a hint."""
        visit: Visit = context["visit"]
        name = None if sn is None else visit.named(str(sn))
        if name is None:
            return _marked(context, "", sn)
        shown = Markup('<bdi translate="no" title="{}">{}</bdi>').format(str(sn), name)
        path = f"{PREFIX}/terminals/{path_part(str(sn))}"
        return Markup('<a href="{}">{}</a>').format(path, shown) if linked else shown

    @pass_context
    def actor(context: Context, text: str, linked: bool = False) -> Markup:
        """Show who did something; with `linked`, the name of a terminal is a link."""
        found = actor_phrase(text)
        return marked(context, found, linked) if isinstance(found, Phrase) else _data(text)

    def _found(text: Phrase) -> str:
        """Translate a text without its values."""
        if not text.text:
            return ""  # the catalogue would return its header
        if text.plural is None:
            return str(translate.gettext(text.text))
        count = text.values[COUNT]
        return str(
            translate.ngettext(text.text, text.plural, count if isinstance(count, int) else MANY)
        )

    def _plain(name: str, value: object) -> object:
        if name == COUNT and isinstance(value, int):
            return number(value)
        return said(value) if isinstance(value, Phrase) else value

    @pass_context
    def coded(context: Context, text: Markup | str) -> Markup:
        """Show what stands in backticks: in place of each command, what the console has for it.

        That is a noun with a name, such as the page “Conflicts”, as a command is in its sentence.
        What has come before in the text is referred to.
        """
        shown: set[str] = set()
        parts: list[Markup] = []
        for number, part in enumerate(escape(text).split("`")):
            if number % 2:
                before = Markup("").join(parts).striptags()
                part = _command(context, part, shown)
                if not before or before.endswith(_SENTENCE_ENDS):
                    part = Markup(part[0].upper() + part[1:])  # noqa: S704 - of Markup
            parts.append(part)
        return Markup("").join(parts)

    def _command(context: Context, part: Markup, shown: set[str]) -> Markup:
        """Return what stands for a text in backticks; `shown` are the names before."""
        code = Markup('<code dir="ltr">{}</code>').format(part)
        text = part.striptags()
        if not is_command(text):
            return code
        found = way_of(text)
        if found is None:
            return _noun(_ON_SERVER, command=code)
        (way, path), visit = found, context["visit"]
        label = said(way.label)
        if label in shown:
            return escape(said(way.place.again))
        shown.add(label)
        if not (visit.allows(way.scope) and visit.reaches(path)):
            return _noun(way.place.named, label=Markup("<em>{}</em>").format(label))
        link = Markup('<a href="{}{}">{}</a>').format(PREFIX, path, label)
        return _noun(way.place.named, label=link)

    def _noun(phrase: Phrase, **values: Markup) -> Markup:
        """Translate a phrase, whose values are escaped already."""
        return escape(_found(phrase)) % values

    @pass_context
    def instant(context: Context, at: int | None, seconds: bool = False) -> Markup:
        """Show an instant (ms) in the zone of the visit."""
        if at is None:
            return Markup("")
        return _dated(_moment(at, context), seconds)

    @pass_context
    def day(context: Context, at: int | None) -> Markup:
        """Show the date of an instant (ms)."""
        if at is None:
            return Markup("")
        moment = _moment(at, context)
        return _time(moment, dates.format_date(moment, forms.day, locale=locale))

    @pass_context
    def ago(context: Context, at: int | None) -> Markup:
        """Show how long ago an instant (ms) was."""
        if at is None:
            return Markup("")
        moment = _moment(at, context)
        ahead = at - context["now"]
        # What happened this moment is past: it does not come "in 0 seconds".
        passed = datetime.timedelta(milliseconds=-1 if 0 <= ahead < 1000 else ahead)
        # From a minute on in minutes, as elsewhere; larger units only when they are well filled.
        threshold = 1.0 if abs(passed) < _TWO_MINUTES else 1.2
        text = dates.format_timedelta(
            passed, add_direction=True, locale=locale, threshold=threshold, granularity="second"
        )
        return _time(moment, text, dates.format_datetime(moment, forms.instant(), locale=locale))

    def labelled(rows: Markup, columns: Sequence[Any]) -> Markup:
        """Give the cells of rows the names of their columns."""
        if len(columns) < LABELLED:
            return rows
        labels = [f' data-label="{escape(said(column))}"' for column in columns]
        marked_rows = (_with_labels(row, labels) for row in str(rows).split("<tr"))
        return Markup("<tr".join(marked_rows))  # noqa: S704 - rows of a template

    def duration(seconds: int) -> str:
        """Show a length of time in whole seconds, by its two largest units."""
        parts = []
        for unit, one in (("day", DAY), ("hour", HOUR), ("minute", MINUTE), ("second", 1)):
            count, seconds = divmod(seconds, one)
            if count:
                parts.append(units.format_unit(count, f"duration-{unit}", locale=locale))
        return lists.format_list(parts[:2], style="unit", locale=locale)

    def wall_clock(at: datetime.datetime) -> str:
        """Show the time of day of a wall clock."""
        return str(dates.format_datetime(at, "HH:mm:ss", locale=locale))

    def wall_instant(at: datetime.datetime, seconds: bool = False) -> Markup:
        """Show a date and time of a wall clock."""
        return _dated(at, seconds)

    def _dated(moment: datetime.datetime, seconds: bool) -> Markup:
        pattern = forms.instant(seconds=seconds)
        return _time(moment, dates.format_datetime(moment, pattern, locale=locale))

    def wall_minute(at: datetime.datetime) -> str:
        """Show the time of day of a wall clock, without seconds."""
        return str(dates.format_datetime(at, "HH:mm", locale=locale))

    def wall_day(day: datetime.date) -> Markup:
        """Show a day."""
        text = dates.format_date(day, forms.day, locale=locale)
        return Markup('<time datetime="{}">{}</time>').format(f"{day:%Y-%m-%d}", text)

    def month_name(day: datetime.date) -> Markup:
        """Show the month of a day."""
        text = dates.format_date(day, forms.month, locale=locale)
        return Markup('<time datetime="{}">{}</time>').format(f"{day:%Y-%m}", text)

    def days(period: Any) -> Markup:
        """Show a period by its `first` and `last` day."""
        ends = [period.first, period.last]
        if ends[0] == ends[1]:
            ends = ends[:1]
        shown = [
            "…" if day is None else dates.format_date(day, forms.day, locale=locale) for day in ends
        ]
        return Markup("<time>{}</time>").format(" \N{EN DASH} ".join(shown))

    def hours(minutes: int) -> str:
        """Show a duration in hours and minutes."""
        return f"{minutes // 60}:{minutes % 60:02}"

    def number(value: float | None) -> str:
        """Show a number with the separators of the language."""
        return "" if value is None else numbers.format_decimal(value, locale=locale)

    def size(value: int | None) -> str:
        """Show a number of bytes."""
        if value is None:
            return ""
        for unit, one in (("GB", 10**9), ("MB", 10**6), ("kB", 1000)):
            if value >= one:
                return f"{number(round(value / one, 1))} {unit}"
        return f"{number(value)} B"

    found: Mapping[str, Callable[..., object]] = {
        "actor": actor,
        "said": said,
        "marked": marked,
        "coded": coded,
        "instant": instant,
        "day": day,
        "ago": ago,
        "duration": duration,
        "labelled": labelled,
        "wall_clock": wall_clock,
        "wall_instant": wall_instant,
        "wall_minute": wall_minute,
        "wall_day": wall_day,
        "month_name": month_name,
        "days": days,
        "hours": hours,
        "number": number,
        "size": size,
        "for_picker": for_picker,
        "permission": lambda scope: said(permission_of(scope)),
        "part": path_part,
        "table_words": TABLE_WORDS.get,
        "urlencode": lambda text: quote(str(text), safe=""),
    }
    environment.filters.update(found)


def _data(text: str) -> Markup:
    """Mark a text as data, whose direction is its own."""
    # A backtick would begin a command.
    data = Markup(str(escape(text)).replace("`", "&#96;"))  # noqa: S704 - escaped
    return Markup('<bdi translate="no">{}</bdi>').format(data)


def _with_labels(row: str, labels: Sequence[str]) -> str:
    """Put labels into the cells of a row."""
    # Data in cells are escaped, so no other text looks like the begin of a cell. Of the parts, the
    # odd ones are begins.
    parts = _CELL.split(row)
    for number, label in zip(range(1, len(parts), 2), labels, strict=False):
        parts[number] += label
    return "".join(parts)


def _milliseconds(text: str) -> int | None:
    """Return an instant in milliseconds since the epoch; None if there is no such time."""
    try:
        return int(datetime.datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        return None


def _wall_time(text: str) -> datetime.datetime | None:
    """Return a day or a time of a wall clock; None if there is no such time."""
    try:
        return datetime.datetime.fromisoformat(text) if _WALL.fullmatch(text) else None
    except ValueError:
        return None


def _moment(at: int, context: Context) -> datetime.datetime:
    visit: Visit = context["visit"]
    return datetime.datetime.fromtimestamp(at / 1000, datetime.UTC).astimezone(visit.zone)


def _time(moment: datetime.datetime, text: str, title: str | None = None) -> Markup:
    """Mark a text as that of a time; `title` says exactly when it is."""
    hint = Markup("") if title is None else Markup(' title="{}"').format(title)
    exact = moment.isoformat(timespec="seconds")
    return Markup('<time datetime="{}"{}>{}</time>').format(exact, hint, text)
