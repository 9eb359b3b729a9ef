"""Command queues and leases in the store: on every database."""

from __future__ import annotations

import msgspec
import pytest
import pytest_twisted

from zkpush.endings import EndReason
from zkpush.handlers.commands.model import CommandFilter
from zkpush.handlers.commands.store import CommandList
from zkpush.model import Page
from zkpush.persist.commandhistory import CommandHistory
from zkpush.persist.commands import CommandStore
from zkpush.persist.commandschedule import CommandSchedule
from zkpush.persist.leases import LeaseStore
from zkpush.values.commands import CommandState

from .contract import command, in_file, in_memory, on_postgresql, with_store


def make_command_tests(factory):
    """The tests of commands and leases; `factory` makes an empty store, from pytest's request."""

    class CommandTests(with_store(factory)):
        @pytest_twisted.ensureDeferred
        async def test_a_command_goes_from_queued_to_sent_to_done(self, store, device) -> None:
            """A lease makes a command not due until it runs out; an end makes it so for ever."""

            def unit(tx):
                tx[CommandStore].add(device.id, command("a", "INFO", {"K": "v"}), 1)
                tx[CommandStore].add(device.id, command("b", "LOG"), 1)
                due = tx[CommandSchedule].due(device.id, 10, 5)
                tx[CommandStore].lease(due[:1], 100, 10)
                return (
                    due,
                    tx[CommandSchedule].due(device.id, 10, 5),
                    tx[CommandSchedule].next_due(device.id),
                )

            due, left, next_due = await store.write(unit)
            assert [one.id for one in due] == ["a", "b"]
            assert due[0].params == {"K": "v"}
            assert [command.id for command in left] == ["b"]
            assert next_due == 0
            assert await store.read(lambda tx: tx[CommandSchedule].all_due()) == {device.id: 0}
            assert await store.read(lambda tx: tx[CommandHistory].pending()) == {device.id: 2}

            def end(tx):
                command = tx[CommandStore].known_among(device.id, ["b", "c"])["b"]
                done = (CommandState.DONE, EndReason.DONE, 0, {"answer": "x"})
                first = tx[CommandStore].answer(command, *done, 20)
                failed = (CommandState.FAILED, EndReason.FAILED, -1, None)
                second = tx[CommandStore].answer(command, *failed, 30)
                return first, second, tx[CommandSchedule].next_due(device.id)

            first, second, next_due = await store.write(end)
            assert (first.state, first.result, second) == (
                CommandState.DONE,
                {"answer": "x"},
                None,
            )
            assert next_due == 100
            again = await store.write(lambda tx: tx[CommandSchedule].due(device.id, 100, 5))
            assert [(command.id, command.attempts) for command in again] == [("a", 1)]

        @pytest_twisted.ensureDeferred
        async def test_an_id_is_used_once(self, store, device) -> None:
            """A CmdID that was used before is refused, and the first command stays."""
            await store.write(lambda tx: tx[CommandStore].add(device.id, command("a", "INFO"), 1))
            with pytest.raises(ValueError, match="used before"):
                await store.write(
                    lambda tx: tx[CommandStore].add(device.id, command("a", "LOG"), 2)
                )
            assert (await store.read(lambda tx: tx[CommandStore].get("a"))).command == "INFO"

        @pytest_twisted.ensureDeferred
        async def test_commands_whose_time_is_over_are_found(self, store, device) -> None:
            """A lease that is over counts if nothing is sent again after it; so does a deadline."""

            def unit(tx):
                for name, deadline in (("a", 500), ("b", 500), ("c", 99)):
                    new = msgspec.structs.replace(command(name, "INFO"), expires_at=deadline)
                    tx[CommandStore].add(device.id, new, 1)
                tx[CommandStore].lease([tx[CommandStore].get("a")], 100, 1)

                def over(now, attempts, once=()):
                    which = (now, 1000, attempts, once)
                    found = [one.id for one in tx[CommandStore].overdue(*which, 9)]
                    assert tx[CommandStore].is_overdue(*which) is bool(found)
                    return found

                assert over(99, 1) == []
                assert over(100, 1) == ["a", "c"]
                assert over(100, 2) == ["c"]
                assert over(100, 2, ("INFO",)) == ["a", "c"]
                assert over(501, 2) == ["a", "b", "c"]
                tx[CommandStore].supersede(tx[CommandStore].get("a"), "b")
                assert over(100, 2) == ["a", "c"]
                tx[CommandStore].end(
                    tx[CommandStore].get("c"), CommandState.EXPIRED, EndReason.TOO_OLD, 101
                )
                assert over(100, 2) == ["a"]

            await store.write(unit)
            found = await store.read(lambda tx: tx[CommandStore].get("c"))
            assert (found.state, found.finished_at) == (CommandState.EXPIRED, 101)

        @pytest_twisted.ensureDeferred
        async def test_what_was_queued_by_an_old_version_has_the_lifetime(
            self, store, device
        ) -> None:
            """A command without a deadline is over once it is older than the lifetime."""
            await store.write(lambda tx: tx[CommandStore].add(device.id, command("a", "INFO"), 1))
            for now, found in ((1001, False), (1002, True)):
                which = (now, 1000, 1, ())
                assert (
                    await store.read(lambda tx, w=which: tx[CommandStore].is_overdue(*w)) is found
                )

        @pytest_twisted.ensureDeferred
        async def test_urgent_commands_are_due_first(self, store, device) -> None:
            """By priority, then as they were queued; none before its time."""

            def unit(tx):
                for name, priority, at in (("a", 0, None), ("b", 5, None), ("c", 5, 50)):
                    new = msgspec.structs.replace(
                        command(name, "INFO"), priority=priority, not_before_at=at
                    )
                    tx[CommandStore].add(device.id, new, 1)
                due = [
                    [one.id for one in tx[CommandSchedule].due(device.id, now, 9)]
                    for now in (49, 50)
                ]
                tx[CommandStore].urge([tx[CommandStore].get("a")], 7)
                raised = [one.id for one in tx[CommandSchedule].due(device.id, 50, 1)]
                tx[CommandStore].lease(tx[CommandSchedule].due(device.id, 49, 9), 100, 49)
                return due, raised, tx[CommandSchedule].next_due(device.id)

            assert await store.write(unit) == ([["b", "a"], ["b", "c", "a"]], ["a"], 50)

        @pytest_twisted.ensureDeferred
        async def test_old_commands_are_removed_in_parts(self, store, device) -> None:
            """First what they say, then all of them; open ones stay whatever their age is."""

            def unit(tx):
                for number in range(4):
                    tx[CommandStore].add(device.id, command(f"c{number}", "INFO", {"K": "v"}), 1)
                    if number:
                        one = tx[CommandStore].get(f"c{number}")
                        done = (CommandState.DONE, EndReason.DONE, 0, {"a": "b"})
                        tx[CommandStore].answer(one, *done, number * 10)

            await store.write(unit)
            removed = [
                await store.write(lambda tx: tx[CommandHistory].remove_bodies(30, 1, 99))
                for _ in range(3)
            ]
            assert removed == [1, 1, 0]

            def kept(tx):
                return [
                    (one.id, one.params, one.result, one.body_removed_at, one.damaged)
                    for _, one in tx[CommandList].page(Page(9), CommandFilter(device=device.sn))
                ]

            assert await store.read(kept) == [
                ("c0", {"K": "v"}, None, None, ()),
                ("c1", {}, None, 99, ()),
                ("c2", {}, None, 99, ()),
                ("c3", {"K": "v"}, {"a": "b"}, None, ()),
            ]
            removed = [
                await store.write(lambda tx: tx[CommandHistory].remove_ended(30, 1))
                for _ in range(3)
            ]
            assert removed == [1, 1, 0]
            assert [one[0] for one in await store.read(kept)] == ["c0", "c3"]

        @pytest_twisted.ensureDeferred
        async def test_a_lease_has_one_owner(self, store) -> None:
            """It is taken while free, run out or given back, and renewed by its owner only."""

            def hold(owner, until, now):
                return store.write(lambda tx: tx[LeaseStore].hold("zones", owner, until, now))

            def release(owner):
                return store.write(lambda tx: tx[LeaseStore].release("zones", owner))

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
            assert await store.write(lambda tx: tx[LeaseStore].hold("else", "other", 300, 153))

    return CommandTests


class TestSQLiteInMemory(make_command_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_command_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_command_tests(on_postgresql)):
    """PostgreSQL."""
