"""What is kept as it came, in the store: operations, errors, identity cards, rejects."""

from __future__ import annotations

import msgspec
import pytest
import pytest_twisted
from sqlalchemy import select

from zkpush.device.logrecords import LogRecordHandler
from zkpush.handlers.logs.schema import operations
from zkpush.handlers.logs.store import ErrorStore, IdCardStore, OperationStore
from zkpush.model import Page
from zkpush.persist.events import EventStore
from zkpush.persist.logs import RETRIED_FOR, LogStore
from zkpush.persist.rejects import RejectStore
from zkpush.persist.sealed import opened
from zkpush.protocol.rejects import Reject

from .contract import (
    EVERYTHING,
    NOW,
    UTC,
    batches,
    in_file,
    in_memory,
    on_postgresql,
    say,
    shown,
    with_store,
)

OPERATION = "OPLOG 4\t14\t2026-01-05 08:00:00\t6\t0\t0\t0\n"
ERROR = "ErrCode=D01E0001\tErrMsg=out of space\tDataOrigin=cmd\tCmdId=7\tAdditional=e30=\n"
CARD = "IDCARD PIN=0\tSNNum=5\tIDNum=110101199001011237\tName=Ann\n"


def keep(store, device, body, *, stamp=None, now=NOW, table="OPERLOG"):
    """Store the records of a body as their handler does."""
    return store.write(say(device, body, stamp=stamp, now=now, table=table))


async def added(store, device, log: type[LogStore], body, *, now=NOW):
    """Store a body by `add_new`; the operators or user IDs of the rows that were new."""
    batch = batches(body)[0]
    name = "operator" if log is OperationStore else "pin"
    place = batch.table.names.index(name)
    rows = await store.write(lambda tx: tx[log].add_new(device.id, batch, UTC, now))
    return [row[place] for row in rows]


def listed(log: type[LogStore], part: Page = EVERYTHING, sn: str | None = None):
    """A query for the records of a log."""
    return lambda tx: tx[log].page(part, sn)


def make_log_tests(factory):
    """The tests of logs; `factory` makes an empty store, from pytest's request."""

    class LogTests(with_store(factory)):
        @pytest_twisted.ensureDeferred
        async def test_every_field_of_an_operation_comes_back(self, store, device) -> None:
            """With its instant, and the columns that the protocol does not know."""
            body = "OPLOG 30\t14\t2026-01-05 08:00:00\t6\ta\tb\tc\tmore\n"
            await keep(store, device, body)
            (item,) = await store.read(listed(OperationStore))
            assert shown(item) == {
                "id": item.id,
                "device": "T1",
                "utc": 1_767_600_000,
                "doubt": None,
                "received_at": NOW,
                "code": 30,
                "operator": "14",
                "time": "2026-01-05 08:00:00",
                "value_1": "6",
                "value_2": "a",
                "value_3": "b",
                "value_4": "c",
                "extra": {"Column8": "more"},
            }

        @pytest_twisted.ensureDeferred
        async def test_new_records_are_told_from_stored_ones(self, store, device) -> None:
            """Rows that are stored already, or twice in one upload, are not new."""
            other = OPERATION.replace("14", "15")
            assert await added(store, device, OperationStore, OPERATION * 2) == ["14"]
            assert await added(store, device, OperationStore, OPERATION + other) == ["15"]
            assert await added(store, device, OperationStore, OPERATION + other) == []
            assert len(await store.read(listed(OperationStore))) == 2
            assert await added(store, device, IdCardStore, CARD) == ["0"]
            assert await added(store, device, IdCardStore, CARD) == []
            later = NOW + RETRIED_FOR + 1
            assert await added(store, device, IdCardStore, CARD, now=later) == ["0"]
            assert len(await store.read(listed(IdCardStore))) == 2

        @pytest_twisted.ensureDeferred
        async def test_a_new_record_is_an_event(self, store, device) -> None:
            """Once, with its fields except for the secret ones; other tables have no events."""
            handler = LogRecordHandler("cards", (OperationStore, IdCardStore), {"IDCARD": "card"})
            for body in (CARD.strip() + "\tPhoto=AAAA\n", OPERATION) * 2:
                (batch,) = batches(body)
                await store.write(lambda tx, one=batch: handler.persist(tx, device, one, NOW))
            events = await store.read(lambda tx: tx[EventStore].page(EVERYTHING))
            (told,) = [one for one in events if one.kind != "device"]
            assert (told.kind, told.at) == ("card", NOW)
            assert (told.data["device"], told.data["name"]) == ("T1", "Ann")
            assert told.data.keys() & {"photo", "fingerprint_1", "extra", "raw"} == set()
            assert len(await store.read(listed(OperationStore))) == 1

        @pytest_twisted.ensureDeferred
        async def test_every_field_of_an_error_comes_back(self, store, device) -> None:
            """With what the protocol does not know."""
            await keep(store, device, ERROR.strip() + "\tNew=x\n", table="ERRORLOG")
            (item,) = await store.read(listed(ErrorStore))
            assert shown(item) == {
                "id": item.id,
                "device": "T1",
                "received_at": NOW,
                "code": "D01E0001",
                "message": "out of space",
                "origin": "cmd",
                "command_id": "7",
                "additional": "e30=",
                "extra": {"New": "x"},
            }

        @pytest_twisted.ensureDeferred
        async def test_every_field_of_an_identity_card_comes_back(self, store, device) -> None:
            """As the card says it."""
            texts = {
                "pin": ("PIN", "0"),
                "card_number": ("SNNum", "1"),
                "id_number": ("IDNum", "110101199001011237"),
                "document_number": ("DNNum", "2"),
                "name": ("Name", "安"),
                "birthday": ("Birthday", "19900101"),
                "validity": ("ValidInfo", "2020010120300101"),
                "address": ("Address", "a"),
                "additional_address": ("AdditionalInfo", "b"),
                "issuer": ("Issuer", "c"),
                "photo": ("Photo", "AAAA"),
                "fingerprint_1": ("FPTemplate1", "BBBB"),
                "fingerprint_2": ("FPTemplate2", "CCCC"),
                "reserved": ("Reserve", "d"),
                "notice": ("Notice", "e"),
            }
            line = "\t".join(f"{wire}={value}" for wire, value in texts.values())
            await keep(store, device, f"IDCARD {line}\tGender=2\tNation=56\tNew=x\n")
            (item,) = await store.read(listed(IdCardStore))
            assert shown(item) == {
                "id": item.id,
                "device": "T1",
                "received_at": NOW,
                **{name: value for name, (_, value) in texts.items()},
                "gender": 2,
                "nation": 56,
                "extra": {"New": "x"},
            }

        @pytest_twisted.ensureDeferred
        async def test_an_operation_is_stored_once(self, store, device, other) -> None:
            """Sent again later, with another stamp, it is no other; of another terminal it is."""
            for stamp, now in (("1", NOW), ("2", NOW + 1)):
                await keep(store, device, OPERATION * 2, stamp=stamp, now=now)
            await keep(store, other, OPERATION)
            found = await store.read(listed(OperationStore))
            assert [(item.device, item.received_at) for item in found] == [
                ("T1", NOW),
                ("T2", NOW),
            ]

        @pytest_twisted.ensureDeferred
        async def test_operations_that_differ_in_anything_are_several(self, store, device) -> None:
            """Code, operator, time and every object of the operation tell them apart."""
            plain = ["4", "14", "2026-01-05 08:00:00", "6", "0", "0", "0"]
            lines = [plain]
            for place, value in enumerate(("5", "15", "2026-01-05 08:00:01", "7", "1", "1", "1")):
                lines.append([*plain[:place], value, *plain[place + 1 :]])
            body = "".join("OPLOG " + "\t".join(line) + "\n" for line in lines)
            for _ in range(2):
                await keep(store, device, body)
            found = await store.read(listed(OperationStore))
            assert [str(item.code) for item in found] == [line[0] for line in lines]

        @pytest_twisted.ensureDeferred
        async def test_bytes_that_are_no_text_tell_operations_apart(self, store, device) -> None:
            """The exact line is kept, and read from the database."""
            lines = [b"OPLOG 4\tM\xfc\t2026-01-05 08:00:00", b"OPLOG 4\tM\xfd\t2026-01-05 08:00:00"]
            await keep(store, device, b"\n".join(lines))

            def raw(tx):
                found = tx.connection.execute(select(operations).order_by(operations.c.id))
                return [opened(tx.vault, operations, row._mapping)["raw"] for row in found]

            assert await store.read(raw) == lines
            found = await store.read(listed(OperationStore))
            assert [item.operator for item in found] == ["M\ufffdfc", "M\ufffdfd"]

        @pytest_twisted.ensureDeferred
        async def test_doubtful_times_of_operations_are_marked(self, store, device) -> None:
            """A clock that was turned in Madrid, one that was never set, one that is ahead."""
            madrid = msgspec.structs.replace(device, timezone="Europe/Madrid")
            times = {
                "2025-10-26 02:30:00": ("ambiguous", "2025-10-26 00:30:00"),
                "2025-03-30 02:30:00": ("nonexistent", "2025-03-30 01:30:00"),
                "2026-01-05 08:00:00": (None, "2026-01-05 07:00:00"),
                "2026-01-06 10:00:00": (None, "2026-01-06 09:00:00"),
                "2026-01-06 10:00:01": ("future", "2026-01-06 09:00:01"),
                "2000-01-01 00:00:00": ("past", "1999-12-31 23:00:00"),
            }
            await keep(store, madrid, "".join(f"OPLOG 0\t0\t{time}\n" for time in times))
            found = await store.read(listed(OperationStore))
            assert {item.time: (item.doubt, item.utc) for item in found} == {
                time: (doubt, UTC.utc(instant)) for time, (doubt, instant) in times.items()
            }

        @pytest.mark.parametrize(
            ("log", "line", "table"),
            [(ErrorStore, ERROR, "ERRORLOG"), (IdCardStore, CARD, "OPERLOG")],
        )
        @pytest_twisted.ensureDeferred
        async def test_equal_records_without_a_time_are_told_apart(
            self, store, device, other, log, line, table
        ) -> None:
            """Two in one body are two, and stay two if it is sent again; another stamp is news."""

            async def count():
                return len(await store.read(listed(log)))

            for _ in range(2):
                await keep(store, device, line * 2, stamp="5", table=table)
                assert await count() == 2
            await keep(store, device, line, stamp="5", table=table)
            assert await count() == 2
            await keep(store, device, line * 3, stamp="5", table=table)
            assert await count() == 3
            await keep(store, device, line, stamp="6", table=table)
            assert await count() == 4
            await keep(store, other, line, stamp="6", table=table)
            assert await count() == 5
            for _ in range(2):
                await keep(store, device, line, table=table)
                assert await count() == 6

        @pytest.mark.parametrize(
            ("log", "line", "table"),
            [
                (OperationStore, "OPLOG 4\t{}\t2026-01-05 08:00:00\n", "OPERLOG"),
                (ErrorStore, "ErrCode=E\tErrMsg={}\n", "ERRORLOG"),
                (IdCardStore, "IDCARD PIN=1\tName={}\n", "OPERLOG"),
            ],
        )
        @pytest_twisted.ensureDeferred
        async def test_records_are_listed_in_parts_as_they_came(
            self, store, device, other, log, line, table
        ) -> None:
            """By id, each part after the one before, of all terminals or of one."""
            await keep(store, device, "".join(map(line.format, "cab")), table=table)
            await keep(store, other, line.format("d"), table=table)
            await keep(store, device, line.format("e"), table=table)
            name = {OperationStore: "operator", ErrorStore: "message", IdCardStore: "name"}[log]

            async def names(part, sn=None):
                found = await store.read(listed(log, part, sn))
                return [item.id for item in found], "".join(getattr(item, name) for item in found)

            ids, shown = await names(EVERYTHING)
            assert (shown, ids) == ("cabde", sorted(ids))
            assert (await names(Page(2)))[1] == "ca"
            assert (await names(Page(2, after=ids[1])))[1] == "bd"
            assert (await names(Page(2, after=ids[4])))[1] == ""
            assert (await names(EVERYTHING, "T1"))[1] == "cabe"
            assert (await names(Page(9, after=ids[2]), "T1"))[1] == "e"
            assert (await names(EVERYTHING, "T9"))[1] == ""

        @pytest_twisted.ensureDeferred
        async def test_rejects_are_kept_once(self, store, device) -> None:
            """The same bytes of a terminal and a table are one reject."""
            rejects = [
                Reject("ATTLOG", "bad", b"\x00\xff"),
                Reject("ATTLOG", "bad", b"\x00\xff"),
                Reject("OPERLOG", "bad", b"\x00\xff"),
            ]
            for _ in range(2):
                await store.write(lambda tx: tx[RejectStore].add(device.id, rejects, NOW))
            found = await store.read(lambda tx: tx[RejectStore].page(EVERYTHING, "T1"))
            assert [(item.table, item.raw) for item in found] == [
                ("ATTLOG", b"\x00\xff"),
                ("OPERLOG", b"\x00\xff"),
            ]
            assert await store.read(lambda tx: tx[RejectStore].page(EVERYTHING, "T2")) == []

    return LogTests


class TestSQLiteInMemory(make_log_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_log_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_log_tests(on_postgresql)):
    """PostgreSQL."""
