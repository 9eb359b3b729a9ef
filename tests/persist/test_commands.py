"""Command queues and leases in the store: on every database."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.model import CommandState
from zkpush.persist.commands import CommandStore
from zkpush.persist.leases import LeaseStore

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
                due = tx[CommandStore].due(device.id, 10, 5)
                tx[CommandStore].lease(due[:1], 100, 10)
                return (
                    due,
                    tx[CommandStore].due(device.id, 10, 5),
                    tx[CommandStore].next_due(device.id),
                )

            due, left, next_due = await store.write(unit)
            assert [one.id for one in due] == ["a", "b"]
            assert due[0].params == {"K": "v"}
            assert [command.id for command in left] == ["b"]
            assert next_due == 0
            assert await store.read(lambda tx: tx[CommandStore].all_due()) == {device.id: 0}
            assert await store.read(lambda tx: tx[CommandStore].pending()) == {device.id: 2}

            def end(tx):
                command = tx[CommandStore].open_among(device.id, ["b", "c"])["b"]
                first = tx[CommandStore].finish(command, CommandState.DONE, 0, {"answer": "x"}, 20)
                second = tx[CommandStore].finish(command, CommandState.FAILED, -1, None, 30)
                return first, second, tx[CommandStore].next_due(device.id)

            first, second, next_due = await store.write(end)
            assert (first.state, first.result, second) == (
                CommandState.DONE,
                {"answer": "x"},
                None,
            )
            assert next_due == 100
            again = await store.write(lambda tx: tx[CommandStore].due(device.id, 100, 5))
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
        async def test_exhausted_commands_expire(self, store, device) -> None:
            """A command whose last lease has run out after so many attempts is over."""

            def unit(tx):
                tx[CommandStore].add(device.id, command("a", "INFO"), 1)
                tx[CommandStore].lease(tx[CommandStore].due(device.id, 1, 5), 100, 1)
                early = tx[CommandStore].expire(device.id, 99, 1)
                return early, tx[CommandStore].expire(device.id, 100, 1)

            assert await store.write(unit) == (0, 1)
            found = await store.read(lambda tx: tx[CommandStore].get("a"))
            assert (found.state, found.finished_at) == (CommandState.EXPIRED, 100)

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
