"""Commands: checked where they are made, and one line each on the wire (12)."""

from __future__ import annotations

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
from zkpush.protocol import commands as module
from zkpush.protocol.commands import (
    command_text,
    decode_commands,
    encode_command,
    find_command,
    validate,
)
from zkpush.protocol.errors import CommandError
from zkpush.protocol.fields import Command, Field, Kind

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
    ({"pin": "1"}, "SAMPLE WORDS has no parameter 'pin'; it takes PIN, Level, Name"),
    ({"PIN": "x"}, "PIN: 'x' has not the form"),
    ({"PIN": "1", "Level": "15"}, "Level: 15 is more than 14"),
    ({"PIN": "1", "Level": "high"}, "Level: 'high' is not an integer"),
    ({"PIN": "1", "Name": "a\tGrp=2"}, "Name holds a TAB, which a value can never contain"),
    ({"PIN": "1", "Name": "a\nC:2:REBOOT"}, "Name holds a LF, which a value can never contain"),
    ({"PIN": "1", "Name": "a\r"}, "Name holds a CR, which a value can never contain"),
    ({"PIN": "1", "Name": "a\0"}, "Name holds a NUL, which a value can never contain"),
]


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> Command:
    """A command with parameters beside those the server has."""
    monkeypatch.setattr(module, "COMMANDS", (*module.COMMANDS, SAMPLE))
    return SAMPLE


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
    command = validate(name, {})
    assert command is find_command(name)
    assert command_text(command, {}) == name


@pytest.mark.parametrize("name", ["", "check", "CHECK ", "FORMAT", "CHECK\nC:2:REBOOT"])
def test_an_unknown_command_is_answered_with_the_known_ones(name: str) -> None:
    """A command that is none is refused, with a list of those there are."""
    with pytest.raises(CommandError, match="not a command; there are CHECK, LOG"):
        validate(name, {})


def test_a_command_without_parameters_takes_none() -> None:
    """A parameter that a command does not have is refused."""
    with pytest.raises(CommandError, match=r"LOG has no parameter 'PIN'; it takes no parameters$"):
        validate("LOG", {"PIN": "1"})


@pytest.mark.parametrize(("params", "text"), GOOD_PARAMETERS)
def test_parameters_are_sent_in_declared_order(
    sample: Command, params: dict[str, str], text: str
) -> None:
    """Parameters stand between TABs, in the order of the declaration."""
    assert command_text(validate(sample.name, params), params) == text


@pytest.mark.parametrize(("params", "mistake"), BAD_PARAMETERS)
def test_a_bad_parameter_is_refused_by_name(
    sample: Command, params: dict[str, str], mistake: str
) -> None:
    """A parameter that is missing, unknown, out of bounds or ends its line is refused."""
    with pytest.raises(CommandError, match=f"^{mistake}"):
        validate(sample.name, params)


@given(command_ids(), st.text(VALUE_CHARACTERS | st.just("\t")), ENCODINGS)
def test_every_command_is_read_as_it_was_meant(command_id: str, text: str, encoding: str) -> None:
    """Whatever a command says, a terminal reads exactly that one command."""
    (command,) = decode_commands(encode_command(command_id, text, encoding))
    assert command == (command_id, text.encode(encoding))


@given(st.data(), st.sampled_from([*module.COMMANDS, SAMPLE]), command_ids())
def test_every_declared_command_can_be_sent(
    data: st.DataObject, command: Command, command_id: str
) -> None:
    """All that the declarations allow is one line, with the words and every parameter in it."""
    params = data.draw(parameters_of(command))
    line = encode_command(command_id, command_text(command, params), "utf-8")
    ((sent, text),) = decode_commands(line)
    assert sent == command_id
    assert text.decode().startswith(command.name)
    for name, value in params.items():
        assert f"{name}={value}" in text.decode()


@given(st.data(), commands())
def test_every_declared_command_is_valid(data: st.DataObject, command: Command) -> None:
    """The declared commands, with the parameters they declare, are those that may be queued."""
    assert validate(command.name, data.draw(parameters_of(command))) is command


@given(st.binary())
def test_any_reply_to_a_poll_is_commands_or_an_error(body: bytes) -> None:
    """No reply makes a terminal fail in another way; each LF ends one command."""
    try:
        read = decode_commands(body)
    except ValueError:
        return
    assert len(read) == body.count(b"\n")
