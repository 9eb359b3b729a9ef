"""Generated values that the tables allow: a new field or table needs nothing here.

Everything is drawn from what `zkpush.protocol.tables` declares: kinds, bounds, patterns, forms.
"""

from __future__ import annotations

import re

from hypothesis import strategies as st

from zkpush.protocol.dialect import Dialect
from zkpush.protocol.fields import Command, Field, Form, Kind, Table
from zkpush.protocol.tables import COMMANDS, OPTION_REPLY, OPTIONS
from zkpush.protocol.versions import Version

LARGEST = 9_999_999_999
"""The largest integer of ten digits, which is what an unbounded field takes."""

VALUE_CHARACTERS = st.characters(codec="utf-8", exclude_characters="\t\n\r\0")
"""What a value may hold anywhere in the protocol."""

ENCODINGS = st.sampled_from(["utf-8", "gb18030"])

FORM_DIALECTS = {
    "identity card": {"device_type": "pid"},
    "mask": {"own_version": Version(2, 4, 2)},
}
"""What a terminal says of itself that sends each form."""


def _unpadded(text: str) -> bool:
    return text == text.strip()


def wire_text() -> st.SearchStrategy[str]:
    """Text that can stand between two separators; it is not empty and has no space around it."""
    return st.text(VALUE_CHARACTERS, min_size=1, max_size=20).filter(_unpadded).filter(bool)


def values_of(field: Field) -> st.SearchStrategy[object]:
    """Every value that a field allows."""
    if field.kind is Kind.INTEGER:
        return st.integers(
            -LARGEST if field.minimum is None else field.minimum,
            LARGEST if field.maximum is None else field.maximum,
        )
    if field.kind is Kind.NUMBER:
        return st.decimals(-999_999, 999_999, places=6).map(float)
    if field.kind is Kind.TIME:
        return st.datetimes().map(lambda time: str(time.replace(microsecond=0)))
    if field.pattern is not None:
        return st.from_regex(
            re.compile(field.pattern, re.ASCII),
            fullmatch=True,
            alphabet=st.characters(codec="utf-8", exclude_characters="\n\r\0"),
        )
    return wire_text()


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
    """Parameters a command takes: all required ones, and any of the others."""
    chosen = [field for field in command.parameters if field.required or draw(st.booleans())]
    return {
        field.wire: field.kind.encode(draw(_column(field).filter(lambda value: value is not None)))
        for field in chosen
    }


def commands() -> st.SearchStrategy[Command]:
    """Any command the server can send."""
    return st.sampled_from(COMMANDS)


def broken_bodies() -> st.SearchStrategy[bytes]:
    """Bodies of any bytes, most of them close to what terminals send."""
    pieces = st.sampled_from(
        [
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
