"""One slip deletes no company: commands that delete many people need a confirmation."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from zkpush.handlers.people.limits import Deletion, deletion_of, is_many

from ..rig import Rig

PATHS = ("/devices/A1/commands", "/commands")


def deletion(*pins: int) -> dict[str, Any]:
    """A request for a job that deletes people on two terminals."""
    commands = [{"command": "DATA DELETE USERINFO", "params": {"PIN": str(pin)}} for pin in pins]
    return {"commands": commands, "devices": ["A1", "A2"]}


def clearing(path: str, command: str) -> dict[str, Any]:
    """A request that empties the terminal A1, on one of two paths."""
    return {"command": command} | ({"devices": ["A1"]} if path == "/commands" else {})


async def fleet(rig: Rig, first: int, second: int = 0) -> None:
    """Two approved terminals with numbers of people that have been uploaded."""
    for sn, number in (("A1", first), ("A2", second)):
        await rig.exchange(sn)
        await rig.api("PATCH", f"/devices/{sn}", {"state": "approved"})
        lines = "\n".join(f"USER PIN={pin}\tName=Ann" for pin in range(1, number + 1))
        if lines:
            await rig.post(f"cdata?SN={sn}&table=OPERLOG&Stamp=1", lines.encode())
    await rig.emptied()


async def queued(rig: Rig) -> int:
    """The number of commands for the terminal A1."""
    return len(await rig.items("/devices/A1/commands"))


@pytest.mark.parametrize(
    ("count", "of", "expected"),
    [
        (1, 1, False),
        (2, 2, False),
        (3, 60, False),
        (3, 59, True),
        (20, 400, False),
        (21, 999, True),
    ],
)
def test_the_limit_is_a_share_with_two_bounds(count: int, of: int, expected: bool) -> None:
    """More than 20 people, or 5 % and at least three."""
    assert is_many(count, of) is expected


NOBODY, EVERYBODY = Deletion(), Deletion(everybody=True)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("CLEAR DATA", EVERYBODY),
        ("clear  data ", EVERYBODY),
        ("CLEAR\tALL USERINFO", EVERYBODY),
        ("CLEAR USERS", EVERYBODY),
        ("CLEAR LOG", NOBODY),
        ("CLEAR BIODATA", NOBODY),
        ("DATA DELETE USERINFO PIN=5", Deletion(frozenset({"5"}))),
        ("DATA DELETE USERINFO pin=5\tPIN=6", Deletion(frozenset({"5", "6"}))),
        ("DATA DEL_USER PIN=5", Deletion(frozenset({"5"}))),
        ("DATA DELETE USERINFO", EVERYBODY),
        ("DATA DELETE user Pin=*", Deletion(frozenset({"*"}), everybody=True)),
        ("DATA DELETE FINGERTMP PIN=5\tFID=1", NOBODY),
        ("DATA UPDATE USERINFO PIN=5\tName=CLEAR DATA", NOBODY),
        ("REBOOT", NOBODY),
    ],
)
def test_a_raw_line_counts_by_its_words(line: str, expected: Deletion) -> None:
    """Whatever their case and spaces."""
    assert deletion_of("RAW", {"line": line}) == expected


def test_a_command_of_the_site_counts_by_its_words() -> None:
    """A CLEAR that nobody else knows may delete everybody."""
    assert deletion_of("Clear Users", {"Group": "2"}) == EVERYBODY
    assert deletion_of("DATA DEL_USER", {"Pin": "5"}) == Deletion(frozenset({"5"}))
    assert deletion_of("SHOW CLEAR", {}) == NOBODY


@pytest.mark.parametrize("path", PATHS)
@pytest_twisted.ensureDeferred
async def test_a_raw_line_that_empties_a_terminal_needs_a_confirmation(rig: Rig, path: str) -> None:
    """As the command of the catalogue does."""
    await fleet(rig, 3)
    body = clearing(path, "RAW") | {"params": {"line": "CLEAR DATA"}}
    refused = await rig.api("POST", path, body)
    assert (refused.status, await queued(rig)) == (409, 0)
    assert "would delete 3 people" in refused.json["detail"]
    assert (await rig.api("POST", f"{path}?confirm=3", body)).status == 202


@pytest.mark.parametrize(
    ("path", "command"),
    [*((path, "CLEAR DATA") for path in PATHS), ("/commands", "CLEAR ALL USERINFO")],
)
@pytest_twisted.ensureDeferred
async def test_a_terminal_with_people_is_emptied_on_confirmation(
    rig: Rig, path: str, command: str
) -> None:
    """Nothing is queued without the number of its people, or with another."""
    await fleet(rig, 3)
    body = clearing(path, command)
    for wrong in ("", "?confirm=2"):
        refused = await rig.api("POST", path + wrong, body)
        assert refused.status == 409
        assert "would delete 3 people" in refused.json["detail"]
        assert "confirm=3" in refused.json["detail"]
    assert await queued(rig) == 0
    assert (await rig.api("POST", f"{path}?confirm=3", body)).status == 202


@pytest.mark.parametrize("path", PATHS)
@pytest_twisted.ensureDeferred
async def test_a_terminal_with_two_people_is_emptied_at_once(rig: Rig, path: str) -> None:
    """They are too few for a confirmation."""
    await fleet(rig, 2)
    assert (await rig.api("POST", path, clearing(path, "CLEAR DATA"))).status == 202


@pytest_twisted.ensureDeferred
async def test_a_job_that_deletes_many_people_names_their_number(rig: Rig) -> None:
    """A user ID that is named twice counts once, and each terminal by itself."""
    await fleet(rig, 70, 50)
    few = await rig.api("POST", "/commands", deletion(1, 2, 2))
    assert few.status == 202
    refused = await rig.api("POST", "/commands", deletion(1, 2, 3, 3))
    assert refused.status == 409
    assert "would delete 6 people on 2 terminals" in refused.json["detail"]
    assert (await rig.api("POST", "/commands?confirm=6", deletion(1, 2, 3, 3))).status == 202
    alone = deletion(1, 2, 3) | {"devices": ["A1"]}
    assert (await rig.api("POST", "/commands", alone)).status == 202


@pytest_twisted.ensureDeferred
async def test_emptying_counts_the_people_of_all_terminals(rig: Rig, monkeypatch: Any) -> None:
    """Few people on each of many terminals are many."""
    monkeypatch.setattr("zkpush.handlers.people.deletions.FEW", 3)
    await fleet(rig, 2, 2)
    body = {"command": "CLEAR DATA", "all": True}
    refused = await rig.api("POST", "/commands", body)
    assert refused.status == 409
    assert (await rig.api("POST", "/commands?confirm=4", body)).status == 202


@pytest.mark.parametrize("path", PATHS)
@pytest_twisted.ensureDeferred
async def test_a_repeated_request_needs_no_other_number(rig: Rig, path: str) -> None:
    """The same Idempotency-Key returns what is queued, however many people there are now."""
    await fleet(rig, 3)
    headers = ("Authorization: Bearer rig-token", "Idempotency-Key: k1")
    body = clearing(path, "CLEAR DATA")
    first = await rig.api("POST", f"{path}?confirm=3", body, headers=headers)
    await rig.post("cdata?SN=A1&table=OPERLOG&Stamp=2", b"USER PIN=4\tName=Bob")
    again = await rig.api("POST", f"{path}?confirm=3", body, headers=headers)
    assert (first.status, again.status) == (202, 202)
    assert first.json["id"] == again.json["id"]
