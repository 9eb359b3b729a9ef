"""Command replies (13): several forms, several in one body, and bytes to the end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import fixture
from tests.protocol.strategies import (
    ENCODINGS,
    broken_bodies,
    command_ids,
    commands,
    option_names,
    option_values,
)
from zkpush.protocol.replies import MOST_REPLIES, CommandReply, decode_replies, encode_reply

WRITTEN = [
    (b"ID=info8487&Return=0&CMD=DATA\n", CommandReply("info8487", 0, "DATA")),
    (b"ID=1&Return=-1002&CMD=CHECK\n", CommandReply("1", -1002, "CHECK")),
    (
        b"ID=5&Return=0&CMD=VERIFY SUM&StartTime=2015-07-29 00:00:00&"
        b"EndTime=2015-07-30 00:00:00&AttlogSum=9\n",
        CommandReply(
            "5",
            0,
            "VERIFY SUM",
            {
                "StartTime": "2015-07-29 00:00:00",
                "EndTime": "2015-07-30 00:00:00",
                "AttlogSum": "9",
            },
        ),
    ),
    (
        b"ID=2&Return=0&CMD=INFO\n~DeviceName=A&B=C\nMAC=00:17:61:00:00:01\n~OEMVendor=\n",
        CommandReply(
            "2",
            0,
            "INFO",
            {"~DeviceName": "A&B=C", "MAC": "00:17:61:00:00:01", "~OEMVendor": ""},
        ),
    ),
    (
        b"ID=3\nSN=7\nFILENAME=/a&b\nCMD=GetFile\nReturn=11\nContent=\0\nID=4&\xff\r\n\n",
        CommandReply("3", 11, "GetFile", {"SN": "7", "FILENAME": "/a&b"}, b"\0\nID=4&\xff\r\n\n"),
    ),
    (b"ID=3\nCMD=GetFile\nReturn=-3\n", CommandReply("3", -3, "GetFile")),
    (b"ID=4\nReturn=2312\nCMD=PutFile\n", CommandReply("4", 2312, "PutFile")),
    (
        b"ID=6\nSN=7\nReturn=1\nCMD=Shell\nFILENAME=shellout.txt\nContent=data\n",
        CommandReply("6", 1, "Shell", {"SN": "7", "FILENAME": "shellout.txt"}, b"data\n"),
    ),
]
"""Replies in the form that the section of each command gives them: these are read and written."""

READ = [
    # Order, case, and other keys in the line.
    (b"ID=1&CMD=LOG&Return=0", CommandReply("1", 0, "LOG")),
    (b"id=1&RETURN=0&cmd=LOG\r\n", CommandReply("1", 0, "LOG")),
    (b"ID=1&SN=7&Return=0&CMD=LOG&Extra=x", CommandReply("1", 0, "LOG", {"SN": "7", "Extra": "x"})),
    (b"ID=1&Return=0", CommandReply("1", 0, "")),
    (b"\n\nID=1&Return=0&CMD=\n\n", CommandReply("1", 0, "")),
    (b"ID=1& &Return=0&&CMD=LOG", CommandReply("1", 0, "LOG")),
    (b"ID=1& SN =7&Return=0&CMD=LOG", CommandReply("1", 0, "LOG", {"SN": "7"})),
    # One key a line, as some firmware writes all replies.
    (b"ID=1\nReturn=-1\nCMD=DATA\n", CommandReply("1", -1, "DATA")),
    (b"Return=-1\r\nID=1\r\n", CommandReply("1", -1, "")),
    (b"CMD=DATA\nReturn=-1\nID=1\n", CommandReply("1", -1, "DATA")),
    (b"ID=1\r\nSN=7\r\nReturn=0\r\nCMD=LOG\r\n", CommandReply("1", 0, "LOG", {"SN": "7"})),
    # PutFile says the size of the file.
    (b"ID=1\nReturn=31\nCMD=PutFile", CommandReply("1", 31, "PutFile")),
    # A second head belongs to what was said, not to the head.
    (b"ID=1&Return=0&CMD=LOG\nReturn=9", CommandReply("1", 0, "LOG", {"Return": "9"})),
    # The ID is enough.
    (b"ID=1&CMD=LOG\n", CommandReply("1", None, "LOG")),
    (b"ID=1", CommandReply("1", None, "")),
    (b"ID=1\nReturn=\nCMD=LOG", CommandReply("1", None, "LOG")),
    # TAB between the pairs, and content behind them on the line.
    (b"ID=1\tReturn=-3\tCMD=DATA", CommandReply("1", -3, "DATA")),
    (b"SN=7\tid=1\treturn=0\r\n", CommandReply("1", 0, "", {"SN": "7"})),
    (
        b"ID=1&SN=7&FILENAME=a&CMD=GetFile&Return=3&Content=a&\n",
        CommandReply("1", 3, "GetFile", {"SN": "7", "FILENAME": "a"}, b"a&\n"),
    ),
    # An empty file is a file.
    (
        b"ID=1\nCMD=GetFile\nReturn=0\nContent=",
        CommandReply("1", 0, "GetFile", content=b""),
    ),
    (
        b"ID=1\r\nCMD=GetFile\r\nReturn=3\r\ncontent=a\r\n",
        CommandReply("1", 3, "GetFile", content=b"a\r\n"),
    ),
]

NOT_SAID = ("id", "return", "cmd", "content")
"""The keys that are not among the values of a reply."""

REJECTED = [
    (b"rubbish", b"rubbish", "no ID="),
    (b"Return=0&CMD=LOG", b"Return=0&CMD=LOG", "no ID="),
    (b"Content=x\nID=1&Return=0", b"Content=x\nID=1&Return=0", "no ID="),
    (b"ID=&Return=0&CMD=LOG", b"ID=&Return=0&CMD=LOG", "needs id"),
    (b"ID=1&Return=zero&CMD=LOG", b"ID=1&Return=zero&CMD=LOG", "'zero' is not an integer"),
    (b"ID=1&Return=0.5", b"ID=1&Return=0.5", "'0.5' is not an integer"),
    (
        b"ID=\nCMD=GetFile\nContent=\0\n\xff",
        b"ID=\nCMD=GetFile\nContent=\0\n\xff",
        "needs id",
    ),
    (
        b"ID=\r\nCMD=GetFile\r\n\r\nContent=\0\n\xff",
        b"ID=\r\nCMD=GetFile\r\n\r\nContent=\0\n\xff",
        "needs id",
    ),
]


@pytest.mark.parametrize(("body", "reply"), WRITTEN)
def test_a_reply_is_read_as_it_is_written(body: bytes, reply: CommandReply) -> None:
    """A reply is a line, or a line and its options, or one key a line and what is in a file."""
    assert encode_reply(reply) == body
    assert decode_replies(body, "utf-8") == ([reply], [])


def test_a_reply_is_written_in_the_encoding_of_the_terminal() -> None:
    """A terminal in Simplified Chinese writes its options in GB2312."""
    reply = CommandReply("1", 0, "INFO", {"~DeviceName": "上班"})
    assert encode_reply(reply, "gb18030") == (
        b"ID=1&Return=0&CMD=INFO\n~DeviceName=\xc9\xcf\xb0\xe0\n"
    )


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (CommandReply("1", 0, "INFO", {"A": "1\nID=2"}), "is one line"),
        (CommandReply("1", 0, "DATA", {"A": "1\r"}), "is one line"),
        (CommandReply("1", 0, "DATA", content=b""), "the answer to DATA has no content"),
    ],
)
def test_a_reply_that_would_be_another_is_not_written(reply: CommandReply, reason: str) -> None:
    """What would end its line, or has no place, is a mistake of the terminal's."""
    with pytest.raises(ValueError, match=reason):
        encode_reply(reply)


@pytest.mark.parametrize(("body", "reply"), READ)
def test_a_reply_is_read_in_every_form(body: bytes, reply: CommandReply) -> None:
    """Keys stand in any order and case, in one line or one a line."""
    assert decode_replies(body, "utf-8") == ([reply], [])


@pytest.mark.parametrize(("body", "raw", "reason"), REJECTED)
def test_what_is_no_reply_is_kept(body: bytes, raw: bytes, reason: str) -> None:
    """A reply that cannot be read is kept to the last byte, with the reason."""
    replies, (reject,) = decode_replies(body, "utf-8")
    assert replies == []
    assert reject.table == "devicecmd"
    assert reject.raw == raw
    assert reason in reject.reason


@pytest.mark.parametrize("body", [b"", b"\n", b" \r\n\n"])
def test_an_empty_body_says_nothing(body: bytes) -> None:
    """A body without anything in it is no reply, and nothing to keep."""
    assert decode_replies(body, "utf-8") == ([], [])


def test_the_replies_of_the_specification_are_five() -> None:
    """The example of section 13 answers five commands, in the order they were executed."""
    replies, rejects = decode_replies(fixture("command_replies.txt"), "utf-8")
    assert [reply.id for reply in replies] == [
        "info8487",
        "info8488",
        "info8489",
        "info7464",
        "fp7464",
    ]
    assert {(reply.return_code, reply.command) for reply in replies} == {(0, "DATA")}
    assert rejects == []


def test_info_is_followed_by_the_options() -> None:
    """The reply of 12.4.3 has an option a line, with or without `~`, with any value."""
    (reply,), rejects = decode_replies(fixture("info_reply.txt"), "utf-8")
    assert (reply.id, reply.return_code, reply.command) == ("i41", 0, "INFO")
    assert reply.values == {
        "~DeviceName": "Terminal 9",
        "~OEMVendor": "ZKTECO CO., LTD.",
        "FWVersion": "Ver 2.0.12-20150625",
        "IPAddress": "192.168.16.27",
        "Note": "fast & loud",
        "MultiBioDataSupport": "0:1:1:0:0:0:0:0:0:0",
        "~SerialNumber": "0316144680030",
        "PhotoStamp": "",
    }
    assert reply.content is None
    assert rejects == []


def test_a_file_is_everything_to_the_end() -> None:
    """The content of 12.5.1 is binary: NULs, LFs, and what looks like another reply are in it."""
    (reply,), rejects = decode_replies(fixture("getfile_reply.bin"), "utf-8")
    assert reply == CommandReply(
        id="file7",
        return_code=72,
        command="GetFile",
        values={"SN": "0316144680030", "FILENAME": "/mnt/mtdblock/data.bin"},
        content=(
            b"\x89PNG\r\n\x1a\n\x00\x00first\n"
            b"ID=666&Return=0&CMD=DATA\nContent=not the start\n\xff\xfe\x00last\n\n"
        ),
    )
    assert len(reply.content or b"") == reply.return_code
    assert rejects == []


def test_the_output_of_a_system_command_is_kept_as_printed() -> None:
    """The content of 12.8.1 is what was printed, equals signs and all."""
    (reply,), rejects = decode_replies(fixture("shell_reply.txt"), "utf-8")
    assert reply == CommandReply(
        id="shell3",
        return_code=0,
        command="Shell",
        values={"SN": "0316144680030", "FILENAME": "shellout.txt"},
        content=(b"total 2\ndrwxr-xr-x  2 root  root  160 Jan  1 00:00 data\nPATH=/bin:/usr/bin\n"),
    )
    assert rejects == []


def test_a_sum_says_its_period_and_its_number() -> None:
    """The reply of 12.3.3 repeats the period, and counts the records in it."""
    (reply,), rejects = decode_replies(fixture("verify_sum_reply.txt"), "utf-8")
    assert reply == CommandReply(
        id="sum5",
        return_code=0,
        command="VERIFY SUM",
        values={
            "StartTime": "2015-07-29 00:00:00",
            "EndTime": "2015-07-30 00:00:00",
            "AttlogSum": "9",
        },
    )
    assert rejects == []


def test_a_file_may_come_after_other_replies() -> None:
    """Replies before one with content are their own."""
    body = b"ID=1&Return=0&CMD=INFO\n~A=1\n" + fixture("getfile_reply.bin")
    replies, rejects = decode_replies(body, "utf-8")
    assert [(reply.id, reply.content is None) for reply in replies] == [
        ("1", True),
        ("file7", False),
    ]
    assert replies[0].values == {"~A": "1"}
    assert rejects == []


def test_a_bad_reply_does_not_stop_the_ones_around_it() -> None:
    """Of several replies only the one that cannot be read is set aside."""
    body = b"no reply\nID=1&Return=0&CMD=LOG\nID=2&Return=?&CMD=LOG\n\nID=3&Return=0&CMD=LOG"
    replies, rejects = decode_replies(body, "utf-8")
    assert [reply.id for reply in replies] == ["1", "3"]
    assert [reject.raw for reject in rejects] == [b"no reply", b"ID=2&Return=?&CMD=LOG"]


def test_a_bad_reply_before_a_file_is_kept_without_the_file() -> None:
    """The content belongs to the last reply, and is kept with it alone."""
    body = b"ID=1&Return=?\nID=2\nReturn=1\nCMD=GetFile\nContent=x"
    (reply,), (reject,) = decode_replies(body, "utf-8")
    assert (reply.id, reply.content) == ("2", b"x")
    assert reject.raw == b"ID=1&Return=?"


def test_replies_are_read_in_the_encoding_of_the_terminal() -> None:
    """What a terminal in Simplified Chinese says of itself is read as GB18030."""
    body = b"ID=1&Return=0&CMD=INFO\n~DeviceName=\xc9\xcf\xb0\xe0\nBad=\xff\n"
    (reply,), _ = decode_replies(body, "gb18030")
    assert reply.values == {"~DeviceName": "\u4e0a\u73ed", "Bad": "\ufffdff"}


def written_replies() -> st.SearchStrategy[CommandReply]:
    """Replies as any command has them, but for content, which ends the body."""
    names = option_names().filter(lambda name: name.lower() not in NOT_SAID)
    return st.builds(
        CommandReply,
        id=command_ids(),
        return_code=st.integers(-(10**10) + 1, 10**10 - 1),
        command=commands().map(lambda command: command.reply),
        values=st.dictionaries(
            names, option_values().filter(lambda value: not {"&", "\t"} & set(value)), max_size=4
        ),
    )


@given(st.lists(written_replies(), max_size=4))
def test_every_reply_is_read_as_it_was_meant(sent: list[CommandReply]) -> None:
    """Any number of replies in one body is read, each with what it says."""
    replies, rejects = decode_replies(b"".join(encode_reply(reply) for reply in sent), "utf-8")
    assert replies == sent
    assert rejects == []


@given(command_ids(), st.binary())
def test_every_content_is_kept_to_the_byte(command_id: str, content: bytes) -> None:
    """Whatever a file holds, its reply is one, and all of it is there."""
    head = f"ID={command_id}\nSN=7\nFILENAME=a\nCMD=GetFile\nReturn={len(content)}\nContent="
    (reply,), rejects = decode_replies(head.encode() + content, "utf-8")
    assert (reply.id, reply.return_code, reply.content) == (command_id, len(content), content)
    assert rejects == []


@given(broken_bodies(), ENCODINGS)
def test_no_body_is_lost_or_fatal(body: bytes, encoding: str) -> None:
    """Any bytes are replies, or are kept, or are blank."""
    replies, rejects = decode_replies(body, encoding)
    assert replies or rejects or not body.strip()
    for reject in rejects:
        assert reject.raw in body


@pytest.mark.parametrize(
    ("body", "values"),
    [
        (b"ID=7&Return=0&CMD=INFO\nrubbish\nA=1\n", {"rubbish": "", "A": "1"}),
        (b"CMD=INFO&ID=7&Return=0 \nA=1", {"A": "1"}),
        (b"Return=0&CMD=INFO&ID=7\r\nA=\x00", {"A": "\ufffd"}),
    ],
)
def test_an_odd_line_does_not_cost_the_return_code(body: bytes, values: dict[str, str]) -> None:
    """Any order on a line, spaces, and lines that are no option leave the reply a reply."""
    replies, rejects = decode_replies(body, "utf-8")
    assert replies == [CommandReply("7", 0, "INFO", values)]
    assert rejects == []


def test_more_answers_than_any_batch_are_kept_unread() -> None:
    """Each would be looked up while others wait; what is refused to be read is not lost."""
    one = b"ID=1&Return=0&CMD=DATA\n"
    assert len(decode_replies(one * MOST_REPLIES, "utf-8")[0]) == MOST_REPLIES
    body = one * (MOST_REPLIES + 1)
    replies, (reject,) = decode_replies(body, "utf-8")
    assert replies == []
    assert reject.raw == body
    assert reject.reason == f"more than {MOST_REPLIES} answers in one body"


@pytest.mark.parametrize(
    ("arguments", "body", "expected"),
    [
        ({"SN": "7", "ID": "1", "Return": "0", "CMD": "LOG"}, b"", [CommandReply("1", 0, "LOG")]),
        ({"sn": "7", "id": "1"}, b" \r\n", [CommandReply("1", None, "")]),
        ({"ID": "1", "Return": "-1", "X": "a&b"}, b"", [CommandReply("1", -1, "", {"X": "a&b"})]),
        (
            {"ID": "1", "Return": "0", "CMD": "INFO"},
            b"~A=1\nB=x&y\n",
            [CommandReply("1", 0, "INFO", {"~A": "1", "B": "x&y"})],
        ),
        (
            {"ID": "1", "Return": "2", "CMD": "GetFile"},
            b"Content=\0\n",
            [CommandReply("1", 2, "GetFile", {}, b"\0\n")],
        ),
        (
            {"ID": "1", "Return": "0"},
            b"ID=2&Return=0\nID=1&Return=0&CMD=INFO\nA=1",
            [CommandReply("2", 0, ""), CommandReply("1", 0, "INFO", {"A": "1"})],
        ),
        (
            {"ID": "1", "Return": "0"},
            b"ID=2&Return=0",
            [CommandReply("1", 0, ""), CommandReply("2", 0, "")],
        ),
        ({"SN": "7"}, b"ID=2&Return=0", [CommandReply("2", 0, "")]),
        ({"SN": "7", "ID": ""}, b"", []),
    ],
)
def test_an_answer_stands_in_the_arguments_too(
    arguments: dict[str, str], body: bytes, expected: list[CommandReply]
) -> None:
    """The query string holds the answer or its head; the body goes on with it."""
    assert decode_replies(body, "utf-8", arguments) == (expected, [])


@given(st.dictionaries(st.sampled_from(["ID", "Return", "cmd", "X"]), st.text()), broken_bodies())
def test_no_argument_is_fatal(arguments: dict[str, str], body: bytes) -> None:
    """Whatever the query string says, what is not read is kept."""
    replies, rejects = decode_replies(body, "utf-8", arguments)
    assert replies or rejects or not (body.strip() or arguments.get("ID", "").strip())


def test_the_result_may_be_ahead_of_the_id() -> None:
    """Each answer has its own result; where it is not clear which, none is guessed."""
    replies, rejects = decode_replies(b"Return=-1\nID=1\nReturn=0\nID=2\n", "utf-8")
    assert [(reply.id, reply.return_code) for reply in replies] == [("1", -1), ("2", 0)]
    assert rejects == []
    _, rejects = decode_replies(b"Return=-1\nID=1\nID=2\nReturn=0\n", "utf-8")
    assert [reject.raw for reject in rejects] == [b"Return=-1"]
