"""What the tests of uploads share: a decoder of every table, and invented templates."""

from __future__ import annotations

import base64

from zkpush.protocol.dialect import Dialect
from zkpush.protocol.fields import Table
from zkpush.protocol.packets import PacketLimits
from zkpush.protocol.records import Row
from zkpush.protocol.reports import OPTIONS
from zkpush.protocol.requests import Upload
from zkpush.protocol.uploads import Contents, UploadDecoder

from ..declared import RECORD_TABLES

DECODER = UploadDecoder([*RECORD_TABLES, OPTIONS], PacketLimits())
ENGLISH = Dialect()
CHINESE = Dialect(encoding="gb18030")
"""A terminal whose language is 83."""


def invented(size: int) -> bytes:
    """Base64 of exactly so many characters, of a fixed pattern: nobody's template or face."""
    assert size % 4 == 0
    return base64.b64encode(bytes(number * 89 % 251 for number in range(size // 4 * 3)))


def read(
    table: str,
    body: bytes,
    dialect: Dialect = ENGLISH,
    *,
    packed: bool = False,
    name: str | None = None,
) -> Contents:
    """What one upload says."""
    upload = Upload(table=table, body=body, stamp="9999", packed=packed, name=name)
    return DECODER.decode(upload, dialect)


def said(table: Table, row: Row) -> dict[str, object]:
    """The values of a row by name, with what is kept beside them if there is anything."""
    values = dict(zip((*table.names, "extra", "raw"), row, strict=True))
    return {
        name: value
        for name, value in values.items()
        if value is not None or name not in ("extra", "raw")
    }


def everything(contents: Contents) -> list[tuple[str, dict[str, object]]]:
    """Every record of an upload in which nothing is rejected: its table, and what it says."""
    assert contents.rejects == []
    assert contents.refusal is None
    return [
        (batch.table.name, said(batch.table, row))
        for batch in contents.batches
        for row in batch.rows
    ]


def reasons(contents: Contents) -> list[tuple[str, str, bytes]]:
    """What was rejected: the table, the reason, the exact bytes."""
    return [(reject.table, reject.reason, reject.raw) for reject in contents.rejects]
