"""Drift: a terminal that lost or gained people is noticed, and mended."""

from __future__ import annotations

import itertools
from typing import Any, NoReturn

import pytest
import pytest_twisted

from zkpush.handlers.areas.distribution import DistributionStore
from zkpush.handlers.areas.driftstore import DriftStore
from zkpush.handlers.areas.model import DistributionTerminal
from zkpush.handlers.people.tables import FP, USER
from zkpush.model import Page
from zkpush.persist.events import EventStore
from zkpush.simulator.faults import Faults
from zkpush.simulator.model import ATT, CLASSIC, OLD, Model
from zkpush.simulator.record import Record
from zkpush.simulator.terminal import SimulatedTerminal

from ..rig import Rig
from .test_distribution import distribute, enrol, fetch, fingers, held, joined, look, person

MINUTE = 60
QUERY = b"DATA QUERY USERINFO"


async def pass_time(rig: Rig, minutes: int, *terminals: SimulatedTerminal) -> None:
    """Let time pass, while terminals poll each minute."""
    for _ in range(minutes):
        rig.clock.advance(MINUTE)
        await rig.daemon.queue.end_overdue()
        await look(rig)
        for terminal in terminals:
            await terminal.poll()


async def drift(rig: Rig, sn: str) -> dict[str, Any]:
    """What is shown about a terminal."""
    return next(one for one in await rig.items("/areas/North/drift") if one["device"] == sn)


async def problems(rig: Rig) -> list[str]:
    """The details of the problems about counts."""
    found = await rig.items("/problems")
    return [one["detail"] for one in found if one["code"] == "people differ"]


def asked(terminal: SimulatedTerminal) -> int:
    """How often a terminal was asked for its users."""
    return terminal.executed.count(QUERY)


def gain(terminal: SimulatedTerminal, pin: str) -> None:
    """Put a person on a terminal, which does not say so."""
    user = terminal.people.person(pin).user(card_bytes=False)
    terminal.keep(Record(user, (), sent=True, given=True))


async def filled(rig: Rig, *terminals: SimulatedTerminal, people: int = 5) -> None:
    """People whom all terminals have, and long after."""
    await distribute(rig)
    for number in range(1, people + 1):
        await enrol(terminals[0], str(number), f"P{number}")
    await fetch(rig, *terminals)
    await pass_time(rig, 15, *terminals)


@pytest.mark.long
@pytest.mark.parametrize("model", [ATT, CLASSIC, OLD], ids=lambda model: model.name)
@pytest_twisted.ensureDeferred
async def test_a_lost_person_is_noticed_by_counts_and_sent_again(rig: Rig, model: Model) -> None:
    """The terminal is asked once, and receives that person alone."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2", model=model)
    await filled(rig, first, second)
    assert asked(first) == asked(second) == 0
    second.outbox.forget("3")
    count = len(second.executed)
    await pass_time(rig, 15, first, second)
    assert (held(second), fingers(second)) == (held(first), fingers(first))
    assert len(held(second)) == 5
    assert second.executed[count] == QUERY
    assert all(b"PIN=3\t" in line or b"Pin=3\t" in line for line in second.executed[count + 1 :])
    shown = await drift(rig, "A2")
    assert (shown["lost"], shown["found"], shown["differs"]) == (1, 0, None)
    events = await rig.store.read(lambda tx: tx[EventStore].page(Page(1000)))
    (told,) = [one.data for one in events if one.kind == "drift"]
    assert told == {"device": "A2", "lost": 1, "lost_templates": 0, "found": 0}
    await pass_time(rig, 30, first, second)
    assert (asked(first), asked(second)) == (0, 1)


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_count_from_before_a_deletion_hides_a_lost_person_until_the_next_poll(
    rig: Rig,
) -> None:
    """The number that the terminal states as it fetches the deletion is right again after it."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await filled(rig, first, second)
    second.outbox.forget("3")
    assert (await rig.api("DELETE", "/users/4")).status == 200
    await look(rig)
    await second.poll()
    assert [*held(second)] == ["1", "2", "5"]
    await first.poll()
    await pass_time(rig, 15)
    shown = await drift(rig, "A2")
    assert (shown["differs"], shown["is_being_checked"]) == (None, False)
    await pass_time(rig, 15, first, second)
    assert [*held(first)] == sorted(held(second)) == ["1", "2", "3", "5"]
    shown = await drift(rig, "A2")
    assert (shown["lost"], shown["found"], shown["differs"]) == (1, 0, None)


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_lost_person_is_sent_again_on_postgresql(make_rig: Any, postgres_url: str) -> None:
    """As on SQLite, with a fingerprint that another person lost."""
    rig = await make_rig(database=postgres_url)
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await filled(rig, first, second)
    second.outbox.forget("3")
    second.outbox.drop([one for one in second.outbox.held(FP) if one.own.values["pin"] == "4"])
    await pass_time(rig, 20, first, second)
    assert (held(second), fingers(second)) == (held(first), fingers(first))
    shown = await drift(rig, "A2")
    assert (shown["lost"], shown["lost_templates"]) == (1, 1)


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_unknown_people_are_said_and_recorded(rig: Rig) -> None:
    """Those who came to the terminal without an upload."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await filled(rig, first, second)
    gain(second, "77")
    await pass_time(rig, 6, first, second)
    assert await problems(rig) == []
    await pass_time(rig, 20, first, second)
    shown = await drift(rig, "A2")
    assert (shown["lost"], shown["found"], shown["differs"]) == (0, 1, None)
    assert held(first).keys() == held(second).keys()
    assert "77" in held(first)


@pytest.mark.long
@pytest.mark.parametrize("model", [ATT, CLASSIC], ids=lambda model: model.name)
@pytest_twisted.ensureDeferred
async def test_a_lost_fingerprint_is_sent_again(rig: Rig, model: Model) -> None:
    """A terminal that does not upload all fingerprints at once receives all of them."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2", model=model)
    await filled(rig, first, second)
    lost = [one for one in second.outbox.held(FP) if one.own.values["pin"] == "4"]
    second.outbox.drop(lost)
    assert ("4", 1) not in fingers(second)
    count = len(second.executed)
    await pass_time(rig, 15, first, second)
    assert fingers(second) == fingers(first)
    sent = [line for line in second.executed[count:] if b"UPDATE" in line]
    assert len(sent) == (1 if model is ATT else 5)
    await pass_time(rig, 30, first, second)
    assert asked(second) == 1
    assert [line for line in second.executed[count:] if b"UPDATE" in line] == sent


@pytest_twisted.ensureDeferred
async def test_repairing_an_area_that_does_not_distribute_is_refused(rig: Rig) -> None:
    """The refusal names the area and what to do, and asks no terminal."""
    await joined(rig, "B1", "South")
    refused = await rig.api("POST", "/areas/South/repair")
    assert refused.status == 409
    assert refused.json["detail"].startswith("The area South does not distribute")
    assert "Turn distribution on" in refused.json["detail"]
    await distribute(rig, "South")
    assert (await rig.api("POST", "/areas/South/repair")).status == 202


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_one_terminal_of_an_area_is_asked_at_a_time(rig: Rig) -> None:
    """And none while anything is on its way to it."""
    terminals = [await joined(rig, f"A{number}") for number in range(3)]
    other = await joined(rig, "B1", "South")
    await distribute(rig, "South")
    await filled(rig, *terminals)
    await person(rig, "9", name="Ida")
    await look(rig)
    assert (await rig.api("POST", "/areas/North/repair")).status == 202
    assert (await rig.api("POST", "/areas/South/repair")).status == 202
    await look(rig)
    await look(rig)

    async def questions() -> list[str]:
        found = await rig.items("/commands?state=queued&limit=100")
        return [one["device"] for one in found if one["command"] == QUERY.decode()]

    assert await questions() == ["B1"]
    await terminals[1].poll()
    await look(rig)
    await look(rig)
    assert sorted(await questions()) == ["A1", "B1"]
    await fetch(rig, *terminals, other)
    await fetch(rig, *terminals, other)
    assert [asked(terminal) for terminal in (*terminals, other)] == [1, 1, 1, 1]


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_refuses_is_not_asked_again_for_the_same(rig: Rig) -> None:
    """The difference is a problem, with the reason; an operator can ask again."""
    first = await joined(rig, "A1")
    rates = {-1: 0.0}
    second = rig.terminal("A2", users=0, model=ATT, faults=Faults(refuse=rates))
    await second.exchange()
    await rig.api("PATCH", "/devices/A2", {"state": "approved", "area": "North"})
    await filled(rig, first, second)
    second.outbox.forget("3")
    rates[-1] = 1.0
    await pass_time(rig, 40, first, second)
    assert asked(second) == 1
    shown = await drift(rig, "A2")
    assert "return code -1" in shown["reason"]
    assert shown["differs"] == "4 users (5 are recorded), 4 fingerprints (5 are recorded)"
    (problem,) = await problems(rig)
    assert problem == f"Terminal A2 counts {shown['differs']}"
    rates[-1] = 0.0
    assert (await rig.api("POST", "/devices/A2/repair")).status == 204
    await fetch(rig, first, second)
    await fetch(rig, first, second)
    assert held(second) == held(first)
    assert (await drift(rig, "A2"))["reason"] is None


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_counts_are_only_said_if_the_setting_says_so(make_rig: Any) -> None:
    """And mended on request."""
    rig = await make_rig(areas={"repair": False})
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await filled(rig, first, second)
    second.outbox.forget("3")
    await pass_time(rig, 40, first, second)
    assert asked(second) == 0
    assert len(await problems(rig)) == 1
    assert (await rig.api("POST", "/areas/North/repair")).status == 202
    await fetch(rig, first, second)
    await pass_time(rig, 15, first, second)
    assert held(second) == held(first)
    assert await problems(rig) == []


@pytest_twisted.ensureDeferred
async def test_a_schedule_finds_what_counts_do_not_show(make_rig: Any) -> None:
    """One person for another."""
    rig = await make_rig(areas={"query_days": 2})
    first = await joined(rig, "A1")
    await distribute(rig)
    await person(rig, "3", name="Cid")
    await fetch(rig, first)
    await pass_time(rig, 15, first)
    assert asked(first) == 1
    first.outbox.forget("3")
    gain(first, "8")
    await pass_time(rig, 15, first)
    assert asked(first) == 1
    assert "3" not in held(first)
    rig.clock.advance(2 * 24 * 3600)
    await pass_time(rig, 10, first)
    assert asked(first) == 2
    assert "3" in held(first)


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_silent_terminal_holds_up_no_other(rig: Rig) -> None:
    """Its question expires, and is asked again later."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await filled(rig, first, second)
    await rig.api("POST", "/devices/A1/repair")
    await look(rig)
    await rig.api("POST", "/devices/A2/repair")
    await pass_time(rig, 12, second)
    assert asked(second) == 1
    await pass_time(rig, 60, second)
    await pass_time(rig, 10, first, second)
    assert asked(first) == 1


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_an_answer_with_fewer_people_than_the_terminal_counts_is_not_believed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is forgotten or sent again; the terminal is asked again later."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await filled(rig, first, second)
    count = len(second.executed)
    second.outbox.forget("3")
    sent = second.send

    async def send(records: list[Record]) -> None:
        await sent(records[:1])

    monkeypatch.setattr(second, "send", send)
    await pass_time(rig, 15, first, second)
    assert second.executed[count:] == [QUERY]
    shown = await drift(rig, "A2")
    assert (shown["lost"], shown["found"]) == (0, 0)
    assert shown["reason"] == "The terminal uploaded 1 of 4 users that it counts."
    states = {one["pin"]: one["state"] for one in await rig.items("/devices/A2/users")}
    assert states == dict.fromkeys("12345", "there")
    monkeypatch.setattr(second, "send", sent)
    await pass_time(rig, 80, first, second)
    assert held(second) == held(first)
    assert asked(second) == 2
    assert (await drift(rig, "A2"))["reason"] is None


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_counts_that_go_back_and_forth_are_asked_about_once_an_hour(rig: Rig) -> None:
    """Each value lasts long enough to be a reason to ask."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await filled(rig, first, second)
    real = second.outbox.count
    shown = itertools.cycle([6, 5, 7])
    begin = rig.clock.seconds()
    for _ in range(12):
        wrong = next(shown)
        second.outbox.count = lambda table, type_=None, wrong=wrong: (
            wrong if table is USER else real(table, type_)
        )
        await pass_time(rig, 20, first, second)
    hours = (rig.clock.seconds() - begin) / 3600
    assert hours > 4
    assert 1 <= asked(second) <= hours


@pytest_twisted.ensureDeferred
async def test_terminals_that_wait_for_the_question_are_not_all_read_for_each(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look reads all terminals as often, however many wait."""
    reads = []
    stored = DistributionStore.terminals

    def terminals(self: DistributionStore) -> dict[int, DistributionTerminal]:
        reads.append(1)
        return stored(self)

    await distribute(rig)
    await person(rig, "9", name="Ida")
    counts = []
    for number in range(6):
        await joined(rig, f"A{number}")
        await look(rig)
        if number in (1, 5):
            await rig.api("POST", "/areas/North/repair")
            await look(rig)
            with monkeypatch.context() as patch:
                patch.setattr(DistributionStore, "terminals", terminals)
                reads.clear()
                await look(rig)
            counts.append(len(reads))
    assert counts[0] == counts[1] > 0


@pytest_twisted.ensureDeferred
async def test_the_drift_of_an_area_is_read_at_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many of its terminals have none; they are shown, too."""
    await joined(rig, "A1")
    await joined(rig, "A2")

    def one(self: DriftStore, device_id: int) -> NoReturn:
        raise AssertionError("one terminal is read by itself")

    monkeypatch.setattr(DriftStore, "of", one)
    shown = await rig.items("/areas/North/drift")
    assert [(item["device"], item["differs"]) for item in shown] == [("A1", None), ("A2", None)]


@pytest.mark.long
@pytest.mark.parametrize("others", [0, 3])
@pytest_twisted.ensureDeferred
async def test_a_wrong_count_hides_a_lost_person_until_the_second_answer(
    rig: Rig, others: int
) -> None:
    """The same answer is believed then, but never an empty one."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await filled(rig, first, second)
    real, count = second.outbox.count, len(second.executed)
    second.outbox.count = lambda table, type_=None: (  # type: ignore[method-assign]  # it miscounts
        9 if table is USER else real(table, type_)
    )
    for number in range(others + 1, 6):
        second.outbox.forget(str(number))
    await pass_time(rig, 15, first, second)
    assert [line for line in second.executed[count:] if b"UPDATE" in line] == []
    await pass_time(rig, 100, first, second)
    assert asked(second) > 1
    assert len(held(second)) == (5 if others else 0)


@pytest_twisted.ensureDeferred
async def test_a_count_that_is_wrong_by_one_hides_nobody(rig: Rig) -> None:
    """A terminal that counts one user and uploads none has lost everybody."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await filled(rig, first, second)
    real = second.outbox.count
    second.outbox.count = lambda table, type_=None: (  # type: ignore[method-assign]  # it miscounts
        real(table, type_) + (table is USER)
    )
    for number in range(1, 6):
        second.outbox.forget(str(number))
    await pass_time(rig, 15, first, second)
    assert held(second) == held(first)
    assert asked(second) == 1
