"""Rules of forwarders: terminals, start, doubt, gaps, in and out, and the look of punches."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from zkpush.handlers.forward.directions import working_day
from zkpush.handlers.forward.rules import fill

from ..rig import Rig
from .receivers import Memory, add, punch, turn, turns


async def lines(rig: Rig, *rows: str, sn: str = "T1") -> None:
    """Upload attendance records: user, time, state, mode and work code."""
    body = "".join("\t".join(row.split(",")) + "\n" for row in rows).encode()
    assert (await rig.post(f"cdata?SN={sn}&table=ATTLOG&Stamp=1", body)).status == 200


async def fed(make_rig: Any, rules: dict[str, Any], **more: Any) -> tuple[Rig, Memory]:
    """A daemon with two terminals and a forwarder with rules."""
    memory = Memory()
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    await rig.exchange("T2")
    for area in rules.get("areas", ()):
        await rig.api("PUT", f"/areas/{area}", {})
    await add(rig, rules={"since": "2026-01-01", **rules}, **more)
    return rig, memory


def told(memory: Memory, *names: str) -> list[tuple[object, ...]]:
    """Some fields of the data of all events that were taken."""
    return [
        tuple(event.data.get(name) for name in names)
        for batch in memory.taken
        for event in batch.events
    ]


@pytest_twisted.ensureDeferred
async def test_punches_from_before_a_forwarder_was_made_are_left_out(make_rig) -> None:
    """By their own time: a terminal that sends old ones later does not send them to payroll."""
    memory = Memory()
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    await punch(rig, [1], time="2026-03-01 12:30:00")
    await add(rig)
    await punch(rig, [2], time="2016-03-01 08:00:00")
    await punch(rig, [3], time="2026-03-01 11:59:59")
    await punch(rig, [4], time="2026-03-01 12:00:00")
    await turns(rig, 2)
    assert memory.pins == ["4"]


@pytest_twisted.ensureDeferred
async def test_a_start_in_the_past_sends_stored_records(make_rig) -> None:
    """By the time of each punch, not by when it was stored."""
    memory = Memory()
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    for day in range(1, 6):
        await punch(rig, [day], time=f"2026-02-0{day} 08:00:00")
    await add(rig, rules={"since": "2026-02-03"})
    await turns(rig, 2)
    assert memory.pins == ["3", "4", "5"]


@pytest_twisted.ensureDeferred
async def test_terminals_are_chosen_by_number_and_by_area(make_rig) -> None:
    """A terminal that changes its area is followed from then on."""
    rig, memory = await fed(make_rig, {"areas": ["HQ"]})
    await add(rig, name="second", rules={"since": "2026-01-01", "devices": ["T2"]})
    await punch(rig, [1])
    await punch(rig, [2], sn="T2")
    await turns(rig, 2)
    assert memory.pins == ["2"]
    await rig.api("PATCH", "/devices/T1", {"area": "HQ"})
    await punch(rig, [3], time="2026-03-01 13:00:03")
    await turns(rig, 2)
    assert memory.pins == ["2", "3"]


@pytest.mark.parametrize(("doubt", "pins"), [("mark", ["1", "2"]), ("hold", ["2"])])
@pytest_twisted.ensureDeferred
async def test_doubtful_times_are_marked_or_held_back(
    make_rig, doubt: str, pins: list[str]
) -> None:
    """A receiver that cannot judge them does not get them."""
    rig, memory = await fed(make_rig, {"doubt": doubt})
    await lines(rig, "1,2027-03-01 08:00:00,0,1", "2,2026-03-01 08:00:00,0,1")
    await turn(rig)
    assert memory.pins == pins
    assert told(memory, "doubt") == [("future",), (None,)][2 - len(pins) :]


@pytest_twisted.ensureDeferred
async def test_directions_follow_states_and_alternate_without_one(make_rig) -> None:
    """255 means that no state was chosen: in, out, in … within a working day of one person."""
    rig, memory = await fed(make_rig, {"directions": {}})
    await lines(
        rig,
        "1,2026-03-01 08:00:00,255,1",
        "2,2026-03-01 08:00:01,1,1",
        "1,2026-03-01 12:00:00,255,1",
        "1,2026-03-01 13:00:00,255,1",
        "1,2026-03-02 03:59:00,255,1",
        "1,2026-03-02 04:00:00,255,1",
        "2,2026-03-01 09:00:00,255,1",
    )
    await turn(rig)
    assert told(memory, "pin", "direction") == [
        ("1", "in"),
        ("2", "out"),
        ("1", "out"),
        ("1", "in"),
        ("1", "out"),
        ("1", "in"),
        ("2", "in"),
    ]


@pytest_twisted.ensureDeferred
async def test_a_night_shift_is_one_working_day(make_rig) -> None:
    """A working day may begin at noon; punches that come one by one alternate as well."""
    rig, memory = await fed(make_rig, {"directions": {"day_starts": "12:00"}})
    for time in ("2026-02-28 22:00:00", "2026-03-01 02:00:00", "2026-03-01 02:30:00"):
        await lines(rig, f"1,{time},255,1")
        await turn(rig)
    await lines(rig, "1,2026-03-01 06:00:00,255,1")
    await lines(rig, "1,2026-03-01 12:00:00,255,1", sn="T2")
    await turn(rig)
    assert [one for (one,) in told(memory, "direction")] == ["in", "out", "in", "out", "in"]


@pytest_twisted.ensureDeferred
async def test_an_earlier_punch_that_arrives_later_has_its_own_place(make_rig) -> None:
    """The order is that of the instants, whichever terminal was offline."""
    rig, memory = await fed(make_rig, {"directions": {}})
    await lines(rig, "1,2026-03-01 12:00:00,255,1", "1,2026-03-01 08:00:00,255,1")
    await turn(rig)
    assert told(memory, "time", "direction") == [
        ("2026-03-01T12:00:00", "out"),
        ("2026-03-01T08:00:00", "in"),
    ]


@pytest_twisted.ensureDeferred
async def test_directions_by_terminal_mode_and_work_code(make_rig) -> None:
    """The first case that matches counts; one case may ask for several things."""
    cases = [
        {"direction": "out", "work_code": ["9"]},
        {"direction": "in", "devices": ["T1"], "verify": [15]},
        {"direction": "out", "devices": ["T2"]},
    ]
    rig, memory = await fed(make_rig, {"directions": {"cases": cases, "otherwise": "none"}})
    await lines(
        rig,
        "1,2026-03-01 08:00:00,0,15",
        "2,2026-03-01 08:00:01,0,1",
        "3,2026-03-01 08:00:02,0,1,9",
    )
    await lines(rig, "4,2026-03-01 08:00:03,0,15", sn="T2")
    await turn(rig)
    assert told(memory, "pin", "direction") == [
        ("1", "in"),
        ("2", None),
        ("3", "out"),
        ("4", "out"),
    ]


@pytest_twisted.ensureDeferred
async def test_a_second_punch_within_the_gap_is_left_out(make_rig) -> None:
    """On any terminal; the gap begins at the last punch that counts, and directions skip it."""
    rig, memory = await fed(make_rig, {"minimum_gap_seconds": 60, "directions": {}})
    await lines(
        rig,
        "1,2026-03-01 08:00:00,255,1",
        "1,2026-03-01 08:00:40,255,1",
        "2,2026-03-01 08:00:41,255,1",
    )
    await turn(rig)
    await lines(rig, "1,2026-03-01 08:00:59,255,1", "1,2026-03-01 08:01:00,255,1", sn="T2")
    await turn(rig)
    assert told(memory, "pin", "time", "direction") == [
        ("1", "2026-03-01T08:00:00", "in"),
        ("2", "2026-03-01T08:00:41", "in"),
        ("1", "2026-03-01T08:01:00", "out"),
    ]


@pytest_twisted.ensureDeferred
async def test_who_came_in_before_the_start_goes_out_after_it(make_rig) -> None:
    """Earlier punches count for the directions of later ones."""
    rig, memory = await fed(make_rig, {"since": "2026-03-01T10:00:00Z", "directions": {}})
    await lines(rig, "1,2026-03-01 08:00:00,255,1", "1,2026-03-01 16:00:00,255,1")
    await turn(rig)
    assert told(memory, "time", "direction") == [("2026-03-01T16:00:00", "out")]


@pytest_twisted.ensureDeferred
async def test_fields_are_named_as_the_receiver_wants(make_rig) -> None:
    """A template that is one field keeps its type."""
    fields = {"employee": "{pin}", "at": "{utc}", "source": "zk-{device}", "number": "{id}"}
    rig, memory = await fed(make_rig, {"fields": fields, "directions": {}})
    await lines(rig, "7,2026-03-01 08:00:00,0,1")
    await turn(rig)
    ((event,),) = [batch.events for batch in memory.taken]
    assert event.data == {
        "employee": "7",
        "at": "2026-03-01T08:00:00Z",
        "source": "zk-T1",
        "number": 1,
    }
    assert event.id == "rec_1"


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"fields": {"x": "{pinn}"}}, "rules.fields: {pinn} is no field of a punch; there are"),
        ({"fields": {"x": "{pin"}}, "rules.fields: {pin is no field of a punch"),
        (
            {"minimum_gap_seconds": -1},
            "rules.minimum_gap_seconds: it is an integer from 0 to 43200",
        ),
        (
            {"directions": {"day_starts": "25:00"}},
            "day_starts: it is a text as HH:MM, such as 04:00",
        ),
        ({"directions": {"cases": [{"direction": "up"}]}}, "direction: it is one of in, out."),
        ({"doubt": "keep"}, "rules.doubt: it is one of hold, mark"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_mistakes_in_rules_are_explained(make_rig, rules: dict[str, Any], words: str) -> None:
    """Nothing is stored then."""
    rig = await make_rig(plugins=[Memory()])
    made = await rig.api("POST", "/forwarders", {"name": "x", "kind": "memory", "rules": rules})
    assert made.status == 400
    assert words in made.json["detail"]


def test_templates() -> None:
    """Absent values are empty in a text, and nothing alone."""
    data = {"pin": "7", "status": 0}
    assert fill("{status}", data) == 0
    assert fill("{pin}/{status}/{work_code}", data) == "7/0/"
    assert fill("{work_code}", data) is None


@pytest.mark.parametrize(
    ("time", "starts", "day"),
    [
        ("2026-03-01 03:59:59", "04:00", "2026-02-28"),
        ("2026-03-01 04:00:00", "04:00", "2026-03-01"),
        ("2026-03-01 00:00:00", "00:00", "2026-03-01"),
        ("0001-01-01 00:00:00", "12:00", "0001-01-01"),
        ("2026-02-30 00:00:00", "12:00", "2026-02-30"),
    ],
)
def test_working_days(time: str, starts: str, day: str) -> None:
    """Each begins at its time of day; impossible times have a day as well."""
    assert str(working_day(time, starts)) == day
