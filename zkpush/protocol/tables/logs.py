"""Logs: what was done on a terminal (11.4), and what went wrong (11.16)."""

from __future__ import annotations

from ..fields import SMALL, Acknowledge, Field, Kind, Layout, Table
from ..versions import ERROR_LOG


def _operand(number: int) -> Field:
    return Field(
        wire=f"Value{number}" if number < 4 else "Reserved",
        name=f"value_{number}",
        meaning=f"Operation object {number}, Appendix 4",
    )


OPLOG = Table(
    name="OPLOG",
    section="11.4",
    meaning="Operations on the terminal itself",
    layout=Layout.COLUMNS,
    keyword="OPLOG",
    least_bytes=18,
    transfer=("OpLog",),
    key=("code", "time"),
    holds_templates=False,
    fields=(
        Field(
            wire="OpType",
            name="code",
            kind=Kind.INTEGER,
            required=True,
            minimum=0,
            maximum=SMALL,
            meaning="Operation code, Appendix 3",
        ),
        Field(wire="OpWho", name="operator", meaning="User ID of the operator; 0 for nobody"),
        Field(
            wire="OpTime",
            name="time",
            kind=Kind.MOMENT,
            required=True,
            meaning="The terminal's own wall clock when it was done",
        ),
        *map(_operand, range(1, 5)),
    ),
)

ERRORLOG = Table(
    name="ERRORLOG",
    section="11.16",
    meaning="Errors that a terminal reports, of its own or of a command",
    layout=Layout.KEYED,
    keyword="ERRORLOG",
    least_bytes=48,
    since=ERROR_LOG,
    acknowledge=Acknowledge.BARE,
    holds_templates=False,
    fields=(
        Field(
            wire="ErrCode",
            name="code",
            required=True,
            pattern=r"[^\x00-\x1f]{1,32}",
            meaning="Error code, Appendix 9",
        ),
        Field(wire="ErrMsg", name="message", meaning="Error message"),
        Field(
            wire="DataOrigin",
            name="origin",
            meaning="dev: the terminal's own data; cmd: data that the server sent",
        ),
        Field(wire="CmdId", name="command_id", meaning="CmdID of the server's command"),
        Field(wire="Additional", name="additional", meaning="More, as JSON in base64"),
    ),
)
