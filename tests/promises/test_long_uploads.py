"""Long uploads, which are stored in parts, hold the same records as one that is stored at once."""

from __future__ import annotations

import pytest_twisted

from ..rig import Rig

ERROR = b"ERRORLOG ErrCode=D01E0001\tErrMsg=\tDataOrigin=cmd\tCmdId=123\tAdditional=\n"
MANY = 6000
"""Enough for two parts."""


async def stored(rig: Rig) -> int:
    """How many errors are stored."""
    count: int = await rig.store.read(
        lambda tx: tx.connection.exec_driver_sql("SELECT count(*) FROM errors").scalar()
    )
    return count


@pytest_twisted.ensureDeferred
async def test_equal_errors_in_different_parts_are_different_records(rig: Rig) -> None:
    """An error that is in two parts of one upload happened twice; sent again, it did not."""
    await rig.exchange("T1")
    for _ in range(2):
        reply = await rig.post("cdata?SN=T1&table=ERRORLOG&Stamp=9", ERROR * MANY)
        assert reply.body == b"OK"
        assert await stored(rig) == MANY
