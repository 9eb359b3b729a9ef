"""Generated values that the tables allow: a new field or table needs nothing here.

Everything is drawn from what the `tables` of nouns declare: kinds, bounds, patterns, forms.
"""

from __future__ import annotations

import base64
import functools
import re
from typing import NamedTuple

from hypothesis import strategies as st

from zkpush.protocol.dialect import Dialect
from zkpush.protocol.exchange import OPTION_REPLY
from zkpush.protocol.fields import Command, Field, Form, Kind, Layout, Table, Writing
from zkpush.protocol.reports import OPTIONS
from zkpush.protocol.versions import Version

from ..declared import COMMANDS, RECORD_TABLES

LARGEST = 9_999_999_999
"""The largest integer of ten digits, which is what an unbounded field takes."""

VALUE_CHARACTERS = st.characters(codec="utf-8", exclude_characters="\t\n\r\0")
"""What a value may hold anywhere in the protocol."""

LINE_TABLES = [
    table for table in RECORD_TABLES if table.layout is Layout.KEYED or table.keyword is not None
]
"""The tables of which each record is a line of its own, after a keyword."""

MARKER = b"M4rkerOfSecret"
"""Stands where a secret does; it is base64 and a password."""

ENCODINGS = st.sampled_from(["utf-8", "gb18030"])

FORM_DIALECTS = {
    "identity card": {"device_type": "pid"},
    "mask": {"own_version": Version(2, 4, 2)},
}
"""What a terminal says of itself that sends each form."""


def _unpadded(text: str) -> bool:
    return text == text.strip()


@functools.cache
def wire_text() -> st.SearchStrategy[str]:
    """Text that can stand between two separators; it is not empty and has no space around it."""
    return st.text(VALUE_CHARACTERS, min_size=1, max_size=20).filter(_unpadded).filter(bool)


@functools.cache
def values_of(field: Field) -> st.SearchStrategy[object]:
    """Every value that a field allows."""
    if field.choices:
        return st.sampled_from(field.choices)
    if field.kind is Kind.INTEGER:
        return st.integers(
            -LARGEST if field.minimum is None else field.minimum,
            LARGEST if field.maximum is None else field.maximum,
        )
    if field.kind is Kind.NUMBER:
        return st.decimals(-999_999, 999_999, places=6).map(float)
    if field.kind is Kind.CARD:
        return st.just("") | _cards()
    if field.kind is Kind.BASE64:
        return base64_texts()
    if field.kind in (Kind.TIME, Kind.MOMENT):
        return st.datetimes().map(lambda time: str(time.replace(microsecond=0)))
    if field.pattern is not None:
        return st.from_regex(
            re.compile(field.pattern, re.ASCII),
            fullmatch=True,
            alphabet=st.characters(codec="utf-8", exclude_characters="\n\r\0"),
        )
    return wire_text()


def _cards() -> st.SearchStrategy[str]:
    """Card numbers as they are kept: no leading or only zeros make them no number at all."""
    return st.from_regex(re.compile(r"[0-9A-Za-z]{1,32}", re.ASCII), fullmatch=True).filter(
        lambda text: text.strip("0") != ""
    )


@functools.cache
def base64_texts() -> st.SearchStrategy[bytes]:
    """Base64 of anything, with its padding or without."""
    whole = st.binary(min_size=1, max_size=40).map(base64.b64encode)
    return whole | whole.map(lambda text: text.rstrip(b"="))


@functools.cache
def _column(field: Field) -> st.SearchStrategy[object]:
    values = values_of(field)
    if field.kind is Kind.TEXT:
        values = values.filter(lambda text: _unpadded(str(text)) and "\t" not in str(text))
    return values if field.required else st.none() | values


@st.composite
def rows_of(draw: st.DrawFn, table: Table, form: Form) -> tuple[object, ...]:
    """A row in the order of a form: complete with empty columns, or shorter without any."""
    fields = [table.field(name) for name in form.fields]
    required = sum(field.required for field in fields)
    row = draw(st.tuples(*map(_column, fields)))
    if not draw(st.booleans()):
        return row
    filled = next((place for place, value in enumerate(row) if value is None), len(row))
    return row[: draw(st.integers(required, filled))]


@st.composite
def dialects_of(draw: st.DrawFn, form: Form) -> Dialect:
    """A terminal that sends a form, in any of the encodings."""
    return Dialect(encoding=draw(ENCODINGS), **FORM_DIALECTS[form.name])


class Line(NamedTuple):
    """One record, and the line that a terminal sends of it."""

    text: str
    values: dict[str, object]
    """What is in the line, by the names of the fields."""
    row: dict[str, object]
    """What has to be read from it."""
    extra: dict[str, str]
    """What is in it that the table does not know."""


@st.composite
def records_of(draw: st.DrawFn, table: Table) -> dict[str, object]:
    """Values for a record of a table: all required ones, and any of the others."""
    columns = table.layout is Layout.COLUMNS
    values: dict[str, object] = {}
    for field in table.fields:
        if field.required or draw(st.booleans()):
            if field.kind is not Kind.TEXT or field.pattern is not None:
                values[field.name] = draw(values_of(field))
            elif columns:
                values[field.name] = draw(wire_text())
            else:
                values[field.name] = draw(st.text(VALUE_CHARACTERS, max_size=20))
    sized = next((field.name for field in table.fields if field.kind is Kind.BASE64), None)
    content = values.get(sized) if sized is not None else None
    if isinstance(content, bytes) and "size" in values:
        padded = content + b"=" * (-len(content) % 4)
        values["size"] = draw(st.sampled_from([len(content), len(base64.b64decode(padded))]))
    return values


def row_of(table: Table, values: dict[str, object]) -> dict[str, object]:
    """What has to be read where these values were sent."""
    row = {name: values.get(name, table.field(name).default) for name in table.names}
    if table.layout is Layout.COLUMNS:  # An empty column before others is an empty text.
        last = max(place for place, name in enumerate(table.names) if name in values)
        for name in table.names[:last]:
            if row[name] is None and table.field(name).kind is Kind.TEXT:
                row[name] = ""
    return row


def one_spaced_part(table: Table, text: str) -> bool:
    """Whether a line without a TAB stays one part where spaces are taken for TABs."""
    names = "|".join(re.escape(field.wire) for field in table.fields)
    return "\t" in text or re.search(f" +({names})=", text, re.IGNORECASE) is None


@st.composite
def lines_of(draw: st.DrawFn, table: Table) -> Line:
    """A line of `Key=Value` in any order and any case, with fields that nobody knows."""
    values = draw(records_of(table))
    case = draw(st.sampled_from([str, str.lower, str.upper, str.swapcase]))
    known = {field.wire.lower() for field in table.fields}
    names = st.from_regex(re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,12}", re.ASCII), fullmatch=True)
    extra = draw(
        st.dictionaries(
            names.filter(lambda name: name.lower() not in known),
            st.text(VALUE_CHARACTERS, max_size=8),
            max_size=2,
        )
    )
    parts = [f"{name}={value}" for name, value in extra.items()]
    for name, value in values.items():
        field = table.field(name)
        parts.append(f"{case(field.wire)}={field.kind.encode(value)}")
    text = "\t".join(draw(st.permutations(parts)))
    return Line(text, values, row_of(table, values), extra)


def option_settings() -> st.SearchStrategy[dict[str, object]]:
    """Any choice of the options that may be configured, each with a value it takes."""
    fields = [field for field in OPTION_REPLY.fields if field.stored]
    return st.fixed_dictionaries({}, optional={field.wire: values_of(field) for field in fields})


def option_names() -> st.SearchStrategy[str]:
    """Names of options: those the protocol names, and what else firmware may come up with."""
    known = st.sampled_from([field.wire for field in OPTIONS.fields])
    return known | st.from_regex(re.compile(r"~?[A-Za-z_][A-Za-z0-9_.]{0,20}"), fullmatch=True)


def option_values() -> st.SearchStrategy[str]:
    """Values of options: empty, with commas, or with equals signs."""
    text = st.text(VALUE_CHARACTERS, max_size=20)
    return st.one_of(
        text.map(lambda value: value.replace("=", "")),
        text.map(lambda value: value.replace(",", "")),
        st.sampled_from(["", "ZKTECO CO., LTD.", "0:1:1:0:0:0:0:0:0:0", "eyJhIjoxfQ==", ",,"]),
    ).filter(_unpadded)


def command_ids() -> st.SearchStrategy[str]:
    """Every CmdID the protocol allows: 1 to 16 letters and digits (12)."""
    return st.from_regex(re.compile(r"[A-Za-z0-9]{1,16}", re.ASCII), fullmatch=True)


@st.composite
def parameters_of(draw: st.DrawFn, command: Command) -> dict[str, str]:
    """Parameters a command takes: all required ones, and any of the others.

    Of the values without names, those in front of one that is there.
    """
    one = draw(st.sampled_from(command.one_of)) if command.one_of else None
    bare = command.bare[: draw(st.integers(0, len(command.bare)))]
    chosen = [
        field
        for field in command.parameters
        if field.required
        or field.wire in (one, *bare)
        or (field.wire not in command.bare and draw(st.booleans()))
    ]
    params = {
        field.wire: field.kind.encode(draw(_column(field).filter(lambda value: value is not None)))
        for field in chosen
    }
    return _sensible(command, params)


def _sensible(command: Command, params: dict[str, str]) -> dict[str, str]:
    """Parameters that do not contradict each other."""
    period = ("StartTime", "EndTime")
    if params.keys() >= {*period}:
        params |= zip(period, sorted(params[name] for name in period), strict=True)
    for field in command.parameters:
        if field.kind is Kind.CARD and not params.get(field.wire, "").isdecimal():
            params.pop(field.wire, None)
        if field.kind is Kind.BASE64 and {field.wire, "Size"} <= params.keys():
            params["Size"] = str(len(params[field.wire]))
    if "Url" in command.one_of and params.get("Format") in ("0", "1"):
        del params["Format"]
    for name in (*command.bare, *command.one_of):
        if params.get(name) == "":
            params[name] = "x"
    return params


def commands() -> st.SearchStrategy[Command]:
    """Any command that the server can send, except a raw line."""
    return st.sampled_from([one for one in COMMANDS if one.writing is not Writing.RAW])


KEYWORDS = [
    f"{word} ".encode()
    for table in LINE_TABLES
    for word in (table.keyword, *table.aliases)
    if word is not None
]
NAMES = sorted({f"\t{field.wire}=".encode() for table in LINE_TABLES for field in table.fields})
SECRETS = sorted(
    {
        f"{field.wire}=".encode() + MARKER
        for table in LINE_TABLES
        for field in table.fields
        if field.secret
    }
)


def broken_bodies() -> st.SearchStrategy[bytes]:
    """Bodies of any bytes, most of them close to what terminals send."""
    pieces = st.sampled_from(
        [
            *KEYWORDS,
            *NAMES,
            *SECRETS,
            b"OPLOG 4\t14\t",
            b"289515406",
            b"USER PIN=1\t",
            b"BIODATA Pin=1\tNo=0\tTmp=AAAA\n",
            b"FP PIN=1\tFID=2\tSize=4\tValid=1\tTMP=AAAA\n",
            b"Size=10",
            b"[15CD5B07]",
            b"QUJD",
            b"PIN=20150731103012-123.jpg\nSN=1\nsize=",
            b"CMD=uploadphoto\0\xff\xd8\xff",
            b"\xc9\xcf\xb0\xe0",
            b"1452",
            b"2015-07-30 15:16:28",
            b"\t",
            b"\t\t",
            b" ",
            b"\n",
            b"\r\n",
            b"\0",
            b"\xff",
            b"\x81\x30",
            b"255",
            b"-1",
            b"+28800",
            b"36.5",
            b",",
            b"=",
            b"&",
            b"~Key=",
            b"\nID=",
            b"&Return=",
            b"&CMD=INFO",
            b"\nContent=",
        ]
    )
    return st.binary(max_size=80) | st.lists(pieces | st.binary(max_size=3), max_size=30).map(
        b"".join
    )
