"""The declarations themselves: what the specification says of each, and that they hold together."""

from __future__ import annotations

import re

import pytest

from zkpush.protocol import tables
from zkpush.protocol.commands import find_command
from zkpush.protocol.fields import Acknowledge, Command, Scope, Table

TABLES = [tables.EXCHANGE, tables.OPTION_REPLY, tables.OPTIONS, tables.INFO, tables.ATTLOG]

FORMAT_I = [
    "AttLog",
    "OpLog",
    "AttPhoto",
    "EnrollFP",
    "EnrollUser",
    "FPImag",
    "ChgUser",
    "ChgFP",
    "FACE",
    "UserPic",
    "WORKCODE",
    "BioPhoto",
]
"""The twelve digits of TransFlag (5)."""

STAMPS = [
    ("ATTLOG", "ATTLOGStamp", "Stamp"),
    ("OPERLOG", "OPERLOGStamp", "OpStamp"),
    ("ATTPHOTO", "ATTPHOTOStamp", "PhotoStamp"),
    ("BIODATA", "BIODATAStamp", None),
    ("IDCARD", "IDCARDStamp", None),
    ("ERRORLOG", "ERRORLOGStamp", None),
]

COMMANDS = [
    ("CHECK", "12.3.1", "CHECK", True),
    ("LOG", "12.3.2", "LOG", False),
    ("INFO", "12.4.3", "INFO", False),
    ("REBOOT", "12.7.1", "REBOOT", True),
]


def by_name(table: Table | Command) -> str:
    """What a case is called in the report."""
    return table.name


@pytest.mark.parametrize("table", TABLES, ids=by_name)
def test_no_two_fields_of_a_table_can_be_mistaken(table: Table) -> None:
    """Names are unique, and wire names are unique in any case."""
    assert len({field.name for field in table.fields}) == len(table.fields)
    assert len(table.by_wire()) == len(table.fields)


@pytest.mark.parametrize("table", TABLES, ids=by_name)
def test_every_declaration_says_what_it_means(table: Table) -> None:
    """A table names its section, and each field its meaning and a pattern that compiles."""
    assert re.match(r"[0-9]", table.section)
    assert table.meaning
    for field in table.fields:
        assert field.meaning
        re.compile(field.pattern or "")


@pytest.mark.parametrize("table", TABLES, ids=by_name)
def test_keys_and_forms_are_made_of_fields(table: Table) -> None:
    """What makes two records one, and the order of columns, are fields of the table."""
    for names in (table.key, *(form.fields for form in table.forms)):
        assert set(names) <= set(table.names)
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("table", TABLES, ids=by_name)
def test_what_is_not_said_is_allowed(table: Table) -> None:
    """The default of a field is a value the field allows."""
    for field in table.fields:
        if field.default is not None:
            assert str(field.decode(str(field.default))) == str(field.default)


def test_two_attendance_records_are_one_by_user_time_status_and_mode() -> None:
    """The same record sent again is the same: user, local time, status, verification mode."""
    assert set(tables.ATTLOG.key) == {"pin", "time", "status", "verify"}


def test_attendance_columns_stand_in_the_order_of_the_specification() -> None:
    """The columns are those of 11.7, and those of 2.4.2 after the common seven."""
    forms = {
        form.name: [tables.ATTLOG.field(name).wire for name in form.fields]
        for form in tables.ATTLOG.forms
    }
    common = ["Pin", "Time", "Status", "Verify", "Workcode", "Reserved1", "Reserved2"]
    assert forms == {
        "identity card": [*common, "IDNum", "Type"],
        "mask": [
            *common,
            "MaskFlag",
            "Temperature",
            "ConvTemperature",
            "TimeOffset",
            "ExtendData",
        ],
    }


def test_only_options_are_answered_without_a_count() -> None:
    """Pushed options are answered with a bare OK, records with their number."""
    assert tables.OPTIONS.acknowledge is Acknowledge.BARE
    assert tables.ATTLOG.acknowledge is Acknowledge.COUNT
    assert Acknowledge("OK") is Acknowledge.BARE


def test_scopes_have_the_names_that_callers_use() -> None:
    """The scopes of a token are five words."""
    assert [scope.value for scope in Scope] == [
        "read",
        "biometrics",
        "write",
        "dangerous",
        "admin",
    ]


def test_the_secret_of_a_terminal_is_marked() -> None:
    """The communication key, and nothing else of the exchange, is kept out of logs."""
    assert [field.wire for field in tables.EXCHANGE.fields if field.secret] == ["pushcommkey"]


def test_transfer_words_stand_in_the_order_of_the_digits() -> None:
    """The place of a word of TransFlag is its digit in format I."""
    assert [word for word, _ in tables.TRANSFER_DATA] == FORMAT_I


def test_tables_ask_for_data_in_the_words_of_the_protocol() -> None:
    """What a table asks for is a word of TransFlag."""
    for table in tables.RECORD_TABLES:
        assert table.transfer
        assert set(table.transfer) <= set(FORMAT_I)


def test_there_is_a_stamp_for_each_data_type() -> None:
    """Six data types have stamps; three of them had other names in old firmware."""
    assert list(tables.STAMPS) == STAMPS


@pytest.mark.parametrize("command", tables.COMMANDS, ids=by_name)
def test_a_command_says_what_it_is(command: Command) -> None:
    """A command names its section, its meaning, its reply, and who may send it."""
    assert command.section.startswith("12.")
    assert command.meaning
    assert command.reply
    assert isinstance(command.scope, Scope)
    assert len({field.wire.lower() for field in command.parameters}) == len(command.parameters)


@pytest.mark.parametrize(("name", "section", "reply", "ends_batch"), COMMANDS)
def test_nothing_follows_a_command_that_makes_the_terminal_begin_again(
    name: str, section: str, reply: str, ends_batch: bool
) -> None:
    """REBOOT and CHECK end their batch; LOG and INFO do not."""
    command = find_command(name)
    assert (command.section, command.reply, command.ends_batch) == (section, reply, ends_batch)
