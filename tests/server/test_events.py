"""`GET events`: what happens, followed live, without a gap and in order."""

from __future__ import annotations

import contextlib
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
from zkpush.manage import feed, news
from zkpush.protocol.fields import Scope

from ..rig import Rig, talk
from .sse import Listening

LINE = b"%d\t2026-01-05 08:00:00\t0\t1\n"
DAY = 86_400


async def punch(rig: Rig, *pins: int, sn: str = "T1") -> None:
    """Store records."""
    body = b"".join(LINE % pin for pin in pins)
    reply = await rig.post(f"cdata?SN={sn}&table=ATTLOG&Stamp=1", body)
    assert reply.body == b"OK: %d" % len(pins)


async def rename(rig: Rig, alias: str) -> None:
    """Make an event."""
    assert (await rig.api("PATCH", "/devices/T1", {"alias": alias})).status == 200


def aliases(listening: Listening) -> list[str]:
    """The new names of the terminal that were told."""
    return [data["values"]["alias"] for _, kind, data in listening.told if kind == "device"]


async def a_second(rig: Rig) -> None:
    """Let a second pass, and what is looked up in it come back."""
    rig.clock.advance(1)
    for _ in range(3):
        await rig.store.read(lambda tx: None)


@contextlib.contextmanager
def counted(rig: Rig):
    """Count the queries of a daemon."""
    read, queries = rig.store.read, []

    def counting(query):
        queries.append(query)
        return read(query)

    rig.store.read = counting
    yield queries
    rig.store.read = read


def of_feed(queries) -> int:
    """How many of these queries are for listeners."""
    return sum(query.__module__ == feed.__name__ for query in queries)


@pytest_twisted.ensureDeferred
async def test_everything_that_happens_is_told(rig: Rig) -> None:
    """A new terminal, its exchange, settings, people, commands, problems and records."""
    listening = await Listening(rig).begun()
    assert listening.head.startswith(b"HTTP/1.1 200 OK")
    for header in (b"Content-Type: text/event-stream", b"Cache-Control: no-store"):
        assert header in listening.head.split(b"\r\n")
    await rig.exchange(pushcommkey="one")
    await rig.pin("one")
    await rename(rig, "Gate")
    command = (await rig.api("POST", "/devices/T1/commands", {"command": "INFO"})).json["id"]
    people = b"USER PIN=1\tName=Ann\tPri=0\tPasswd=1234\nFP PIN=1\tFID=6\tTMP=AAAA\n"
    await rig.post("cdata?SN=T1&table=OPERLOG&Stamp=1", people)
    assert (await rig.exchange(pushcommkey="other")).status == 403
    await punch(rig, 7)
    told = await listening.hear(8)
    short = [(kind, data.get("what", data.get("state"))) for _, kind, data in told]
    assert sorted(short) == sorted(
        [
            ("device", "added"),
            ("device", "changed"),
            ("device", "changed"),
            ("command", "queued"),
            ("user", "user"),
            ("user", "template"),
            ("problem", "raised"),
            ("attendance", None),
        ]
    )
    data = {(kind, data.get("what")): data for _, kind, data in told}
    assert data["command", None] == {
        "at": "2026-03-01T12:00:00.000Z",
        "id": command,
        "device": "T1",
        "command": "INFO",
        "state": "queued",
    }
    assert data["problem", "raised"]["code"] == "pushcommkey changed"
    assert data["attendance", None] == (await rig.items("/attendance"))[0]
    assert "1234" not in listening.text
    assert "AAAA" not in listening.text


@pytest_twisted.ensureDeferred
async def test_what_was_there_already_is_not_told(rig: Rig) -> None:
    """Without Last-Event-ID it begins now; with the first id it names, everything since then."""
    await rig.exchange()
    await punch(rig, 1, 2)
    listening = await Listening(rig).begun()
    begin = listening.last
    await punch(rig, 3)
    await listening.hear(1)
    await a_second(rig)
    assert listening.pins == ["3"]
    again = await Listening(rig, last=begin).begun()
    assert (await again.hear(1)) == listening.told


@pytest_twisted.ensureDeferred
async def test_every_id_resumes_exactly_after_its_event(rig: Rig) -> None:
    """Nothing is lost and nothing comes twice, wherever the connection was cut."""
    first = await Listening(rig).begun()
    begin = first.last
    await rig.exchange()
    for number in range(4):
        await punch(rig, 2 * number, 2 * number + 1)
        await rename(rig, f"Gate {number}")
        rig.clock.advance(0.1)
    told = await first.hear(14)
    assert [data["pin"] for _, kind, data in told if kind == "attendance"] == list("01234567")
    # By the time at which they happened, where that tells them apart.
    assert [kind for _, kind, _ in told][-3:] == ["device", "attendance", "attendance"]
    for place, last in enumerate([begin, *(id_ for id_, _, _ in told)]):
        listening = await Listening(rig, last=last).begun()
        found = await listening.hear(len(told) - place)
        assert [event[1:] for event in found] == [event[1:] for event in told[place:]]
        listening.hang_up()


@pytest_twisted.ensureDeferred
async def test_an_id_can_be_an_argument(rig: Rig) -> None:
    """For those who cannot send a header; the header, which a browser keeps up, wins over it."""
    await rig.exchange()
    await punch(rig, 1, 2)
    by_argument = await Listening(rig, "?last_event_id=0.1&kinds=attendance").begun()
    assert [data["pin"] for _, _, data in await by_argument.hear(1)] == ["2"]
    both = await Listening(rig, "?last_event_id=0.0&kinds=attendance", "0.1").begun()
    assert [data["pin"] for _, _, data in await both.hear(1)] == ["2"]


@pytest.mark.parametrize(
    "path",
    [
        "?last_event_id=7",
        "?last_event_id=1.2.3",
        "?last_event_id=-1.2",
        "?last_event_id=0.x",
        "?last_event_id=1000.0",
        "?last_event_id=0.1000",
        "?last_event_id=" + "9" * 30 + ".0",
        "?kinds=device,weather",
        "?kinds=",
        "?since=1",
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_resumed_is_said(rig: Rig, path: str) -> None:
    """Rubbish, an id that this database has not reached, and an unknown kind are 400."""
    await rig.exchange()
    response = await rig.api("GET", f"/events{path}")
    assert response.status == 400
    assert response.json["detail"]
    listening = Listening(rig, last="1000.0")
    await listening.until(lambda: listening.head)
    assert listening.head.startswith(b"HTTP/1.1 400 ")


@pytest_twisted.ensureDeferred
async def test_kinds_choose(rig: Rig) -> None:
    """Only what is asked for is told; the cursor goes on with all the rest."""
    listening = await Listening(rig, "?kinds=command,attendance").begun()
    await rig.exchange()
    await punch(rig, 1)
    await rig.api("POST", "/devices/T1/commands", {"command": "INFO"})
    await listening.hear(2)
    assert sorted(listening.kinds) == ["attendance", "command"]
    await rename(rig, "Gate")
    await a_second(rig)
    before = listening.last
    for _ in range(15):
        await a_second(rig)
    assert listening.last != before
    late = await Listening(rig, "?kinds=device", before).begun()
    await late.hear(1)
    assert aliases(late) == ["Gate"]
    records = await Listening(rig, "?kinds=attendance", "0.0").begun()
    await records.hear(1)
    assert records.kinds == ["attendance"]


@pytest_twisted.ensureDeferred
async def test_a_quiet_connection_shows_that_it_lives(rig: Rig) -> None:
    """A comment every fifteen seconds, so that no proxy closes it."""
    listening = await Listening(rig).begun()
    rig.clock.advance(14.9)
    assert listening.text.count(": position 0.0\n") == 1
    rig.clock.advance(0.1)
    for _ in range(3):
        rig.clock.advance(15)
    assert listening.text.count(": position 0.0\n") == 5
    assert not listening.wire.closed


@pytest_twisted.ensureDeferred
async def test_every_block_has_data(rig: Rig) -> None:
    """A client that reads JSON at each blank line reads events and nothing else, from the start."""
    listening = await Listening(rig).begun()
    rig.clock.advance(16)
    await rig.exchange()
    await punch(rig, 1)
    await listening.hear(2)
    *blocks, rest = listening.text.split("\n\n")
    data = [[line for line in block.split("\n") if line.startswith("data: ")] for block in blocks]
    assert [len(lines) for lines in data] == [1] * len(listening.told)
    assert "data: " not in rest


@pytest_twisted.ensureDeferred
async def test_one_query_a_second_serves_all_listeners(rig: Rig) -> None:
    """However many listen; and none at all once the last one is gone."""
    await rig.exchange()
    with counted(rig) as queries:
        for _ in range(5):
            await a_second(rig)
        assert of_feed(queries) == 0
    listeners = [await Listening(rig).begun() for _ in range(20)]
    await a_second(rig)
    with counted(rig) as queries:
        for number in range(5):
            await punch(rig, number)
            await a_second(rig)
        assert of_feed(queries) == 5
    for listening in listeners:
        assert listening.pins == list("01234")
    for listening in listeners[1:]:
        listening.hang_up()
    with counted(rig) as queries:
        await a_second(rig)
        assert of_feed(queries) == 1
        listeners[0].hang_up()
        queries.clear()
        for _ in range(5):
            await a_second(rig)
        assert of_feed(queries) == 0
    assert [call for call in rig.clock.getDelayedCalls() if call.getTime() == feed.EVERY] == []
    again = await Listening(rig, last=listeners[0].last).begun()
    await punch(rig, 5)
    await again.hear(1)
    assert again.pins == ["5"]


@pytest_twisted.ensureDeferred
async def test_more_than_a_part_at_once_is_told_in_order(rig: Rig, monkeypatch) -> None:
    """A listener far behind, and a burst in one second, get all of it."""
    monkeypatch.setattr(news, "PART", 10)
    await rig.exchange()
    live = await Listening(rig, "?kinds=attendance,device").begun()
    begin = live.last
    for start in range(0, 60, 15):
        await punch(rig, *range(start, start + 15))
        await rename(rig, f"Gate {start}")
        rig.clock.advance(0.01)
    for listening in (live, await Listening(rig, "", begin).begun()):
        await listening.hear(64)
        assert listening.pins == [str(number) for number in range(60)]
        assert aliases(listening) == [f"Gate {start}" for start in range(0, 60, 15)]
        places = [kind for _, kind, _ in listening.told]
        assert [place for place, kind in enumerate(places) if kind == "device"] == [0, 16, 32, 48]


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
    """Whoever asks for the header only gets that."""
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
    """Who comes back after the retention hears of a gap first, then all that is there."""
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
