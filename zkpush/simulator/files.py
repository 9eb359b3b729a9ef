"""The files of a terminal, in memory, and the few commands of its shell (12.5, 12.8.1)."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..protocol.codes import ReturnCode
from ..protocol.fields import Command
from .answer import Answer, ReturnCodeError
from .parameters import read_values

if TYPE_CHECKING:
    from .terminal import SimulatedTerminal

HOME = "/mnt/mtdblock"
"""Where everything is whose place is not said (12.5.2)."""
OPTIONS = f"{HOME}/options.cfg"
BINARY = f"{HOME}/data/extlog.dat"
SHELL_OUTPUT = "shellout.txt"
_LOOKS_LIKE_ANSWERS = (
    b"\x89PNG\r\n\x1a\n\0\nID=1&Return=0&CMD=DATA\nContent=\r\n\n"
    b"ID=2\nReturn=-1\nCMD=LOG\n\xff\xfe\0"
)
"""What a server may take for answers that it is not."""
_NOT_FOUND = 127


class Files:
    """Files by their paths."""

    def __init__(self, sn: str) -> None:
        self._files = {
            OPTIONS: b"",
            BINARY: _LOOKS_LIKE_ANSWERS,
            f"{HOME}/serial.txt": f"{sn}\n".encode(),
        }

    def read(self, path: str) -> bytes:
        """The content of a file; `ReturnCodeError` if there is none."""
        try:
            return self._files[_whole(path)]
        except KeyError:
            raise ReturnCodeError(ReturnCode.READ_WRITE_ERROR) from None

    def write(self, path: str, content: bytes) -> None:
        """Write a file; `ReturnCodeError` if the path is that of a folder."""
        whole = _whole(path)
        if path.endswith("/") or self.names(whole):
            raise ReturnCodeError(ReturnCode.READ_WRITE_ERROR)
        self._files[whole] = content

    def names(self, folder: str) -> list[str]:
        """What is in a folder; nothing, if there is none."""
        inside = _whole(folder).rstrip("/") + "/"
        paths = (path.removeprefix(inside) for path in self._files if path.startswith(inside))
        return sorted({path.partition("/")[0] for path in paths})

    def write_options(self, options: Mapping[str, str]) -> None:
        """Write the file of options, a line each."""
        self._files[OPTIONS] = "".join(f"{k}={v}\n" for k, v in options.items()).encode()

    def read_options(self) -> dict[str, str]:
        """Read the file of options; lines that are none are passed over."""
        lines = self._files[OPTIONS].decode("utf-8", "replace").splitlines()
        pairs = (line.partition("=") for line in lines if "=" in line)
        return {key.strip(): value for key, _, value in pairs}


async def get_file(
    terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]
) -> Answer:
    """Send a file; the code is its size."""
    path = read_values(command, params, terminal.model.encoding)["path"]
    content = terminal.files.read(path)
    said = {"SN": terminal.sn, "FILENAME": path}
    return Answer(len(content), said, content)


async def shell(terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]) -> Answer:
    """Run a command of the system, and send what it prints; the code is what it returns."""
    line = read_values(command, params, terminal.model.encoding)["command"]
    code, output = _run(terminal, line)
    return Answer(code, {"SN": terminal.sn, "FILENAME": SHELL_OUTPUT}, output)


def _run(terminal: SimulatedTerminal, line: str) -> tuple[int, bytes]:
    try:
        name, *arguments = shlex.split(line)
    except ValueError:
        return 2, b"sh: syntax error\n"
    files = terminal.files
    try:
        match name, arguments:
            case "ls", []:
                return 0, _lines(files.names(HOME))
            case "ls", [folder]:
                names = files.names(folder)
                missing = f"ls: {folder}: No such file or directory"
                return (0, _lines(names)) if names else (1, _lines([missing]))
            case "cat", [path]:
                return 0, files.read(path)
            case "echo", _:
                return 0, _lines([" ".join(arguments)])
            case "date", []:
                return 0, _lines([f"{terminal.clock.now():%a %b %d %H:%M:%S %Y}"])
            case "uname", _:
                return 0, b"Linux\n"
    except ReturnCodeError:
        return 1, _lines([f"cat: {arguments[0]}: No such file or directory"])
    return _NOT_FOUND, _lines([f"sh: {name}: not found"])


def _lines(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _whole(path: str) -> str:
    return posixpath.normpath(posixpath.join(HOME, path))
