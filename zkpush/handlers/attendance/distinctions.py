"""What tells attendance records apart that agree in terminal, PIN, time, status and verification.

An identity card terminal writes an attendance and a verification record in one second (11.7), and a
person may choose two work codes in one. The column `distinction` is a part of the identity. It is
empty for nearly all records: those without a record type, a work code or an unknown person's card.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat

import msgspec

from .plain import AttendanceRows
from .tables import ATTLOG

NO_WORK_CODE = frozenset({None, "", "0"})
"""All mean that no work code was chosen; an upgrade may change which of them a terminal sends."""
NO_PERSON = "0"
"""The PIN of somebody whom the terminal does not know; the identity card says who it is."""
CHARACTERS = 32
"""Of a distinction: 128 bits in hexadecimal."""
_PIN, _WORK_CODE, _ID_NUMBER, _TYPE = map(
    ATTLOG.names.index, ("pin", "work_code", "id_number", "record_type")
)


def distinctions(rows: AttendanceRows, index: Callable[[bytes], bytes]) -> Sequence[str | None]:
    """The distinctions of all rows; each is None if all are empty. `index` is a keyed hash."""
    columns, count = rows.columns, len(rows)
    if len(columns) <= _WORK_CODE:
        return [None] * count
    codes = columns[_WORK_CODE]
    if len(columns) <= _ID_NUMBER and NO_WORK_CODE.issuperset(codes):
        return [None] * count
    numbers, types = (
        columns[place] if place < len(columns) else repeat(None) for place in (_ID_NUMBER, _TYPE)
    )
    found = [
        _distinction(*values, index)
        for values in zip(columns[_PIN], codes, numbers, types, strict=False)
    ]
    return found if any(found) else [None] * count


def _distinction(
    pin: object, code: object, number: object, kind: object, index: Callable[[bytes], bytes]
) -> str:
    said = (
        kind or 0,
        "" if code in NO_WORK_CODE else code,
        (number or "") if pin == NO_PERSON else "",
    )
    return index(msgspec.json.encode(said)).hex()[:CHARACTERS] if any(said) else ""
