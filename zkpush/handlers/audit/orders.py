"""Details of commands, jobs and forwarders in the audit log, in words that can be translated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ...phrases import Phrase, counted_phrase, in_series, listed_phrases, terminal_phrase
from ...protocol.fields import Command, Field
from ...values.accesswords import TABLE_NAMES
from ...values.eventwords import EVENT_WORDS
from .requests import sending_phrases

_QUEUED = re.compile(r"\w+: (.*)", re.DOTALL)
_REPLACES = re.compile(r"; replaces (\w+)")
_TARGETS = re.compile(r"(.*); ([0-9]+) terminals?(?:: (.*)| of the area (.*))?", re.DOTALL)
_SETTING = re.compile(r"(\w+)(?:=| (?=\S+://))(.*)| ?(\w+) \(not shown\)", re.DOTALL)
_NOT_SHOWN = Phrase("not shown")
_FILTER = re.compile(r"(\w+)(?:=(.*)| \(not shown\))", re.DOTALL)
_FORMS: Mapping[str, Phrase] = {
    "csv": Phrase("CSV file"),
    "xlsx": Phrase("Excel file"),
    "ndjson": Phrase("file of JSON lines"),
}
_FILTERS: Mapping[str, Phrase] = {
    "area": Phrase("Area"),
    "device": Phrase("Terminal"),
    "doubt": Phrase("Doubtful time"),
    "mark": Phrase("What to check"),
    "period": Phrase("Period"),
    "person": Phrase("Person"),
    "pin": Phrase("User ID"),
    "since": Phrase("From"),
    "until": Phrase("To"),
}
"""Filters of exported lists in words."""
_STATES: Mapping[str, Phrase] = {
    "failed": Phrase("failed"),
    "expired": Phrase("given up"),
    "cancelled": Phrase("cancelled"),
    "unknown": Phrase("not known whether done"),
}


class OrderWords:
    """Finds the commands that details name."""

    def __init__(self, catalogue: Iterable[Command]) -> None:
        """`catalogue` are all commands that there are."""
        self._commands = {one.name: one for one in catalogue}

    def phrase(self, action: str, detail: str) -> Phrase | None:
        """Return a detail in words; None if the action has no commands, or another form."""
        if action == "export":
            return _export(detail)
        if action == "queue command":
            return self._queued(detail)
        if action == "create job":
            return self._job(detail)
        if action == "retry job":
            states = [_STATES.get(one) for one in detail.split(", ")]
            return listed_phrases(states) if all(states) else None
        if action in ("add forwarder", "change forwarder"):
            return _forwarder(detail)
        if action in ("change access data", "delete access data"):
            return _entry(detail)
        return None

    def _queued(self, detail: str) -> Phrase | None:
        found = _QUEUED.fullmatch(detail)
        if found is None:
            return None
        text, sending = sending_phrases(_REPLACES.sub("", found[1]))
        names = [one for one in self._commands if f"{text} ".startswith(f"{one} ")]
        if not names:
            return None
        command = self._commands[max(names, key=len)]
        given = _given(command, text[len(command.name) :])
        replaced = [Phrase("replaces %(id)s", id=one) for one in _REPLACES.findall(found[1])]
        told = [listed_phrases(given)] if given else []
        return in_series([_named(command), *told, *sending, *replaced])

    def _job(self, detail: str) -> Phrase | None:
        found = _TARGETS.fullmatch(detail)
        if found is None:
            return None
        names = found[1].split(", ")
        if not self._commands.keys() >= {*names}:
            return None
        named = [_named(self._commands[one]) for one in names]
        parts = [counted_phrase("%(num)s terminal", "%(num)s terminals", int(found[2]))]
        if found[3]:
            parts.append(listed_phrases([terminal_phrase(one) for one in found[3].split(", ")]))
        if found[4]:
            parts.append(Phrase("%(field)s: %(reason)s", field=Phrase("Area"), reason=found[4]))
        return in_series([listed_phrases(named), *parts])


def _named(command: Command) -> Phrase:
    return Phrase("%(name)s (%(meant)s)", name=command.name, meant=Phrase.made(command.meaning, {}))


def _given(command: Command, text: str) -> list[Phrase]:
    """Return the parameters of a command; a value may have spaces."""
    fields = {field.wire: field for field in command.parameters}
    if not fields:
        return []
    wires = "|".join(sorted(map(re.escape, fields), key=len, reverse=True))
    marks = [*re.finditer(rf" ({wires})(=| \(not shown\))", text)]
    if not marks:
        return []
    ends = [one.start() for one in marks[1:]] + [len(text)]
    return [
        Phrase(
            "%(field)s: %(reason)s",
            field=Phrase.made(fields[mark[1]].meaning, {}),
            reason=_value(fields[mark[1]], text[mark.end() : end])
            if mark[2] == "="
            else _NOT_SHOWN,
        )
        for mark, end in zip(marks, ends, strict=True)
    ]


def _value(field: Field, text: str) -> str:
    meaning = field.coded_values().get(text)
    if meaning is None:
        return text
    return Phrase("%(value)s (%(meaning)s)", value=text, meaning=Phrase.made(meaning, {}))


def _entry(detail: str) -> Phrase | None:
    table, _, key = detail.partition(" ")
    label = TABLE_NAMES.get(table)
    return label and Phrase("%(field)s: %(reason)s", field=label, reason=key)


def _export(detail: str) -> Phrase | None:
    """Return the form of a file, and the filters of what it has."""
    form, *filters = detail.split(", ")
    found = [_FILTER.fullmatch(one) for one in filters]
    if form not in _FORMS or None in found:
        return None
    told = [
        Phrase(
            "%(field)s: %(reason)s",
            field=_FILTERS.get(one[1]) or Phrase("Filter %(name)s", name=one[1]),
            reason=_NOT_SHOWN if one[2] is None else one[2],
        )
        for one in found
        if one is not None
    ]
    return listed_phrases([_FORMS[form], *told])


def _event_names(listed: str) -> Phrase:
    return listed_phrases([EVENT_WORDS.get(one, one) for one in listed.split(", ")])


def _forwarder(detail: str) -> Phrase | None:
    kind, _, rest = detail.partition("; ")
    events, *settings = rest.split("; ")
    if not events.startswith("events "):
        return None
    parts = [
        Phrase("%(field)s: %(reason)s", field=Phrase("Kind"), reason=kind),
        Phrase("%(field)s: %(reason)s", field=Phrase("Events"), reason=_event_names(events[7:])),
    ]
    for one in settings:
        found = _SETTING.fullmatch(one)
        if found is None:
            return None
        label = Phrase("Option %(name)s", name=found[1] or found[3])
        reason = _NOT_SHOWN if found[3] else found[2]
        parts.append(Phrase("%(field)s: %(reason)s", field=label, reason=reason))
    return listed_phrases(parts)
