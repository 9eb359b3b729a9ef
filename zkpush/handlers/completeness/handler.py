"""Answers of terminals that counted their attendance records (12.3.3)."""

from __future__ import annotations

import re

from ...device.functions import CommandFunctions, Result
from ...model import Device, Problem
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...phrases import counted_phrase
from ...problems import ProblemCode
from ...protocol.codes import succeeded
from ...protocol.replies import CommandReply
from ...values.commands import QueuedCommand
from ..attendance.store import AttendanceStore
from .store import CountStore

_COUNT = re.compile(r"[0-9]{1,18}\Z", re.ASCII)


def _compare_counts(
    tx: Transaction, device: Device, command: QueuedCommand, reply: CommandReply, now: int
) -> Result:
    """VERIFY SUM: compare the terminal's record count with the store's (12.3.3)."""
    begin, end = command.params["StartTime"], command.params["EndTime"]
    stored = tx[AttendanceStore].count_times(device.id, begin, end)
    result = {**reply.values, "stored": str(stored)}
    counted = {name.lower(): value for name, value in reply.values.items()}.get("attlogsum", "")
    if not succeeded(command.command, reply.return_code) or not _COUNT.match(counted):
        return result
    count = int(counted)
    result["agrees"] = "yes" if count == stored else "no"
    if tx[CountStore].is_counting(command.id):  # it updates the problem itself, when it ends
        return result
    if count > stored:
        detail = counted_phrase(
            "From %(begin)s to %(end)s the terminal counts %(num)s attendance record, and "
            "%(stored)s are stored.",
            "From %(begin)s to %(end)s the terminal counts %(num)s attendance records, and "
            "%(stored)s are stored.",
            count,
            begin=begin,
            end=end,
            stored=stored,
        )
        tx[DeviceStore].raise_problem(device.id, Problem(ProblemCode.COUNT_DIFFERS, detail, now))
    else:
        tx[DeviceStore].clear_problem(device.id, ProblemCode.COUNT_DIFFERS)
    return result


FUNCTIONS = CommandFunctions(effects={"VERIFY SUM ATTLOG": _compare_counts})
