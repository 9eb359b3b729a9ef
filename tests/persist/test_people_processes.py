"""People stored by several processes on one PostgreSQL database, in overlapping transactions."""

from __future__ import annotations

import threading

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from zkpush.handlers.attendance.photos import AttendancePhotoStore
from zkpush.handlers.people.erased import ErasedPeople
from zkpush.handlers.people.persons import PersonStore
from zkpush.handlers.people.removals import RemovalStore
from zkpush.handlers.people.store import PeopleStore
from zkpush.persist.store import Store
from zkpush.protocol.photos import Photo
from zkpush.protocol.times import wall_clock

from ..server.test_people_changes import mentions
from .conftest import open_database
from .contract import EVERYTHING, NOW, add_terminal, say
from .test_authors import conflicts
from .test_people import name, put

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@pytest_twisted.async_yield_fixture
async def stores(empty_postgres_url: str):
    """Two stores on one database."""
    stores = [Store(lambda: open_database(empty_postgres_url), reactor) for _ in range(2)]
    for store in stores:
        store.start()
    yield stores
    for store in stores:
        await store.stop()


def until_another_waits(tx) -> None:
    """Hold a transaction until another one waits for a lock."""
    pause = threading.Event()
    for _ in range(2000):
        if tx.connection.exec_driver_sql(_WAITING).scalar_one():
            return
        # The view is read once in a transaction.
        tx.connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()")
        pause.wait(0.01)
    raise AssertionError("no transaction waits")


@pytest_twisted.ensureDeferred
async def test_an_operator_is_not_overwritten_by_a_statement_at_the_same_time(stores) -> None:
    """The statement waits for the change, and then sees its author."""
    one, other = stores
    device = await add_terminal(one, "T1")
    await one.write(say(device, "USER PIN=5\tName=Ann"))
    locked: Deferred[None] = Deferred()

    def change(tx) -> None:
        put("5", {"name": "Anne"}, NOW + 1)(tx)
        reactor.callFromThread(locked.callback, None)
        until_another_waits(tx)

    changed = one.write(change)
    await locked
    await gatherResults([changed, other.write(say(device, "USER PIN=5\tName=Ann B", now=NOW + 1))])
    assert await one.read(name("5")) == "Anne"
    assert await one.read(conflicts) == [("5", "T1", {"name": "Ann B"})]


@pytest_twisted.ensureDeferred
async def test_statements_about_the_same_people_are_merged_by_both(stores) -> None:
    """None fails, whatever their orders; each terminal has one conflict for each person."""
    devices = [await add_terminal(stores[0], f"T{number}") for number in range(4)]
    await stores[0].write(put("1", {"name": "Operator"}, NOW))
    pins = [*range(1, 21)]
    work = []
    for turn in range(5):
        for number, device in enumerate(devices):
            order = pins if number % 2 else pins[::-1]
            body = "".join(f"USER PIN={pin}\tName=N{number}-{turn}\n" for pin in order)
            work += [store.write(say(device, body, now=NOW + turn)) for store in stores]
    await gatherResults(work)
    people = await stores[0].read(lambda tx: tx[PeopleStore].users(EVERYTHING))
    assert len(people) == len(pins)
    assert next(one.name for one in people if one.pin == "1") == "Operator"
    found = [(pin, sn) for pin, sn, _ in await stores[0].read(conflicts)]
    assert len(found) == len(set(found))
    assert {sn for pin, sn in found if pin == "1"} == {"T0", "T1", "T2", "T3"}


async def removing(store: Store) -> list[Deferred[None]]:
    """Begin to remove the person 5; the removal that is returned ends when another unit waits."""
    locked: Deferred[None] = Deferred()

    def remove(tx) -> None:
        tx[PersonStore].remove("5", "token x", NOW + 1)
        reactor.callFromThread(locked.callback, None)
        until_another_waits(tx)

    removed = store.write(remove)
    await locked
    return [removed]  # in a list: a coroutine that returns a Deferred waits for it


@pytest_twisted.ensureDeferred
async def test_a_person_removed_while_a_terminal_states_them_stays_removed(stores) -> None:
    """The statement waits for the removal; it is not lost either, and fails no upload."""
    one, other = stores
    device = await add_terminal(one, "T1")
    await one.write(say(device, "USER PIN=5\tName=Ann"))
    removed = await removing(one)
    body = "USER PIN=5\tName=Anna\nFP PIN=5\tFID=1\tTMP=AAAA\n"
    await gatherResults([*removed, other.write(say(device, body, now=NOW + 2))])
    assert await one.read(lambda tx: tx[PeopleStore].users(EVERYTHING)) == []
    assert await one.read(lambda tx: tx[PeopleStore].templates("5")) == []
    still = await one.read(lambda tx: tx[RemovalStore].still_there())
    assert [(gone.pin, gone.device) for gone in still] == [("5", "T1")]


@pytest_twisted.ensureDeferred
async def test_a_template_of_a_person_who_is_being_removed_is_not_kept(stores) -> None:
    """Although the person is still there when the template comes."""
    one, other = stores
    device = await add_terminal(one, "T1")
    await one.write(say(device, "USER PIN=5\tName=Ann"))
    removed = await removing(one)
    await gatherResults(
        [*removed, other.write(say(device, "FP PIN=5\tFID=1\tTMP=AAAA", now=NOW + 2))]
    )
    assert await one.read(lambda tx: tx[PeopleStore].templates("5")) == []


@pytest.mark.parametrize("what", ["people", "photo"])
@pytest_twisted.ensureDeferred
async def test_nothing_is_stored_of_a_person_who_is_being_erased(stores, what: str) -> None:
    """What comes meanwhile waits for the erasure; its terminal is to delete the person."""
    one, other = stores
    device = await add_terminal(one, "T1")
    await one.write(say(device, "USER PIN=5\tName=Ann"))
    locked: Deferred[None] = Deferred()

    def erase(tx) -> None:
        tx[PersonStore].remove("5", "token x", NOW + 1, erased=True)
        reactor.callFromThread(locked.callback, None)
        until_another_waits(tx)

    def photograph(tx) -> None:
        photo = Photo("20260301080000-5.jpg", b"\xff\xd8", None, None)
        tx[AttendancePhotoStore].add(device.id, photo, wall_clock("UTC"), NOW + 2)

    upload = say(device, "USER PIN=5\tName=Anna\nFP PIN=5\tFID=1\tTMP=AAAA\n", now=NOW + 2)
    erased = one.write(erase)
    await locked
    await gatherResults([erased, other.write(upload if what == "people" else photograph)])
    assert await one.read(mentions("Ann")) == set()
    assert await one.read(lambda tx: tx[AttendancePhotoStore].page(EVERYTHING, None, None)) == []
    assert await one.read(mentions('["5"')) == set()
    (due,) = await one.read(lambda tx: tx[ErasedPeople].pending(10, NOW + 10))
    assert due == (device.id, "5")
