"""Forms: parsed into typed values, with a mistake for each field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, get_args, get_origin
from urllib.parse import unquote

import attrs
import msgspec
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from ...phrases import in_series
from ..arguments import arguments_of
from ..errors import ApiError
from .phrases import Phrase, words_of

CSRF = "csrf"
"""Name of the field with the token of the session."""
CONFIRMED = "confirmed"
"""Name of the field that answers the question of a form."""
CANCELLED = "cancelled"
"""Name of the field that goes back from the question to the form, with what was entered."""
NOT_POSSIBLE = Phrase("This is not a possible value.")
MOST_FIELDS = 2000
"""Maximum number of fields in a form."""
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class FormMistakes(ValueError):
    """Mistakes in a form: some of its fields, and some of the whole."""

    def __init__(self, *whole: str, **fields: str) -> None:
        """`whole` and `fields` are messages; those of fields by name."""
        super().__init__(in_series([*whole, *fields.values()]))
        self.whole: Sequence[str] = whole
        self.fields: Mapping[str, str] = fields


@attrs.frozen
class FormEntry:
    """What somebody has entered into a form, for showing it again."""

    given: Mapping[str, Sequence[str]] = attrs.field(factory=dict)
    """Texts of the fields; those of passwords are left out by the templates."""
    mistakes: Sequence[str] = ()
    """Mistakes of the whole form."""
    wrong: Mapping[str, str] = attrs.field(factory=dict)
    """Mistakes of fields, by name."""
    action: str | None = None
    """Path under `/console` that the form was sent to; None for filters of a list."""

    def value(self, name: str, default: object = "") -> object:
        """Return the last text of a field, or the default if it was not sent."""
        texts = self.given.get(name)
        if texts is None:
            return "" if default is None else default
        return texts[-1]

    def has(self, name: str, choice: object, default: bool = False) -> bool:
        """Whether a choice of a field is selected."""
        return str(choice) in self.given.get(name, ()) if self.given else default

    def has_any(self, names: Sequence[str]) -> bool:
        """Whether one of these fields is wrong, or was filled in."""
        return any(name in self.wrong or any(self.given.get(name, ())) for name in names)


NOTHING_ENTERED = FormEntry()


@attrs.define
class PageEntry:
    """An entry while its page is rendered: on it, only the form that was sent shows the entry.

    Other forms of the page have fields of the same names, and show what is stored.
    """

    entry: FormEntry
    _shown: FormEntry = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._shown = self.entry

    def begin(self, action: str, own: tuple[str, str] | None = None) -> None:
        """Begin the form with an action.

        `own` is a field with its value, by which several forms with the same action differ.
        """
        sent = self.entry.action
        if sent is None:
            return
        is_own = own is None or self.entry.value(own[0]) == own[1]
        if not is_own or unquote(action.partition("?")[0]) != unquote(sent):
            self._shown = NOTHING_ENTERED

    def end(self) -> None:
        """End the form."""
        self._shown = self.entry

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shown, name)


@attrs.frozen
class SentForm:
    """The fields of a request."""

    texts: Mapping[str, Sequence[str]]
    files: Mapping[str, bytes]


def read_form(content_type: str, body: bytes) -> SentForm:
    """Decode the body of a request; `ValueError` if it is no form.

    Besides the body, each file is held in memory once.
    """
    kind, options = parse_options_header(content_type)
    if kind not in FORM_TYPES:
        raise ValueError(
            Phrase("The body is no form, but %(value)s.", value=kind or "without a Content-Type")
        )
    parser = FormDataParser(
        stream_factory=lambda *_, **__: BytesIO(),
        max_form_memory_size=len(body),
        max_form_parts=MOST_FIELDS,
        silent=False,
    )
    try:
        _, texts, files = parser.parse(BytesIO(body), kind, len(body), options)
    except (ValueError, RequestEntityTooLarge) as error:
        raise ValueError(Phrase("The form cannot be read.")) from error
    return SentForm(
        dict(_lists(texts)),
        {name: values[-1].stream.getvalue() for name, values in _lists(files)},
    )


def _lists(values: MultiDict[str, Any]) -> list[tuple[str, list[Any]]]:
    return [*values.lists()]


def parse_form(kind: type[msgspec.Struct], sent: SentForm) -> msgspec.Struct:
    """Return the typed fields; `FormMistakes` has a message for each that is wrong.

    An empty text is None, or else the default of its field. Of a field that is a list or a tuple,
    all texts are taken; of any other, the last one. A field `of` that is a dict has the texts of
    all fields `of.NAME` by name, without empty ones. A checkbox that is not sent has its default.
    """
    values: dict[str, object] = {}
    wrong: dict[str, str] = {}
    for argument in arguments_of(kind):
        given: object
        if argument.name in sent.files:
            values[argument.name] = sent.files[argument.name]
            continue
        if get_origin(argument.type) is dict:
            values[argument.name] = _prefixed(sent.texts, f"{argument.name}.")
            continue
        texts = [text.strip() for text in sent.texts.get(argument.name, ())]
        if _is_list(argument.type):
            given = [text for text in texts if text]
        else:
            given = texts[-1] if texts else ""
        if given in ("", []) and not argument.is_required:
            continue
        if given in ("", []):
            wrong[argument.name] = Phrase("This is needed.")
            continue
        try:
            values[argument.name] = msgspec.convert(given, argument.type, strict=False)
        except msgspec.ValidationError:
            wrong[argument.name] = NOT_POSSIBLE
            continue
        for check in argument.checks:
            try:
                check(argument.name, str(given))
            except ValueError as error:
                wrong[argument.name] = words_of(error)
    if wrong:
        raise FormMistakes(**wrong)
    return kind(**values)


def _prefixed(texts: Mapping[str, Sequence[str]], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): last
        for name, given in texts.items()
        if name.startswith(prefix) and (last := given[-1].strip())
    }


def _is_list(kind: Any) -> bool:
    origin = get_origin(kind)
    if origin in (list, tuple, frozenset, set):
        return True
    return any(_is_list(each) for each in get_args(kind) if each is not kind)


def mistakes_of(error: Exception) -> tuple[Sequence[str], Mapping[str, str]]:
    """Return the mistakes of a whole form, and those of its fields by name."""
    if isinstance(error, FormMistakes):
        return error.whole, error.fields
    if isinstance(error, ApiError):
        return [error.detail], {}
    return [words_of(error)], {}
