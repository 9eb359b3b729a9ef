"""Operations at a terminal, as in its operation log (11.4)."""

from __future__ import annotations

import datetime

from ..handlers.logs.tables import OPLOG
from ..protocol.codes import Operation
from ..protocol.times import pack_time
from .clock import text
from .model import Model
from .record import Record, RecordForm

NOBODY = "0"
ADMINISTRATOR = "1"
_OPERANDS = 4


def operated(
    model: Model, time: datetime.datetime, operation: Operation, operator: str, *operands: object
) -> Record:
    """Make an operation record: operator, operation and operands."""
    moment: object = pack_time(text(time)) if model.old else text(time)
    values: dict[str, object] = {"code": int(operation), "operator": operator, "time": moment}
    for place in range(_OPERANDS):
        operand = operands[place] if place < len(operands) else 0
        values[f"value_{place + 1}"] = int(operand) if isinstance(operand, int) else operand
    return Record(RecordForm(OPLOG, values), OPLOG.transfer[:1])
