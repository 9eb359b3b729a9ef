"""A terminal has the right person under a wrong name, after somebody has said so."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from zkpush.handlers.people.schema import strangers

from ..rig import Rig
from .test_contested_parts import ANN, EVE, OTHER, finger, said, settle
from .test_contested_parts import fingers as stored_fingers
from .test_distribution import distribute, enrol, fetch, fingers, held
from .test_jobs_of_areas import limited
from .test_strangers_on_terminals import problems, two_people

PUNCH = b"5\t2026-03-01 08:00:00\t0\t1\n"
ONE = {"keep": "stored", "one_person": True}


def user(name: str, more: str = "") -> bytes:
    """The line of a user."""
    return f"USER PIN=5\tName={name}{more}\n".encode()


async def misnamed(rig: Rig) -> None:
    """Ivan is Igor at the terminal W1, which has sent his finger and a punch."""
    await said(rig, "A1", user("Ivan Petrov"), finger(ANN))
    await said(rig, "W1", user("Igor Popov"), finger(OTHER, 2))
    await rig.post("cdata?SN=W1&table=ATTLOG&Stamp=1", PUNCH)


async def people_of(rig: Rig) -> list[tuple[str, str]]:
    """The open conflicts: the terminals, and the names that they state."""
    found = await rig.items("/conflicts")
    return [(one["device"], one["sides"][-1]["fields"]["name"]) for one in found]


async def claims(rig: Rig) -> list[tuple[str, str | None, bool]]:
    """The claims: whom the terminals name, whose the punches are, and whether it is one person."""
    found = await rig.items("/conflicts/punches")
    return [(one["name"], one["owner"], one["one_person"]) for one in found]


async def name(rig: Rig) -> str:
    """The stored name."""
    (found,) = await rig.items("/users")
    return str(found["name"])


async def decide(rig: Rig, **choice: Any) -> int:
    """Decide on the only claim; returns the status."""
    (one,) = await rig.items("/conflicts/punches")
    return (await rig.api("POST", f"/conflicts/punches/{one['id']}", choice)).status


async def strange(rig: Rig) -> int:
    """The number of terminals that have somebody else."""
    rows = await rig.store.read(lambda tx: tx.connection.execute(strangers.select()).all())
    return len(rows)


@pytest_twisted.ensureDeferred
async def test_nothing_asks_to_delete_a_person_under_a_wrong_name(either: Rig) -> None:
    """Punches and fingers are the person's, and the list of the terminal names what is wrong."""
    await misnamed(either)
    await settle(either, **ONE)
    assert (await name(either), await strange(either)) == ("Ivan Petrov", 0)
    assert (await people_of(either), await problems(either)) == ([], [])
    assert await stored_fingers(either) == {1: ANN, 2: OTHER}
    assert await claims(either) == [("Igor Popov", "person", True)]
    (place,) = await either.items("/devices/W1/users")
    assert (place["state"], place["meaning"]) == (
        "there",
        "The terminal has the person under the name Igor Popov. Correct the name at the terminal.",
    )
    places = {one["device"]: one["meaning"] for one in await either.items("/users/5/places")}
    assert places["W1"] == place["meaning"]
    assert "Igor" not in places["A1"]
    audit = [one["detail"] for one in await either.items("/audit") if "settle" in one["action"]]
    assert [one.split("; ")[:2] for one in audit] == [["name", "one person"]]


@pytest_twisted.ensureDeferred
async def test_without_the_word_there_are_two_people(either: Rig) -> None:
    """Decisions from before mean what they meant."""
    await misnamed(either)
    await settle(either, keep="stored", punches="person")
    assert await strange(either) == 1
    assert await claims(either) == [("Igor Popov", "person", False)]
    assert "somebody else" in "".join(await problems(either))


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_is_corrected_says_nothing_of_another_name(either: Rig) -> None:
    """It states the right name, and is as all others."""
    await misnamed(either)
    await settle(either, **ONE)
    await said(either, "W1", user("Ivan Petrov"))
    (place,) = await either.items("/devices/W1/users")
    assert place["meaning"] == "The terminal has stated that it has the person."
    await said(either, "W1", user("Igor Popov"))
    assert await people_of(either) == []


@pytest_twisted.ensureDeferred
async def test_the_same_wrong_name_is_no_conflict_again_and_a_third_one_is(either: Rig) -> None:
    """What else changes with the known name is the person's; the third name takes nothing."""
    await misnamed(either)
    await settle(either, **ONE)
    await said(either, "W1", user("Igor Popov", "\tCard=77"))
    assert await people_of(either) == []
    (stored,) = await either.items("/users")
    assert (stored["name"], stored["card"]) == ("Ivan Petrov", "77")
    await said(either, "W1", user("Eve Stone", "\tCard=78"), finger(EVE))
    assert await people_of(either) == [("W1", "Eve Stone")]
    assert [one[:2] for one in await claims(either)] == [
        ("Igor Popov", "person"),
        ("Eve Stone", None),
    ]
    assert await stored_fingers(either) == {1: ANN, 2: OTHER}
    await said(either, "W1", user("Igor Popov"))
    assert await people_of(either) == []
    ended = [one["until"] is not None for one in await either.items("/conflicts/punches")]
    assert ended == [True, True]


@pytest_twisted.ensureDeferred
async def test_a_decision_holds_for_the_terminal_only(either: Rig) -> None:
    """Another terminal with this name is asked about, unless it was open then."""
    await misnamed(either)
    await said(either, "W2", user("IGOR POPOV"))
    await said(either, "W3", user("Eve Stone"))
    found = await either.items("/conflicts")
    await either.api("POST", f"/conflicts/{found[0]['id']}", ONE)
    assert await people_of(either) == [("W3", "Eve Stone")]
    assert await strange(either) == 0
    await said(either, "W4", user("Igor Popov"))
    assert await people_of(either) == [("W3", "Eve Stone"), ("W4", "Igor Popov")]


@pytest_twisted.ensureDeferred
async def test_the_name_of_the_terminal_makes_nobody_a_stranger(either: Rig) -> None:
    """It was wrong here: fingers from all terminals stay, and other terminals keep theirs."""
    await misnamed(either)
    await settle(either, keep="terminal", one_person=True)
    assert (await name(either), await strange(either)) == ("Igor Popov", 0)
    assert await stored_fingers(either) == {1: ANN, 2: OTHER}
    assert await claims(either) == [("Igor Popov", "person", True)]


@pytest_twisted.ensureDeferred
async def test_what_only_the_terminal_has_is_taken_but_no_right(either: Rig) -> None:
    """The card is empty here, and the terminal has one; a privilege never rises by itself."""
    await said(either, "A1", user("Ivan Petrov"))
    await said(either, "W1", user("Igor Popov", "\tCard=77\tPri=14"))
    await settle(either, **ONE)
    (stored,) = await either.items("/users")
    assert (stored["name"], stored["card"], stored["privilege"]) == ("Ivan Petrov", "77", None)
    await said(either, "W1", user("Igor Popov", "\tCard=77\tPri=14\tGrp=3"))
    assert await people_of(either) == []


@pytest_twisted.ensureDeferred
async def test_what_the_terminal_fills_in_is_its_own_word(either: Rig) -> None:
    """The operator has said who it is, and has typed no card; the name is the operator's."""
    await said(either, "A1", user("Ivan Petrov"))
    await said(either, "W1", user("Igor Popov", "\tCard=77"))
    await settle(either, **ONE)
    stored = (await either.api("GET", "/users/5")).json
    assert (stored["authors"]["card"], stored["authors"]["name"]) == ("device W1", "token admin")
    changes = await either.items("/users/5/history")
    assert [(one["field"], one["author"]) for one in changes] == [("card", "device W1")]


@pytest_twisted.ensureDeferred
async def test_two_people_after_all_have_their_own_cards_and_fingers(either: Rig) -> None:
    """Values that came with the decision, and those since, go; what others changed stays."""
    await said(either, "A1", user("Ivan Petrov"), finger(ANN))
    await said(either, "W1", user("Igor Popov", "\tCard=77\tViceCard=50\tGrp=2"), finger(OTHER, 2))
    await settle(either, **ONE)
    await said(either, "W1", user("Igor Popov", "\tCard=78\tViceCard=50\tGrp=2"), finger(EVE, 3))
    await either.api("PUT", "/users/5", {"group": 3})
    (stored,) = await either.items("/users")
    assert (stored["card"], stored["vice_card"], stored["group"]) == ("78", "50", 3)
    assert await stored_fingers(either) == {1: ANN, 2: OTHER, 3: EVE}
    assert await decide(either, owner="other") == 200
    (stored,) = await either.items("/users")
    assert (stored["name"], stored["card"], stored["vice_card"]) == ("Ivan Petrov", None, None)
    assert stored["group"] == 3
    assert await stored_fingers(either) == {1: ANN}


@pytest_twisted.ensureDeferred
async def test_what_a_corrected_terminal_has_changed_since_stays(either: Rig) -> None:
    """The other person was there before; the card is of the one whom it has now."""
    await said(either, "A1", user("Ivan Petrov"))
    await said(either, "W1", user("Igor Popov", "\tViceCard=50"))
    await settle(either, **ONE)
    await said(either, "W1", user("Ivan Petrov", "\tViceCard=50\tCard=78"))
    assert await decide(either, owner="other") == 200
    (stored,) = await either.items("/users")
    assert (stored["card"], stored["vice_card"]) == ("78", None)


@pytest_twisted.ensureDeferred
async def test_a_person_without_a_name_is_known_by_the_card(either: Rig) -> None:
    """A terminal with another card and no name has the person, if somebody says so."""
    await said(either, "A1", b"USER PIN=5\tCard=70\n")
    await said(either, "W1", b"USER PIN=5\tCard=71\n", finger(OTHER, 2))
    await settle(either, **ONE)
    assert await strange(either) == 0
    assert await stored_fingers(either) == {2: OTHER}
    await said(either, "W1", b"USER PIN=5\tCard=71\tGrp=2\n")
    assert await either.items("/conflicts") == []
    await said(either, "W1", b"USER PIN=5\tCard=72\tGrp=2\n")
    assert len(await either.items("/conflicts")) == 1


@pytest_twisted.ensureDeferred
async def test_a_name_that_comes_to_a_known_card_is_asked_about(either: Rig) -> None:
    """The decision was about the card only: the finger and the punches of the name wait."""
    await said(either, "A1", user("Ann Lee", "\tCard=70"))
    await said(either, "W1", b"USER PIN=5\tCard=71\n")
    await settle(either, **ONE)
    await said(either, "W1", user("Bob Stone", "\tCard=71"), finger(EVE, 3))
    assert await people_of(either) == [("W1", "Bob Stone")]
    assert (await name(either), await stored_fingers(either)) == ("Ann Lee", {})
    assert [one[:2] for one in await claims(either)] == [("Bob Stone", None)]


@pytest_twisted.ensureDeferred
async def test_a_limited_caller_decides_about_its_own_terminals_only(either: Rig) -> None:
    """What was decided elsewhere stays, and a conflict there is for those who see it."""
    await said(either, "A1", user("Ivan Petrov"))
    await either.api("PUT", "/users/5", {"areas": ["North", "South"]})
    for sn, area in (("N1", "North"), ("S1", "South")):
        await said(either, sn, user("Igor Popov"))
        await either.api("PATCH", f"/devices/{sn}", {"area": area})
        await either.post(f"cdata?SN={sn}&table=ATTLOG&Stamp=1", PUNCH)
    (south,) = [one for one in await either.items("/conflicts/punches") if one["device"] == "S1"]
    decided = await either.api("POST", f"/conflicts/punches/{south['id']}", {"owner": "other"})
    assert decided.status == 200
    north = await limited(either, "North")
    listed: Any = (await either.api("GET", "/conflicts", headers=north)).json
    (own,) = listed["items"]
    assert (await either.api("POST", f"/conflicts/{own['id']}", ONE, headers=north)).status == 200
    assert await people_of(either) == [("S1", "Igor Popov")]
    owners = {one["device"]: one["owner"] for one in await either.items("/conflicts/punches")}
    assert owners == {"N1": "person", "S1": "other"}


@pytest_twisted.ensureDeferred
async def test_a_limited_caller_takes_back_its_own_decisions_only(either: Rig) -> None:
    """The decision about a terminal of another area is not there for the caller, and stays."""
    await said(either, "A1", user("Ivan Petrov"))
    await either.api("PUT", "/users/5", {"areas": ["North", "South"]})
    for number, (sn, area) in enumerate((("N1", "North"), ("S1", "South")), 1):
        await said(either, sn, user("Igor Popov"), finger(OTHER, number))
        await either.api("PATCH", f"/devices/{sn}", {"area": area})
    (first, _) = await either.items("/conflicts")
    await either.api("POST", f"/conflicts/{first['id']}", ONE)
    assert await stored_fingers(either) == {1: OTHER, 2: OTHER}
    north = await limited(either, "North")
    statuses = {}
    for one in await either.items("/conflicts/punches"):
        path = f"/conflicts/punches/{one['id']}"
        got = await either.api("POST", path, {"owner": "other"}, headers=north)
        statuses[one["device"]] = got.status
    assert statuses == {"N1": 200, "S1": 404}
    found = await either.items("/conflicts/punches")
    assert {one["device"]: (one["owner"], one["one_person"]) for one in found} == {
        "N1": ("other", False),
        "S1": ("person", True),
    }
    assert await stored_fingers(either) == {2: OTHER}


@pytest_twisted.ensureDeferred
async def test_an_area_that_distributes_sends_the_right_name(either: Rig) -> None:
    """Nobody is deleted, and the fingers of both terminals are on both."""
    first, second = await two_people(either)
    await distribute(either)
    await fetch(either, first, second)
    await settle(either, **ONE)
    await fetch(either, first, second)
    assert held(first) == held(second) == {"5": "Ann"}
    assert {number for _, number in fingers(first)} == {1, 2, 7}
    assert fingers(second) == fingers(first)
    assert not [one for one in second.executed if "DELETE" in str(one)]
    assert {one["state"] for one in await either.items("/users/5/places")} == {"there"}
    assert (await either.items("/conflicts"), await problems(either)) == ([], [])


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_terminal_that_gets_the_wrong_name_again_is_sent_the_right_one(
    either: Rig,
) -> None:
    """Somebody enters it there once more; that is no conflict, and does not stay."""
    first, second = await two_people(either)
    await distribute(either)
    await settle(either, **ONE)
    await fetch(either, first, second)
    assert held(second) == {"5": "Ann"}
    await enrol(second, "5", "Eve", None)
    assert held(second) == {"5": "Eve"}
    await fetch(either, first, second)
    assert held(second) == {"5": "Ann"}
    assert await name(either) == "Ann"


@pytest_twisted.ensureDeferred
async def test_an_earlier_decision_becomes_one_about_one_person(either: Rig) -> None:
    """An operator who decided on two people can correct that."""
    await misnamed(either)
    await settle(either, keep="stored", punches="person")
    assert await decide(either, owner="person", one_person=True) == 200
    assert (await strange(either), await problems(either)) == (0, [])
    assert await claims(either) == [("Igor Popov", "person", True)]
    await said(either, "W1", finger(EVE, 3))
    assert await stored_fingers(either) == {1: ANN, 3: EVE}


@pytest_twisted.ensureDeferred
async def test_what_was_kept_apart_of_one_person_is_stored(either: Rig) -> None:
    """The terminal sent a finger after the decision that there are two people."""
    await misnamed(either)
    await settle(either, keep="stored", punches="person")
    await said(either, "W1", finger(EVE, 3))
    assert await stored_fingers(either) == {1: ANN}
    assert await decide(either, owner="person", one_person=True) == 200
    assert await stored_fingers(either) == {1: ANN, 3: EVE}


@pytest_twisted.ensureDeferred
async def test_fingers_wait_while_it_is_in_doubt_again_who_it_is(either: Rig) -> None:
    """They are stored once more if it is one person, and deleted if there are two."""
    await misnamed(either)
    await settle(either, **ONE)
    assert await decide(either, owner="later") == 200
    assert await stored_fingers(either) == {1: ANN}
    details = [str(one["detail"]) for one in await either.items("/audit")]
    said_now = "in doubt again whether one person at terminal W1"
    assert [one for one in details if one.startswith(said_now)]
    await settle(either, **ONE)
    assert await stored_fingers(either) == {1: ANN, 2: OTHER}
    assert await decide(either, owner="other") == 200
    assert (await stored_fingers(either), await strange(either)) == ({1: ANN}, 1)
    details = [str(one["detail"]) for one in await either.items("/audit")]
    assert [one for one in details if one.startswith("two people at terminal W1")]


@pytest.mark.parametrize(
    ("owner", "others", "open_ones"),
    [("other", 1, []), ("later", 0, [("W1", "Igor Popov")]), ("person", 0, [])],
)
@pytest_twisted.ensureDeferred
async def test_a_decision_about_one_person_can_be_taken_back(
    either: Rig, owner: str, others: int, open_ones: list[tuple[str, str]]
) -> None:
    """Two people are as if this had been said at first, and a doubt opens the conflict again."""
    await misnamed(either)
    await settle(either, **ONE)
    assert await decide(either, owner=owner) == 200
    assert (await strange(either), await people_of(either)) == (others, open_ones)
    kept = None if owner == "later" else owner
    assert await claims(either) == [("Igor Popov", kept, owner == "person")]
    (claim,) = await either.items("/conflicts/punches")
    assert claim["until"] is None


@pytest_twisted.ensureDeferred
async def test_punches_since_the_name_was_stated_again_are_the_other_persons_then(
    either: Rig,
) -> None:
    """The decision that is taken back was also about those, and is about all to come."""
    await misnamed(either)
    await settle(either, **ONE)
    await said(either, "W1", user("Igor Popov", "\tGrp=2"))
    (claim,) = await either.items("/conflicts/punches")
    assert claim["until"] is not None
    assert await decide(either, owner="other") == 200
    (claim,) = await either.items("/conflicts/punches")
    assert claim["until"] is None


@pytest_twisted.ensureDeferred
async def test_a_second_look_at_a_user_of_whom_two_people_were_decided(either: Rig) -> None:
    """The terminal states more, which opens a conflict again, and this time it is one person."""
    await misnamed(either)
    await settle(either, keep="stored", punches="other")
    await said(either, "W1", user("Igor Popov", "\tCard=77"))
    assert (await strange(either), await people_of(either)) == (1, [("W1", "Igor Popov")])
    await settle(either, **ONE)
    assert (await strange(either), await problems(either)) == (0, [])
    found = await claims(either)
    assert {owner for _, owner, _ in found} == {"person"}


@pytest_twisted.ensureDeferred
async def test_contradictory_decisions_are_refused(either: Rig) -> None:
    """Punches of one person are nobody else's, and a conflict comes before its punches."""
    await misnamed(either)
    assert await decide(either, owner="person", one_person=True) == 400
    (conflict,) = await either.items("/conflicts")
    path = f"/conflicts/{conflict['id']}"
    refused = await either.api("POST", path, {**ONE, "punches": "other"})
    assert refused.status == 400
    assert (await either.api("POST", path, {**ONE, "punches": "person"})).status == 200
    assert await decide(either, owner="other", one_person=True) == 400
    assert await claims(either) == [("Igor Popov", "person", True)]


@pytest_twisted.ensureDeferred
async def test_whoever_has_the_user_id_next_is_asked_about_anew(either: Rig) -> None:
    """The decision is about the person who left."""
    await misnamed(either)
    await settle(either, **ONE)
    await either.api("DELETE", "/users/5")
    await either.api("PUT", "/users/5", {"name": "Omar Saleh"})
    await said(either, "W1", user("Igor Popov", "\tGrp=2"))
    assert await people_of(either) == [("W1", "Igor Popov")]
