"""The server asks things of the terminal itself: options, door, restart, shell (12.4 to 12.8)."""

from __future__ import annotations

import pytest
import pytest_twisted

from .asked import Asked
from .test_data import FACE_LINE, FINGER

EXTLOG = (
    b"\x89PNG\r\n\x1a\n\0\nID=1&Return=0&CMD=DATA\nContent=\r\n\n"
    b"ID=2\nReturn=-1\nCMD=LOG\n\xff\xfe\0"
)


def shell(command_id: int, code: int, content: bytes) -> bytes:
    """The answer to a command of the system."""
    head = f"ID={command_id}\nSN=SIM1\nReturn={code}\nCMD=Shell\nFILENAME=shellout.txt\nContent="
    return head.encode() + content


@pytest_twisted.ensureDeferred
async def test_an_option_that_was_set_is_told_and_kept_in_a_file() -> None:
    """INFO tells it, GetFile finds it, and reading the options again does not lose it."""
    asked = Asked()
    assert (
        await asked.codes("SET OPTION VOLUME=80", "SET OPTION Note=", "RELOAD OPTIONS") == [0] * 3
    )
    (info,) = await asked.ask("INFO")
    assert info.startswith(b"ID=4&Return=0&CMD=INFO\n~DeviceName=SIM-100 att\n")
    assert info.endswith(b"\nVOLUME=80\nNote=\n")
    assert await asked.ask("GetFile options.cfg") == [
        b"ID=5\nSN=SIM1\nFILENAME=options.cfg\nCMD=GetFile\nReturn=16\nContent=VOLUME=80\nNote=\n"
    ]
    assert await asked.codes("SET OPTION 1=2") == [-1]


@pytest_twisted.ensureDeferred
async def test_options_are_read_from_the_file_that_is_there_now() -> None:
    """A file of options that the server has replaced counts when they are read again (12.4.2)."""
    asked = Asked(files={"file/1/options.cfg": b"VOLUME=20\r\nrubbish\n"})
    put = "PutFile file/1/options.cfg\t/mnt/mtdblock/options.cfg"
    assert await asked.codes("SET OPTION VOLUME=80", put) == [0, 19]
    assert asked.terminal.options()["VOLUME"] == "80"
    assert await asked.codes("RELOAD OPTIONS") == [0]
    assert asked.terminal.options()["VOLUME"] == "20"


@pytest_twisted.ensureDeferred
async def test_what_an_option_switches_off_is_refused() -> None:
    """With FingerFunOn=0, or a 0 in MultiBioDataSupport, that type is not supported (-1002)."""
    asked = Asked()
    enrol = "ENROLL_FP PIN=1\tFID=1"
    assert await asked.codes("SET OPTION FingerFunOn=0", FINGER, enrol) == [0, -1002, -1002]
    assert await asked.codes("SET OPTION FingerFunOn=1", FINGER, enrol) == [0, 0, 0]
    support = "SET OPTION MultiBioDataSupport=0:1:0:0:0:0:0:0:0:0"
    assert await asked.codes(FACE_LINE, support, FACE_LINE, FINGER) == [0, 0, -1002, 0]


@pytest_twisted.ensureDeferred
async def test_the_door_and_the_alarm() -> None:
    """AC_UNLOCK opens the door, and is in the operation log; AC_UNALARM ends the alarm."""
    asked = Asked()
    asked.terminal.door.alarm = True
    assert await asked.codes("AC_UNLOCK", "AC_UNLOCK", "AC_UNALARM") == [0, 0, 0]
    assert (asked.terminal.door.opened, asked.terminal.door.alarm) == (2, False)
    assert asked.terminal.waiting == 2


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_restarts_answers_and_comes_back() -> None:
    """REBOOT is answered, then comes the exchange; the log has the start."""
    asked = Asked()
    assert await asked.codes("REBOOT") == [0]
    assert [name for name, _ in asked.script.asked[-2:]] == ["devicecmd", "exchange"]
    await asked.terminal.upload()
    assert asked.script.uploads[-1].startswith(b"OPLOG 0\t0\t1970-01-01 00:00:00\t")


@pytest_twisted.ensureDeferred
async def test_a_file_is_sent_to_the_byte() -> None:
    """Bytes that look like other answers are nothing but bytes; what is not there is -3."""
    asked = Asked()
    assert await asked.ask("GetFile /mnt/mtdblock/data/../data/extlog.dat", "GetFile data") == [
        b"ID=1\nSN=SIM1\nFILENAME=/mnt/mtdblock/data/../data/extlog.dat\nCMD=GetFile\nReturn=70\n"
        b"Content=" + EXTLOG,
        b"ID=2\nCMD=GetFile\nReturn=-3\n",
    ]


@pytest.mark.parametrize(
    ("line", "code", "content"),
    [
        ("ls", 0, b"data\noptions.cfg\nserial.txt\n"),
        ("ls /mnt/mtdblock/data", 0, b"extlog.dat\n"),
        ("ls /nowhere", 1, b"ls: /nowhere: No such file or directory\n"),
        ("cat serial.txt", 0, b"SIM1\n"),
        ("cat data/extlog.dat", 0, EXTLOG),
        ("cat nothing", 1, b"cat: nothing: No such file or directory\n"),
        ("echo 'a  b' c", 0, b"a  b c\n"),
        ("uname -a", 0, b"Linux\n"),
        ("date", 0, b"Thu Jan 01 00:00:00 1970\n"),
        ("format", 127, b"sh: format: not found\n"),
        ("echo 'a", 2, b"sh: syntax error\n"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_few_commands_of_the_system(line: str, code: int, content: bytes) -> None:
    """The code is what the command returns, the content what it prints (12.8.1)."""
    assert await Asked().ask(f"SHELL {line}") == [shell(1, code, content)]
