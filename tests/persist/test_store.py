"""The contract of a store: one suite for every database."""

from __future__ import annotations

import operator

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import DeferredList, gatherResults
from zope.interface.verify import verifyObject

from zkpush.interfaces import (
    IAttendance,
    ICommands,
    IDevices,
    ILeases,
    IRejects,
    IStamps,
    IStore,
    ITransaction,
    StoreError,
)
from zkpush.model import CommandState, DeviceState, Page, Problem, SessionState
from zkpush.persist import attendance
from zkpush.persist.postgresql import PostgreSQLStores
from zkpush.persist.sqlite import SQLiteStores
from zkpush.protocol.dialect import Dialect
from zkpush.protocol.handshake import Hello
from zkpush.protocol.records import Reject, decode
from zkpush.protocol.tables import ATTLOG
from zkpush.protocol.times import wall_clock

EVERYTHING = Page(1000)
UTC = wall_clock("UTC").utc


def rows(body: bytes) -> list[tuple[object, ...]]:
    """Rows as a handler gets them."""
    return decode(ATTLOG, body, Dialect()).rows


def make_store_tests(factory):
    """The tests that every store passes; `factory` makes an empty one, from pytest's request."""

    class StoreTests:
        @pytest_twisted.async_yield_fixture
        async def store(self, request):
            store = factory(request)
            store.start()
            yield store
            await store.stop()

        @pytest_twisted.async_yield_fixture
        async def device(self, store):
            yield await store.write(
                lambda tx: tx.devices.add("T1", DeviceState.APPROVED, "UTC", 1000)
            )

        @pytest_twisted.ensureDeferred
        async def test_a_store_and_its_parts_provide_their_interfaces(self, store) -> None:
            """The store, a transaction and its components are what the interfaces say."""
            verifyObject(IStore, store)
            parts = {
                "devices": IDevices,
                "stamps": IStamps,
                "attendance": IAttendance,
                "rejects": IRejects,
                "commands": ICommands,
                "leases": ILeases,
            }

            def verify(tx):
                verifyObject(ITransaction, tx)
                for name, interface in parts.items():
                    verifyObject(interface, getattr(tx, name))

            await store.write(verify)

        @pytest_twisted.ensureDeferred
        async def test_a_new_terminal_has_nothing_told(self, store, device) -> None:
            """A recorded terminal is found by its serial number and by its key."""
            assert (device.sn, device.session, device.options) == ("T1", SessionState.NEW, {})
            found = await store.read(lambda tx: (tx.devices.find("T1"), tx.devices.get(device.id)))
            assert found == (device, device)
            assert await store.read(lambda tx: tx.devices.find("T2")) is None
            with pytest.raises(LookupError):
                await store.read(lambda tx: tx.devices.get(99))

        @pytest_twisted.ensureDeferred
        async def test_recording_a_known_terminal_leaves_it_as_it_is(self, store, device) -> None:
            """Two processes that meet a terminal at once record it once."""
            again = await store.write(
                lambda tx: tx.devices.add("T1", DeviceState.PENDING, "Asia/Tokyo", 2000)
            )
            assert again == device

        @pytest_twisted.ensureDeferred
        async def test_what_is_changed_of_a_terminal_comes_back(self, store, device) -> None:
            """Texts, states, mappings and problems are kept as they were given."""
            problem = Problem("clock", "an hour ahead", 5)
            values = {
                "alias": "Gate Ä",
                "state": DeviceState.BLOCKED,
                "settings": {"Delay": 5, "TransFlag": "digits"},
            }
            await store.write(lambda tx: tx.devices.change(device.id, values))
            await store.write(lambda tx: tx.devices.raise_problem(device.id, problem))
            await store.write(lambda tx: tx.devices.raise_problem(device.id, problem))
            found = await store.read(lambda tx: tx.devices.get(device.id))
            assert (found.alias, found.state) == ("Gate Ä", DeviceState.BLOCKED)
            assert found.settings == {"Delay": 5, "TransFlag": "digits"}
            assert found.problems == (problem,)
            with pytest.raises(LookupError):
                await store.write(lambda tx: tx.devices.change(99, {"alias": "x"}))

        @pytest_twisted.ensureDeferred
        async def test_options_and_information_are_merged(self, store, device) -> None:
            """What a terminal says later adds to what it said before."""

            def unit(tx):
                tx.devices.merge_options(device.id, {"A": "1", "B": "2"})
                tx.devices.merge_options(device.id, {"B": "3"})
                tx.devices.merge_info(device.id, {"firmware": "1.0", "users": 3, "functions": "1"})
                tx.devices.merge_info(device.id, {"users": 4})
                return tx.devices.get(device.id)

            found = await store.write(unit)
            assert found.options == {"A": "1", "B": "3"}
            assert (found.firmware, found.counts) == ("1.0", {"users": 4})
            assert found.attributes == {"functions": "1"}

        @pytest_twisted.ensureDeferred
        async def test_terminals_are_listed_in_parts(self, store) -> None:
            """In the order they were first seen, each part after the one before."""
            for sn in ("T3", "T1", "T2"):
                await store.write(
                    lambda tx, sn=sn: tx.devices.add(sn, DeviceState.PENDING, "UTC", 1)
                )
            first = await store.read(lambda tx: tx.devices.page(Page(2)))
            rest = await store.read(lambda tx: tx.devices.page(Page(2, after=first[-1].id)))
            assert [device.sn for device in first + rest] == ["T3", "T1", "T2"]

        @pytest_twisted.ensureDeferred
        async def test_an_exchange_is_kept(self, store, device) -> None:
            """What a terminal said in the exchange is kept, with the state of its session."""
            hello = Hello("2.4.1", "83", None, "att", {"X": "1"})
            found = await store.write(
                lambda tx: tx.devices.exchanged(device.id, hello, {"session": SessionState.READY})
            )
            assert (found.push_version, found.language, found.device_type) == ("2.4.1", "83", "att")
            assert (found.attributes, found.session) == ({"X": "1"}, SessionState.READY)
            assert found.dialect.encoding == "gb18030"

        @pytest_twisted.ensureDeferred
        async def test_last_seen_never_goes_back(self, store, device) -> None:
            """An older time of another process does not overwrite a newer one."""
            await store.write(lambda tx: tx.devices.seen({device.id: (9000, "192.0.2.9")}))
            await store.write(lambda tx: tx.devices.seen({device.id: (8000, "192.0.2.8")}))
            found = await store.read(lambda tx: tx.devices.get(device.id))
            assert (found.last_seen_at, found.address) == (9000, "192.0.2.9")

        @pytest_twisted.ensureDeferred
        async def test_stamps_are_remembered_and_reset(self, store, device) -> None:
            """Each data type of each terminal has its own last stamp."""

            def unit(tx):
                tx.stamps.remember(device.id, "ATTLOG", "1")
                tx.stamps.remember(device.id, "ATTLOG", "2")
                tx.stamps.remember(device.id, "OPERLOG", "7")
                before = tx.stamps.of(device.id)
                tx.stamps.reset(device.id, "ATTLOG")
                return before, tx.stamps.of(device.id)

            assert await store.write(unit) == (
                {"ATTLOG": "2", "OPERLOG": "7"},
                {"OPERLOG": "7"},
            )

        @pytest_twisted.ensureDeferred
        async def test_a_record_is_stored_once(self, store, device) -> None:
            """The same terminal, user, time, status and verification are one record."""
            body = (
                b"1\t2026-01-05 08:00:00\t0\t1\n"
                b"1\t2026-01-05 08:00:00\t0\t1\t5\t0\t0\n"
                b"1\t2026-01-05 08:00:00\t1\t1\n"
            )
            for _ in range(2):
                await store.write(lambda tx: tx.attendance.add(device.id, rows(body), UTC, 7))
            found = await store.read(
                lambda tx: tx.attendance.page(EVERYTHING, None, None, None, None)
            )
            assert [(item["pin"], item["status"], item["work_code"]) for item in found] == [
                ("1", 0, None),
                ("1", 1, None),
            ]
            assert await store.read(lambda tx: tx.attendance.count(device.id)) == 2

        @pytest_twisted.ensureDeferred
        async def test_every_field_of_a_record_comes_back(self, store, device) -> None:
            """Columns of every kind, and what did not fit them, are read as they were written."""
            body = "1\t2026-01-05 08:00:00\t255\t15\t3\tr1\tr2\t1\t36.6\tx\t+28800\te30=\tmore\n"
            await store.write(lambda tx: tx.attendance.add(device.id, rows(body.encode()), UTC, 7))
            (item,) = await store.read(
                lambda tx: tx.attendance.page(EVERYTHING, "T1", "1", None, None)
            )
            assert item == {
                "id": item["id"],
                "device": "T1",
                "pin": "1",
                "time": "2026-01-05 08:00:00",
                "utc": 1_767_571_200,
                "received_at": 7,
                "status": 255,
                "verify": 15,
                "work_code": "3",
                "reserved_1": "r1",
                "reserved_2": "r2",
                "id_number": None,
                "record_type": None,
                "mask": 1,
                "temperature": 36.6,
                "converted_temperature": None,
                "time_offset": 28800,
                "extend_data": "e30=",
                "extra": {"ConvTemperature": "x", "Column13": "more"},
            }

        @pytest_twisted.ensureDeferred
        async def test_bytes_that_are_no_text_are_kept_as_they_came(self, store, device) -> None:
            """A name in another encoding is shown marked, and its line is there to be read."""
            line = "Müller\t2026-01-05 08:00:00\t0\t1".encode("latin-1")
            plain = b"7\t2026-01-05 08:00:00\t0\t1"
            body = plain + b"\n" + line + b"\n"
            await store.write(lambda tx: tx.attendance.add(device.id, rows(body), UTC, 7))

            def raw(tx):
                found = tx.connection.exec_driver_sql("SELECT pin, raw FROM attendance ORDER BY id")
                return [(pin, raw and bytes(raw)) for pin, raw in found]

            assert await store.read(raw) == [("7", None), ("M\ufffdfcller", line)]

        @pytest_twisted.ensureDeferred
        async def test_rejects_are_kept_once(self, store, device) -> None:
            """The same bytes of a terminal and a table are one reject."""
            rejects = [
                Reject("ATTLOG", "bad", b"\x00\xff"),
                Reject("ATTLOG", "bad", b"\x00\xff"),
                Reject("OPERLOG", "bad", b"\x00\xff"),
            ]
            for _ in range(2):
                await store.write(lambda tx: tx.rejects.add(device.id, rejects, 7))
            found = await store.read(lambda tx: tx.rejects.page(EVERYTHING, "T1"))
            assert [(item.table, item.raw) for item in found] == [
                ("ATTLOG", b"\x00\xff"),
                ("OPERLOG", b"\x00\xff"),
            ]
            assert await store.read(lambda tx: tx.rejects.page(EVERYTHING, "T2")) == []

        @pytest_twisted.ensureDeferred
        async def test_a_command_goes_from_queued_to_sent_to_done(self, store, device) -> None:
            """A lease makes a command not due until it runs out; an end makes it so for ever."""

            def unit(tx):
                tx.commands.add(device.id, "a", "INFO", {"K": "v"}, 1)
                tx.commands.add(device.id, "b", "LOG", {}, 1)
                due = tx.commands.due(device.id, 10, 5)
                tx.commands.lease(due[:1], 100, 10)
                return due, tx.commands.due(device.id, 10, 5), tx.commands.next_due(device.id)

            due, left, next_due = await store.write(unit)
            assert [command.id for command in due] == ["a", "b"]
            assert due[0].params == {"K": "v"}
            assert [command.id for command in left] == ["b"]
            assert next_due == 0
            assert await store.read(lambda tx: tx.commands.all_due()) == {device.id: 0}
            assert await store.read(lambda tx: tx.commands.pending()) == {device.id: 2}

            def end(tx):
                first = tx.commands.finish(
                    device.id, "b", CommandState.DONE, 0, {"answer": "x"}, 20
                )
                second = tx.commands.finish(device.id, "b", CommandState.FAILED, -1, None, 30)
                return first, second, tx.commands.next_due(device.id)

            first, second, next_due = await store.write(end)
            assert (first.state, first.result, second) == (
                CommandState.DONE,
                {"answer": "x"},
                None,
            )
            assert next_due == 100
            again = await store.write(lambda tx: tx.commands.due(device.id, 100, 5))
            assert [(command.id, command.attempts) for command in again] == [("a", 1)]

        @pytest_twisted.ensureDeferred
        async def test_an_id_is_used_once(self, store, device) -> None:
            """A CmdID that was used before is refused, and the first command stays."""
            await store.write(lambda tx: tx.commands.add(device.id, "a", "INFO", {}, 1))
            with pytest.raises(ValueError, match="used before"):
                await store.write(lambda tx: tx.commands.add(device.id, "a", "LOG", {}, 2))
            assert (await store.read(lambda tx: tx.commands.get("a"))).command == "INFO"

        @pytest_twisted.ensureDeferred
        async def test_exhausted_commands_expire(self, store, device) -> None:
            """A command whose last lease has run out after so many attempts is over."""

            def unit(tx):
                tx.commands.add(device.id, "a", "INFO", {}, 1)
                tx.commands.lease(tx.commands.due(device.id, 1, 5), 100, 1)
                early = tx.commands.expire(device.id, 99, 1)
                return early, tx.commands.expire(device.id, 100, 1)

            assert await store.write(unit) == (0, 1)
            found = await store.read(lambda tx: tx.commands.get("a"))
            assert (found.state, found.finished_at) == (CommandState.EXPIRED, 100)

        @pytest_twisted.ensureDeferred
        async def test_a_unit_that_fails_leaves_nothing_behind(self, store, device) -> None:
            """What a failed unit wrote is gone; the units beside it are stored."""

            def bad(tx):
                tx.attendance.add(device.id, rows(b"9\t2026-01-05 08:00:00\t0\t1\n"), UTC, 7)
                tx.rejects.add(device.id, [], 7)
                raise SystemExit("poison")

            def good(pin):
                body = b"%d\t2026-01-05 08:00:00\t0\t1\n" % pin
                return lambda tx: tx.attendance.add(device.id, rows(body), UTC, 7)

            outcomes = await gatherResults(
                store.write(unit).addErrback(lambda failure: failure.value.args[0])
                for unit in (good(1), bad, good(2))
            )
            assert outcomes == [None, "poison", None]
            found = await store.read(
                lambda tx: tx.attendance.page(EVERYTHING, None, None, None, None)
            )
            assert [item["pin"] for item in found] == ["1", "2"]

        @pytest_twisted.ensureDeferred
        async def test_a_database_error_is_a_store_error(self, store, device) -> None:
            """What the driver says comes as StoreError, without parameters, which may be secret."""

            def unit(tx):
                tx.connection.exec_driver_sql("SELECT * FROM no_such_table_secret42")

            with pytest.raises(StoreError, match="no_such_table"):
                await store.write(unit)
            with pytest.raises(StoreError):
                await store.read(unit)

        @pytest_twisted.ensureDeferred
        async def test_stopping_commits_what_was_handed_in(self, request) -> None:
            """Units in hand are committed before the store closes; later ones are refused."""
            store = factory(request)
            assert store.counts() == {"units": 0, "commits": 0}
            store.start()
            waiting = [
                store.write(lambda tx, n=n: tx.devices.add(f"T{n}", DeviceState.APPROVED, "UTC", 1))
                for n in range(20)
            ]
            await store.stop()
            added = await gatherResults(waiting)
            assert {device.sn for device in added} == {f"T{n}" for n in range(20)}
            with pytest.raises(StoreError):
                await store.write(lambda tx: None)
            await store.stop()

        @pytest_twisted.ensureDeferred
        async def test_what_a_unit_wrote_it_can_read(self, store, device) -> None:
            """A unit sees its own records and stamps, in whatever order it writes and reads."""

            def unit(tx):
                seen = []
                for pin in (b"1", b"2"):
                    line = pin + b"\t2026-01-05 08:00:00\t0\t1\n"
                    tx.attendance.add(device.id, rows(line), UTC, 7)
                    tx.stamps.remember(device.id, "ATTLOG", pin.decode())
                    seen.append((tx.attendance.count(device.id), tx.stamps.of(device.id)))
                return seen

            assert await store.write(unit) == [(1, {"ATTLOG": "1"}), (2, {"ATTLOG": "2"})]

        @pytest_twisted.ensureDeferred
        async def test_ids_ascend_in_the_order_of_storing(self, store, device) -> None:
            """Records of many units, in one commit or in several, are listed as they came."""

            def upload(pin):
                body = b"%d\t2026-01-05 08:00:00\t0\t1\n" % pin
                return store.write(lambda tx: tx.attendance.add(device.id, rows(body), UTC, 7))

            await gatherResults([upload(pin) for pin in range(50, 0, -1)])
            await upload(99)
            found = await store.read(
                lambda tx: tx.attendance.page(EVERYTHING, None, None, None, None)
            )
            assert [int(item["pin"]) for item in found] == [*range(50, 0, -1), 99]
            counts = store.counts()
            assert counts["units"] > counts["commits"] > 0

        @pytest_twisted.ensureDeferred
        async def test_records_are_found_by_instant(self, store, device, monkeypatch) -> None:
            """`since` is inclusive, `until` is not, whatever the clock of the record says."""
            body = (
                b"1\t2026-01-05 08:00:00\t0\t1\n"
                b"2\t2026-01-05 08:00:01\t0\t1\n"
                b"3\t2026-01-06 07:00:00\t0\t1\t0\t0\t0\t0\t36.6\t97.9\t+86400\t\n"
            )
            await store.write(lambda tx: tx.attendance.add(device.id, rows(body), UTC, 7))
            eight = UTC("2026-01-05 08:00:00")
            for few in (0, 1000):  # in the order of ids, and sorted
                monkeypatch.setattr(attendance, "FEW", few)
                for sn in ("T1", None):
                    for since, until, pins in (
                        (eight, None, "12"),
                        (eight + 1, None, "2"),
                        (None, eight + 1, "13"),
                        (eight - 3600, eight, "3"),
                        (-(10**12), 10**12, "123"),
                        (10**12, None, ""),
                    ):
                        found = await store.read(
                            lambda tx, sn=sn, since=since, until=until: tx.attendance.page(
                                EVERYTHING, sn, None, since, until
                            )
                        )
                        assert "".join(str(item["pin"]) for item in found) == pins

        @pytest_twisted.ensureDeferred
        async def test_the_instants_of_many_records_are_those_of_each(self, store, device) -> None:
            """On days with and without a change of the clock, with and without own offsets."""
            utc = wall_clock("Europe/Madrid").utc
            times = [
                f"2026-{month:02}-{day:02} {hour:02}:30:{hour:02}"
                for month, day in ((3, 28), (3, 29), (3, 30), (10, 25))
                for hour in range(24)
            ]
            body = "".join(f"1\t{time}\t0\t1\n" for time in times)
            own = "2\t2026-03-29 12:00:00\t0\t1\t0\t0\t0\t0\t36.6\t97.9\t+3600\t\n"
            together = rows((body + own).encode())
            await store.write(lambda tx: tx.attendance.add(device.id, together, utc, 7))
            found = await store.read(
                lambda tx: tx.attendance.page(EVERYTHING, None, None, None, None)
            )
            expected = [*map(utc, times), UTC("2026-03-29 11:00:00")]
            assert [item["utc"] for item in found] == expected

        @pytest_twisted.ensureDeferred
        async def test_a_large_body_is_stored_whole(self, store, device) -> None:
            """More rows than wait for the end of a group are stored, in their order."""
            body = b"".join(b"%d\t2026-01-05 08:00:00\t0\t1\n" % pin for pin in range(10_500))
            await store.write(lambda tx: tx.attendance.add(device.id, rows(body), UTC, 7))
            assert await store.read(lambda tx: tx.attendance.count(None)) == 10_500
            part = Page(2, after=0)
            found = await store.read(lambda tx: tx.attendance.page(part, None, None, None, None))
            assert [item["pin"] for item in found] == ["0", "1"]

        @pytest_twisted.ensureDeferred
        async def test_a_text_with_nul_is_shown_marked(self, store, device) -> None:
            """No database has to hold NUL: it shows as U+FFFD, and is found as nothing."""
            await store.write(lambda tx: tx.devices.change(device.id, {"alias": "a\0b"}))
            found = await store.read(lambda tx: tx.devices.find("T1"))
            assert found.alias == "a\ufffdb"
            assert await store.read(lambda tx: tx.devices.find("T\0")) is None
            assert (
                await store.read(lambda tx: tx.attendance.page(EVERYTHING, None, "\0", None, None))
                == []
            )

        @pytest_twisted.ensureDeferred
        async def test_a_row_that_cannot_be_stored_hurts_nobody_else(self, store, device) -> None:
            """A record for a terminal that is gone fails its unit; those beside it are stored."""

            def upload(device_id, pin):
                body = b"%d\t2026-01-05 08:00:00\t0\t1\n" % pin
                return store.write(lambda tx: tx.attendance.add(device_id, rows(body), UTC, 7))

            uploads = [upload(device.id, 1), upload(99, 2), upload(device.id, 3)]
            outcomes = await DeferredList(uploads, consumeErrors=True)
            assert [done for done, _ in outcomes] == [True, False, True]
            assert outcomes[1][1].check(StoreError)
            assert "2026" not in str(outcomes[1][1].value)
            found = await store.read(
                lambda tx: tx.attendance.page(EVERYTHING, None, None, None, None)
            )
            assert [item["pin"] for item in found] == ["1", "3"]

        @pytest_twisted.ensureDeferred
        async def test_a_terminal_with_records_cannot_be_removed(self, store, device) -> None:
            """Removing fails if there is anything of it, also in the same unit, which goes on."""
            body = b"1\t2026-01-05 08:00:00\t0\t1\n"

            def unit(tx):
                other = tx.devices.add("T2", DeviceState.APPROVED, "UTC", 1)
                tx.devices.remove(other.id)
                tx.attendance.add(device.id, rows(body), UTC, 7)
                with pytest.raises(ValueError, match="has records"):
                    tx.devices.remove(device.id)

            await store.write(unit)
            found = await store.read(
                lambda tx: (tx.devices.changed_since(0)[0], tx.attendance.count(None))
            )
            assert ([device.sn for device in found[0]], found[1]) == (["T1"], 1)

        @pytest_twisted.ensureDeferred
        async def test_changes_of_terminals_are_told_once_they_are_committed(
            self, store, device
        ) -> None:
            """From 0 on all terminals are new; then only those that were changed, but not seen."""
            await store.write(lambda tx: tx.devices.add("T2", DeviceState.APPROVED, "UTC", 1))
            found, cursor = await store.read(lambda tx: tx.devices.changed_since(0))
            assert {one.sn for one in found} == {"T1", "T2"}
            await store.write(lambda tx: tx.devices.seen({device.id: (9000, "192.0.2.9")}))
            await store.write(lambda tx: tx.devices.add("T2", DeviceState.APPROVED, "UTC", 1))
            found, cursor = await store.read(lambda tx, at=cursor: tx.devices.changed_since(at))
            assert found == []
            for change, *arguments in (
                ("change", {"alias": "Gate"}),
                ("merge_options", {"A": "1"}),
                ("merge_info", {"users": 1}),
                ("raise_problem", Problem("a", "b", 1)),
                ("exchanged", Hello(), {}),
            ):
                change_it = operator.methodcaller(change, device.id, *arguments)
                await store.write(lambda tx, change_it=change_it: change_it(tx.devices))
                at = cursor
                found, cursor = await store.read(lambda tx, at=at: tx.devices.changed_since(at))
                assert [one.sn for one in found] == ["T1"]
                assert cursor > at
            assert found[0].alias == "Gate"

        @pytest_twisted.ensureDeferred
        async def test_removals_of_terminals_are_told(self, store, device) -> None:
            """A terminal that was removed is named, until it is there again."""
            _, cursor = await store.read(lambda tx: tx.devices.changed_since(0))
            await store.write(lambda tx: tx.devices.remove(device.id))

            def news(tx):
                found, _ = tx.devices.changed_since(cursor)
                return [device.sn for device in found], tx.devices.removed_since(cursor)

            assert await store.read(news) == ([], ["T1"])
            again = await store.write(
                lambda tx: tx.devices.add("T1", DeviceState.PENDING, "UTC", 1)
            )
            assert await store.read(news) == (["T1"], [])
            await store.write(lambda tx: tx.devices.remove(again.id))
            assert await store.read(news) == ([], ["T1"])

        @pytest_twisted.ensureDeferred
        async def test_a_cursor_of_another_database_begins_again(self, store, device) -> None:
            """Where a cursor is ahead of everything, all terminals are told."""
            found, cursor = await store.read(lambda tx: tx.devices.changed_since(10**15))
            assert [device.sn for device in found] == ["T1"]
            assert cursor < 10**15

        @pytest_twisted.ensureDeferred
        async def test_a_lease_has_one_owner(self, store) -> None:
            """It is taken while free, run out or given back, and renewed by its owner only."""

            def hold(owner, until, now):
                return store.write(lambda tx: tx.leases.hold("zones", owner, until, now))

            def release(owner):
                return store.write(lambda tx: tx.leases.release("zones", owner))

            assert await hold("one", 100, 0)
            assert not await hold("other", 200, 99)
            assert await hold("one", 150, 99)
            assert not await hold("other", 200, 149)
            assert await hold("other", 300, 150)
            assert not await hold("one", 300, 151)
            await release("one")
            assert not await hold("one", 300, 152)
            await release("other")
            assert await hold("one", 300, 153)
            assert await store.write(lambda tx: tx.leases.hold("else", "other", 300, 153))

        @pytest_twisted.ensureDeferred
        async def test_a_query_writes_nothing(self, store, device) -> None:
            """Records that are given to a query are refused, or stored: never dropped."""
            body = b"1\t2026-01-05 08:00:00\t0\t1\n"
            try:
                await store.read(lambda tx: tx.attendance.add(device.id, rows(body), UTC, 7))
                stored = 1
            except StoreError:
                stored = 0
            assert await store.read(lambda tx: tx.attendance.count(None)) == stored

    return StoreTests


class TestSQLiteInMemory(
    make_store_tests(lambda request: SQLiteStores().open("sqlite://", reactor))
):
    """SQLite in memory."""


class TestSQLiteFile(
    make_store_tests(
        lambda request: SQLiteStores().open(
            f"sqlite:///{request.getfixturevalue('tmp_path') / 'store.sqlite'}", reactor
        )
    )
):
    """SQLite in a file."""


class TestPostgreSQL(
    make_store_tests(
        lambda request: PostgreSQLStores().open(request.getfixturevalue("postgres_url"), reactor)
    )
):
    """PostgreSQL."""
