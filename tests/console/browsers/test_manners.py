"""Work of some days in the console: by mouse, by keys, on a phone, and without scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from .conftest import until
from .manners import Keyboard, Manner, Mouse, NoScript, Phone
from .plainclient import PlainClient
from .worksite import OTHER, TERMINAL, Payroll, WorkSite

pytestmark = pytest.mark.long

MANNERS = (Mouse, Keyboard, Phone, NoScript)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkSite]:
    """One site for all flows, whose people and receivers have names of their own."""
    found = WorkSite(tmp_path_factory.mktemp("work") / "data")
    found.run("devices", "approve", OTHER, "--add", "--timezone", "UTC")
    yield found
    found.end()


@pytest.fixture(params=MANNERS, ids=lambda one: one.__name__)
def hand(request: pytest.FixtureRequest, work: WorkSite) -> Manner:
    """Somebody who has signed in."""
    if request.param is NoScript:
        assert work.daemon.manage.port is not None
        return NoScript(PlainClient(work.daemon.manage.port, work.cookies))
    open_page: Callable[..., Page] = request.getfixturevalue("open_page")
    page = open_page(storage_state=work.session, **request.param.context)
    made: Manner = request.param(page, work)
    return made


def number(hand: Manner) -> int:
    """The number of a manner."""
    return MANNERS.index(type(hand))


def test_a_conflict_is_settled(work: WorkSite, hand: Manner) -> None:
    """What a terminal says otherwise is shown beside what is stored, and one side is chosen."""
    pin = f"90{number(hand)}"
    work.api("PUT", f"/users/{pin}", {"name": "Ann Ash"})
    work.upload(OTHER, "OPERLOG", f"USER PIN={pin}\tName=Bob Birch\tPri=0\n".encode())
    hand.visit("people/conflicts")
    hand.sees("Ann Ash")
    hand.sees("Bob Birch")
    hand.press("Take the terminal's values", begins=True)
    hand.sees("Take the terminal's values?")
    hand.press("Take the terminal's values")
    hand.sees("No terminal contradicts what is stored.")
    hand.visit(f"people/{pin}")
    hand.sees("Bob Birch")


def test_a_job_is_sent_and_watched(work: WorkSite, hand: Manner) -> None:
    """A command is chosen, a question is answered, and the page of the job shows its success."""
    hand.visit("jobs/new")
    hand.press("Restart the terminal", begins=True)
    hand.choose("Terminal", TERMINAL)
    hand.press("Send")
    hand.sees("Restart this terminal?")
    hand.press("Restart it")
    hand.sees("1 of 1 command has ended")
    assert not hand.offers("Send again")


def test_a_forwarder_that_was_down_sends_again(work: WorkSite, hand: Manner) -> None:
    """Its page shows the error and the backlog, then the deliveries; a day is sent again."""
    payroll, name = Payroll(), f"payroll{number(hand)}"
    url = f"http://127.0.0.1:{payroll.port}/punches"
    receiver = {"name": name, "url": url, "allow_private": True}
    made = work.api("POST", "/forwarders", receiver)
    punch = f"1\t2026-03-0{number(hand) + 1} 08:00:00\t0\t1\t0\t0\t0\t255\t\t\n"
    work.upload(OTHER, "ATTLOG", punch.encode())
    hand.visit("forwarders")
    hand.press(name)
    hand.sees("failed attempt")
    payroll.start()
    try:
        hand.press("Send a test")
        until(lambda: bool(payroll.received), "the test did not arrive")
        hand.visit("forwarders")
        hand.press(name)
        until(lambda: len(payroll.received) > 1, "no punch arrived")
        count = len(payroll.received)
        hand.fill("From", "2020-01-01")
        hand.press("Send again")
        hand.sees("Events that are sent again")
        until(lambda: len(payroll.received) > count, "nothing was sent again")
    finally:
        payroll.stop()
        work.api("DELETE", f"/forwarders/{made['id']}")


def test_an_import_with_mistakes_stores_nothing(work: WorkSite, hand: Manner) -> None:
    """Each wrong line is named with its mistake; the corrected file is imported."""
    first, second = (f"91{number(hand)}{one}" for one in (1, 2))
    head = "pin,name,privilege\n"
    hand.visit("people/import")
    hand.attach("CSV file", "p.csv", f"{head}{first},Cleo Cole,0\n{second},Dan Dow,boss\n".encode())
    hand.press("Check the file")
    hand.sees("Nothing is imported")
    hand.sees(second)
    assert not hand.offers("Import now")
    hand.press("Choose another file")
    hand.attach("CSV file", "p.csv", f"{head}{first},Cleo Cole,0\n{second},Dan Dow,14\n".encode())
    hand.press("Check the file")
    hand.press("Import now")
    hand.sees("Imported: 2 added")
    hand.visit(f"people/{second}")
    hand.sees("Dan Dow")


def test_a_person_is_added_found_and_changed(work: WorkSite, hand: Manner) -> None:
    """From the list and back to it."""
    pin = f"93{number(hand)}"
    hand.visit("people")
    hand.press("Add a person")
    hand.fill("User ID", pin)
    hand.fill("Name", f"Fay Fir {pin}")
    hand.press("Save")
    hand.visit(f"people?q={pin}")
    hand.press(f"Fay Fir {pin}")
    hand.press("Change")
    hand.fill("Name", f"Fay Forest {pin}")
    hand.press("Save")
    hand.sees(f"Fay Forest {pin}")


def test_an_enrolment_is_watched(work: WorkSite, hand: Manner) -> None:
    """A terminal is asked, and the page says when it is done."""
    pin = f"92{number(hand)}"
    work.api("PUT", f"/users/{pin}", {"name": "Eve Elm"})
    hand.visit(f"people/{pin}/enrol")
    hand.choose("Terminal", TERMINAL)
    hand.choose("What", "Right thumb")
    hand.press("Start")
    hand.sees("Enrolled")
