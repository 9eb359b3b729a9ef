"""Commands: checked where they are made, and one line each on the wire (12)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.strategies import (
    ENCODINGS,
    VALUE_CHARACTERS,
    command_ids,
    commands,
    parameters_of,
)
from zkpush.protocol.catalogue import Catalogue
from zkpush.protocol.commands import (
    FileFacts,
    command_text,
    decode_commands,
    encode_command,
)
from zkpush.protocol.dialect import Dialect
from zkpush.protocol.errors import CommandError
from zkpush.protocol.fields import Command, Field, Kind, Scope, Writing
from zkpush.protocol.versions import NEWEST

from ..declared import COMMANDS

CATALOGUE = Catalogue(COMMANDS)
FILE = FileFacts("file/1.b64/emfw.cfg", "0123456789abcdef0123456789abcdef", 2312)

LINES = [
    ("1", "CHECK", "utf-8", b"C:1:CHECK\n"),
    ("info8487", "INFO", "utf-8", b"C:info8487:INFO\n"),
    (
        "2",
        "DATA UPDATE USERINFO PIN=1\tName=Ann",
        "utf-8",
        b"C:2:DATA UPDATE USERINFO PIN=1\tName=Ann\n",
    ),
    ("3", "SET OPTION url=http://a:1/", "utf-8", b"C:3:SET OPTION url=http://a:1/\n"),
    ("4", "Name=\u4e0a\u73ed", "utf-8", b"C:4:Name=\xe4\xb8\x8a\xe7\x8f\xad\n"),
    ("5", "Name=\u4e0a\u73ed", "gb18030", b"C:5:Name=\xc9\xcf\xb0\xe0\n"),
    ("A234567890123456", "LOG", "utf-8", b"C:A234567890123456:LOG\n"),
]

BAD_IDS = ["", "12345678901234567", "a-1", "a 1", "a:1", "1\n", "\u0661", "caf\u00e9"]

TEXTS_OF_TWO_LINES = ["LOG\nC:9:REBOOT", "LOG\r", "LOG\r\n", "LOG\0", "\n"]

NOT_COMMANDS = [
    b"C:1:LOG",
    b"C:1:LOG\nC:2:LOG",
    b"OK\n",
    b"C: 1: LOG\n",
    b"C::LOG\n",
    b"C:1\n",
    b"C:123456789012345678901:LOG\n",
    b"UNKNOWN DEVICE",
    b"\n",
]

SAMPLE = Command(
    name="SAMPLE WORDS",
    section="12.0",
    meaning="Stands for the commands that take parameters",
    reply="SAMPLE",
    parameters=(
        Field(wire="PIN", name="pin", required=True, pattern="[0-9]{1,9}", meaning="User ID"),
        Field(wire="Level", name="level", kind=Kind.INTEGER, maximum=14, meaning="Privilege"),
        Field(wire="Name", name="name", meaning="Name"),
    ),
)

GOOD_PARAMETERS = [
    ({"PIN": "1"}, "SAMPLE WORDS PIN=1"),
    ({"Name": "A=B & C", "PIN": "1"}, "SAMPLE WORDS PIN=1\tName=A=B & C"),
    ({"Name": "", "Level": "14", "PIN": "9"}, "SAMPLE WORDS PIN=9\tLevel=14\tName="),
]

BAD_PARAMETERS = [
    ({}, "SAMPLE WORDS needs PIN: User ID"),
    (
        {"pin": "1"},
        "SAMPLE WORDS has no parameter 'pin' (did you mean PIN?); it takes PIN, Level, Name; "
        "SAMPLE WORDS needs PIN",
    ),
    ({"PIN": "1", "A": "", "B": ""}, "SAMPLE WORDS has no parameter 'A', 'B'; it takes PIN, "),
    (
        {"PIN": "x", "Level": "15"},
        "PIN: 'x' is not of the form [0-9]{1,9} (User ID); Level: 15 is more",
    ),
    ({"PIN": "x"}, "PIN: 'x' is not of the form"),
    ({"PIN": "1", "Level": "15"}, "Level: 15 is more than 14"),
    ({"PIN": "1", "Level": "high"}, "Level: 'high' is not an integer"),
    ({"PIN": "1", "Name": "a\tGrp=2"}, "Name holds a TAB, which a value can never contain"),
    ({"PIN": "1", "Name": "a\nC:2:REBOOT"}, "Name holds a LF, which a value can never contain"),
    ({"PIN": "1", "Name": "a\r"}, "Name holds a CR, which a value can never contain"),
    ({"PIN": "1", "Name": "a\0"}, "Name holds a NUL, which a value can never contain"),
]


WITH_SAMPLE = Catalogue([*COMMANDS, SAMPLE])
"""A catalogue with a command beside those of the protocol."""


@pytest.mark.parametrize(("command_id", "text", "encoding", "line"), LINES)
def test_a_command_is_one_line(command_id: str, text: str, encoding: str, line: bytes) -> None:
    """A command is `C:<CmdID>:<text>` LF, and a terminal reads it back."""
    assert encode_command(command_id, text, encoding) == line
    assert decode_commands(line) == [(command_id, text.encode(encoding))]


def test_a_batch_is_line_after_line() -> None:
    """Several commands are one after the other; the last one ends with LF too."""
    batch = encode_command("1", "LOG", "utf-8") + encode_command("2", "CHECK", "utf-8")
    assert batch == b"C:1:LOG\nC:2:CHECK\n"
    assert decode_commands(batch) == [("1", b"LOG"), ("2", b"CHECK")]


def test_ok_is_no_command() -> None:
    """A poll with nothing to do is answered with a bare OK."""
    assert decode_commands(b"OK") == []


@pytest.mark.parametrize("command_id", BAD_IDS)
def test_an_id_is_letters_and_digits(command_id: str) -> None:
    """A CmdID that is not 1 to 16 ASCII letters and digits is never sent."""
    with pytest.raises(CommandError, match="1 to 16 letters and digits"):
        encode_command(command_id, "LOG", "utf-8")


@pytest.mark.parametrize("text", TEXTS_OF_TWO_LINES)
def test_one_command_is_never_two(text: str) -> None:
    """A text that would end its line is never sent."""
    with pytest.raises(CommandError, match="a command is one line"):
        encode_command("1", text, "utf-8")


def test_what_the_terminal_cannot_write_is_a_question_mark() -> None:
    """Characters that the encoding does not have are sent as `?`, and do not stop the command."""
    assert encode_command("1", "Name=a\udc80b", "utf-8") == b"C:1:Name=a?b\n"
    assert encode_command("1", "Name=\u4e0a", "ascii") == b"C:1:Name=?\n"


@pytest.mark.parametrize("body", NOT_COMMANDS)
def test_a_terminal_does_not_guess_at_commands(body: bytes) -> None:
    """A line that is no command, or a last one without LF, is an error of the server's."""
    with pytest.raises(ValueError, match=r"is not a command|does not end with LF"):
        decode_commands(body)


@pytest.mark.parametrize("name", ["CHECK", "LOG", "INFO", "REBOOT"])
def test_a_command_is_known_by_its_words(name: str) -> None:
    """A command without parameters is its words."""
    command = CATALOGUE.validate(name, {})
    assert command is CATALOGUE.find(name)
    assert command_text(command, {}) == name


@pytest.mark.parametrize("name", ["", "FORMAT", "CHECK\nC:2:REBOOT"])
def test_an_unknown_command_is_answered_with_the_known_ones(name: str) -> None:
    """A command that is none is refused, with a list of those there are."""
    with pytest.raises(CommandError, match="not a command; there are DATA UPDATE USERINFO, "):
        CATALOGUE.validate(name, {})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("check", "CHECK"),
        ("CHECK ", "CHECK"),
        ("Rebot", "REBOOT"),
        ("DATA UPDATE USER", "DATA UPDATE USERINFO or DATA UPDATE USERPIC or DATA UPDATE USER_SMS"),
    ],
)
def test_a_mistyped_command_is_answered_with_what_it_may_mean(name: str, meant: str) -> None:
    """The nearest ones, and no list of all."""
    with pytest.raises(CommandError, match=f"not a command; did you mean {meant}\\?$"):
        CATALOGUE.validate(name, {})


def test_a_command_without_parameters_takes_none() -> None:
    """A parameter that a command does not have is refused."""
    with pytest.raises(CommandError, match=r"LOG has no parameter 'PIN'; it takes no parameters$"):
        CATALOGUE.validate("LOG", {"PIN": "1"})


@pytest.mark.parametrize(("params", "text"), GOOD_PARAMETERS)
def test_parameters_are_sent_in_declared_order(params: dict[str, str], text: str) -> None:
    """Parameters stand between TABs, in the order of the declaration."""
    assert command_text(WITH_SAMPLE.validate(SAMPLE.name, params), params) == text


@pytest.mark.parametrize(("params", "mistake"), BAD_PARAMETERS)
def test_a_bad_parameter_is_refused_by_name(params: dict[str, str], mistake: str) -> None:
    """A parameter that is missing, unknown, out of bounds or ends its line is refused."""
    with pytest.raises(CommandError, match=f"^{re.escape(mistake)}"):
        WITH_SAMPLE.validate(SAMPLE.name, params)


@given(command_ids(), st.text(VALUE_CHARACTERS | st.just("\t")), ENCODINGS)
def test_every_command_is_read_as_it_was_meant(command_id: str, text: str, encoding: str) -> None:
    """Whatever a command says, a terminal reads exactly that one command."""
    (command,) = decode_commands(encode_command(command_id, text, encoding))
    assert command == (command_id, text.encode(encoding))


@pytest.mark.long
@given(st.data(), commands() | st.just(SAMPLE), command_ids())
def test_every_declared_command_can_be_sent(
    data: st.DataObject, command: Command, command_id: str
) -> None:
    """All that the declarations allow is one line, with the words and every parameter in it."""
    params = data.draw(parameters_of(command))
    line = encode_command(command_id, command_text(command, params, FILE), "utf-8")
    ((sent, text),) = decode_commands(line)
    assert sent == command_id
    assert text.decode().startswith(command.name)
    if command.writing is Writing.PAIRS:
        for name, value in params.items():
            assert f"{name}={value}" in text.decode()


@given(st.data(), commands().filter(lambda command: command.writing is not Writing.UPGRADE))
def test_a_terminal_reads_every_parameter_back(data: st.DataObject, command: Command) -> None:
    """What is written of a command is what a terminal takes it to be."""
    params = data.draw(parameters_of(command))
    read, found = CATALOGUE.parse(command_text(command, params))
    assert read is command
    sizes = {field.wire for field in command.parameters if field.name == "size"}
    assert {name: found[name] for name in found if name in params or name not in sizes} == params


def test_a_value_without_a_name_is_not_taken_for_another() -> None:
    """PutFile with a path and no URL would fetch what the path names."""
    params = {"path": "x.tgz", "Action": "AppendData"}
    with pytest.raises(CommandError, match=r"^url: is missing, and path stands behind it$"):
        command_text(CATALOGUE.find("PutFile"), params)


@given(st.data(), commands(), command_ids(), ENCODINGS)
def test_one_command_in_is_one_line_out(
    data: st.DataObject, command: Command, command_id: str, encoding: str
) -> None:
    """Whatever the parameters hold, a command is refused, or it is exactly one line."""
    names = [field.wire for field in command.parameters]
    values = st.text() | st.sampled_from(["a\nC:2:REBOOT", "1\tPri=14", "x\0", "\r\n", "C:1:A"])
    params = data.draw(
        parameters_of(command)
        | st.dictionaries(st.sampled_from(names) if names else st.text(), values, max_size=4)
    )
    dialect = Dialect(encoding=encoding, own_version=NEWEST)
    try:
        checked = CATALOGUE.validate(command.name, params, dialect)
    except CommandError:
        return
    line = encode_command(command_id, command_text(checked, params, FILE), encoding)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert not {b"\r", b"\0"} & {bytes([byte]) for byte in line}
    assert line.count(b"\t") < max(1, len(checked.parameters))
    ((sent, _),) = decode_commands(line)
    assert sent == command_id


SECTIONS = [
    (
        "DATA UPDATE USERINFO",
        {"PIN": "1", "Name": "Ann", "Pri": "14", "Passwd": "12", "Card": "[15CD5B07]", "Grp": "1"}
        | {"TZ": "0001000200010000", "Verify": "-1", "ViceCard": "123456789"},
        "DATA UPDATE USERINFO PIN=1\tName=Ann\tPri=14\tPasswd=12\tCard=[15CD5B07]\tGrp=1\t"
        "TZ=0001000200010000\tVerify=-1\tViceCard=123456789",
    ),
    (
        "DATA UPDATE FINGERTMP",
        {"PIN": "1", "FID": "5", "Valid": "3", "TMP": "AAAA"},
        "DATA UPDATE FINGERTMP PIN=1\tFID=5\tSize=4\tValid=3\tTMP=AAAA",
    ),
    (
        "DATA UPDATE FACE",
        {"PIN": "1", "FID": "0", "Valid": "1", "Size": "4", "TMP": "AAAA"},
        "DATA UPDATE FACE PIN=1\tFID=0\tValid=1\tSize=4\tTMP=AAAA",
    ),
    ("DATA DELETE FINGERTMP", {"PIN": "1", "FID": "2"}, "DATA DELETE FINGERTMP PIN=1\tFID=2"),
    ("DATA QUERY USERINFO", {}, "DATA QUERY USERINFO"),
    ("RAW", {"line": "DATA UPDATE X A=1\tB= 2"}, "DATA UPDATE X A=1\tB= 2"),
    ("GET OPTION FROM", {"key": "~OS"}, "GET OPTION FROM ~OS"),
    (
        "DATA UPDATE BIOPHOTO",
        {"PIN": "1", "Type": "9", "Content": "AAAA", "Url": "", "Format": "0"},
        "DATA UPDATE BIOPHOTO PIN=1\tType=9\tSize=4\tContent=AAAA\tFormat=0\tUrl=",
    ),
    ("DATA UPDATE USERINFO", {"PIN": "1", "TZ": ""}, "DATA UPDATE USERINFO PIN=1\tTZ="),
    ("DATA UPDATE AccGroup", {"ID": "1", "TZ": ""}, "DATA UPDATE AccGroup ID=1\tTZ="),
    ("DATA QUERY BIODATA", {"Type": "9", "PIN": "1"}, "DATA QUERY BIODATA Type=9\tPIN=1"),
    ("SET OPTION", {"key": "~Name", "value": "a=b, c"}, "SET OPTION ~Name=a=b, c"),
    ("SHELL", {"command": "ls -l /mnt"}, "SHELL ls -l /mnt"),
    ("GetFile", {"path": "/mnt/mtdblock/a.dat"}, "GetFile /mnt/mtdblock/a.dat"),
    (
        "PutFile",
        {"url": "file/1/m.tgz", "path": "m.tgz", "Action": "SyncData", "TableName": "USERINFO"}
        | {"RecordCount": "2"},
        "PutFile file/1/m.tgz\tm.tgz\tAction=SyncData\tTableName=USERINFO\tRecordCount=2",
    ),
    (
        "UPGRADE",
        {"file": "1", "form": "1"},
        "UPGRADE checksum=0123456789abcdef0123456789abcdef,url=file/1.b64/emfw.cfg,size=2312",
    ),
    (
        "UPGRADE",
        {"file": "1", "form": "2", "supportsubcontracting": "1"},
        "UPGRADE type=1,checksum=0123456789abcdef0123456789abcdef,size=2312,"
        "url=file/1.b64/emfw.cfg,supportsubcontracting=1",
    ),
]


@pytest.mark.parametrize(("name", "params", "text"), SECTIONS)
def test_a_command_is_written_as_its_section_says(
    name: str, params: dict[str, str], text: str
) -> None:
    """Parameters have the spelling, the order and the separators of their own section."""
    assert command_text(CATALOGUE.validate(name, params), params, FILE) == text


REFUSED = [
    ("DATA UPDATE USERINFO", {"Name": "Ann"}, "DATA UPDATE USERINFO needs PIN"),
    ("DATA UPDATE USERINFO", {"PIN": ""}, "PIN: '' is not a user ID: 1 to 64 characters"),
    (
        "DATA UPDATE USERINFO",
        {"PIN": "1", "Pri": "3"},
        "Pri: 3 is none of 0 (User), 2 (Registrar), 6 (Administrator), 10",
    ),
    ("DATA UPDATE FINGERTMP", {"PIN": "1", "FID": "10", "TMP": "AAAA"}, "FID: 10 is more than 9"),
    ("DATA UPDATE FINGERTMP", {"PIN": "1", "FID": "1", "TMP": "A!"}, "TMP: this is no base64"),
    ("DATA UPDATE BIOPHOTO", {"PIN": "1", "Type": "9"}, "DATA UPDATE BIOPHOTO needs Content or"),
    (
        "DATA UPDATE BIOPHOTO",
        {"PIN": "1", "Type": "9", "Content": "", "Url": ""},
        "DATA UPDATE BIOPHOTO needs Content or",
    ),
    (
        "DATA UPDATE BIOPHOTO",
        {"PIN": "1", "Type": "9", "Content": "AAAA", "Format": "1"},
        "Format=1 needs Url",
    ),
    ("DATA UPDATE FINGERTMP", {"PIN": "1", "FID": "1", "TMP": ""}, "TMP is empty"),
    (
        "DATA UPDATE FINGERTMP",
        {"PIN": "1", "FID": "1", "TMP": "AAAA", "Size": "5"},
        "Size is 5, and TMP has 4 characters; leave Size out",
    ),
    (
        "DATA UPDATE USERINFO",
        {"PIN": "1", "Card": "12AB"},
        "Card is neither a decimal number",
    ),
    ("GetFile", {"path": ""}, "path is empty"),
    (
        "DATA QUERY ATTLOG",
        {"StartTime": "2026-01-02 00:00:00", "EndTime": "2026-01-01 00:00:00"},
        "EndTime is before StartTime",
    ),
    ("RAW", {"line": ""}, "line: "),
    ("RAW", {"line": "C:1:INFO"}, "line: "),
    ("RAW", {"line": "INFO\nLOG"}, "line holds a LF"),
    (
        "DATA UPDATE SMS",
        {"MSG": "x" * 321, "TAG": "253", "UID": "1"},
        "MSG has 321 bytes in the terminal's encoding; at most 320 fit",
    ),
    ("PutFile", {"path": "/mnt"}, "PutFile needs url or Action"),
    ("SET OPTION", {"key": "a=b", "value": ""}, "key: 'a' is not the name of an option"),
    ("SHELL", {"command": "a\nb"}, "command holds a LF"),
    ("VERIFY SUM ATTLOG", {"StartTime": "2026-01-01 00:00:00"}, "VERIFY SUM ATTLOG needs EndTime"),
]


@pytest.mark.parametrize(("name", "params", "mistake"), REFUSED)
def test_what_a_section_does_not_allow_is_refused(
    name: str, params: dict[str, str], mistake: str
) -> None:
    """The parameter is named, and what is wrong with it."""
    with pytest.raises(CommandError, match=f"^{re.escape(mistake)}"):
        CATALOGUE.validate(name, params)


def test_a_message_is_measured_in_the_terminals_encoding() -> None:
    """320 bytes (12.1.1.9) are 160 Chinese characters in GB2312, and 106 in UTF-8."""
    params = {"MSG": "\u4e0a" * 160, "TAG": "253", "UID": "1"}
    assert CATALOGUE.validate("DATA UPDATE SMS", params, Dialect(encoding="gb18030"))
    with pytest.raises(CommandError, match="MSG has 480 bytes"):
        CATALOGUE.validate("DATA UPDATE SMS", params, Dialect(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "params", "since"),
    [
        ("CLEAR ALL USERINFO", {}, "2.4.2"),
        ("DATA UPDATE WHITELIST", {"IDNum": "1"}, "2.4.2"),
        ("DATA UPDATE Blacklist", {"IDNum": "1"}, "2.4.0"),
        ("DATA UPDATE IDCARD", {"PIN": "1"}, "2.3.0"),
    ],
)
def test_a_terminal_gets_no_command_that_is_newer_than_it(
    name: str, params: dict[str, str], since: str
) -> None:
    """The first version that has a command is compared with the terminal's own."""
    with pytest.raises(CommandError, match=f"{name} is of protocol {since}, .* is of 2.2.14"):
        CATALOGUE.validate(name, params, Dialect())
    assert CATALOGUE.validate(name, params, Dialect(own_version=NEWEST)).name == name


def test_the_catalogue_is_whole() -> None:
    """All commands of 12, and what 2.4.2 adds."""
    data = [command.name.split()[1] for command in COMMANDS if command.name.startswith("DATA")]
    newer = {command.name for command in COMMANDS if command.since == NEWEST}
    assert newer == {"CLEAR ALL USERINFO", "DATA UPDATE WHITELIST", "DATA UPDATE WALLPAPER"}
    assert {verb: data.count(verb) for verb in data} == {"UPDATE": 18 + 2, "DELETE": 10, "QUERY": 5}
    dangerous = {command.name for command in COMMANDS if command.scope is Scope.DANGEROUS}
    assert dangerous == {
        *("SHELL", "PutFile", "GetFile", "UPGRADE", "AC_UNLOCK", "AC_UNALARM", "RAW"),
        *("CLEAR LOG", "CLEAR PHOTO", "CLEAR DATA", "CLEAR BIODATA", "CLEAR ALL USERINFO"),
    }
    assert [command.name for command in COMMANDS if command.ends_batch] == [
        *("CLEAR DATA", "CHECK", "REBOOT", "UPGRADE", "RAW"),
    ]


@given(st.data(), commands())
def test_every_declared_command_is_valid(data: st.DataObject, command: Command) -> None:
    """The declared commands, with the parameters they declare, are those that may be queued."""
    assert CATALOGUE.validate(command.name, data.draw(parameters_of(command))) is command


@given(st.binary())
def test_any_reply_to_a_poll_is_commands_or_an_error(body: bytes) -> None:
    """No reply makes a terminal fail in another way; each LF ends one command."""
    try:
        read = decode_commands(body)
    except ValueError:
        return
    assert len(read) == body.count(b"\n")
