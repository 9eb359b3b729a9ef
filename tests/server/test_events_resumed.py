"""Listeners of events that fall behind, end, or resume."""

from __future__ import annotations

import itertools

import pytest
import pytest_twisted
from greenlet import greenlet
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.python.failure import Failure

from zkpush.interfaces import StoreError
from zkpush.protocol.fields import Scope

from ..rig import Rig, talk
from .listeners import a_second, aliases, counted, of_feed, punch, rename
from .sse import Listening

DAY = 86_400


@pytest_twisted.ensureDeferred
async def test_a_slow_listener_is_told_when_it_reads_again(rig: Rig) -> None:
    """While it does not read, nothing is kept for it; then it gets all it missed, once."""
    await rig.exchange()
    slow, quick = await Listening(rig).begun(), await Listening(rig).begun()
    slow.wire.producer.pauseProducing()
    size = len(slow.wire.value())
    for number in range(20):
        await punch(rig, number)
        await a_second(rig)
    assert len(slow.wire.value()) == size
    assert len(quick.pins) == 20
    slow.wire.producer.resumeProducing()
    await slow.hear(20)
    await punch(rig, 20)
    for listening in (slow, quick):
        await listening.hear(21)
        assert listening.pins == [str(number) for number in range(21)]
    for _ in range(40):
        await a_second(rig)
    assert not slow.wire.closed


@pytest_twisted.ensureDeferred
async def test_a_listener_that_does_not_read_is_ended(rig: Rig) -> None:
    """After half a minute; it can go on from the last id that reached it."""
    await rig.exchange()
    slow = await Listening(rig).begun()
    await punch(rig, 0)
    await slow.hear(1)
    slow.wire.producer.pauseProducing()
    await punch(rig, 1)
    for _ in range(31):
        await a_second(rig)
    assert slow.wire.closed
    slow.hang_up()
    with counted(rig) as queries:
        await a_second(rig)
        await a_second(rig)
        assert of_feed(queries) == 0
    again = await Listening(rig, last=slow.last).begun()
    await again.hear(1)
    assert again.pins == ["1"]


@pytest_twisted.ensureDeferred
async def test_a_listener_that_stalls_in_the_middle_loses_nothing(rig: Rig, monkeypatch) -> None:
    """Its transport takes some events of a burst only, and more later."""
    monkeypatch.setattr("zkpush.manage.events.AT_ONCE", 500)
    await rig.exchange()
    listening = await Listening(rig).begun()
    write, taken = listening.wire.write, itertools.count(1)

    def write_some(data: bytes) -> None:
        write(data)
        if next(taken) % 3 == 0:
            listening.wire.producer.pauseProducing()

    listening.wire.write = write_some
    for start in range(0, 40, 10):
        await punch(rig, *range(start, start + 10))
        await a_second(rig)
    for _ in range(100):
        listening.wire.producer.resumeProducing()
        await a_second(rig)
    assert listening.pins == [str(number) for number in range(40)]


@pytest_twisted.ensureDeferred
async def test_streams_end_when_the_daemon_stops(rig: Rig) -> None:
    """They are ended whole, also those that begin in that moment."""
    first = await Listening(rig).begun()
    second = Listening(rig)
    rig.manage.stopFactory()
    await second.until(lambda: b"0\r\n\r\n" in second.wire.value())
    assert first.wire.value().endswith(b"\r\n0\r\n\r\n")
    assert first.wire.closed


@pytest_twisted.ensureDeferred
async def test_a_head_of_it_ends_at_once(rig: Rig) -> None:
    """A HEAD request gets the header only."""
    listening = Listening(rig, method="HEAD")
    await listening.until(lambda: b"\r\n\r\n" in listening.wire.value())
    assert b"text/event-stream" in listening.head
    assert listening.text == ""


@pytest_twisted.ensureDeferred
async def test_a_token_without_the_scope_hears_nothing(rig: Rig) -> None:
    """Listening takes the scope `read`."""
    reader, writer = await rig.token("r", Scope.READ), await rig.token("w", Scope.WRITE)
    for token, status in ((writer, 403), ("nobody", 401)):
        raw = f"GET /api/v1/events HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\r\n"
        response = await talk(rig.manage, raw.encode())
        assert response.status == status
    await Listening(rig, token=reader).begun()


@pytest_twisted.ensureDeferred
async def test_a_database_that_is_away_for_a_while_costs_nothing(rig: Rig) -> None:
    """What happened meanwhile is told once it answers again."""
    await rig.exchange()
    listening = await Listening(rig).begun()
    begin = listening.last
    await punch(rig, 1)
    read = rig.store.read

    async def away(query):
        raise StoreError("away")

    late = Listening(rig, last=begin)
    await late.begun()
    rig.store.read = away
    for _ in range(3):
        rig.clock.advance(1)
    rig.store.read = read
    for each in (listening, late):
        await each.hear(1)
        assert each.pins == ["1"]


@pytest_twisted.ensureDeferred
async def test_what_is_too_old_is_said_to_be_missing(make_rig) -> None:
    """A listener that comes back too late is told of a gap first, then of all that is there."""
    rig = await make_rig(events={"days": 2})
    await rig.exchange()
    begin = "0.0"
    await punch(rig, 1)
    await rename(rig, "old")
    rig.clock.advance(3 * DAY)
    await rename(rig, "new")
    assert await rig.retention.drop() > 0
    listening = await Listening(rig, last=begin).begun()
    await listening.hear(3)
    assert sorted(listening.kinds) == ["attendance", "device", "gap"]
    assert aliases(listening) == ["new"]
    gap = next(data for _, kind, data in listening.told if kind == "gap")
    assert gap["at"] == "2026-03-01T12:00:00.000Z"
    assert "dropped" in gap["detail"]
    last = next(id_ for id_, kind, _ in listening.told if kind == "gap")
    after = await Listening(rig, last=last).begun()
    await after.hear(1)
    assert "gap" not in after.kinds
    only = await Listening(rig, "?kinds=command", begin).begun()
    await only.hear(1)
    assert only.kinds == ["gap"]
    records = await Listening(rig, "?kinds=attendance", begin).begun()
    await records.hear(1)
    assert records.kinds == ["attendance"]


@pytest_twisted.ensureDeferred
async def test_old_events_are_dropped_in_the_background(make_rig) -> None:
    """Some minutes after they are too old, while the daemon runs."""
    rig = await make_rig(events={"days": 1})
    rig.start_jobs()
    await rig.exchange()
    rig.clock.advance(2 * DAY)
    for _ in range(3):
        await rig.store.write(lambda tx: None)
    before = await Listening(rig, "?kinds=device", last="0.0").begun()
    await before.hear(1)
    assert before.kinds == ["gap"]
    await rig.stop_jobs()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("punch"), st.sampled_from(["T1", "T2", "T3"]), st.integers(1, 4)),
        st.tuples(st.just("rename"), st.just("T1"), st.just(0)),
        st.tuples(st.just("wait"), st.just(""), st.integers(1, 3)),
        st.tuples(st.just("cut"), st.just(""), st.integers(0, 2)),
        st.tuples(st.just("stall"), st.just(""), st.just(0)),
        st.tuples(st.just("resume"), st.just(""), st.just(0)),
    ),
    max_size=25,
)


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_whoever_resumes_sees_each_event_once_and_in_order(tmp_path_factory) -> None:
    """While several terminals store records, and whenever the connection is cut or stalls."""
    done: Deferred[None] = Deferred()

    @settings(max_examples=30)
    @given(STEPS)
    def property_(steps) -> None:
        folder = tmp_path_factory.mktemp("events")
        pytest_twisted.blockon(Deferred.fromCoroutine(_resumes(folder, steps)))

    def run() -> None:
        try:
            property_()
        except Exception:
            reactor.callLater(0, done.errback, Failure())
        else:
            reactor.callLater(0, done.callback, None)

    running = greenlet(run)  # Hypothesis is not asynchronous, and the reactor has to turn
    running.switch()
    await done
    assert running.dead


async def _resumes(folder, steps) -> None:
    rig = await Rig(folder).start()
    for sn in ("T1", "T2", "T3"):
        await rig.exchange(sn)
    listening = await Listening(rig).begun()
    heard, pins, names = [], itertools.count(), itertools.count()
    writes = []

    async def cut(away: int) -> None:
        nonlocal listening
        heard.extend(listening.told)
        last = listening.last
        listening.hang_up()
        for _ in range(away):
            await a_second(rig)
        listening = await Listening(rig, last=last).begun()

    for what, sn, number in steps:
        match what:
            case "punch":
                new = list(itertools.islice(pins, number))
                writes.append(Deferred.fromCoroutine(punch(rig, *new, sn=sn)))
            case "rename":
                writes.append(Deferred.fromCoroutine(rename(rig, f"{next(names)}")))
            case "wait":
                for _ in range(number):
                    await a_second(rig)
            case "cut":
                await cut(number)
            case "stall":
                listening.wire.producer.pauseProducing()
            case "resume":
                listening.wire.producer.resumeProducing()
    await gatherResults(writes)
    await cut(0)
    for _ in range(3):
        await a_second(rig)
    heard.extend(listening.told)
    records = [data["id"] for _, kind, data in heard if kind == "attendance"]
    assert records == [item["id"] for item in await rig.items("/attendance?limit=1000")]
    assert len(records) == next(pins)
    told = [int(data["values"]["alias"]) for _, kind, data in heard if kind == "device"]
    assert told == [*range(next(names))]
    listening.hang_up()
    await rig.stop()
