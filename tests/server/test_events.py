"""Events as they happen: what is told, from where, and at what cost."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.manage import feed, news

from ..rig import Rig
from .listeners import a_second, aliases, counted, of_feed, punch, rename
from .sse import Listening


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
    (record,) = await rig.items("/attendance")
    decided = {"other_person": None, "not_counted": False}  # maybe after the event
    assert {**data["attendance", None], **decided} == record
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
