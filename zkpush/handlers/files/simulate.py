"""Files, shell and firmware of a simulated terminal (12.5, 12.8.1, 12.8.2)."""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import io
import posixpath
import shlex
import tarfile
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from ...declarations import declarations
from ...protocol.codes import ReturnCode
from ...protocol.commands import decode_commands
from ...protocol.errors import CommandError
from ...protocol.fields import Command
from ...simulator import data
from ...simulator.answer import Answer, ReturnCodeError
from ...simulator.files import HOME
from ...simulator.parameters import read_values
from ...simulator.transfer import fetch
from ..people.tables import USER

if TYPE_CHECKING:
    from ...simulator.terminal import SimulatedTerminal

_PACKED = ".tgz"
_REPLACES = "SyncData"
_ALLOWED = "DATA UPDATE "
SHELL_OUTPUT = "shellout.txt"
_NOT_FOUND = 127
_MAGIC = slice(257, 262)
"""Place of the word ustar in a tar."""
_FILE = "file"
"""Path from which UPGRADE downloads, with the URL as an argument (12.8.2)."""


async def put_file(
    terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]
) -> Answer:
    """Download a file; the return code is its size, after SyncData the number of its commands."""
    values = read_values(command, params, terminal.model.encoding)
    if "url" not in values or (values.get("action") == _REPLACES and "table_name" not in values):
        raise ReturnCodeError(ReturnCode.PARAMETER_INCORRECT)
    content = await fetch(terminal.link, values["url"])
    if "action" in values:
        return await _execute(terminal, content, values)
    path = values.get("path", "")
    if values["url"].endswith(_PACKED):
        _unpack(terminal, content, path if path.endswith("/") else HOME)
    elif path:
        terminal.files.write(path, content)
    else:
        raise ReturnCodeError(ReturnCode.PARAMETER_INCORRECT)
    return Answer(len(content))


def _unpack(terminal: SimulatedTerminal, content: bytes, folder: str) -> None:
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as packed:
            for member in packed:
                extracted = packed.extractfile(member)
                if extracted is not None:
                    terminal.files.write(posixpath.join(folder, member.name), extracted.read())
    except (tarfile.TarError, OSError, EOFError, zlib.error):
        raise ReturnCodeError(ReturnCode.READ_WRITE_ERROR) from None


async def _execute(
    terminal: SimulatedTerminal, content: bytes, values: Mapping[str, object]
) -> Answer:
    """Execute the commands of a package; SyncData first removes the records of its table."""
    try:
        lines = decode_commands(_lines_of(content))
    except (OSError, EOFError, zlib.error, ValueError, tarfile.TarError):
        raise ReturnCodeError(ReturnCode.SERVER_DATA_FAILED) from None
    if values.get("record_count", len(lines)) != len(lines):
        raise ReturnCodeError(ReturnCode.PARAMETER_INCORRECT)
    if values["action"] != _REPLACES:
        await _apply(terminal, lines)
        return Answer(len(content))
    terminal.settle()
    outbox = terminal.outbox
    table = data.table_named(str(values["table_name"]))
    before = {str(user.own.values["pin"]) for user in outbox.held(USER)}
    outbox.drop(outbox.held(table))
    done = await _apply(terminal, lines)
    now = {str(user.own.values["pin"]) for user in outbox.held(USER)}
    for pin in before - now:
        outbox.forget(pin)
    return Answer(done)


def _lines_of(content: bytes) -> bytes:
    """Return the lines of a package: a gzipped tar of text files, or gzipped lines."""
    plain = gzip.decompress(content)
    if plain[_MAGIC] != b"ustar":
        return plain
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as tar:
        found = [tar.extractfile(member) for member in tar]
        return b"".join(file.read() for file in found if file is not None)


async def _apply(terminal: SimulatedTerminal, lines: list[tuple[str, bytes]]) -> int:
    """Execute the lines; return how many succeeded."""
    done = 0
    for _, line in lines:
        try:
            text = line.decode(terminal.model.encoding, "replace")
            command, params = declarations().catalogue.parse(text)
            if command.name.startswith(_ALLOWED):
                await data.update(terminal, command, params)
                done += 1
        except (CommandError, ReturnCodeError):
            pass  # the line is not counted, and the others are still executed
    return done


async def get_file(
    terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]
) -> Answer:
    """Upload a file; the return code is its size."""
    path = read_values(command, params, terminal.model.encoding)["path"]
    content = terminal.files.read(path)
    said = {"SN": terminal.sn, "FILENAME": path}
    return Answer(len(content), said, content)


async def shell(terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]) -> Answer:
    """Run a shell command and upload its output; the return code is its exit status."""
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


async def upgrade(
    terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]
) -> Answer:
    """Download firmware, verify and install it, and reconnect with its version (12.8.2)."""
    if not {"checksum", "size", "url"} <= params.keys():
        raise ReturnCodeError(ReturnCode.PARAMETER_INCORRECT)
    content = await fetch(terminal.link, _FILE, url=params["url"])
    if "type" not in params:
        try:
            content = base64.b64decode(content, validate=True)
        except binascii.Error:
            raise ReturnCodeError(ReturnCode.SERVER_DATA_FAILED) from None
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if (str(len(content)), digest) != (params["size"], params["checksum"].lower()):
        raise ReturnCodeError(ReturnCode.SERVER_DATA_FAILED)

    async def then() -> None:
        base = terminal.model.firmware.partition("-")[0]
        terminal.model = attrs.evolve(terminal.model, firmware=f"{base}-{digest[:8]}")
        await terminal.restart()

    return Answer(then=then)


EXECUTE = {
    "GetFile": get_file,
    "PutFile": put_file,
    "SHELL": shell,
    "UPGRADE": upgrade,
}
