"""Many simulated terminals, and what they count."""

from __future__ import annotations

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import ServerFactory

from zkpush.simulator.fleet import LAST_TRIES, TICK, Fleet, FleetPlan, FleetResult, run_fleet

from ..rig import NOON, Rig, TurnedReactor
from .network import SERVER, Course, Network
from .script import OPTIONS, Script

SIM = "SIM00000001"
TURNS_A_SECOND = round(1 / TICK)


class Started:
    """A fleet in memory that has begun."""

    def __init__(self, server: ServerFactory | None, clock: TurnedReactor, **plan: object) -> None:
        network = Network(server)
        self.said: list[str] = []
        self.fleet = Fleet(FleetPlan(SERVER, **plan), network.agent, clock, self.said.append)
        self.course = Course(self.fleet, network, clock)

    async def seconds(self, seconds: int) -> None:
        """Let time pass."""
        await self.course.go(seconds * TURNS_A_SECOND)

    async def end(self) -> FleetResult:
        """What came of it."""
        return await self.course.end()


async def records(rig: Rig) -> list[tuple[object, ...]]:
    """What is stored, without what the store adds."""
    names = ("device", "pin", "time", "status", "verify")
    items = await rig.items("/attendance?limit=1000")
    return sorted(tuple(item[name] for name in names) for item in items)


async def decide(rig: Rig, sn: str, **change: object) -> None:
    """Change a terminal as an operator does."""
    response = await rig.api("PATCH", f"/devices/{sn}", change)
    assert response.status == 200, response.raw


@pytest_twisted.ensureDeferred
async def test_every_punch_is_acknowledged_and_stored_once(rig: Rig) -> None:
    """Three terminals make thirty punches; the server has thirty records of three terminals."""
    started = Started(rig.terminals, rig.clock, devices=3, users=2, rate=20.0, seed=7, punches=30)
    result = await started.end()
    assert (result.punches, result.acknowledged, result.failures) == (30, 30, 0)
    serials = ["SIM00700001", "SIM00700002", "SIM00700003"]
    assert sorted(started.said) == [f"{sn} is connected" for sn in serials]
    stored = await records(rig)
    assert len(stored) == 30
    assert {record[0] for record in stored} == set(serials)
    assert {record[1] for record in stored} == {"1", "2"}
    assert await rig.items("/rejects") == []
    assert result.polls == 3  # the next are due after ten seconds


@pytest_twisted.ensureDeferred
async def test_a_seed_makes_the_same_records_again(make_rig) -> None:
    """The same seed makes the same terminals punch the same pins; another makes others."""
    made = []
    for seed in (3, 3, 4):
        rig = await make_rig()
        plan = {"devices": 3, "users": 50, "rate": 20.0, "seed": seed, "punches": 20}
        await Started(rig.terminals, rig.clock, **plan).end()
        made.append(await records(rig))
    assert len(made[0]) == 20
    assert made[0] == made[1]
    assert [record[1:] for record in made[2]] != [record[1:] for record in made[0]]


@pytest_twisted.ensureDeferred
async def test_the_rate_is_kept(rig: Rig) -> None:
    """Punches come as planned: so many a second, of all terminals together."""
    started = Started(rig.terminals, rig.clock, devices=2, rate=2.0, duration=11.0)
    await started.seconds(6)
    assert started.fleet.result.punches in (11, 12)
    result = await started.end()
    assert result.punches == result.acknowledged in (21, 22)
    assert result.polls == 4
    assert 11 <= rig.clock.seconds() - NOON < 12


@pytest_twisted.ensureDeferred
async def test_terminals_do_what_they_are_told(rig: Rig) -> None:
    """Commands are executed at the next poll, and counted; the next poll comes soon after them."""
    started = Started(rig.terminals, rig.clock, rate=1.0, duration=13.0)
    await started.seconds(1)
    ids = []
    for name in ("INFO", "CHECK", "LOG"):
        queued = await rig.api("POST", f"/devices/{SIM}/commands", {"command": name})
        ids.append(queued.json["id"])
    result = await started.end()
    assert (result.commands, result.failures) == (3, 0)
    assert result.polls == 4  # at 0, 10 (INFO, CHECK), 11 (LOG) and 12 seconds
    assert result.punches == result.acknowledged
    for command_id in ids:
        assert (await rig.api("GET", f"/commands/{command_id}")).json["state"] == "done"


@pytest_twisted.ensureDeferred
async def test_terminals_wait_for_approval(make_rig) -> None:
    """A terminal that is refused tries again, and punches once it is let in."""
    rig = await make_rig(admission="approve")
    started = Started(rig.terminals, rig.clock, rate=10.0, punches=5)
    await started.seconds(3)
    assert started.fleet.result.punches == 0
    assert started.said[0].startswith(f"{SIM}: 403 This terminal waits for approval")
    failures = started.fleet.result.failures
    assert failures == len(started.said) == 3  # one a second
    await decide(rig, SIM, state="approved")
    result = await started.end()
    assert (result.punches, result.acknowledged, result.failures) == (5, 5, failures)
    assert len(await records(rig)) == 5


@pytest_twisted.ensureDeferred
async def test_terminals_read_what_has_changed(rig: Rig) -> None:
    """When the zone of a terminal changes, it makes the exchange again, and its clock follows."""
    started = Started(rig.terminals, rig.clock, rate=0.1, punches=2)
    await started.seconds(1)
    await decide(rig, SIM, timezone="Asia/Kolkata")
    result = await started.end()
    assert (result.acknowledged, result.failures) == (2, 0)
    assert [record["time"] for record in await rig.items("/attendance")] == [
        "2026-03-01T12:00:10",
        "2026-03-01T17:30:20",
    ]
    assert started.said == [f"{SIM} is connected"] * 2


@pytest_twisted.ensureDeferred
async def test_a_server_that_refuses_to_the_end_is_given_up() -> None:
    """What cannot be sent is tried for a while after the end, and is not counted as sent."""
    script = Script(upload=503)
    result = await Started(script.site, TurnedReactor(), rate=1.0, punches=2).end()
    assert (result.punches, result.acknowledged) == (2, 0)
    uploads = [body for name, body in script.asked if name == "upload"]
    assert result.failures == len(uploads)
    assert result.failures in (LAST_TRIES + 1, LAST_TRIES + 2)


@pytest_twisted.ensureDeferred
async def test_a_terminal_tries_again_after_the_error_delay() -> None:
    """What fails is tried again as many seconds later as the server told it, and is not lost."""
    script = Script(exchange=OPTIONS + b"ErrorDelay=7\n", upload=[503, 503, b"OK"])
    started = Started(script.site, TurnedReactor(), rate=1.0, duration=20.0)
    tries = []
    for _ in range(19):
        await started.seconds(1)
        tries.append(sum(name == "upload" for name, _ in script.asked))
    assert tries[0:8] == [0, *[1] * 7]
    assert tries[8:15] == [2] * 7
    assert tries[15] >= 3
    result = await started.end()
    assert result.failures == 2
    assert result.punches == result.acknowledged


@pytest.mark.parametrize(
    ("told", "at"),
    [
        (b"TransInterval=1\n", [60, 120]),
        (b"TransInterval=0\nTransTimes=00:00;12:01\n", [60]),
        (b"TransInterval=0\n", []),
    ],
)
@pytest_twisted.ensureDeferred
async def test_without_realtime_records_are_sent_at_their_times(told: bytes, at: list[int]) -> None:
    """With Realtime=0 a terminal sends at the interval and the times of day, and in the end."""
    script = Script(exchange=OPTIONS + b"Realtime=0\n" + told)
    started = Started(script.site, TurnedReactor(), rate=0.5, duration=130.0)
    seen, uploads = [], 0
    for second in range(1, 126):
        await started.seconds(1)
        now = sum(name == "upload" for name, _ in script.asked)
        if now > uploads:
            seen.append(second)
        uploads = now
    assert [moment for moment in seen if moment - 1 in at or moment in at] == seen
    assert len(seen) == len(at)
    result = await started.end()
    assert result.punches == result.acknowledged >= 60


@pytest_twisted.ensureDeferred
async def test_patience_ends_with_the_plan() -> None:
    """A terminal that waits after a failure waits no longer than the plan lasts."""
    clock = TurnedReactor()
    script = Script(exchange=OPTIONS + b"ErrorDelay=30\n", upload=503)
    await Started(script.site, clock, rate=1.0, duration=3.0).end()
    assert clock.seconds() - NOON < 3 + (LAST_TRIES + 5) * TICK


@pytest_twisted.ensureDeferred
async def test_a_server_that_knows_nobody_is_not_flooded() -> None:
    """A terminal that is sent back to the exchange again and again goes there at every turn."""
    script = Script(getrequest=b"UNKNOWN DEVICE")
    result = await Started(script.site, TurnedReactor(), rate=1.0, duration=3.0).end()
    exchanges = [name for name, _ in script.asked if name == "exchange"]
    assert 25 <= len(exchanges) <= 31
    assert result.failures == 0


@pytest_twisted.ensureDeferred
async def test_a_poll_that_is_not_understood_is_a_failure() -> None:
    """A terminal outlives what it does not understand."""
    script = Script(exchange=OPTIONS, getrequest=[b"hello\n", b"OK"])
    started = Started(script.site, TurnedReactor(), rate=1.0, punches=2)
    result = await started.end()
    assert (result.acknowledged, result.failures) == (2, 1)
    assert started.said == [f"{SIM} is connected", f"{SIM}: b'hello' is not a command"]


LIVED_WITH = {
    "a bare OK": (b"OK", b"OK", "has no options, so it works with its own: b'OK'"),
    "CRLF": (OPTIONS.replace(b"\n", b"\r\n"), b"OK\r\n", "has CRLF for LF: b'GET OPTION FROM"),
    "no last LF": (OPTIONS + b"Delay=30", b"OK", "its last line is dropped: b'Delay=30'"),
}


@pytest.mark.parametrize("reply", LIVED_WITH)
@pytest_twisted.ensureDeferred
async def test_a_terminal_lives_with_what_real_firmware_lives_with(reply: str) -> None:
    """It says once what it saw, and works on; a strict one stops there."""
    exchange, poll, words = LIVED_WITH[reply]

    def started(**plan: object) -> Started:
        script = Script(exchange=exchange, getrequest=poll)
        return Started(script.site, TurnedReactor(), rate=1.0, duration=3.0, **plan)

    tolerant = started()
    result = await tolerant.end()
    assert (result.failures, result.acknowledged) == (0, result.punches)
    assert result.punches > 0
    (warning,) = {line for line in tolerant.said if "is connected" not in line}
    assert words in warning
    strict = started(strict=True)
    assert (await strict.end()).failures > 0


@pytest_twisted.ensureDeferred
async def test_a_plan_of_punches_ends_where_no_server_ever_replies() -> None:
    """Half a minute is enough; one that was reached is waited for."""
    clock = TurnedReactor()
    result = await Started(None, clock, punches=3).end()
    assert not result.is_reached
    assert 30 <= clock.seconds() - NOON < 40


@pytest_twisted.ensureDeferred
async def test_a_server_that_is_not_there_is_counted() -> None:
    """Without a server, terminals fail once a second, and end with their plan."""
    clock = TurnedReactor()
    started = Started(None, clock, devices=2, duration=3.0)
    result = await started.end()
    assert (result.punches, result.acknowledged, result.polls) == (0, 0, 0)
    assert result.failures in (6, 8)
    assert "Connection was refused" in started.said[0]
    assert clock.seconds() - NOON < 4


@pytest.fixture
def said() -> list[str]:
    """What a fleet reports."""
    return []


@pytest_twisted.ensureDeferred
async def test_a_fleet_runs_on_the_real_network(rig: Rig, said: list[str]) -> None:
    """Through a port and in real time, it is the same."""
    port = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(rig.terminals)
    try:
        plan = FleetPlan(f"http://127.0.0.1:{port.getHost().port}", rate=20.0, punches=4)
        result = await run_fleet(reactor, plan, said.append)
    finally:
        await port.stopListening()
    assert (result.punches, result.acknowledged, result.failures) == (4, 4, 0)
    assert len(await records(rig)) == 4
    assert said == [f"{SIM} is connected"]


@pytest_twisted.ensureDeferred
async def test_a_port_that_is_closed_does_not_hold_a_fleet_up(said: list[str]) -> None:
    """A connection that is refused is a failure, and the plan ends when it should."""
    port = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(ServerFactory())
    server = f"http://127.0.0.1:{port.getHost().port}"
    await port.stopListening()
    began = reactor.seconds()
    result = await run_fleet(reactor, FleetPlan(server, duration=0.3), said.append)
    assert result == FleetResult(failures=result.failures, is_reached=False)
    assert result.failures >= 1
    assert said[0].startswith(f"{SIM}: ")
    assert reactor.seconds() - began < 10
