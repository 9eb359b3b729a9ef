"""What of a person fits on a terminal, and what belongs there: tables of cases."""

from __future__ import annotations

import hashlib

import pytest

from zkpush.handlers.areas.desired import DistributionTarget, compare
from zkpush.handlers.areas.fits import Abilities, fitting_parts, misfit_of_pin
from zkpush.handlers.areas.model import DELETED, PartState, PlacedPart
from zkpush.handlers.areas.room import FULL, TerminalRoom
from zkpush.handlers.people.model import PartRecord, PersonField, PersonOverview
from zkpush.protocol.facts import takes_letters_of
from zkpush.protocol.hybrid import BiometricSupport, Hybrid

FINGER, FACE, VISIBLE = 1, 2, 9
NOW = 1_000


def abilities(*types: BiometricSupport, hybrid: bool = True, **functions: bool) -> Abilities:
    """What a terminal has reported."""
    return Abilities(Hybrid(hybrid, types), functions, 5, {})


def template(type_: int, major: int, form: str = "BIODATA", number: int = 0) -> PartRecord:
    """A stored template."""
    return PartRecord(key=("7", type_, number, 0, major, 0), content=b"t", form=form)


def photo(kind: str = "BIOPHOTO", type_: int = VISIBLE) -> PartRecord:
    """A stored photo."""
    return PartRecord(key=("7", type_, 0, 0, kind), content=b"p", form=kind)


def support(type_: int, major: int | None = None, *, photos: bool = False) -> BiometricSupport:
    """Unified templates of a type."""
    return BiometricSupport(type=type_, templates=True, photos=photos, major_version=major)


UNIFIED = abilities(support(FINGER, 10), support(VISIBLE, 58, photos=True))
OLDER = abilities(BiometricSupport(type=FINGER, major_version=10), hybrid=False)
CASES = [
    (UNIFIED, [template(FINGER, 10)], [], ["BIODATA"]),
    (UNIFIED, [template(FINGER, 10, "FP")], [], ["BIODATA"]),
    (OLDER, [template(FINGER, 10)], [], ["FP"]),
    (OLDER, [template(FINGER, 0, "FP")], [], ["FP"]),
    (UNIFIED, [template(FINGER, 12)], [], ["version 12, the terminal needs version 10"]),
    (UNIFIED, [template(FINGER, 12), template(FINGER, 10)], [], ["BIODATA"]),
    (UNIFIED, [template(VISIBLE, 58)], [photo()], ["BIODATA"]),
    (UNIFIED, [template(VISIBLE, 39)], [photo()], ["BIOPHOTO"]),
    (UNIFIED, [], [photo()], ["BIOPHOTO"]),
    (OLDER, [template(VISIBLE, 58)], [], ["does not take templates in the unified format"]),
    (abilities(face=False), [template(FACE, 7, "FACE")], [], ["has no"]),
    (abilities(comparison_photo=False), [], [photo()], ["does not take comparison photos"]),
    (abilities(user_photo=False), [], [photo("USERPIC", 0)], ["does not show photos"]),
    (abilities(), [], [photo("USERPIC", 0)], ["USERPIC"]),
]


@pytest.mark.parametrize(("terminal", "templates", "photos", "expected"), CASES)
def test_each_part_goes_where_it_fits(terminal, templates, photos, expected) -> None:
    """In the form that the terminal takes, or with the reason in words; never face and photo."""
    parts = fitting_parts(terminal, templates, photos)
    assert len(parts) == len(expected)
    for part, words in zip(parts, expected, strict=True):
        if part.misfit is None:
            assert part.form == words
            assert part.post_back == (words == "BIOPHOTO")
        else:
            assert words in part.misfit


@pytest.mark.parametrize(("pin", "fits"), [("12345", True), ("123456", False)])
def test_a_user_id_has_to_fit(pin: str, fits: bool) -> None:
    """By the width that the terminal has reported."""
    assert (misfit_of_pin(UNIFIED, pin) is None) == fits


@pytest.mark.parametrize(
    ("option", "pin", "fits"),
    [
        ("~IsABCPinEnable=0", "a7", False),
        ("~IsABCPinEnable=0", "7", True),
        ("HasSupportABCPin=0", "7-1", False),
        ("~IsABCPinEnable=1", "a7", True),
        ("DeviceName=X", "a7", True),
    ],
)
def test_letters_go_where_the_terminal_takes_them(option: str, pin: str, fits: bool) -> None:
    """A terminal that does not state it gets them, and may refuse."""
    name, _, value = option.partition("=")
    letters = takes_letters_of({name: value})
    words = misfit_of_pin(Abilities(Hybrid(False, ()), {}, None, {}, letters), pin)
    assert (words is None) == fits
    assert words is None or "digits only" in words


def test_a_full_terminal_takes_no_more() -> None:
    """By what it counts, and by what is on its way; without a capacity, all is sent."""
    room = TerminalRoom({"users": 4, "fingerprints": 1}, {"users": 2}, ["user", "template 9 0 0"])
    assert room.take("user") is None
    assert room.take("user") == f"{FULL}4 users."
    assert room.take("template 1 0 0") is None
    assert "1 fingerprint" in str(room.take("template 1 1 0"))
    assert room.take("template 9 1 0") is None
    assert room.take("photo") is None


def index(content: bytes) -> bytes:
    """Stand in for the keyed hash."""
    return hashlib.sha256(content).digest()


def overview(name: str | None = "Ann", *, area: str = "North", **more) -> PersonOverview:
    """A person with a name only; None for a removed one."""
    fields = {
        "name": PersonField(name, by_operator=True, is_default=False),
        "privilege": PersonField(14, by_operator=False, is_default=False),
    }
    areas = frozenset({area}) if name else frozenset()
    return PersonOverview(fields=fields if name else None, areas=areas, **more)


def target(*, distributes: bool = True) -> DistributionTarget:
    """Terminal 1 in the area North."""
    return DistributionTarget(1, "North", distributes, UNIFIED)


def state(person: PersonOverview, *stored: PlacedPart, distributes: bool = True, again=False):
    """State and digest of the only part after a comparison; None if there is none."""
    by_name = {part.part: part for part in stored}
    changed, removed = compare(
        "7", person, target(distributes=distributes), by_name, index, NOW, again=again
    )
    left = {**by_name, **{part.part: part for part in changed}}
    for part in removed:
        del left[part.part]
    assert len(left) <= 1
    return next(iter(left.values()), None)


HERE = frozenset({1})
AGREES = {"holders": HERE, "words": {1: {"name": "Ann", "privilege": 14}}}
DIFFERS = {"holders": HERE, "words": {1: {"name": "Eve"}}}


def told(**more) -> PlacedPart:
    """The part of a person whom the terminal was told."""
    waiting = state(overview())
    assert waiting is not None
    values = {"told": waiting.wanted, "state": PartState.THERE, **more}
    return PlacedPart(
        **{name: getattr(waiting, name) for name in waiting.__struct_fields__} | values
    )


@pytest.mark.parametrize(
    ("person", "stored", "expected"),
    [
        (overview(), [], "waiting"),
        (overview(**AGREES), [], "there"),
        (overview(**DIFFERS), [], "waiting"),
        (overview(**DIFFERS, contradicting=HERE), [], "conflict"),
        (overview(**AGREES), [told()], "there"),
        (overview(**DIFFERS), [told()], "waiting"),
        (overview(**DIFFERS), [told(tries=3)], "unknown"),
        (overview("Bob", holders=HERE), [told()], "waiting"),
        (overview(), [told(state=PartState.SENT, told=None, command="c")], "waiting"),
        (overview(area="South"), [], None),
        (overview(area="South", **AGREES), [], "waiting"),
        (overview(area="South"), [told()], "waiting"),
        (overview(None), [], None),
        (overview(None, holders=HERE), [], "waiting"),
    ],
)
def test_what_belongs_on_a_terminal_follows_from_facts(person, stored, expected) -> None:
    """From what is stored, stated and told, and from nothing else; twice is once."""
    after = state(person, *stored)
    assert (None if after is None else after.state.value) == expected
    if after is not None:
        again = state(person, after)
        assert again is not None
        assert (again.state, again.wanted) == (after.state, after.wanted)


def test_a_command_on_its_way_is_not_queued_again() -> None:
    """As long as it holds what belongs there."""
    waiting = state(overview())
    assert waiting is not None
    sent = told(told=None, state=PartState.SENT, command="c", sent=waiting.wanted)
    assert state(overview(), sent) == sent


def test_a_deletion_outlives_what_led_to_it() -> None:
    """It is wanted until the terminal has answered, and guarded only for people who are known."""
    sent = told(told=None, state=PartState.SENT, command="c", sent=b"s")
    deletion = state(overview(area="South"), sent)
    assert deletion is not None
    assert (deletion.wanted, deletion.command, deletion.is_guarded) == (None, "c", True)
    after = state(overview(None), deletion)
    assert after is not None
    assert (after.wanted, after.state, after.is_guarded) == (None, PartState.WAITING, False)
    assert DELETED == b""


@pytest.mark.parametrize("area", ["North", "South"])
def test_the_deletion_of_a_stranger_needs_no_confirmation(area: str) -> None:
    """An operator has decided already; whoever is of the area is sent there again."""
    deletion = state(overview(area=area, holders=HERE, strangers=HERE))
    assert deletion is not None
    assert (deletion.wanted, deletion.state) == (None, PartState.WAITING)
    assert not deletion.is_guarded


def test_an_area_that_does_not_distribute_deletes_only_whom_it_was_sent() -> None:
    """And only after they were removed from the server."""
    assert state(overview(area="South", **AGREES), distributes=False) is None
    assert state(overview(None, holders=HERE), distributes=False) is None
    kept = state(overview(area="South"), told(), distributes=False)
    assert kept is not None
    assert kept.state is PartState.THERE
    gone = state(overview(None), told(), distributes=False)
    assert gone is not None
    assert gone.wanted is None
