"""The declarations themselves: what the specification says of each, and that they hold together."""

from __future__ import annotations

import re

import pytest

from tests.declared import CATALOGUE, RECORD_TABLES
from tests.protocol.strategies import LINE_TABLES
from tests.stated import stated, stated_mapping
from zkpush.handlers.attendance.tables import ATTLOG, ATTPHOTO
from zkpush.handlers.entries.tables import TABLES as ENTRY_TABLES
from zkpush.handlers.people.tables import TEMPLATE_TABLES
from zkpush.protocol.exchange import EXCHANGE, OPTION_REPLY, STAMPS, TRANSFER_DATA
from zkpush.protocol.fields import Acknowledge, Command, Layout, Scope, Table
from zkpush.protocol.reports import INFO, OPTIONS

TABLES = [
    EXCHANGE,
    OPTION_REPLY,
    OPTIONS,
    INFO,
    *RECORD_TABLES,
]

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

TRANSFER = {
    "ATTLOG": ("AttLog",),
    "ATTPHOTO": ("AttPhoto",),
    "OPLOG": ("OpLog",),
    "USER": ("EnrollUser", "ChgUser"),
    "FP": ("EnrollFP", "ChgFP"),
    "FACE": ("FACE",),
    "USERPIC": ("UserPic",),
    "BIOPHOTO": ("BioPhoto",),
    "WORKCODE": ("WORKCODE",),
}
"""Which words of TransFlag ask for which table; for the other tables there are none (5)."""

WIRE = {
    "ATTPHOTO": "PIN SN size CMD",
    "OPLOG": "OpType OpWho OpTime Value1 Value2 Value3 Reserved",
    "USER": "PIN Name Pri Passwd Card Grp TZ Verify ViceCard StartDatetime EndDatetime Expires",
    "IDCARD": "PIN SNNum IDNum DNNum Name Gender Nation Birthday ValidInfo Address AdditionalInfo "
    "Issuer Photo FPTemplate1 FPTemplate2 Reserve Notice",
    "FP": "PIN FID Size Valid TMP",
    "FACE": "PIN FID SIZE VALID TMP",
    "FVEIN": "Pin FID Index Size Valid Tmp",
    "BIODATA": "Pin No Index Valid Duress Type MajorVer MinorVer Format Tmp",
    "USERPIC": "PIN FileName Size Format Url Content",
    "BIOPHOTO": "PIN No Index FileName Type Size Format Url Content",
    "ERRORLOG": "ErrCode ErrMsg DataOrigin CmdId Additional",
    "WORKCODE": "PIN CODE NAME",
    "SMS": "MSG TAG UID MIN StartTime",
    "USER_SMS": "PIN UID",
    "Blacklist": "IDNum Name Gender Nation",
    "WHITELIST": "IDNum Name Gender Nation",
    "ADPIC": "Index Size Extension Content",
    "WALLPAPER": "Index Size Extension Content",
    **stated_mapping("WIRE"),
}
"""The fields of each record in the order and the spelling of its own section, newer ones too."""

KEYS = {
    "OPLOG": ("code", "time"),
    "USER": ("pin",),
    "FP": ("pin", "number"),
    "FACE": ("pin", "index"),
    "FVEIN": ("pin", "number", "index"),
    "BIODATA": ("pin", "type", "number", "index", "major_version", "minor_version"),
    "USERPIC": ("pin",),
    "BIOPHOTO": ("pin", "type", "number", "index"),
    "WORKCODE": ("code",),
    "SMS": ("number",),
    "USER_SMS": ("pin", "number"),
    "Blacklist": ("id_number",),
    "WHITELIST": ("id_number",),
    "ADPIC": ("index",),
    "WALLPAPER": ("index",),
    **stated_mapping("KEYS"),
}

SECRETS = {
    "USER": ["Passwd"],
    "FP": ["TMP"],
    "FACE": ["TMP"],
    "FVEIN": ["Tmp"],
    "BIODATA": ["Tmp"],
    "USERPIC": ["Content"],
    "BIOPHOTO": ["Content"],
    "IDCARD": ["Photo", "FPTemplate1", "FPTemplate2"],
    **stated_mapping("SECRETS"),
}

EXPECTED_STAMPS = [
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
    assert set(ATTLOG.key) == {"pin", "time", "status", "verify"}


def test_attendance_columns_stand_in_the_order_of_the_specification() -> None:
    """The columns are those of 11.7, and those of 2.4.2 after the common seven."""
    forms = {form.name: [ATTLOG.field(name).wire for name in form.fields] for form in ATTLOG.forms}
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


def test_options_photos_and_errors_are_answered_without_a_count() -> None:
    """Options, attendance photos and errors get a bare OK (8, 11.3, 11.16), records a number."""
    bare = {table.name for table in TABLES if table.acknowledge is Acknowledge.BARE}
    assert bare == {"options", "ATTPHOTO", "ERRORLOG", *stated("BARE")}
    assert Acknowledge("OK") is Acknowledge.BARE


def test_records_have_the_fields_of_their_sections() -> None:
    """Every field is spelled as its own section spells it."""
    declared = {
        table.name: " ".join(field.wire for field in table.fields)
        for table in RECORD_TABLES
        if table is not ATTLOG
    }
    assert declared == WIRE


def test_records_are_one_by_their_keys() -> None:
    """What a terminal sends again is the same entry by these; logs have no entries."""
    keys = {table.name: table.key for table in RECORD_TABLES if table.key}
    assert keys == {"ATTLOG": ("time", "pin", "status", "verify"), **KEYS}


def test_what_commands_call_a_table_is_its_other_name() -> None:
    """Three tables have another name in commands (12.1.1)."""
    aliases = {table.name: table.aliases for table in RECORD_TABLES if table.aliases}
    assert aliases == {"USER": ("USERINFO",), "FP": ("FINGERTMP",)}


def test_no_two_tables_have_one_name() -> None:
    """A name or a keyword, in any case, is of one table."""
    names = [name.lower() for table in RECORD_TABLES for name in (table.name, *table.aliases)]
    assert len(set(names)) == len(names)
    for table in RECORD_TABLES:
        assert table.keyword in (None, table.name)


def test_only_identity_cards_are_utf_8_whatever_the_language() -> None:
    """Text is in the encoding of the terminal, but that of identity cards (11.6)."""
    utf8 = {table.name for table in RECORD_TABLES if table.utf8}
    assert utf8 == {"IDCARD", *stated("UTF8")}


def test_passwords_templates_and_pictures_are_secret() -> None:
    """These fields are in no log, and only for those who may see biometrics."""
    secrets = {
        table.name: [field.wire for field in table.fields if field.secret]
        for table in RECORD_TABLES
    }
    assert {name: wires for name, wires in secrets.items() if wires} == SECRETS


def test_templates_and_entries_are_records() -> None:
    """Four tables hold templates; six hold what terminals have beside people."""
    assert [table.name for table in TEMPLATE_TABLES] == ["FP", "FACE", "FVEIN", "BIODATA"]
    assert [table.name for table in ENTRY_TABLES] == [
        "WORKCODE",
        "SMS",
        "USER_SMS",
        "Blacklist",
        "WHITELIST",
        "ADPIC",
        "WALLPAPER",
    ]
    assert set(RECORD_TABLES) >= {*TEMPLATE_TABLES, *ENTRY_TABLES}


def test_every_table_is_generated_for_the_tests() -> None:
    """Each table is of lines, of columns in forms, or of photos, and each has its round trip."""
    photos = [table for table in RECORD_TABLES if table.layout is Layout.PHOTO]
    forms = [table for table in RECORD_TABLES if table.forms]
    assert {*photos, *forms, *LINE_TABLES} == set(RECORD_TABLES)
    assert photos == [ATTPHOTO]


def test_scopes_have_the_names_that_callers_use() -> None:
    """The scopes of a token are six words."""
    assert [scope.value for scope in Scope] == [
        "attendance",
        "read",
        "biometrics",
        "write",
        "dangerous",
        "admin",
    ]


def test_the_secret_of_a_terminal_is_marked() -> None:
    """The communication key, and nothing else of the exchange, is kept out of logs."""
    assert [field.wire for field in EXCHANGE.fields if field.secret] == ["pushcommkey"]


def test_transfer_words_stand_in_the_order_of_the_digits() -> None:
    """The place of a word of TransFlag is its digit in format I."""
    assert [word for word, _ in TRANSFER_DATA] == FORMAT_I


def test_tables_ask_for_data_in_the_words_of_the_protocol() -> None:
    """What a table asks for is a word of TransFlag, and of one table only."""
    asked = {table.name: table.transfer for table in RECORD_TABLES if table.transfer}
    assert asked == TRANSFER
    words = [word for table in TRANSFER.values() for word in table]
    assert sorted(words) == sorted(set(FORMAT_I) - {"FPImag"})


def test_there_is_a_stamp_for_each_data_type() -> None:
    """Six data types have stamps; three of them had other names in old firmware."""
    assert list(STAMPS) == EXPECTED_STAMPS


@pytest.mark.parametrize("command", list(CATALOGUE), ids=by_name)
def test_a_command_says_what_it_is(command: Command) -> None:
    """A command names its section, its meaning, its reply, and who may send it."""
    assert f"{command.section}.".startswith("12.")
    assert command.meaning
    assert command.reply
    assert isinstance(command.scope, Scope)
    assert len({field.wire.lower() for field in command.parameters}) == len(command.parameters)


@pytest.mark.parametrize(("name", "section", "reply", "ends_batch"), COMMANDS)
def test_nothing_follows_a_command_that_makes_the_terminal_begin_again(
    name: str, section: str, reply: str, ends_batch: bool
) -> None:
    """REBOOT and CHECK end their batch; LOG and INFO do not."""
    command = CATALOGUE.find(name)
    assert (command.section, command.reply, command.ends_batch) == (section, reply, ends_batch)
