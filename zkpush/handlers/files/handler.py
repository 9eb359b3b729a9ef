"""Files uploaded by terminals in reply to GetFile (12.5.1) and SHELL (12.8.1)."""

from __future__ import annotations

from ...device.functions import CommandFunctions, Result
from ...model import Device, QueuedCommand
from ...persist.files import FileStore
from ...persist.transaction import Transaction
from ...protocol.replies import CommandReply
from ...protocol.text import decode_line

LONGEST_TEXT = 64 * 1024
"""Most bytes of SHELL output stored as text; longer output is stored as a file."""


def _keep_file(
    tx: Transaction, device: Device, command: QueuedCommand, reply: CommandReply, now: int
) -> Result:
    """GetFile: store the uploaded file (12.5.1)."""
    result = dict(reply.values)
    if reply.content is not None:
        name = command.params["path"].replace("\\", "/").rpartition("/")[2] or "file"
        file = tx[FileStore].add(name, reply.content, _origin(device, command), now)
        result |= {"file": str(file.id), "size": str(file.size)}
    return result


def _keep_output(
    tx: Transaction, device: Device, command: QueuedCommand, reply: CommandReply, now: int
) -> Result:
    """SHELL: store the output as text, or as a file if it is long or not text (12.8.1)."""
    result = dict(reply.values)
    content = reply.content
    if content is None:
        return result
    text, raw = decode_line(content, device.dialect.encoding)
    if raw is None and len(content) <= LONGEST_TEXT and "\0" not in text:
        return {**result, "Content": text}
    file = tx[FileStore].add("shellout.txt", content, _origin(device, command), now)
    return {**result, "file": str(file.id), "size": str(file.size)}


def _origin(device: Device, command: QueuedCommand) -> str:
    return f"{device.sn} {command.id}"


FUNCTIONS = CommandFunctions(effects={"GetFile": _keep_file, "SHELL": _keep_output})
