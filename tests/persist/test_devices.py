"""Terminals in the store, and their stamps: on every database."""

from __future__ import annotations

import operator

import pytest
import pytest_twisted

from zkpush.handlers.attendance.handler import AttendanceInserts
from zkpush.handlers.attendance.store import AttendanceStore
from zkpush.model import DeviceState, Page, Problem
from zkpush.persist.devices import DeviceStore
from zkpush.persist.presence import PresenceStore
from zkpush.persist.stamps import StampStore
from zkpush.protocol.handshake import Hello
from zkpush.values.sessions import SessionState

from .contract import NOW, UTC, in_file, in_memory, on_postgresql, rows, with_store


def make_device_tests(factory):
    """The tests of terminals; `factory` makes an empty store, from pytest's request."""

    class DeviceTests(with_store(factory)):
        @pytest_twisted.ensureDeferred
        async def test_a_new_terminal_has_nothing_told(self, store, device) -> None:
            """A recorded terminal is found by its serial number and by its key."""
            assert (device.sn, device.session, device.options) == ("T1", SessionState.NEW, {})
            found = await store.read(
                lambda tx: (tx[DeviceStore].find("T1"), tx[DeviceStore].get(device.id))
            )
            assert found == (device, device)
            assert await store.read(lambda tx: tx[DeviceStore].find("T2")) is None
            with pytest.raises(LookupError):
                await store.read(lambda tx: tx[DeviceStore].get(99))

        @pytest_twisted.ensureDeferred
        async def test_recording_a_known_terminal_leaves_it_as_it_is(self, store, device) -> None:
            """Two processes that meet a terminal at once record it once."""
            again = await store.write(
                lambda tx: tx[DeviceStore].add("T1", DeviceState.PENDING, "Asia/Tokyo", 2000)
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
                "networks": ("10.1.0.0/16", "fd00::/8"),
            }
            await store.write(lambda tx: tx[DeviceStore].change(device.id, values))
            await store.write(lambda tx: tx[DeviceStore].raise_problem(device.id, problem))
            await store.write(lambda tx: tx[DeviceStore].raise_problem(device.id, problem))
            found = await store.read(lambda tx: tx[DeviceStore].get(device.id))
            assert (found.alias, found.state) == ("Gate Ä", DeviceState.BLOCKED)
            assert found.settings == {"Delay": 5, "TransFlag": "digits"}
            assert found.networks == ("10.1.0.0/16", "fd00::/8")
            assert found.problems == (problem,)
            with pytest.raises(LookupError):
                await store.write(lambda tx: tx[DeviceStore].change(99, {"alias": "x"}))

        @pytest_twisted.ensureDeferred
        async def test_options_and_information_are_merged(self, store, device) -> None:
            """What a terminal says later adds to what it said before."""

            def unit(tx):
                tx[DeviceStore].merge_options(device.id, {"A": "1", "B": "2"})
                tx[DeviceStore].merge_options(device.id, {"B": "3"})
                tx[DeviceStore].merge_info(
                    device.id, {"firmware": "1.0", "users": 3, "functions": "1"}
                )
                tx[DeviceStore].merge_info(device.id, {"users": 4})
                return tx[DeviceStore].get(device.id)

            found = await store.write(unit)
            assert found.options == {"A": "1", "B": "3"}
            assert (found.firmware, found.counts) == ("1.0", {"users": 4})
            assert found.attributes == {"functions": "1"}

        @pytest_twisted.ensureDeferred
        async def test_terminals_are_listed_in_parts(self, store) -> None:
            """In the order they were first seen, each part after the one before."""
            for sn in ("T3", "T1", "T2"):
                await store.write(
                    lambda tx, sn=sn: tx[DeviceStore].add(sn, DeviceState.PENDING, "UTC", 1)
                )
            first = await store.read(lambda tx: tx[DeviceStore].page(Page(2)))
            rest = await store.read(lambda tx: tx[DeviceStore].page(Page(2, after=first[-1].id)))
            assert [device.sn for device in first + rest] == ["T3", "T1", "T2"]

        @pytest_twisted.ensureDeferred
        async def test_an_exchange_is_kept(self, store, device) -> None:
            """What a terminal said in the exchange is kept, with the state of its session."""
            hello = Hello("2.4.1", "83", None, "att", {"X": "1"})
            found = await store.write(
                lambda tx: tx[DeviceStore].exchanged(
                    device.id, hello, {"session": SessionState.READY}
                )
            )
            assert (found.push_version, found.language, found.device_type) == ("2.4.1", "83", "att")
            assert (found.attributes, found.session) == ({"X": "1"}, SessionState.READY)
            assert found.dialect.encoding == "gb18030"

        @pytest_twisted.ensureDeferred
        async def test_last_seen_never_goes_back(self, store, device) -> None:
            """An older time of another process does not overwrite a newer one."""
            await store.write(lambda tx: tx[PresenceStore].record({device.id: (9000, "192.0.2.9")}))
            await store.write(lambda tx: tx[PresenceStore].record({device.id: (8000, "192.0.2.8")}))
            found = await store.read(lambda tx: tx[DeviceStore].get(device.id))
            assert (found.last_seen_at, found.address) == (9000, "192.0.2.9")

        @pytest_twisted.ensureDeferred
        async def test_who_was_last_seen_elsewhere_is_found(self, store, device) -> None:
            """Before the new address is written: which terminals had another one, when, and it."""

            async def elsewhere(*seen: tuple[int, str | None]) -> list[object]:
                times = {device.id: seen[0], 99: (1, "192.0.2.9")}
                return await store.write(lambda tx: tx[PresenceStore].elsewhere(times))

            assert await elsewhere((1000, "192.0.2.9")) == []
            await store.write(lambda tx: tx[PresenceStore].record({device.id: (9000, "192.0.2.9")}))
            assert await elsewhere((9500, "192.0.2.9")) == []
            assert await elsewhere((9500, "192.0.2.8")) == [(device.id, 9000, "192.0.2.9")]
            assert await elsewhere((9500, None)) == [(device.id, 9000, "192.0.2.9")]
            await store.write(lambda tx: tx[PresenceStore].record({device.id: (9900, None)}))
            assert await elsewhere((9950, None)) == []
            assert await elsewhere((9950, "192.0.2.8")) == [(device.id, 9900, None)]

        @pytest_twisted.ensureDeferred
        async def test_stamps_are_remembered_and_reset(self, store, device) -> None:
            """Each data type of each terminal has its own last stamp."""

            def unit(tx):
                tx[StampStore].remember(device.id, "ATTLOG", "1")
                tx[StampStore].remember(device.id, "ATTLOG", "2")
                tx[StampStore].remember(device.id, "OPERLOG", "7")
                before = tx[StampStore].of(device.id)
                tx[StampStore].reset(device.id, "ATTLOG")
                return before, tx[StampStore].of(device.id)

            assert await store.write(unit) == (
                {"ATTLOG": "2", "OPERLOG": "7"},
                {"OPERLOG": "7"},
            )

        @pytest_twisted.ensureDeferred
        async def test_a_terminal_with_records_cannot_be_removed(self, store, device) -> None:
            """Removing fails if there is anything of it, also in the same unit, which goes on."""
            body = b"1\t2026-01-05 08:00:00\t0\t1\n"

            def unit(tx):
                other = tx[DeviceStore].add("T2", DeviceState.APPROVED, "UTC", 1)
                tx[DeviceStore].remove(other.id)
                tx[AttendanceInserts].add(device.id, rows(body), UTC, NOW)
                with pytest.raises(ValueError, match="has records"):
                    tx[DeviceStore].remove(device.id)

            await store.write(unit)
            found = await store.read(
                lambda tx: (tx[DeviceStore].changed_since(0)[0], tx[AttendanceStore].count(None))
            )
            assert ([device.sn for device in found[0]], found[1]) == (["T1"], 1)

        @pytest_twisted.ensureDeferred
        async def test_changes_of_terminals_are_told_once_they_are_committed(
            self, store, device
        ) -> None:
            """From 0 on all terminals are new; then only those that were changed, but not seen."""
            await store.write(lambda tx: tx[DeviceStore].add("T2", DeviceState.APPROVED, "UTC", 1))
            found, cursor = await store.read(lambda tx: tx[DeviceStore].changed_since(0))
            assert {one.sn for one in found} == {"T1", "T2"}
            await store.write(lambda tx: tx[PresenceStore].record({device.id: (9000, "192.0.2.9")}))
            await store.write(lambda tx: tx[DeviceStore].add("T2", DeviceState.APPROVED, "UTC", 1))
            found, cursor = await store.read(
                lambda tx, at=cursor: tx[DeviceStore].changed_since(at)
            )
            assert found == []
            for change, *arguments in (
                ("change", {"alias": "Gate"}),
                ("merge_options", {"A": "1"}),
                ("merge_info", {"users": 1}),
                ("raise_problem", Problem("a", "b", 1)),
                ("exchanged", Hello(), {}),
            ):
                change_it = operator.methodcaller(change, device.id, *arguments)
                await store.write(lambda tx, change_it=change_it: change_it(tx[DeviceStore]))
                at = cursor
                found, cursor = await store.read(
                    lambda tx, at=at: tx[DeviceStore].changed_since(at)
                )
                assert [one.sn for one in found] == ["T1"]
                assert cursor > at
            assert found[0].alias == "Gate"

        @pytest_twisted.ensureDeferred
        async def test_removals_of_terminals_are_told(self, store, device) -> None:
            """A terminal that was removed is named, until it is there again."""
            _, cursor = await store.read(lambda tx: tx[DeviceStore].changed_since(0))
            await store.write(lambda tx: tx[DeviceStore].remove(device.id))

            def news(tx):
                found, _ = tx[DeviceStore].changed_since(cursor)
                return [device.sn for device in found], tx[DeviceStore].removed_since(cursor)

            assert await store.read(news) == ([], ["T1"])
            again = await store.write(
                lambda tx: tx[DeviceStore].add("T1", DeviceState.PENDING, "UTC", 1)
            )
            assert await store.read(news) == (["T1"], [])
            await store.write(lambda tx: tx[DeviceStore].remove(again.id))
            assert await store.read(news) == ([], ["T1"])

        @pytest_twisted.ensureDeferred
        async def test_a_cursor_of_another_database_begins_again(self, store, device) -> None:
            """Where a cursor is ahead of everything, all terminals are told."""
            found, cursor = await store.read(lambda tx: tx[DeviceStore].changed_since(10**15))
            assert [device.sn for device in found] == ["T1"]
            assert cursor < 10**15

    return DeviceTests


class TestSQLiteInMemory(make_device_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_device_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_device_tests(on_postgresql)):
    """PostgreSQL."""
