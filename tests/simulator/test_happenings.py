"""Terminals that have everything: what happens at them, and that the daemon takes it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.task import Clock

from zkpush.handlers.entries.tables import ADPIC, BLACKLIST, USER_SMS, WALLPAPER, WHITELIST
from zkpush.handlers.people.tables import USER
from zkpush.protocol.envelope import can_encrypt
from zkpush.simulator.fleet import PACKETS
from zkpush.simulator.happening import Happening, happenings_of_nouns
from zkpush.simulator.happenings import Happenings
from zkpush.simulator.model import MODELS, Model
from zkpush.simulator.record import Record, RecordForm

from ..declared import RECORD_TABLES
from ..rig import Rig, TurnedReactor
from .network import Network
from .script import OPTIONS, Script
from .test_fleet import Started

ONLY_FROM_SERVERS = {table.name for table in (ADPIC, USER_SMS, WALLPAPER, WHITELIST, BLACKLIST)}
"""What terminals never make themselves."""
EVERY_KIND = {table.name for table in RECORD_TABLES} - ONLY_FROM_SERVERS
OF_PEOPLE_AND_LOGS = {
    *("ATTPHOTO", "BIODATA", "BIOPHOTO", "ERRORLOG", "FACE", "FP", "FVEIN", "IDCARD", "OPLOG"),
    *("SMS", "USER", "USERPIC", "WORKCODE", PACKETS),
}
"""What depends on the model; a later noun may send more."""
EVERYTHING = {"devices": 4, "users": 4, "models": tuple(MODELS), "everything": True}
HYBRID = b"MultiBioDataSupport=0:1:1:1:1:1:1:1:1:1\nMultiBioPhotoSupport=0:1:1:1:1:1:1:1:1:1\n"


@pytest.mark.parametrize("encrypt", [False, True], ids=["plain", "encrypted"])
@pytest_twisted.ensureDeferred
async def test_every_kind_is_sent_and_understood(rig: Rig, encrypt: bool) -> None:
    """Four terminals, one of each model, send each kind of record; the daemon rejects none.

    The sessions of those that can encrypt are encrypted, where they are told to.
    """
    plan = {**EVERYTHING, "encrypt": encrypt}
    started = Started(rig.terminals, rig.clock, **plan, rate=10.0, punches=40)
    result = await started.end()
    assert (result.failures, result.waiting) == (0, 0)
    assert result.punches == result.acknowledged == 44  # one of each terminal to begin with
    assert EVERY_KIND | {PACKETS} == set(result.others) | {"ATTLOG"}
    assert await rig.items("/rejects") == []
    assert await rig.items("/conflicts") == []  # a user ID is one person at all of them
    devices = await rig.items("/devices")
    assert [device["device_type"] for device in devices] == ["att", "pid", "att", None]
    for device, name in zip(devices, MODELS, strict=True):
        can = encrypt and can_encrypt(str(MODELS[name].version))
        assert device["session"] == ("encrypted" if can else "plain")


@pytest_twisted.ensureDeferred
async def test_a_terminal_says_how_much_it_holds(rig: Rig) -> None:
    """The update information (9) and the options (8) are true to what was enrolled and deleted."""
    plan = {**EVERYTHING, "devices": 1}
    started = Started(rig.terminals, rig.clock, **plan, rate=10.0, punches=60)
    await started.end()
    (terminal,) = started.fleet.terminals
    await terminal.poll()
    (device,) = await rig.items("/devices")
    operations = await rig.items("/operations?limit=1000")
    deleted = {item["values"]["User ID"] for item in operations if item["code"] == 9}
    people = {
        item["pin"]: await rig.items(f"/users/{item['pin']}/templates")
        for item in await rig.items("/users")
        if item["pin"] not in deleted
    }
    types = Counter(template["type"] for held in people.values() for template in held)
    counts = device["counts"]
    assert (counts["users"], counts["attendance"]) == (len(people), 61)
    assert (counts["fingerprints"], counts["faces"]) == (types[1], types[2] + types[9])
    assert device["options"]["UserCount"] == str(len(people))
    expected = ":".join(str(types[place]) for place in range(10))
    assert device["options"]["MultiBioDataCount"] == expected
    assert device["options"]["MultiBioPhotoCount"] == f"{'0:' * 9}{len(people)}"


def test_a_guest_gets_a_user_id_that_nobody_has_there(rig: Rig) -> None:
    """Users whom the server has sent stay; a guest whom it has deleted is changed no more."""
    terminal = rig.terminal("G1", users=2)
    happenings = Happenings(terminal, terminal.people, random.Random(1))

    def sent(**values: object) -> None:
        user = RecordForm(USER, values)
        terminal.keep(Record(user, USER.transfer[:1], sent=True, given=True))

    def users() -> dict[str, Mapping[str, object]]:
        return {str(one.own.values["pin"]): one.own.values for one in terminal.outbox.held(USER)}

    for pin in "34":
        sent(pin=pin, name="Sent")
    happenings.enroll_guest()
    assert {pin: user["name"] for pin, user in users().items() if pin in "34"} == {
        "3": "Sent",
        "4": "Sent",
    }
    assert users().keys() == {"3", "4", "5"}
    sent(**{**users()["5"], "card": 77})
    happenings.rename_guest()
    assert (users()["5"]["card"], users().keys()) == (77, {"3", "4", "5"})
    terminal.outbox.forget("5")
    happenings.rename_guest()
    assert users().keys() == {"3", "4", "6"}
    happenings.delete_guest()
    assert users().keys() == {"3", "4"}


@pytest_twisted.ensureDeferred
async def test_users_keep_their_names_in_every_encoding(rig: Rig) -> None:
    """A name that was sent in GB2312 by a terminal set to Chinese is the one that is stored."""
    plan = {**EVERYTHING, "devices": 1, "users": 12, "models": ("pid",)}
    started = Started(rig.terminals, rig.clock, **plan, rate=1.0, punches=1)
    await started.end()
    await rig.emptied()
    people = started.fleet.people
    stored = {item["pin"]: item for item in await rig.items("/users")}
    persons = [people.person(str(number)) for number in range(1, plan["users"] + 1)]
    for person in persons:
        item = stored[person.pin]
        assert (item["name"], item["card"]) == (person.name, str(person.card))
    assert any(person.name == person.chinese_name for person in persons)


@pytest_twisted.ensureDeferred
async def test_each_model_begins_with_all_it_has() -> None:
    """One terminal sends each kind that its model has as soon as it is connected."""
    kinds = {}
    for name in MODELS:
        script = Script(exchange=OPTIONS + b"PushProtVer=2.4.1\n")
        plan = {**EVERYTHING, "devices": 1, "models": (name,)}
        result = await Started(script.site, TurnedReactor(), **plan, rate=1.0, punches=1).end()
        kinds[name] = set(result.others) & OF_PEOPLE_AND_LOGS
    common = {"ATTPHOTO", "FP", "OPLOG", "USER", "USERPIC", "WORKCODE"}
    modern = common | {"BIODATA", "BIOPHOTO", "ERRORLOG", "SMS"}
    assert kinds == {
        "att": modern | {"FACE", "FVEIN", PACKETS},
        "pid": modern | {"IDCARD"},
        "classic": common | {"FACE", "FVEIN", "SMS"},
        "old": common,
    }


@pytest_twisted.ensureDeferred
async def test_a_hybrid_server_gets_no_template_in_its_own_form() -> None:
    """After the negotiation, a terminal with every type sends BIODATA, and no FP, FACE or FVEIN."""
    script = Script(exchange=OPTIONS + b"PushProtVer=2.4.1\n" + HYBRID)
    plan = {**EVERYTHING, "devices": 1, "models": ("att",)}
    result = await Started(script.site, TurnedReactor(), **plan, rate=1.0, punches=1).end()
    assert {"FP", "FACE", "FVEIN"}.isdisjoint(result.others)
    assert result.others["BIODATA"] >= 6  # user 1 has five types, and a finger for duress


@pytest_twisted.ensureDeferred
async def test_people_come_and_go(rig: Rig) -> None:
    """Beside the punches, people are enrolled, renamed, photographed and deleted."""
    plan = {**EVERYTHING, "devices": 1, "models": ("att",)}
    started = Started(rig.terminals, rig.clock, **plan, rate=10.0, punches=200)
    result = await started.end()
    operations = Counter(item["code"] for item in await rig.items("/operations?limit=1000"))
    for code in (0, 3, 4, 6, 9, 30, 68, 69, 70, 101):
        assert operations[code] >= 1, code
    assert operations[30] > 4 + 1
    assert 20 <= result.others["ATTPHOTO"] <= 60
    (terminal,) = started.fleet.terminals
    guests = operations[30] - 4
    assert terminal.holds == 4 + guests - operations[9]


@pytest_twisted.ensureDeferred
async def test_identity_cards_are_of_users_and_of_others(rig: Rig) -> None:
    """A terminal that reads identity cards tells of them; a card of no user has user ID 0."""
    plan = {**EVERYTHING, "devices": 1, "users": 12, "models": ("pid",)}
    result = await Started(rig.terminals, rig.clock, **plan, rate=10.0, punches=100).end()
    cards = await rig.items("/idcards?limit=1000")
    assert {"0", "1", "2"} <= {card["pin"] for card in cards}
    assert 0 < len(cards) <= result.others["IDCARD"]
    punches = await rig.items("/attendance?limit=1000&record_type=all")
    assert {punch["record_type"] for punch in punches} == {0, 1}
    assert {len(punch["id_number"]) for punch in punches} == {18}
    photos = await rig.items("/photos?limit=1000")
    assert {photo["kind"] for photo in photos} <= {0, 2, 3, 4}
    assert {photo["id_number"] for photo in photos} <= {punch["id_number"] for punch in punches}


@pytest_twisted.ensureDeferred
async def test_a_seed_makes_the_same_happenings_again() -> None:
    """With the same seed, terminals send the same bytes."""
    bodies = []
    for _ in range(2):
        script = Script(exchange=OPTIONS + b"PushProtVer=2.4.1\n")
        plan = {**EVERYTHING, "devices": 1, "seed": 3}
        await Started(script.site, TurnedReactor(), **plan, rate=10.0, punches=20).end()
        bodies.append([body for name, body in script.asked if name == "upload"])
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_what_a_noun_lets_happen_adds_records(model: Model) -> None:
    """Each happening of a noun that a model can have adds a record to the terminal."""
    assert happenings_of_nouns()
    for one in happenings_of_nouns():
        terminal = Network(Script().site).terminal(Clock(), model=model)
        if one.is_possible(model):
            one.happen(terminal, random.Random(1))
            assert terminal.waiting > 0


@pytest_twisted.ensureDeferred
async def test_a_noun_needs_no_more_than_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the `simulate` part of a noun lists happens to a terminal, once or again and again."""
    happened: Counter[str] = Counter()

    def happening(name: str, **more: Any) -> Happening:
        return Happening(lambda terminal, chance: happened.update([name]), **more)

    listed = [
        happening("often"),
        happening("once", is_once=True),
        happening("never", is_possible=lambda model: model.old),
    ]
    part = ModuleType("simulate")
    part.HAPPENINGS = listed  # type: ignore[attr-defined]
    monkeypatch.setattr("zkpush.simulator.happening.parts", lambda name: [part])
    happenings_of_nouns.cache_clear()
    try:
        plan = {**EVERYTHING, "devices": 1, "models": ("att",)}
        await Started(Script().site, TurnedReactor(), **plan, rate=10.0, punches=200).end()
    finally:
        happenings_of_nouns.cache_clear()
    assert happened["once"] == 1
    assert happened["often"] > 1
    assert happened["never"] == 0
