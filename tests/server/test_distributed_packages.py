"""Big moves: many people reach a terminal as packages, or one by one if it does not take these."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from zkpush.handlers.areas import packing
from zkpush.handlers.areas.desired import DistributionTarget
from zkpush.handlers.areas.distributor import Distributor
from zkpush.handlers.people.returns import ErasedReturns
from zkpush.simulator.faults import Faults
from zkpush.simulator.model import ATT, CLASSIC, Model
from zkpush.simulator.terminal import SimulatedTerminal

from ..rig import Rig
from .test_distribution import distribute, enrol, fingers, held, joined, look, person, places
from .test_drift import drift, pass_time

PEOPLE = 12


@pytest.fixture(autouse=True)
def small_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages of few people."""
    monkeypatch.setattr(packing, "LEAST_PEOPLE", 4)
    monkeypatch.setattr(packing, "MOST_PARTS", 12)


async def fetch_all(rig: Rig, *terminals: SimulatedTerminal) -> None:
    """Let terminals poll until nothing is on its way to them."""
    for _ in range(40):
        await look(rig)
        found = [await terminal.poll() for terminal in terminals]
        shown = (await rig.api("GET", "/areas/North/distribution")).json
        if not any(found) and not shown["parts"]["on_its_way"]:
            return
    raise AssertionError("commands without end")


async def filled(rig: Rig) -> SimulatedTerminal:
    """A terminal with people of the area, each with a finger."""
    first = await joined(rig, "A1")
    for number in range(PEOPLE):
        await enrol(first, str(number + 1), f"P{number + 1}")
    await distribute(rig)
    await fetch_all(rig, first)
    return first


def packages(terminal: SimulatedTerminal) -> int:
    """How many packages a terminal has executed."""
    return sum(line.startswith(b"PutFile") for line in terminal.executed)


@pytest.mark.long
@pytest.mark.parametrize("model", [ATT, CLASSIC], ids=lambda model: model.name)
@pytest_twisted.ensureDeferred
async def test_a_new_terminal_is_filled_by_packages(rig: Rig, model: Model) -> None:
    """Everybody is there with templates, and known to be; a comparison sends nothing again."""
    first = await filled(rig)
    second = await joined(rig, "A2", model=model)
    await fetch_all(rig, first, second)
    assert (held(second), fingers(second)) == (held(first), fingers(first))
    assert packages(second) >= 2
    assert await places(rig, "5") == {"A1": "there", "A2": "there"}
    count = len(second.executed)
    await rig.api("POST", "/areas/North/repair")
    await fetch_all(rig, first, second)
    assert second.executed[count:] == [b"DATA QUERY USERINFO"]
    await pass_time(rig, 15, first, second)
    assert len(second.executed) == count + 1
    assert (await drift(rig, "A2"))["no_packages"] is None


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_people_are_filled_by_packages_on_postgresql(
    make_rig: Any, postgres_url: str
) -> None:
    """As on SQLite."""
    rig = await make_rig(database=postgres_url)
    first = await filled(rig)
    second = await joined(rig, "A2")
    await fetch_all(rig, first, second)
    assert (held(second), fingers(second)) == (held(first), fingers(first))
    assert packages(second) >= 2


@pytest_twisted.ensureDeferred
async def test_a_refused_package_falls_back_to_single_commands(rig: Rig) -> None:
    """The reason is kept, and no package is tried again until the terminal is repaired."""
    first = await filled(rig)
    rates = {-3: 1.0}
    second = rig.terminal("A2", users=0, faults=Faults(refuse=rates))
    await second.exchange()
    await second.poll()  # a report of other abilities would be a reason to try again
    await rig.api("PATCH", "/devices/A2", {"state": "approved", "area": "North"})
    await look(rig)
    await second.poll()
    rates[-3] = 0.0
    await fetch_all(rig, first, second)
    assert (held(second), fingers(second)) == (held(first), fingers(first))
    assert packages(second) == 1
    assert "return code -3" in (await drift(rig, "A2"))["no_packages"]
    assert (await rig.api("POST", "/devices/A2/repair")).status == 204
    assert (await drift(rig, "A2"))["no_packages"] is None


@pytest_twisted.ensureDeferred
async def test_who_leaves_is_not_in_a_package_fetched_later(rig: Rig) -> None:
    """And a change is sent after it."""
    first = await filled(rig)
    second = await joined(rig, "A2")
    await look(rig)
    await person(rig, "1", areas=["South"])
    await person(rig, "10", name="Changed")
    await look(rig)
    await fetch_all(rig, first, second)
    assert "1" not in held(second)
    assert held(second)["10"] == "Changed"
    assert held(second) == held(first)


@pytest_twisted.ensureDeferred
async def test_a_package_that_was_not_executed_is_noticed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terminal says that it executed it; its people are missing, and come one by one."""
    first = await filled(rig)
    second = await joined(rig, "A2")
    await look(rig)
    await second.poll()
    second.outbox.erase(second.outbox.everything()[2:])
    await fetch_all(rig, first, second)
    await pass_time(rig, 20, first, second)
    await fetch_all(rig, first, second)
    assert (held(second), fingers(second)) == (held(first), fingers(first))
    assert "lacked" in (await drift(rig, "A2"))["no_packages"]


@pytest_twisted.ensureDeferred
async def test_other_commands_are_sent_between_packages(rig: Rig) -> None:
    """One package is open at a time, with a low priority."""
    await filled(rig)
    second = await joined(rig, "A2")
    await look(rig)
    await rig.api("POST", "/devices/A2/commands", {"command": "CHECK"})
    await second.poll()
    assert second.executed == [b"CHECK"]
    await second.poll()
    assert packages(second) == 1
    shown = (await rig.api("GET", "/areas/North/distribution")).json
    assert shown["parts"]["on_its_way"] > 0


@pytest_twisted.ensureDeferred
async def test_packages_can_be_switched_off(make_rig: Any) -> None:
    """Then people are sent one by one."""
    rig = await make_rig(areas={"packages": False})
    first = await filled(rig)
    second = await joined(rig, "A2")
    await fetch_all(rig, first, second)
    assert held(second) == held(first)
    assert packages(second) == 0


@pytest_twisted.ensureDeferred
async def test_who_is_removed_while_a_package_is_unanswered_is_deleted(rig: Rig) -> None:
    """The terminal may have executed it, and the answer was lost."""
    first = await filled(rig)
    second = await joined(rig, "A2")
    await look(rig)
    await second.poll()
    assert len(held(second)) > 3
    polled = [*held(second)]
    await rig.api("DELETE", f"/users/{polled[0]}")
    await fetch_all(rig, first, second)
    assert polled[0] not in held(second)
    assert held(second) == held(first)


@pytest_twisted.ensureDeferred
async def test_deletions_do_not_wait_for_packages(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is removed is deleted from the terminal while further packages are to come."""
    first = await filled(rig)
    second = await joined(rig, "A2")
    await look(rig)
    await second.poll()
    gone, *_ = held(second)
    await look(rig)
    sent: list[int] = []
    send = Distributor.send

    def noted(
        self: Distributor, tx: Any, target: DistributionTarget, *args: Any, **more: Any
    ) -> Any:
        sent.append(target.device_id)
        return send(self, tx, target, *args, **more)

    monkeypatch.setattr(Distributor, "send", noted)
    await look(rig)
    assert sent == []  # without deletions, there is nothing to write
    await rig.api("DELETE", f"/users/{gone}")
    await look(rig)
    await second.poll()
    assert gone not in held(second)
    assert packages(second) < 3
    await fetch_all(rig, first, second)
    assert held(second) == held(first)


@pytest_twisted.ensureDeferred
async def test_who_is_erased_while_a_package_is_unanswered_is_deleted(rig: Rig) -> None:
    """The terminal, which does not state the person, is sent the deletion, too."""
    first = await filled(rig)
    second = rig.terminal("A2", users=0, faults=Faults(lose_answers=1.0))
    await second.exchange()
    await rig.api("PATCH", "/devices/A2", {"state": "approved", "area": "North"})
    await look(rig)
    await second.poll()
    gone, *_ = held(second)
    erased = await rig.api("DELETE", f"/users/{gone}?erase=true")
    assert erased.status < 300, erased.raw
    (job,) = (job for job in rig.daemon.jobs if isinstance(job, ErasedReturns))
    await job.work()
    await second.poll()
    await first.poll()
    assert gone not in held(second)
    assert gone not in held(first)


@pytest_twisted.ensureDeferred
async def test_an_outdated_package_is_no_reason_to_send_no_more(rig: Rig) -> None:
    """Everybody in it has changed before the terminal fetched it; another one follows."""
    await distribute(rig)
    for number in range(PEOPLE):
        await person(rig, str(number + 1), name="Before")
    terminal = rig.terminal("A1", users=0)
    await terminal.exchange()
    await terminal.poll()  # a report of other abilities would be a reason to try again
    await rig.api("PATCH", "/devices/A1", {"state": "approved", "area": "North"})
    await look(rig)
    for number in range(PEOPLE):
        await person(rig, str(number + 1), name="After")
    await look(rig)
    await fetch_all(rig, terminal)
    assert held(terminal) == {str(number + 1): "After" for number in range(PEOPLE)}
    assert (await drift(rig, "A1"))["no_packages"] is None
    assert packages(terminal) > 1
