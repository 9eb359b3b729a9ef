"""The keys of encrypted sessions in the store: on every database."""

from __future__ import annotations

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from zkpush.interfaces import NotUnsealed
from zkpush.persist.devices import DeviceStore
from zkpush.persist.sessions import SessionStore
from zkpush.values.keys import StoredKeys
from zkpush.values.sessions import SessionState

from .contract import in_file, in_memory, on_postgresql, with_store

STATE, NEXT, SECRET = b"state of a session", b"state of the next one", b"a shared secret!"


def make_session_tests(factory):
    """The tests of sessions; `factory` makes an empty store, from pytest's request."""

    class SessionTests(with_store(factory)):
        async def agreed(self, store, device, state=STATE):
            """Make both steps; gives the generation of the keys."""

            def unit(tx):
                begun = tx[SessionStore].begin(device.id, "suite", b"between")
                return tx[SessionStore].agree(device.id, begun, state)

            return await store.write(unit)

        async def keys(self, store, device):
            return await store.read(lambda tx: tx[SessionStore].keys(device.id))

        @pytest_twisted.ensureDeferred
        async def test_a_terminal_begins_without_keys_and_secret(self, store, device) -> None:
            """Nothing is there before an exchange."""
            assert await self.keys(store, device) == []
            assert await store.read(lambda tx: tx[SessionStore].secret(device.id)) == b""

        @pytest_twisted.ensureDeferred
        async def test_each_step_follows_the_one_before(self, store, device) -> None:
            """Public keys, then factors, once: each has a generation of its own."""

            def begin(tx):
                return tx[SessionStore].begin(device.id, "suite", b"between")

            begun = await store.write(begin)
            waiting = StoredKeys(
                generation=begun, suite="suite", state=b"between", step=SessionState.KEYS
            )
            assert await self.keys(store, device) == [waiting]
            agreed = await store.write(lambda tx: tx[SessionStore].agree(device.id, begun, STATE))
            assert agreed > begun
            for old in (begun, agreed):
                again = await store.write(
                    lambda tx, o=old: tx[SessionStore].agree(device.id, o, NEXT)
                )
                assert again is None
            (found,) = await self.keys(store, device)
            assert (found.state, found.step) == (STATE, SessionState.FACTORS)

        @pytest_twisted.ensureDeferred
        async def test_keys_are_in_use_once_a_request_was_taken_under_them(
            self, store, device
        ) -> None:
            """The keys before them are gone then, and not earlier."""
            first = await self.agreed(store, device)
            assert await store.write(lambda tx: tx[SessionStore].claim(device.id, first, 1))
            second = await self.agreed(store, device, NEXT)
            old, new = await self.keys(store, device)
            assert (old.state, old.number, old.step) == (STATE, 1, None)
            assert (new.state, new.step) == (NEXT, SessionState.FACTORS)
            assert await store.write(lambda tx: tx[SessionStore].claim(device.id, first, 2))
            assert await store.write(lambda tx: tx[SessionStore].claim(device.id, second, 1))
            (found,) = await self.keys(store, device)
            assert (found.state, found.number, found.step) == (NEXT, 1, None)
            assert not await store.write(lambda tx: tx[SessionStore].claim(device.id, first, 3))

        @pytest_twisted.ensureDeferred
        async def test_keys_are_not_in_use_before_the_factors(self, store, device) -> None:
            """What was begun, and not agreed on, opens nothing."""
            begun = await store.write(lambda tx: tx[SessionStore].begin(device.id, "suite", b"x"))
            assert not await store.write(lambda tx: tx[SessionStore].claim(device.id, begun, 1))

        @pytest_twisted.ensureDeferred
        async def test_of_one_number_one_is_taken(self, store, device) -> None:
            """Of many claims at once one is true; lower numbers are not taken any more."""
            agreed = await self.agreed(store, device)
            claims = [
                Deferred.fromCoroutine(self.claim(store, device, agreed, 7)) for _ in range(10)
            ]
            assert sorted(await gatherResults(claims)) == [False] * 9 + [True]
            for number, taken in ((7, False), (6, False), (1, False), (9, True), (8, False)):
                assert await self.claim(store, device, agreed, number) is taken

        async def claim(self, store, device, generation, number):
            return await store.write(
                lambda tx: tx[SessionStore].claim(device.id, generation, number)
            )

        @pytest_twisted.ensureDeferred
        async def test_dropped_keys_are_gone_and_the_secret_stays(self, store, device) -> None:
            """A terminal that starts over has no keys; what people configured is still there."""
            await store.write(lambda tx: tx[SessionStore].keep_secret(device.id, SECRET))
            agreed = await self.agreed(store, device)
            await store.write(lambda tx: tx[SessionStore].drop(device.id))
            assert await self.keys(store, device) == []
            assert not await self.claim(store, device, agreed, 1)
            assert await store.read(lambda tx: tx[SessionStore].secret(device.id)) == SECRET
            await store.write(lambda tx: tx[SessionStore].keep_secret(device.id, b""))
            assert await store.read(lambda tx: tx[SessionStore].secret(device.id)) == b""

        @pytest_twisted.ensureDeferred
        async def test_every_change_gives_the_terminal_a_generation(self, store, device) -> None:
            """Other processes see by it that what they remember is old."""
            seen = [device.generation]
            for step in ("begin", "agree"):

                def unit(tx, step=step):
                    if step == "begin":
                        tx[SessionStore].begin(device.id, "suite", b"x")
                    else:
                        tx[SessionStore].agree(device.id, seen[-1], STATE)
                    return tx[DeviceStore].get(device.id).generation

                seen.append(await store.write(unit))
            assert seen == [0, 1, 2]

        @pytest_twisted.ensureDeferred
        async def test_nothing_of_it_is_in_the_database_as_it_is(self, store, device) -> None:
            """Keys and secrets are sealed, each for its own place."""
            await store.write(lambda tx: tx[SessionStore].keep_secret(device.id, SECRET))
            await self.agreed(store, device)

            def stored(tx):
                query = "SELECT secret, next_state FROM sessions"
                return tx.connection.exec_driver_sql(query).one()

            secret, state = await store.read(stored)
            assert SECRET not in secret
            assert STATE not in state

            def swap(tx):
                tx.connection.exec_driver_sql("UPDATE sessions SET secret = next_state")
                return tx[SessionStore].secret(device.id)

            with pytest.raises(NotUnsealed):
                await store.write(swap)

        @pytest_twisted.ensureDeferred
        async def test_a_terminal_that_is_removed_takes_its_keys_along(self, store, device) -> None:
            """One that comes back under the same serial number begins anew."""
            await self.agreed(store, device)
            await store.write(lambda tx: tx[DeviceStore].remove(device.id))
            count = "SELECT count(*) FROM sessions"
            left = await store.read(lambda tx: tx.connection.exec_driver_sql(count).scalar_one())
            assert left == 0

    return SessionTests


class TestInMemory(make_session_tests(in_memory)):
    """On SQLite in memory."""


class TestInFile(make_session_tests(in_file)):
    """On a SQLite file."""


class TestOnPostgreSQL(make_session_tests(on_postgresql)):
    """On a real PostgreSQL."""
