"""Names and values in details of the audit log, in words that can be translated."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from ...manage.console.permissions import SCOPES
from ...model import DEFAULT_AREA
from ...phrases import Phrase, in_series, listed_phrases
from ...values.devicewords import ENCRYPTION_WORDS, TOKEN_WORDS
from ...values.personwords import PERSON_LABELS
from .requests import request_phrase
from .wording import DETAILS

LABELS: Mapping[str, Phrase] = {
    # Of terminals.
    "alias": Phrase("Name"),
    "state": Phrase("State"),
    "area": Phrase("Area"),
    "timezone": Phrase("Time zone"),
    "version": Phrase("Protocol version"),
    "encoding": Phrase("Encoding of its texts"),
    "comm_key": Phrase("Its key"),
    "encryption": Phrase("Encryption"),
    "cipher": Phrase("Cipher suite"),
    "token_policy": Phrase("Check of its session"),
    "settings": Phrase("Options"),
    "networks": Phrase("Networks"),
    # Of accounts.
    "scopes": Phrase("Permissions"),
    "language": Phrase("Language"),
    "zone": Phrase("Time zone"),
    # Of areas.
    "description": Phrase("Description"),
    **PERSON_LABELS,
}
"""Names of what is changed, in words."""
_STATES: Mapping[str, Phrase] = {
    "pending": Phrase("waiting for approval"),
    "approved": Phrase("approved"),
    "blocked": Phrase("blocked"),
    "retired": Phrase("out of use"),
}
_SCOPES: Mapping[str, Phrase] = {scope.value: name for scope, name, _ in SCOPES}
_WORDS: Mapping[str, Mapping[str, Phrase]] = {
    "state": _STATES,
    "encryption": {str(one): Phrase.made(text, {}) for one, text in ENCRYPTION_WORDS.items()},
    "token_policy": {str(one): Phrase.made(text, {}) for one, text in TOKEN_WORDS.items()},
}
_NOTHING = frozenset({"", "None"})
_AREAS = "; areas: "
_SEQUENCE = re.compile(r"\(('[^']*'(, |,)?)*\)")
"""A sequence as older versions wrote it, such as `('10.0.0.0/8',)`."""
_QUOTED = re.compile("'([^']*)'")
_GIVEN = re.compile(r"([A-Za-z~]\w*)(?:=(.*)| \(not shown\))", re.DOTALL)


def detail_phrase(text: str, special: Callable[[str], Phrase | None] = lambda text: None) -> str:
    """Return the detail of a record, in declared words as far as it has such words.

    `special` finds the words of what has a form of its own, without who did it.
    """
    found = DETAILS.phrase(text)
    if not isinstance(found, Phrase):
        return special(text) or _phrase(text)
    return _filled(found, special)


def _filled(found: Phrase, special: Callable[[str], Phrase | None]) -> Phrase:
    """Return a declared sentence with the words of its reason, and of the request that it names."""
    values = dict(found.values)
    reason, what = values.get("reason"), values.get("what")
    if isinstance(reason, Phrase):
        values["reason"] = _filled(reason, special)
    elif isinstance(reason, str):
        values["reason"] = special(reason) or _phrase(reason)
    if isinstance(what, str):
        values["what"] = request_phrase(what) or what
    return Phrase.made(found.text, values, found.plural)


def _phrase(text: str) -> str:
    """Return names, names with values, or permissions in words; else the text itself."""
    listed, _, areas = text.partition(_AREAS)
    scopes = [_SCOPES.get(one) for one in listed.split(", ")]
    if all(scopes):
        given = [_labelled("areas", areas)] if areas else []
        return in_series([listed_phrases(scopes), *given])
    names = [_name(one) for one in text.split(", ")]
    if None in names:
        names = [LABELS.get(one) for one in text.split(" ")]
    if None not in names:
        return listed_phrases(names)
    pairs = _pairs(text.split(", "))
    return text if pairs is None else listed_phrases(pairs)


def _name(text: str) -> Phrase | None:
    """Return a name in words, or a detail that stands alone."""
    found = LABELS.get(text) or DETAILS.phrase(text)
    return found if isinstance(found, Phrase) else None


def _pairs(parts: Sequence[str]) -> list[Phrase] | None:
    """Return names with their values; None if the first part is no such pair.

    A part without a name belongs to the value before it, which has a comma.
    """
    joined: list[str] = []
    for part in parts:
        if _GIVEN.fullmatch(part) is not None:
            joined.append(part)
        elif joined:
            joined[-1] += f", {part}"
        else:
            return None
    found = [_GIVEN.fullmatch(one) for one in joined]
    return [_labelled(one[1], one[2]) for one in found if one is not None]


def _labelled(name: str, value: str | None) -> Phrase:
    label = LABELS.get(name) or Phrase("Option %(name)s", name=name)
    return Phrase("%(field)s: %(reason)s", field=label, reason=_value(name, value))


def _value(name: str, value: str | None) -> str:
    if value is None:
        return Phrase("not shown")
    if name == "scopes":
        return listed_phrases([_SCOPES.get(one, one) for one in value.split("+")])
    if name in _WORDS and value in _WORDS[name]:
        return _WORDS[name][value]
    if _SEQUENCE.fullmatch(value):
        value = ", ".join(_QUOTED.findall(value))
    if name == "area" and value in _NOTHING:
        return DEFAULT_AREA
    if value in _NOTHING:
        return Phrase("none")
    return listed_phrases(value.split("+")) if name == "areas" else value
