"""What follows from the answers to commands (13)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ..model import Device, Problem, QueuedCommand
from ..persist.transaction import Transaction
from ..problems import ProblemCode
from ..protocol.replies import CommandReply
from ..protocol.text import decode_line

LONGEST_TEXT = 64 * 1024
"""Most bytes of what SHELL prints that are kept as text; more is kept as a file."""

_COUNT = re.compile(r"[0-9]{1,18}\Z", re.ASCII)

Result = dict[str, str]
Effect = Callable[[Transaction, Device, QueuedCommand, CommandReply, int], Result]


def result_of(
    tx: Transaction, device: Device, command: QueuedCommand, reply: CommandReply, now: int
) -> Result | None:
    """What is kept of an answer; the effect of the command, if it has one, is done."""
    # Of a damaged command, the parameters that its effect needs are lost.
    effect = None if command.damaged else _EFFECTS.get(command.command)
    result = dict(reply.values) if effect is None else effect(tx, device, command, reply, now)
    return result or None


def _keep_options(
    tx: Transaction, device: Device, command: QueuedCommand, reply: CommandReply, now: int
) -> Result:
    """INFO is answered with the options of the terminal (12.4.3)."""
    tx.devices.merge_options(device.id, reply.values)
    return dict(reply.values)


def _keep_option(
    tx: Transaction, device: Device, command: QueuedCommand, reply: CommandReply, now: int
) -> Result:
    """SET OPTION: the terminal has now what it was told to have (12.4.1)."""
    if reply.return_code >= 0:
        params = command.params
        tx.devices.merge_options(device.id, {params["key"]: params["value"]})
    return dict(reply.values)


def _keep_file(
    tx: Transaction, device: Device, command: QueuedCommand, reply: CommandReply, now: int
) -> Result:
    """GetFile: what it sends is kept as a file (12.5.1)."""
    result = dict(reply.values)
    if reply.content is not None:
        name = command.params["path"].replace("\\", "/").rpartition("/")[2] or "file"
        file = tx.files.add(name, reply.content, _origin(device, command), now)
        result |= {"file": str(file.id), "size": str(file.size)}
    return result


def _keep_output(
    tx: Transaction, device: Device, command: QueuedCommand, reply: CommandReply, now: int
) -> Result:
    """SHELL: what it prints is kept as text, or as a file where it is long or no text (12.8.1)."""
    result = dict(reply.values)
    content = reply.content
    if content is None:
        return result
    text, raw = decode_line(content, device.dialect.encoding)
    if raw is None and len(content) <= LONGEST_TEXT and "\0" not in text:
        return {**result, "Content": text}
    file = tx.files.add("shellout.txt", content, _origin(device, command), now)
    return {**result, "file": str(file.id), "size": str(file.size)}


def _compare_counts(
    tx: Transaction, device: Device, command: QueuedCommand, reply: CommandReply, now: int
) -> Result:
    """VERIFY SUM: the terminal's count is compared with the store's (12.3.3)."""
    begin, end = command.params["StartTime"], command.params["EndTime"]
    stored = tx.attendance.count_times(device.id, begin, end)
    result = {**reply.values, "stored": str(stored)}
    counted = {name.lower(): value for name, value in reply.values.items()}.get("attlogsum", "")
    if reply.return_code < 0 or not _COUNT.match(counted):
        return result
    count = int(counted)
    result["agrees"] = "yes" if count == stored else "no"
    if count > stored:
        detail = (
            f"From {begin} to {end} the terminal counts {count} attendance records, and "
            f"{stored} are stored."
        )
        tx.devices.raise_problem(device.id, Problem(ProblemCode.COUNT_DIFFERS, detail, now))
    else:
        tx.devices.clear_problem(device.id, ProblemCode.COUNT_DIFFERS)
    return result


def _origin(device: Device, command: QueuedCommand) -> str:
    return f"{device.sn} {command.id}"


_EFFECTS: Mapping[str, Effect] = {
    "INFO": _keep_options,
    "SET OPTION": _keep_option,
    "GetFile": _keep_file,
    "SHELL": _keep_output,
    "VERIFY SUM ATTLOG": _compare_counts,
}
