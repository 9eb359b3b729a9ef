"""Events in the store: on every database."""

from __future__ import annotations

import time

import pytest
import pytest_twisted
from sqlalchemy import event
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from zkpush.handlers.attendance.handler import AttendanceInserts
from zkpush.handlers.attendance.store import AttendanceStore
from zkpush.model import GAP, DeviceState, Page, Problem
from zkpush.persist.devices import DeviceStore
from zkpush.persist.events import EventStore
from zkpush.persist.postgresql import PostgreSQL
from zkpush.persist.presence import PresenceStore
from zkpush.persist.sqlite_database import SQLite
from zkpush.persist.store import Store
from zkpush.protocol.handshake import Hello
from zkpush.values.sessions import SessionState

from .conftest import open_database
from .contract import (
    DAY,
    EVERYTHING,
    NOW,
    UTC,
    add_terminal,
    in_file,
    in_memory,
    on_postgresql,
    rows,
    say,
    with_store,
)


def told(tx) -> list[tuple[str, dict[str, object]]]:
    """A query for all events."""
    return [(event.kind, dict(event.data)) for event in tx[EventStore].page(EVERYTHING)]


async def news(store, unit) -> list[tuple[str, dict[str, object]]]:
    """What is told of a unit of work."""
    last = await store.read(lambda tx: tx[EventStore].last())
    await store.write(unit)
    found = await store.read(lambda tx: tx[EventStore].page(Page(1000, last)))
    return [(event.kind, dict(event.data)) for event in found]


def punch(device, number: int):
    """A unit that stores one record."""
    body = b"%d\t2026-01-05 08:00:00\t0\t1\n" % number
    return lambda tx: tx[AttendanceInserts].add(device.id, rows(body), UTC, NOW)


def make_event_tests(factory):
    """The tests of events; `factory` makes an empty store, from pytest's request."""

    class EventTests(with_store(factory)):
        @pytest_twisted.ensureDeferred
        async def test_ids_ascend_and_parts_follow_each_other(self, store) -> None:
            """Events are listed in the order they were told, each part after the one before."""
            assert await store.read(lambda tx: tx[EventStore].last()) == 0

            def unit(tx) -> None:
                for number in range(3):
                    tx[EventStore].add("command", {"n": number}, NOW + number)

            await store.write(unit)
            first = await store.read(lambda tx: tx[EventStore].page(Page(2)))
            rest = await store.read(lambda tx: tx[EventStore].page(Page(2, first[-1].id)))
            found = [(event.data["n"], event.at) for event in [*first, *rest]]
            assert found == [(0, NOW), (1, NOW + 1), (2, NOW + 2)]
            assert await store.read(lambda tx: tx[EventStore].last()) == rest[-1].id

        @pytest_twisted.ensureDeferred
        async def test_a_unit_sees_what_it_tells(self, store) -> None:
            """Events wait for the end of the group, but nobody can tell."""

            def unit(tx):
                tx[EventStore].add("command", {"n": 1}, NOW)
                return told(tx), tx[EventStore].last()

            assert await store.write(unit) == ([("command", {"n": 1})], 1)

        @pytest_twisted.ensureDeferred
        async def test_what_is_not_committed_is_not_told(self, store) -> None:
            """A unit that fails tells nothing, and those beside it tell theirs once."""

            def bad(tx) -> None:
                tx[EventStore].add("command", {"n": "bad"}, NOW)
                raise ValueError("no")

            def good(tx) -> None:
                tx[EventStore].add("command", {"n": "good"}, NOW)

            units = [store.write(unit) for unit in (good, bad, good)]
            units[1].addErrback(lambda failure: failure.trap(ValueError) and None)
            await gatherResults(units)
            assert await store.read(told) == [("command", {"n": "good"})] * 2

        @pytest_twisted.ensureDeferred
        async def test_a_new_terminal_is_told_of_once(self, store) -> None:
            """Of two who record it at once, one tells of it."""
            both = gatherResults([add_terminal(store, "T1"), add_terminal(store, "T1")])
            await both
            values = {"state": "approved", "timezone": "UTC"}
            data = {"device": "T1", "what": "added", "values": values}
            assert await store.read(told) == [("device", data)]

        @pytest.mark.parametrize(
            ("values", "changed"),
            [
                ({"alias": "Gate"}, {"alias": "Gate"}),
                ({"state": DeviceState.BLOCKED, "area": "x"}, {"state": "blocked", "area": "x"}),
                ({"timezone": "Asia/Tokyo"}, {"timezone": "Asia/Tokyo"}),
                ({"settings": {"Delay": 5}}, {"settings": {"Delay": 5}}),
                ({"session": SessionState.READY}, {"session": "ready"}),
                ({"state": DeviceState.APPROVED, "alias": None}, None),
                ({"comm_key": "s3cret"}, None),
                ({"options": {"A": "1"}}, None),
            ],
        )
        @pytest_twisted.ensureDeferred
        async def test_what_changes_of_a_terminal_is_told(
            self, store, device, values, changed
        ) -> None:
            """Of what an operator sees, what is another than before; no secrets."""
            expected = {"device": "T1", "what": "changed", "values": changed}
            found = await news(store, lambda tx: tx[DeviceStore].change(device.id, values))
            assert found == ([] if changed is None else [("device", expected)])
            assert await news(store, lambda tx: tx[DeviceStore].change(device.id, values)) == []

        @pytest_twisted.ensureDeferred
        async def test_what_a_terminal_says_of_itself_is_told(self, store, device) -> None:
            """A new firmware and a new session; not that it was seen, nor its counts."""

            def changed(**values):
                return [("device", {"device": "T1", "what": "changed", "values": values})]

            info = {"firmware": "1.0", "users": 3}

            def inform(tx):
                return tx[DeviceStore].merge_info(device.id, info)

            assert await news(store, inform) == changed(firmware="1.0")
            info["users"] = 4
            assert await news(store, inform) == []
            hello = Hello("2.4.1", "83", None, "att", {"X": "1"})
            session = {"session": SessionState.READY}

            def exchange(tx):
                return tx[DeviceStore].exchanged(device.id, hello, session)

            assert await news(store, exchange) == changed(session="ready")
            assert await news(store, exchange) == []
            seen = {device.id: (9000, "192.0.2.9")}
            assert await news(store, lambda tx: tx[PresenceStore].record(seen)) == []

        @pytest_twisted.ensureDeferred
        async def test_problems_are_told_when_they_come_and_go(self, store, device) -> None:
            """Raised, raised with another detail, and cleared; not what is as it was."""

            def steps(found):
                return [(data["what"], data["code"], data["detail"]) for _, data in found]

            def raise_(code: str, detail: str):
                problem = Problem(code, detail, 5)
                return lambda tx: tx[DeviceStore].raise_problem(device.id, problem)

            assert steps(await news(store, raise_("clock", "fast"))) == [
                ("raised", "clock", "fast")
            ]
            assert await news(store, raise_("clock", "fast")) == []
            found = await news(store, raise_("clock", "slow"))
            assert steps(found) == [("raised", "clock", "slow")]
            assert found[0][1]["was"] == "fast"
            assert steps(await news(store, raise_("key", "other"))) == [("raised", "key", "other")]

            def cleared(tx):
                return tx[DeviceStore].clear_problem(device.id, "clock")

            found = await news(store, cleared)
            assert [kind for kind, _ in found] == ["problem"]
            assert steps(found) == [("cleared", "clock", "slow")]
            assert await news(store, cleared) == []
            approve = {"problems": ()}
            found = await news(store, lambda tx: tx[DeviceStore].change(device.id, approve))
            assert steps(found) == [("cleared", "key", "other")]

        @pytest_twisted.ensureDeferred
        async def test_a_removed_terminal_is_told_of(self, store, device) -> None:
            """One that cannot be removed is not."""
            expected = {"device": "T1", "what": "removed", "values": {}}
            found = await news(store, lambda tx: tx[DeviceStore].remove(device.id))
            assert found == [("device", expected)]
            kept = await add_terminal(store, "T2")
            await store.write(punch(kept, 1))

            def refused(tx) -> None:
                with pytest.raises(ValueError, match="has records"):
                    tx[DeviceStore].remove(kept.id)

            assert await news(store, refused) == []

        @pytest_twisted.ensureDeferred
        async def test_people_are_told_of(self, store, device, other) -> None:
            """Who has changed, and what of them, once an upload; what is no news is not told."""

            def user(pin: str, what: str, sn: str = "T1"):
                return ("user", {"pin": pin, "what": what, "device": sn})

            body = (
                "USER PIN=1\tName=Ann\tPri=0\tPasswd=1234\nUSER PIN=2\tName=Ben\tPri=0\n"
                "FP PIN=1\tFID=1\tTMP=AAAA\nFP PIN=1\tFID=2\tTMP=AAAA\n"
                "BIOPHOTO PIN=2\tType=9\tContent=AAAA\n"
            )
            found = await news(store, say(device, body))
            expected = [user("1", "user"), user("2", "user"), user("1", "template")]
            assert found == [*expected, user("2", "photo")]
            assert await news(store, say(device, body)) == []
            assert await news(store, say(other, body)) == []
            found = await news(store, say(other, "USER PIN=1\tName=Ann Ash\tPri=0"))
            assert found == [user("1", "user", "T2")]
            found = await news(store, say(device, "USER PIN=1\tName=Zoe\tPri=0"))
            assert found == [user("1", "conflict")]

        @pytest_twisted.ensureDeferred
        async def test_attendance_is_not_told_twice(self, store, device) -> None:
            """Records are read from their own table, by ids that ascend; a double has none."""
            assert await store.read(lambda tx: tx[AttendanceStore].last()) == 0
            assert await news(store, punch(device, 1)) == []
            last = await store.read(lambda tx: tx[AttendanceStore].last())
            await store.write(punch(device, 1))
            assert await store.read(lambda tx: tx[AttendanceStore].last()) == last
            await store.write(punch(device, 2))
            assert await store.read(lambda tx: tx[AttendanceStore].last()) > last

        @pytest_twisted.ensureDeferred
        async def test_old_events_are_dropped_and_leave_a_gap(self, store) -> None:
            """Who goes on from before the gap meets it; ids go on; what is young stays."""

            def tell(tx) -> None:
                for day in range(6):
                    tx[EventStore].add("command", {"day": day}, NOW + day * DAY)

            await store.write(tell)
            ids = [
                event.id for event in await store.read(lambda tx: tx[EventStore].page(EVERYTHING))
            ]

            def forget(before, limit=100):
                return store.write(lambda tx: tx[EventStore].forget(before, limit))

            assert await forget(NOW) == 0
            assert await forget(NOW + 3 * DAY) == 3
            assert await forget(NOW + 3 * DAY) == 0
            found = await store.read(lambda tx: tx[EventStore].page(EVERYTHING))
            assert [(event.id, event.kind) for event in found] == [
                (ids[2], GAP),
                *((id_, "command") for id_ in ids[3:]),
            ]
            assert (found[0].at, found[0].data) == (NOW + 2 * DAY, {})
            assert await forget(NOW + 9 * DAY) == 3
            assert await forget(NOW + 9 * DAY) == 0
            found = await store.read(lambda tx: tx[EventStore].page(EVERYTHING))
            assert [(event.id, event.kind) for event in found] == [(ids[5], GAP)]
            await store.write(lambda tx: tx[EventStore].add("command", {}, NOW))
            assert await store.read(lambda tx: tx[EventStore].last()) > ids[5]

        @pytest_twisted.ensureDeferred
        async def test_many_old_events_are_dropped_in_parts(self, store) -> None:
            """No unit of work drops more than about as many as it is allowed to."""

            def tell(tx) -> None:
                for number in range(25):
                    tx[EventStore].add("command", {"n": number}, NOW)

            await store.write(tell)
            counts = []
            while not counts or counts[-1]:
                counts.append(await store.write(lambda tx: tx[EventStore].forget(NOW + 1, 10)))
            assert sum(counts) == 25
            assert max(counts) <= 11
            assert len(await store.read(told)) == 1

        @pytest_twisted.ensureDeferred
        async def test_who_has_nothing_to_tell_pays_nothing(self, store, device) -> None:
            """A unit that stores records makes one statement, and none for events."""
            statements: list[str] = []

            def listen(tx) -> None:
                event.listen(
                    tx.connection,
                    "before_cursor_execute",
                    lambda *args: statements.append(args[2]),
                )

            await store.write(listen)
            await store.write(punch(device, 0))  # the first one of ten minutes
            inserted: list[str] = []

            def counted(insert):
                def count(self, driver, *inserts):
                    inserted.extend(one.table.name for one in inserts)
                    return insert(self, driver, *inserts)

                return count

            with pytest.MonkeyPatch.context() as patch:
                for kind in (SQLite, PostgreSQL):
                    patch.setattr(kind, "insert", counted(kind.insert))
                await store.write(punch(device, 1))
                assert (statements, inserted) == ([], ["attendance"])
                inserted.clear()
                await gatherResults(
                    [
                        store.write(lambda tx: tx[EventStore].add("command", {}, NOW)),
                        store.write(punch(device, 2)),
                        store.write(lambda tx: tx[EventStore].add("command", {}, NOW)),
                    ]
                )
                assert (statements, sorted(inserted)) == ([], ["attendance", "events"])

    return EventTests


class TestSQLiteInMemory(make_event_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_event_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_event_tests(on_postgresql)):
    """PostgreSQL."""


@pytest_twisted.ensureDeferred
async def test_ids_are_cursors_whichever_processes_write(empty_url: str) -> None:
    """Who goes on from the last ids seen misses no event and no record of two busy processes."""
    stores = [Store(lambda: open_database(empty_url), reactor) for _ in range(2)]
    for store in stores:
        store.start()
    device = await add_terminal(stores[0], "T1")
    each = 150

    def unit(number: int):
        def write(tx) -> None:
            tx[AttendanceInserts].add(
                device.id, rows(b"%d\t2026-01-05 08:00:00\t0\t1\n" % number), UTC, NOW
            )
            tx[EventStore].add("command", {"n": number}, NOW)
            if number % 7 == 0:  # the ids of this one are taken, and it is slow to commit
                tx.flush()
                time.sleep(0.003)

        return write

    events, records, done = [], [], []

    cursors = [await stores[0].read(lambda tx: tx[EventStore].last()), 0]

    async def follow() -> None:

        def look(tx):
            after_event, after_record = cursors
            return (
                tx[EventStore].page(Page(1000, after_event)),
                tx[AttendanceStore].page(Page(1000, after_record)),
            )

        last = False
        while not last:
            last = bool(done)
            found, more = await stores[0].read(look)
            events.extend(event.data["n"] for event in found)
            records.extend(int(item.pin) for item in more)
            cursors[0] = found[-1].id if found else cursors[0]
            cursors[1] = more[-1].id if more else cursors[1]

    following = Deferred.fromCoroutine(follow())

    async def write(store, numbers) -> None:
        for start in range(0, len(numbers), 3):
            await gatherResults([store.write(unit(n)) for n in numbers[start : start + 3]])

    await gatherResults(
        [
            Deferred.fromCoroutine(write(store, range(place * each, (place + 1) * each)))
            for place, store in enumerate(stores)
        ]
    )
    done.append(True)
    await following
    for store in stores:
        await store.stop()
    assert sorted(events) == [*range(2 * each)]
    assert sorted(records) == [*range(2 * each)]
