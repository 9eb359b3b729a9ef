"""What was stored before the identity of records grew is recognised after it."""

from __future__ import annotations

import pathlib

import pytest_twisted
from sqlalchemy import text

from zkpush.handlers.attendance.store import AttendanceStore

from ..rig import Rig
from .conftest import open_database
from .thawing import thaw

CARDS = ("999999200001011239", "999999200001011247")
STORED = [
    "21\t2025-01-05 08:00:00\t0\t1",
    "21\t2025-01-05 09:00:00\t0\t1\t0\t0\t0",
    "21\t2025-01-05 10:00:00\t0\t1\t3\t0\t0",
    f"21\t2025-01-05 11:00:00\t0\t1\t0\t0\t0\t{CARDS[0]}\t0",
    f"21\t2025-01-05 12:00:00\t0\t1\t5\t0\t0\t{CARDS[0]}\t1",
    f"0\t2025-01-05 13:00:00\t0\t1\t0\t0\t0\t{CARDS[0]}\t0",
]
LOST = [
    "21\t2025-01-05 10:00:00\t0\t1\t4\t0\t0",
    f"21\t2025-01-05 12:00:00\t0\t1\t5\t0\t0\t{CARDS[0]}\t0",
    f"0\t2025-01-05 13:00:00\t0\t1\t0\t0\t0\t{CARDS[1]}\t0",
]
INSERT = text(
    "INSERT INTO attendance (device_id, utc, received_at, pin, time, status, verify, work_code, "
    "reserved_1, reserved_2, id_number, record_type) VALUES (1, 1736064000, 1736064000000, :pin, "
    ":time, :status, :verify, :work_code, :reserved_1, :reserved_2, :id_number, :record_type)"
)
NAMES = (
    *("pin", "time", "status", "verify", "work_code"),
    *("reserved_1", "reserved_2", "id_number", "record_type"),
)


def row(line: str) -> dict[str, object]:
    """What an earlier version stored of a line."""
    said: list[object] = [*line.split("\t")]
    said += [None] * (len(NAMES) - len(said))
    values = dict(zip(NAMES, said, strict=True))
    numbers = ("status", "verify", "record_type")
    return values | {name: int(str(values[name])) for name in numbers if values[name] is not None}


@pytest_twisted.ensureDeferred
async def test_old_records_that_are_sent_again_are_known(
    empty_url: str, tmp_path: pathlib.Path
) -> None:
    """A terminal that uploads everything after the upgrade adds only what was lost before."""
    thaw(empty_url, "0016")
    database = open_database(empty_url)
    with database.engine.begin() as connection:
        connection.execute(INSERT, [row(line) for line in STORED])
    database.close()
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    rig = Rig(folder, database=empty_url)
    await rig.start()

    async def upload(lines: list[str]) -> int:
        body = "".join(f"{line}\n" for line in lines).encode()
        response = await rig.post("cdata?SN=GATE000001&table=ATTLOG&Stamp=9999", body)
        assert response.body == f"OK: {len(lines)}".encode()
        found: int = await rig.store.read(lambda tx: tx[AttendanceStore].count(None))
        return found

    before: int = await rig.store.read(lambda tx: tx[AttendanceStore].count(None))
    assert await upload(STORED) == before
    assert await upload(STORED + LOST) == before + len(LOST)
    assert await upload(LOST + STORED) == before + len(LOST)
    await rig.stop()

    database = open_database(empty_url)
    with database.engine.connect() as connection:
        for table in ("errors", "idcards"):
            found = connection.execute(text(f"SELECT identity, digest FROM {table}")).all()  # noqa: S608
            assert found
            assert all(bytes(identity) == bytes(digest) for identity, digest in found)
    database.close()
