"""Declarations of the protocol, from which the `tables` of nouns are built.

A `Kind` converts one value between its text on the wire and its Python value. A `Field` is a named
value of some kind. A `Table` is a list of fields with their layout on the wire. A `Command` is a
request of the server to a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import Enum

import msgspec

from .codes.code import Word
from .coding import CodesBy, CodeTable
from .dialect import FIRST_FAMILY, Dialect
from .scalars import (
    compiled,
    decode_base64,
    decode_card,
    decode_integer,
    decode_moment,
    decode_number,
    decode_text,
    decode_time,
    quoted,
)
from .versions import BASELINE, Version

SMALL = 2_147_483_647
"""The largest signed 32-bit integer, the range of numbers in firmware."""
PIN = r"[^\x00-\x1f=]{1,64}"
"""The pattern of user IDs."""
PIN_FORM = "a user ID: 1 to 64 characters, without control characters and ="
"""The form of user IDs, in words."""
MOST_PRIORITY = 9
"""The highest priority of a command."""
_NUMERIC = (int, float)
Row = tuple[object, ...]
"""A decoded record; see `records`."""


class Kind(Enum):
    """The type of a value: its Python type, its decoder, and its title."""

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
        """Encode a value for the wire; the inverse of `decode` for every decoded value.

        Python writes small floats with an exponent, which the wire does not have.
        """
        if isinstance(value, bytes):
            return value.decode("ascii")
        text = str(value)
        return f"{value:.6f}" if isinstance(value, float) and "e" in text else text


class Scope(Enum):
    """Permission of an API caller; each command and each route requires one."""

    ATTENDANCE = "attendance"
    READ = "read"
    BIOMETRICS = "biometrics"
    WRITE = "write"
    DANGEROUS = "dangerous"
    ADMIN = "admin"


def scopes_named(names: Collection[str]) -> frozenset[Scope]:
    """Return the scopes of these names; `read` includes `attendance`.

    Names that only a later version knows are ignored.
    """
    found = {scope for scope in Scope if scope.value in names}
    return frozenset(found | {Scope.ATTENDANCE} if Scope.READ in found else found)


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One named value of a record, a reply or a command."""

    wire: str
    """The name on the wire, spelled as in its own section of the spec."""
    name: str
    """The name in the store and in the API."""
    meaning: str
    label: str | None = None
    """A short name for forms, where the meaning lists codes or explains; None: the meaning."""
    kind: Kind = Kind.TEXT
    required: bool = False
    minimum: int | None = None
    maximum: int | None = None
    default: str | int | None = None
    """Default value: the meaning of an empty or absent value in records, and the value sent for an
    option that is not configured."""
    secret: Scope | None = None
    """The scope required to read the value, which is encrypted at rest and never logged; None for a
    public value. See `zkpush.protocol.secrecy`."""
    stored: bool = True
    """False for a value that is only sent or computed."""
    pattern: str | None = None
    """A regular expression that the entire text must match."""
    form: str | None = None
    """What matches the pattern, in words, to complete "is not ..."."""
    choices: tuple[int, ...] = ()
    """The allowed numbers, if not all within the bounds are."""
    most_bytes: int | None = None
    """Maximum length in bytes in the terminal's encoding."""
    codes: CodeTable | None = None
    """The code table of a coded field; see `zkpush.protocol.codes`. Views show its words beside the
    value, as `NAME_meaning`."""
    codes_by: CodesBy | None = None
    """Code tables that replace `codes` in some records."""
    holds_template: bool = False
    """Whether the value is a template in an otherwise harmless record, such as a fingerprint in an
    identity card record."""

    def decode(self, text: str) -> object:
        """Decode the text on the wire.

        Raises `ValueError`, which names the field and the mistake, but does not quote a secret
        value.
        """
        try:
            value = self.kind.decode(text)
        except ValueError as error:
            mistake: str | None = str(error)
        else:
            mistake = self._mistake(value)
            if mistake is None:
                return value
        if self.secret:
            mistake = f"this is no {self.kind.title} that it takes"
        raise ValueError(f"{self.wire}: {mistake}")

    def words(self, value: object, values: Mapping[str, object]) -> str | None:
        """The meaning of a value in a record with `values`; None without a value or code table."""
        codes = self.codes
        if self.codes_by is not None:
            codes = dict(self.codes_by.tables).get(values.get(self.codes_by.field), codes)
        return None if codes is None or value is None else codes(value).meaning

    def coded_values(self) -> Mapping[str, str]:
        """The values that have a meaning, each with its words; empty without a list of codes."""
        codes: object = self.codes
        if not isinstance(codes, Iterable):
            return {}
        found = {one.text if isinstance(one, Word) else str(one): one for one in codes}
        wanted = [str(choice) for choice in self.choices] or list(found)
        return {text: found[text].meaning for text in wanted if text in found}

    def _choices_in_words(self) -> str:
        """The allowed values with their meanings."""
        words = self.coded_values()
        if not words:
            return f"{', '.join(map(str, self.choices))} ({self.meaning})"
        texts = (str(choice) for choice in self.choices)
        return ", ".join(f"{text} ({words[text]})" if text in words else text for text in texts)

    def check(self, value: object) -> None:
        """Raise `ValueError` unless the value matches the field's bounds and pattern."""
        mistake = self._mistake(value)
        if mistake is not None:
            raise ValueError(mistake)

    def _mistake(self, value: object) -> str | None:
        """Say which bound or pattern of the field a value breaks; None if it breaks none."""
        if isinstance(value, _NUMERIC):
            if self.minimum is not None and value < self.minimum:
                return f"{value} is less than {self.minimum}"
            if self.maximum is not None and value > self.maximum:
                return f"{value} is more than {self.maximum}"
            if self.choices and value not in self.choices:
                return f"{value} is none of {self._choices_in_words()}"
        elif self.pattern is not None and not compiled(self.pattern).fullmatch(str(value)):
            wanted = self.form or f"of the form {self.pattern} ({self.meaning})"
            return f"{quoted(str(value))} is not {wanted}"
        return None


class Layout(Enum):
    """Layout of the fields of a record on the wire."""

    COLUMNS = "columns"
    """Values in a fixed order, separated by TABs; one record a line (spec 11.2)."""
    KEYED = "keyed"
    """`Key=Value` separated by TABs; one record a line (spec 11.5)."""
    PHOTO = "photo"
    """Lines of `Key=Value`, NUL, and a picture; one record (spec 11.3)."""
    VALUES = "values"
    """Values in a fixed order, separated by commas; one record (spec 9)."""
    PAIRS = "pairs"
    """`Key=Value` separated by commas, where a value may contain commas; one record (spec 8)."""
    LINES = "lines"
    """`Key=Value`, one a line; one record (spec 5)."""
    QUERY = "query"
    """Arguments of a request (spec 5)."""


class Acknowledge(Enum):
    """Reply to a stored upload."""

    COUNT = "OK: n"
    BARE = "OK"


class Form(msgspec.Struct, frozen=True):
    """One of the column orders of a table."""

    name: str
    fields: tuple[str, ...]
    """Field names (not wire names) in column order."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A record type of the protocol: its spec section, layout and fields."""

    name: str
    """The name on the wire, as in `table=` of an upload."""
    family: str = FIRST_FAMILY
    """The terminal family; two families may have tables of the same name."""
    section: str
    """The section of the specification."""
    meaning: str
    layout: Layout
    fields: tuple[Field, ...]
    keyword: str | None = None
    """The first word of a line, where one body mixes record types (spec 11.4)."""
    aliases: tuple[str, ...] = ()
    """Other names of the table and the keyword, as commands spell them (spec 12.1)."""
    utf8: bool = False
    """True if text is UTF-8 regardless of the terminal's language (spec 11.6)."""
    key: tuple[str, ...] = ()
    """The fields that identify a record, together with the terminal."""
    filters: tuple[str, ...] = ()
    """Fields by whose values the stored records can be listed; none of them is secret."""
    since: Version = BASELINE
    forms: tuple[Form, ...] = ()
    transfer: tuple[str, ...] = ()
    """The TransFlag words that request this record type (spec 5, format II)."""
    acknowledge: Acknowledge = Acknowledge.COUNT
    least_bytes: int = 0
    """Minimum line length in bytes, without the keyword. Thousands of shorter lines cost too much
    to decode at once; see `zkpush.protocol.density`. 0 for no minimum."""
    is_placed: bool = False
    """Whether equal records are told apart by their place in the upload, so that none may be
    deferred. If there are too many short ones, those of the upload become one reject instead."""
    examples: tuple[str, ...] = ()
    """Example lines as a terminal sends them, with the keyword if there is one; invented values."""
    holds_templates: bool | None = None
    """Whether the records are templates, or photos from which templates are made. If None, the
    fields decide: a base64 field, a field with a template's name, or a photo count as templates."""
    decode_body: Callable[[bytes, Dialect], Sequence[Row] | None] | None = None
    """Decodes a whole body at once; returns None for a body to decode line by line."""
    decode_line: Callable[[bytes, Dialect], Row] | None = None
    """Decodes a line that the layout alone does not define; raises `ValueError`."""
    read_clock: Callable[[Sequence[Row]], tuple[int, int | None]] | None = None
    """Reads the time of the last row, for records that terminals send at once. Returns wall clock
    seconds and the offset from UTC in seconds, or None if the record has no offset.
    `zkpush.device.skew` uses it to measure clocks."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the stored fields, in the order of a decoded row."""
        return tuple(field.name for field in self.fields if field.stored)

    def field(self, name: str) -> Field:
        """Return a field by name; raises `KeyError`."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    def by_wire(self) -> Mapping[str, Field]:
        """Fields by wire name in lower case, since any case is accepted."""
        return {field.wire.lower(): field for field in self.fields}


class Writing(Enum):
    """Format of the parameters in a command line."""

    PAIRS = "pairs"
    """`Key=Value` separated by TABs (spec 12.1)."""
    VALUES = "values"
    """Bare values first, then `Key=Value`, separated by TABs (spec 12.5, 12.8.1)."""
    OPTION = "option"
    """One option, given by its name and value (spec 12.4.1)."""
    UPGRADE = "upgrade"
    """Facts computed from a file, separated by commas (spec 12.8.2)."""
    RAW = "raw"
    """The only parameter is the whole line; the name of the command is not written."""


class ScopeRule(msgspec.Struct, frozen=True, kw_only=True):
    """An additional scope that a command requires for certain values of a parameter."""

    parameter: str
    pattern: str
    """A regular expression searched for anywhere in the value, ignoring case. It has no nested
    repeats, so that matching takes linear time."""
    scope: Scope
    meaning: str
    """The reason, to complete "needs this scope ..."."""

    def applies(self, params: Mapping[str, str]) -> bool:
        """Whether these parameters require the scope."""
        value = params.get(self.parameter)
        return value is not None and re.search(self.pattern, value, re.IGNORECASE) is not None


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command of the server to a terminal (spec 12)."""

    name: str
    """The words on the wire that precede the parameters."""
    family: str = FIRST_FAMILY
    """The terminal family; two families may have commands with the same words."""
    section: str
    meaning: str
    reply: str
    """The value of `CMD=` in the answer (spec 13)."""
    parameters: tuple[Field, ...] = ()
    writing: Writing = Writing.PAIRS
    bare: tuple[str, ...] = ()
    """Parameters written as bare values, in order."""
    one_of: tuple[str, ...] = ()
    """Parameters of which at least one is required."""
    scope: Scope = Scope.WRITE
    """The scope that the command always requires."""
    scope_rules: tuple[ScopeRule, ...] = ()
    """Additional scopes that depend on the parameters."""
    since: Version = BASELINE
    utf8: bool = False
    """True if text is UTF-8 regardless of the terminal's language (spec 12.1.1.2)."""
    ends_batch: bool = False
    """True if the terminal drops or re-reads data: no command may follow in the same poll."""
    answers: tuple[Field, ...] = ()
    """The public values of the result; all other values are secret."""
    file_parameter: str | None = None
    """The parameter that names a file of this server for the terminal to fetch."""
    needs: str | None = None
    """The function that the terminal must have (`zkpush.protocol.facts`)."""
    needs_type: bool = False
    """Whether the terminal must support the biometric type in the parameters."""
    stores_person: bool = False
    """Whether the terminal stores the user ID, which must not be too long for it."""
    makes_file: bool = False
    """Whether the file is made when the terminal fetches it, if the parameter names none."""
    count_parameter: str | None = None
    """The parameter that states the number of lines of such a file."""
    is_prepared: bool = False
    """Whether a function completes the parameters before the command is queued."""
    has_effect: bool = False
    """Whether a function is called with the answer."""
    counts_records: bool = False
    """Whether the requested records arrive as uploads and are counted (spec 12.1.3)."""
    is_repeatable: bool = True
    """Whether the terminal may execute it twice, so that it is sent again if unanswered."""
    wait_seconds: int | None = None
    """Seconds it may wait to be sent, unless the caller sets another time; None for the configured
    time."""
    lease_seconds: int | None = None
    """Seconds the answer may take; None for the configured time."""
    priority: int = 0
    """Default priority from 0 to `MOST_PRIORITY`; higher ones are sent first."""
    restarts: bool = False
    """Whether the terminal restarts, so that a new exchange counts as an answer (spec 5)."""
    asks_for_exchange: bool = False
    """Whether the terminal starts a new exchange without a restart."""
    key: tuple[str, ...] = ()
    """The parameters that identify the changed object: a later command with the same values
    replaces this one."""

    def scopes(self, params: Mapping[str, str]) -> frozenset[Scope]:
        """All scopes required to send the command with these parameters."""
        return frozenset(
            {self.scope, *(rule.scope for rule in self.scope_rules if rule.applies(params))}
        )
