"""The question before an area begins to distribute: it names the people whom it concerns."""

from __future__ import annotations

import pytest_twisted

from zkpush.handlers.people.tables import USER
from zkpush.simulator.record import Record, RecordForm

from ..rig import Rig
from ..server.test_distribution import distribute, enrol, joined, person, wired
from ..server.test_jobs_of_areas import limited
from .browser import signed_in, text_of

PAGE = "/areas/North"


async def stated(rig: Rig) -> None:
    """A terminal with an administrator and a user whom nobody here knows, and one of South."""
    terminal = await joined(rig, "A1")
    await rig.api("PATCH", "/devices/A1", {"alias": "Side door"})
    await enrol(terminal, "2", "Bo", finger=None)
    for pin in ("5", "9"):
        await enrol(terminal, pin, "Cy", finger=None)
    values = {**terminal.people.person("1").user(card_bytes=terminal.model.old).values}
    terminal.keep(Record(RecordForm(USER, {**values, "privilege": 14}), USER.transfer[-1:]))
    await terminal.upload()
    await rig.api("PUT", "/users/9", {"areas": ["South"]})
    await rig.api("PUT", "/users/5", {"areas": ["North", "East"]})
    await person(rig, "901", name="Ann")


@pytest_twisted.ensureDeferred
async def test_the_question_names_people_whom_only_terminals_stated_and_who_is_deleted(
    rig: Rig,
) -> None:
    """Those with rights first; whom somebody here has put into the area is not among them."""
    await stated(rig)
    browser = await signed_in(rig)
    asked = await browser.send(PAGE, f"{PAGE}/distribute", {"deletions": "1"})
    said = text_of(asked)
    assert "2 people of the area were stated by terminals only" in said
    assert "1 person has rights that only a terminal has given." in said
    assert "whom a terminal of this area states later" in said
    body = asked.body.decode()
    spread, deleted = body.split("People, rights and passwords that only terminals")[1].split(
        "People who are deleted"
    )
    assert spread.index("/people/1") < spread.index("/people/2")
    assert "Super administrator" in spread
    assert "/people/901" not in spread + deleted
    assert "/people/5" not in spread + deleted
    assert "/people/9" in deleted
    assert "/terminals/A1/people" in deleted
    await rig.api("PUT", "/users/2", {"name": "Bo"})
    asked = await browser.send(PAGE, f"{PAGE}/distribute", {"deletions": "1"})
    assert "1 person of the area was stated by a terminal only" in text_of(asked)


@pytest_twisted.ensureDeferred
async def test_the_api_says_the_same_before_and_in_its_confirmation(either: Rig) -> None:
    """With the names; an area that distributes has nothing to say any more."""
    rig = either
    await stated(rig)
    shown = (await rig.api("GET", f"{PAGE}/distribution")).json
    assert (shown["unconfirmed"], shown["privileged"], shown["deletions"]) == (2, 1, 1)
    assert [(one["pin"], one["privilege"], one["deleted_from"]) for one in shown["named"]] == [
        ("1", 14, None),
        ("2", 0, None),
        ("9", None, "A1"),
    ]
    refused = await rig.api("PUT", PAGE, {"distributes": True})
    assert refused.status == 409
    assert "2 people of the area were stated by terminals only" in refused.raw.decode()
    await distribute(rig, "North", 1)
    shown = (await rig.api("GET", f"{PAGE}/distribution")).json
    assert (shown["unconfirmed"], shown["named"]) == (0, [])


@pytest_twisted.ensureDeferred
async def test_passwords_that_terminals_stated_are_asked_about(either: Rig) -> None:
    """They come to all terminals of the area with the people, and rights do not."""
    rig = either
    await wired(rig)
    upload = "cdata?SN=A1&table=OPERLOG&Stamp=1"
    await rig.post(upload, b"USER PIN=1\tName=Al\tPri=14\nUSER PIN=2\tName=Bo")
    await person(rig, "3", name="Ann", password="1234")
    shown = (await rig.api("GET", f"{PAGE}/distribution")).json
    assert shown["with_passwords"] == 0
    await rig.post(upload, b"USER PIN=2\tName=Bo\tPasswd=4711")
    shown = (await rig.api("GET", f"{PAGE}/distribution")).json
    assert shown["with_passwords"] == 1
    assert [one["pin"] for one in shown["named"] if one["has_password"]] == ["2"]
    refused = await rig.api("PUT", f"{PAGE}?confirm=7", {"distributes": True})
    assert "1 person has a password that only a terminal has stated" in refused.raw.decode()
    assert "4711" not in refused.raw.decode()
    browser = await signed_in(rig)
    asked = text_of(await browser.send(PAGE, f"{PAGE}/distribute", {"deletions": "0"}))
    assert "1 person has a password that only a terminal has stated" in asked
    assert "has a password" in asked.split("People, rights and passwords that only")[1]


@pytest_twisted.ensureDeferred
async def test_passwords_and_rights_have_authors_of_their_own(either: Rig) -> None:
    """A name from an operator hides neither of them; what an operator has set does not count."""
    rig = either
    await wired(rig)
    lines = "\n".join(
        f"USER PIN={pin}\tName=Al{more}"
        for pin, more in (
            ("1", "\tPasswd=4711"),
            ("2", "\tPri=14"),
            ("3", "\tPasswd=4712\tPri=14"),
            ("4", "\tPasswd=4713\tPri=14"),
            ("5", ""),
        )
    )
    await rig.post("cdata?SN=A1&table=OPERLOG&Stamp=1", lines.encode())
    await person(rig, "6", name="Ann", password="1234", privilege=14)
    await rig.post("cdata?SN=A1&table=OPERLOG&Stamp=1", b"USER PIN=6\tName=Ann\tPasswd=1234")
    for pin in "1235":
        await rig.api("PUT", f"/users/{pin}", {"name": f"Al {pin}"})
    await rig.api("PUT", "/users/3", {"password": "4714"})
    await rig.api("PUT", "/users/4", {"privilege": 14, "password": "4713"})
    shown = (await rig.api("GET", f"{PAGE}/distribution")).json
    kinds = "unconfirmed", "privileged", "with_passwords", "of_terminals"
    assert [shown[kind] for kind in kinds] == [0, 2, 1, 3]
    assert [(one["pin"], one["privilege"], one["has_password"]) for one in shown["named"]] == [
        ("2", 14, False),
        ("3", 14, False),
        ("1", None, True),
    ]


@pytest_twisted.ensureDeferred
async def test_the_reply_to_the_switch_says_what_it_meant(rig: Rig) -> None:
    """As the question before did; other changes of the area, and the switch again, mean nothing."""
    await stated(rig)
    before = (await rig.api("GET", f"{PAGE}/distribution")).json
    described = (await rig.api("PUT", PAGE, {"description": "Hall"})).json
    assert described["consequences"] is None
    switched = (await rig.api("PUT", f"{PAGE}?confirm=1", {"distributes": True})).json
    assert switched["distributes"]
    assert switched["consequences"] == before
    again = (await rig.api("PUT", PAGE, {"distributes": True})).json
    assert again["consequences"] is None


@pytest_twisted.ensureDeferred
async def test_the_question_names_nobody_of_areas_that_an_account_does_not_see(either: Rig) -> None:
    """They are counted."""
    rig = either
    await stated(rig)
    headers = await limited(rig, "North")
    got = await rig.api("GET", f"{PAGE}/distribution", headers=headers)
    assert got.status == 200, got.raw
    shown = got.json
    assert shown["deletions"] == 1
    assert "9" not in [one["pin"] for one in shown["named"]]


@pytest_twisted.ensureDeferred
async def test_people_who_are_not_fetched_are_counted_in_the_question_and_on_the_page(
    rig: Rig,
) -> None:
    """The page of the area does not say that all is well meanwhile."""
    await wired(rig)
    await rig.post("cdata?SN=A1&table=OPERLOG&Stamp=1", b"USER PIN=2\tName=Bo")
    browser = await signed_in(rig)
    before = text_of(await browser.get(PAGE))
    assert "No terminal counts other numbers" in before
    await rig.get("getrequest?SN=A1&INFO=Ver,14,0,0,10.0.0.5,10,7,12,0,00")
    shown = text_of(await browser.get(PAGE))
    assert "No terminal counts other numbers" not in shown
    assert "14 users (1 are recorded)" in shown
    assert "People who would be deleted from terminals not known yet" in shown
    assert "The terminals count 13 more people than are known here." in shown
    asked = text_of(await browser.send(PAGE, f"{PAGE}/distribute", {"deletions": "0"}))
    assert "The terminals count 13 more people than are fetched" in asked
    assert "People who are not fetched 13 more people are not named here. Fetch them first" in asked


@pytest_twisted.ensureDeferred
async def test_who_comes_later_is_said_where_nobody_has_come(rig: Rig) -> None:
    """The sentence stands alone: there may be none before it, or one about passwords."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"area": "North"})
    await rig.post("cdata?SN=T1&table=OPERLOG&Stamp=1", b"USER PIN=7\tName=Ann Ash\tPri=0\n")
    await rig.api("PUT", "/users/7", {"areas": ["South"]})
    asked = await rig.api("PUT", "/areas/North", {"distributes": True})
    assert asked.status == 409
    assert asked.json["detail"].startswith("Everybody whom a terminal of this area states later")
