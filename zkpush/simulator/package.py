"""PutFile: a terminal fetches a file, and keeps, unpacks or executes it (12.5.2)."""

from __future__ import annotations

import gzip
import io
import posixpath
import tarfile
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..declarations import declarations
from ..handlers.people.tables import USER
from ..protocol.codes import ReturnCode
from ..protocol.commands import decode_commands
from ..protocol.errors import CommandError
from ..protocol.fields import Command
from . import data
from .answer import Answer, ReturnCodeError
from .files import HOME
from .parameters import read_values
from .transfer import fetch

if TYPE_CHECKING:
    from .terminal import SimulatedTerminal

_PACKED = ".tgz"
_REPLACES = "SyncData"
_ALLOWED = "DATA UPDATE "


async def put_file(
    terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]
) -> Answer:
    """Fetch a file; the code is its size, after SyncData the number of its commands."""
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
    """Take the commands of a package; SyncData forgets what there was of their table first."""
    try:
        lines = decode_commands(gzip.decompress(content))
    except (OSError, EOFError, zlib.error, ValueError):
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


async def _apply(terminal: SimulatedTerminal, lines: list[tuple[str, bytes]]) -> int:
    """Execute what the lines say; how many of them were."""
    done = 0
    for _, line in lines:
        try:
            text = line.decode(terminal.model.encoding, "replace")
            command, params = declarations().catalogue.parse(text)
            if command.name.startswith(_ALLOWED):
                await data.update(terminal, command, params)
                done += 1
        except (CommandError, ReturnCodeError):
            pass  # the others are executed, and this one is not counted
    return done
