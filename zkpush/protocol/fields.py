"""The vocabulary in which the `tables` of nouns declare the protocol.

A `Kind` converts one value between the text on the wire and the value in Python. A `Field` is a
named value of some kind. A `Table` is a list of fields with the layout they have on the wire. A
`Command` is what the server can ask of a terminal.
"""

from __future__ import annotations

import base64
import datetime
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

import msgspec

from .dialect import FIRST_FAMILY, Dialect
from .times import unpack_time
from .versions import BASELINE, Version

SMALL = 2_147_483_647
"""The largest integer of four bytes, which is what firmware keeps numbers in."""
PIN = r"[^\x00-\x1f=]{1,64}"
"""The pattern of user IDs."""
MOST_PRIORITY = 9
"""The highest priority of a command."""
_INTEGER = re.compile(r"[+-]?[0-9]{1,10}\Z", re.ASCII)
_CARD = re.compile(r"\[(?P<bytes>(?:[0-9A-Fa-f]{2}){1,13})\]|[0-9A-Za-z]{0,32}", re.ASCII)
_LONGEST_CARD = 32
"""Characters in the longest number of a card."""
_SHORT_INTEGER = 10
"""An integer of fewer digits is within `SMALL`."""
_BASE64 = re.compile(r"[A-Za-z0-9+/]*+={0,2}", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]{1,6}(?:\.[0-9]{1,6})?", re.ASCII)
_NUMERIC = (int, float)
Row = tuple[object, ...]
"""A decoded record; see `records`."""
_QUOTED = 40
_LOOSE_TIME = re.compile(
    r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})[ T]([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2}))?",
    re.ASCII,
)
_PACKED_TIME = re.compile(r"[1-9][0-9]{8,9}", re.ASCII)
"""A packed time from 2003 on: a smaller number may be the value of another column."""
_TIME_LENGTH = len("2015-07-30 15:16:28")


def quoted(text: str) -> str:
    """The beginning of a value that cannot be read, for a reason.

    It ends before a `=`: where separators are damaged, a secret may stand behind it.
    """
    return repr(text.partition("=")[0][:_QUOTED])


def decode_text(text: str) -> str:
    """Take any text as it is."""
    return text


def decode_integer(text: str) -> int:
    """Read a decimal integer of at most ten digits; `ValueError` for anything else."""
    if not _INTEGER.match(text):
        raise ValueError(f"{quoted(text)} is not an integer")
    return int(text)


def decode_number(text: str) -> float:
    """Read a finite decimal number such as a temperature; `ValueError` for anything else."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{quoted(text)} is not a number")
    return float(text)


def decode_time(text: str) -> str:
    """Read a wall clock time (11.2), and return it as `YYYY-MM-DD HH:MM:SS`.

    Terminals also write `/` or `T`, one-digit parts, no seconds, or one packed integer, each with
    one meaning. `ValueError` if there is no such time.
    """
    if len(text) == _TIME_LENGTH:
        try:
            # `fromisoformat` also takes week dates and offsets: only the canonical form comes back
            # as it went in.
            if str(datetime.datetime.fromisoformat(text)) == text:
                return text
        except ValueError:
            pass
    found = _LOOSE_TIME.fullmatch(text)
    try:
        if found is not None:
            year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
            return str(datetime.datetime(year, month, day, hour, minute, second))
        if _PACKED_TIME.fullmatch(text):
            return unpack_time(int(text))
    except ValueError:
        pass
    raise ValueError(f"{quoted(text)} is not a time of the form YYYY-MM-DD HH:MM:SS")


def decode_moment(text: str) -> str:
    """Read a wall clock time that old firmware writes as one packed integer (11.4).

    `ValueError` if there is no such time, in either form.
    """
    is_packed = len(text) != _TIME_LENGTH and _INTEGER.match(text)
    return unpack_time(int(text)) if is_packed else decode_time(text)


def decode_card(text: str) -> str:
    """Read a card number (11.5) as a decimal one; empty for no card.

    `[15CD5B07]` are its bytes, the lowest first; anything else is the number itself. `ValueError`
    for what can be neither.
    """
    found = _CARD.fullmatch(text)
    if found is None:
        raise ValueError("this is neither a card number nor its bytes in [ ]")
    if found["bytes"] is not None:
        number = int.from_bytes(bytes.fromhex(found["bytes"]), "little")
        return str(number) if number else ""
    return text if text.strip("0") else ""


def decode_base64(text: str) -> bytes:
    """Check base64, with or without the padding at its end, and keep it as it was sent."""
    if not _BASE64.fullmatch(text) or len(text.rstrip("=")) % 4 == 1:
        raise ValueError("this is not base64")
    return text.encode()


def plain_base64(text: bytes) -> bytes:
    """What a checked base64 text stands for, padded or not."""
    stripped = text.rstrip(b"=")
    return base64.b64decode(stripped + b"=" * (-len(stripped) % 4))


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """The pattern of a field; the cache of `re` costs as much as a match."""
    return re.compile(pattern, re.ASCII)


class Kind(Enum):
    """How one value is written on the wire: a Python type, a decoder, and what it is called."""

    TEXT = (str, decode_text, "text")
    INTEGER = (int, decode_integer, "integer")
    NUMBER = (float, decode_number, "number")
    TIME = (str, decode_time, "wall clock time, YYYY-MM-DD HH:MM:SS")
    MOMENT = (str, decode_moment, "wall clock time, YYYY-MM-DD HH:MM:SS or a packed integer")
    CARD = (str, decode_card, "card number, or its bytes in [ ], lowest first")
    BASE64 = (bytes, decode_base64, "base64")

    def __init__(self, python: type, decode: Callable[[str], object], title: str) -> None:
        self.python = python
        self.decode = decode
        self.title = title

    def encode(self, value: object) -> str:
        """Write a value as the wire has it; the inverse of `decode` for every decoded value.

        Python writes small numbers with an exponent, which the wire does not know.
        """
        if isinstance(value, bytes):
            return value.decode("ascii")
        text = str(value)
        return f"{value:.6f}" if isinstance(value, float) and "e" in text else text


class Scope(Enum):
    """What a caller of the API may do; each command and each route asks for one."""

    READ = "read"
    BIOMETRICS = "biometrics"
    WRITE = "write"
    DANGEROUS = "dangerous"
    ADMIN = "admin"


class Meant(Protocol):
    """A code, with its meaning in words."""

    @property
    def meaning(self) -> str:
        """The meaning."""


CodeTable = Callable[[Any], Meant]
"""Called with the value of a field; never fails for one that was decoded."""


class CodesBy(msgspec.Struct, frozen=True):
    """The code tables of a field whose meaning depends on another field of the record."""

    field: str
    """The name of the other field."""
    tables: tuple[tuple[object, CodeTable], ...]
    """The values of the other field that make a difference, each with the table that holds."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One named value of a record, a reply or a command."""

    wire: str
    """The name on the wire, exactly as its own section spells it."""
    name: str
    """The name in the store and in the API."""
    meaning: str
    kind: Kind = Kind.TEXT
    required: bool = False
    minimum: int | None = None
    maximum: int | None = None
    default: str | int | None = None
    """What an empty or absent value means (records); what is sent unless configured (options)."""
    secret: Scope | None = None
    """The scope that it takes to see the value, which is sealed at rest and never logged; None
    where everybody may see it. `zkpush.protocol.secrecy` reads this."""
    stored: bool = True
    """False for what is only there to be sent or computed."""
    pattern: str | None = None
    """A regular expression that the whole text of the value has to match."""
    choices: tuple[int, ...] = ()
    """The numbers that there are, if not all within the bounds."""
    most_bytes: int | None = None
    """Most bytes of the value in the terminal's encoding."""
    codes: CodeTable | None = None
    """What the values of a coded field mean; see `zkpush.protocol.codes`. Views have the words
    beside the value, as `NAME_meaning`."""
    codes_by: CodesBy | None = None
    """What they mean instead, in some records."""
    holds_template: bool = False
    """Whether the value is a template in a record that is otherwise harmless, such as a fingerprint
    of an identity card."""

    def decode(self, text: str) -> object:
        """Convert the text on the wire; `ValueError` names the field and what is wrong.

        It does not repeat the value of a secret field.
        """
        try:
            value = self.kind.decode(text)
            self.check(value)
        except ValueError as error:
            reason = f"this is no {self.kind.title} that it takes" if self.secret else error
            raise ValueError(f"{self.wire}: {reason}") from None
        return value

    def words(self, value: object, values: Mapping[str, object]) -> str | None:
        """What a value means, in a record with these values; None for no value or no code."""
        codes = self.codes
        if self.codes_by is not None:
            codes = dict(self.codes_by.tables).get(values.get(self.codes_by.field), codes)
        return None if codes is None or value is None else codes(value).meaning

    def check(self, value: object) -> None:
        """Raise `ValueError` unless the value is within the field's bounds and pattern."""
        if isinstance(value, _NUMERIC):
            if self.minimum is not None and value < self.minimum:
                raise ValueError(f"{value} is less than {self.minimum}")
            if self.maximum is not None and value > self.maximum:
                raise ValueError(f"{value} is more than {self.maximum}")
            if self.choices and value not in self.choices:
                raise ValueError(f"{value} is none of {', '.join(map(str, self.choices))}")
        elif self.pattern is not None and not _compiled(self.pattern).fullmatch(str(value)):
            raise ValueError(f"{quoted(str(value))} has not the form {self.pattern}")


class Unread(Enum):
    """What a `reader` returns for a value that it leaves to `Field.decode`."""

    UNREAD = "unread"


UNREAD = Unread.UNREAD


def reader(field: Field) -> Callable[[str], object]:
    """A function that reads the usual values of a field, fast; it returns `UNREAD` for others.

    It never raises: `Field.decode` reads unusual values, and says what is wrong with wrong ones.
    """
    low = 0 if field.minimum is None else field.minimum
    high = SMALL if field.maximum is None else field.maximum
    matches = None if field.pattern is None else _compiled(field.pattern).fullmatch

    def integer(text: str) -> object:
        if text.isdecimal() and text.isascii() and len(text) < _SHORT_INTEGER:
            number = int(text)
            if low <= number <= high:
                return number
        return UNREAD

    def card(text: str) -> object:
        if text.isalnum() and text.isascii() and len(text) <= _LONGEST_CARD:
            return text if text.strip("0") else ""
        return UNREAD

    def matching(text: str) -> object:
        return text if matches is not None and matches(text) else UNREAD

    def time(text: str) -> object:
        try:
            is_time = (
                len(text) == _TIME_LENGTH and str(datetime.datetime.fromisoformat(text)) == text
            )
        except ValueError:
            is_time = False
        return text if is_time else UNREAD

    def any_other(text: str) -> object:
        try:
            return field.decode(text)
        except ValueError:
            return UNREAD

    if field.kind is Kind.TEXT:
        return decode_text if matches is None else matching
    if field.kind is Kind.INTEGER and not field.choices:
        return integer
    if field.kind is Kind.TIME and matches is None:
        return time
    return card if field.kind is Kind.CARD and matches is None else any_other


class Layout(Enum):
    """How the fields of a record stand beside each other on the wire."""

    COLUMNS = "columns"
    """Values in a fixed order, between TABs; one record a line (11.2)."""
    KEYED = "keyed"
    """`Key=Value` between TABs; one record a line (11.5)."""
    PHOTO = "photo"
    """Lines of `Key=Value`, NUL, and a picture; one record (11.3)."""
    VALUES = "values"
    """Values in a fixed order, between commas; one record (9)."""
    PAIRS = "pairs"
    """`Key=Value` between commas, where a value may hold commas; one record (8)."""
    LINES = "lines"
    """`Key=Value`, one a line; one record (5)."""
    QUERY = "query"
    """The arguments of a request (5)."""


class Acknowledge(Enum):
    """What answers an upload that was stored."""

    COUNT = "OK: n"
    BARE = "OK"


class Form(msgspec.Struct, frozen=True):
    """One of the orders in which the columns of a table are sent."""

    name: str
    fields: tuple[str, ...]
    """Names (not wire names) in the order of the columns."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A record type of the protocol: where it is described, and its fields."""

    name: str
    """The name on the wire, as in `table=` of an upload."""
    family: str = FIRST_FAMILY
    """The terminal family that has it; two families may have tables of one name."""
    section: str
    """Where the specification describes it."""
    meaning: str
    layout: Layout
    fields: tuple[Field, ...]
    keyword: str | None = None
    """The word that a line begins with, where one body mixes record types (11.4)."""
    aliases: tuple[str, ...] = ()
    """Other names of the table and of the keyword, as commands spell them (12.1)."""
    utf8: bool = False
    """True for text that is UTF-8 whatever the terminal's language is (11.6)."""
    key: tuple[str, ...] = ()
    """The names that make two records one; with the terminal, for what is the terminal's."""
    since: Version = BASELINE
    forms: tuple[Form, ...] = ()
    transfer: tuple[str, ...] = ()
    """The words of TransFlag that ask for this type (5, format II)."""
    acknowledge: Acknowledge = Acknowledge.COUNT
    least_bytes: int = 0
    """Bytes of a line, without its keyword, below which a record costs too much to be read at once
    by the thousand; see `zkpush.protocol.density`. 0 for a table that is not judged."""
    examples: tuple[str, ...] = ()
    """Lines as a terminal sends them, with the keyword if there is one; invented
    values."""
    holds_templates: bool | None = None
    """Whether the records are templates, or photos that templates are made of. None leaves it to
    the fields: a base64 field, a field with the name of a template, and a photo count as one."""
    decode_body: Callable[[bytes, Dialect], Sequence[Row] | None] | None = None
    """Reads a whole body at once; it returns None for one that must be read line by line."""
    decode_line: Callable[[bytes, Dialect], Row] | None = None
    """Reads a line, where the layout alone does not say how; `ValueError` says what is wrong."""
    read_clock: Callable[[Sequence[Row]], tuple[int, int | None]] | None = None
    """Reads the time of the last row, for records that terminals send at once: wall clock seconds
    and, where the record names it, the offset from UTC. `zkpush.device.skew` measures clocks by
    it."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the stored fields, in the order of a decoded row."""
        return tuple(field.name for field in self.fields if field.stored)

    def field(self, name: str) -> Field:
        """Find a field by its name; `KeyError` if there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    def by_wire(self) -> Mapping[str, Field]:
        """Map each wire name, in lower case, to its field: any case is accepted."""
        return {field.wire.lower(): field for field in self.fields}


class Writing(Enum):
    """How the parameters of a command stand in its line."""

    PAIRS = "pairs"
    """`Key=Value` between TABs (12.1)."""
    VALUES = "values"
    """Some by their value alone, then `Key=Value`, between TABs (12.5, 12.8.1)."""
    OPTION = "option"
    """One, whose name and value are given (12.4.1)."""
    UPGRADE = "upgrade"
    """What is worked out from a file, between commas (12.8.2)."""


class ScopeRule(msgspec.Struct, frozen=True, kw_only=True):
    """A scope that a command needs as well, if a parameter has certain values."""

    parameter: str
    pattern: str
    """Found anywhere in the value, in upper or lower case; a regular expression without repeats of
    repeats, so that its time is linear."""
    scope: Scope
    meaning: str
    """Completes "needs this scope ..."."""

    def applies(self, params: Mapping[str, str]) -> bool:
        """Whether these parameters make the scope necessary."""
        value = params.get(self.parameter)
        return value is not None and re.search(self.pattern, value, re.IGNORECASE) is not None


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Something the server asks of a terminal (12)."""

    name: str
    """The words on the wire, before the parameters."""
    family: str = FIRST_FAMILY
    """The terminal family that has it; two families may have commands of the same words."""
    section: str
    meaning: str
    reply: str
    """What `CMD=` says in the answer (13)."""
    parameters: tuple[Field, ...] = ()
    writing: Writing = Writing.PAIRS
    bare: tuple[str, ...] = ()
    """The parameters that stand by their value alone, in order."""
    one_of: tuple[str, ...] = ()
    """Parameters of which at least one has to be there."""
    scope: Scope = Scope.WRITE
    """What the caller needs, whatever the parameters are."""
    scope_rules: tuple[ScopeRule, ...] = ()
    """What the caller needs as well, depending on the parameters."""
    since: Version = BASELINE
    utf8: bool = False
    """True for text that is UTF-8 whatever the terminal's language is (12.1.1.2)."""
    ends_batch: bool = False
    """True for what makes the terminal drop or re-read things: nothing may follow it in a poll."""
    answers: tuple[Field, ...] = ()
    """The values of its result that are no secret; all others are."""
    file_parameter: str | None = None
    """The parameter that names a file of this server, which the terminal fetches."""
    is_prepared: bool = False
    """Whether a function completes the parameters before the command is queued."""
    has_effect: bool = False
    """Whether a function is called with the answer."""
    counts_records: bool = False
    """Whether the records that it asks for come as uploads, and are counted (12.1.3)."""
    is_repeatable: bool = True
    """Whether the terminal may execute it twice, so that it is sent again without an answer."""
    wait_seconds: int | None = None
    """How long it may wait to be sent, unless the caller says so; None for the configured time."""
    lease_seconds: int | None = None
    """How long its answer may take; None for the configured time."""
    priority: int = 0
    """Higher ones are sent first, unless the caller says so; from 0 to `MOST_PRIORITY`."""
    restarts: bool = False
    """Whether the terminal restarts: a new exchange is its answer, too (5)."""
    asks_for_exchange: bool = False
    """Whether the terminal makes a new exchange without a restart."""
    key: tuple[str, ...] = ()
    """The parameters that say what it changes: a later command with the same replaces it."""

    def scopes(self, params: Mapping[str, str]) -> frozenset[Scope]:
        """Everything that the caller needs to send the command with these parameters."""
        return frozenset(
            {self.scope, *(rule.scope for rule in self.scope_rules if rule.applies(params))}
        )
