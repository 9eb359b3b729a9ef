"""Answers to GetFile (12.5.1), PutFile (12.5.2) and SHELL (12.8.1)."""

from __future__ import annotations

from ...device.functions import CommandFunctions, Result, Shortfall
from ...model import Device
from ...persist.files import FileStore
from ...persist.transaction import Transaction
from ...protocol.replies import CommandReply
from ...protocol.text import decode_line
from ...values.commands import QueuedCommand
from .tables import SYNC

LONGEST_TEXT = 64 * 1024
"""Most bytes of SHELL output stored as text; longer output is stored as a file."""


def _keep_file(
    tx: Transaction, device: Device, command: QueuedCommand, reply: CommandReply, now: int
) -> Result | Shortfall:
    """GetFile: store the uploaded file, and compare its size with the return code (12.5.1)."""
    result, size = dict(reply.values), 0
    if reply.content is not None:
        name = command.params["path"].replace("\\", "/").rpartition("/")[2] or "file"
        file = tx[FileStore].add(name, reply.content, _origin(device, command), now)
        size = file.size
        result |= {"file": str(file.id), "size": str(size)}
    announced = reply.return_code or 0
    if size < announced:
        return Shortfall({**result, "size": str(size), "announced": str(announced)})
    return result


def _compare(
    tx: Transaction, device: Device, command: QueuedCommand, reply: CommandReply, now: int
) -> Result | Shortfall:
    """PutFile: compare the size or the number of records with the return code (12.5.2).

    A return code of 0 only reports success.
    """
    result, code = dict(reply.values), reply.return_code or 0
    asked: int | None = None
    if command.params.get("Action") == SYNC:
        asked = int(command.params.get("RecordCount") or command.records)
    elif command.file is not None:
        file = tx[FileStore].get(command.file.id)
        asked = None if file is None else file.size
    if asked is not None and 0 < code < asked:
        return Shortfall({**result, "asked": str(asked), "processed": str(code)})
    return result


def _keep_output(
    tx: Transaction, device: Device, command: QueuedCommand, reply: CommandReply, now: int
) -> Result:
    """SHELL: store the output as text, or as a file if it is long or not text (12.8.1)."""
    result = dict(reply.values)
    content = reply.content
    if content is None:
        return result
    text, raw = decode_line(content, device.dialect.encoding_of(content))
    if raw is None and len(content) <= LONGEST_TEXT and "\0" not in text:
        return {**result, "Content": text}
    file = tx[FileStore].add("shellout.txt", content, _origin(device, command), now)
    return {**result, "file": str(file.id), "size": str(file.size)}


def _origin(device: Device, command: QueuedCommand) -> str:
    return f"{device.sn} {command.id}"


FUNCTIONS = CommandFunctions(
    effects={"GetFile": _keep_file, "PutFile": _compare, "SHELL": _keep_output}
)
