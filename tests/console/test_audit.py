"""The page of the audit log."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_twisted

import zkpush
from zkpush.device.refusals import Refusal
from zkpush.handlers.accounts.api import AccountChange
from zkpush.handlers.audit.changes import LABELS, detail_phrase
from zkpush.manage.console.languages import LANGUAGES
from zkpush.model import DEVICE_ATTRIBUTES
from zkpush.persist.audit import AuditStore
from zkpush.persist.transaction import Transaction
from zkpush.values.personwords import PERSON_LABELS

from ..rig import Rig
from .browser import document, signed_in, text_of
from .walk import english_left


def written_names(source: str) -> Iterator[str]:
    """The names before values, `name=`, in the texts that a module makes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            for part in node.values:
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield from re.findall(r"(\w+)=$", part.value)


@pytest.mark.parametrize("language", [one.code for one in LANGUAGES])
@pytest_twisted.ensureDeferred
async def test_each_filter_has_a_label_of_its_own(rig: Rig, language: str) -> None:
    """The first day and the person who acted are not named by one word."""
    browser = await signed_in(rig)
    browser.language = language
    labels = document(await browser.get("/audit")).iter("label")
    names = ["".join(one.itertext()).split()[0] for one in labels]
    assert len(names) == len({*names}) == 6


def test_each_name_in_details_has_a_label() -> None:
    """Of terminals, accounts and people, and what modules write before a value by themselves."""
    names = {name for name, one in DEVICE_ATTRIBUTES.items() if one.own.is_changeable}
    names |= {*AccountChange.__struct_fields__, *PERSON_LABELS}
    for file in Path(zkpush.__file__).parent.rglob("*.py"):
        source = file.read_text()
        if "acts.record(" in source:
            names |= {*written_names(source)}
    assert names - LABELS.keys() == set()
    assert [*written_names("f'language={x}, zone={y}'")] == ["language", "zone"]


def labelled(source: str) -> set[str]:
    """Return the fields of people whose labels a module repeats."""
    return {
        key.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant)
        and key.value in PERSON_LABELS
        and ast.unparse(value) == f"Phrase({str(PERSON_LABELS[key.value])!r})"
    }


@pytest.mark.long
def test_fields_of_people_have_their_labels_in_one_place() -> None:
    """No second module names half of them, whatever it calls its table."""
    files = Path(zkpush.__file__).parent.rglob("*.py")
    found = {file.name: len(labelled(file.read_text())) for file in files}
    assert {name for name, count in found.items() if count >= 5} == {"personwords.py"}


@pytest_twisted.ensureDeferred
async def test_details_are_shown_in_words(rig: Rig) -> None:
    """Names and coded values have their words in the language of the person."""
    browser = await signed_in(rig)
    shown = {
        "state=approved, timezone=Europe/Berlin, alias=Gate 1, north": "State: approved, "
        "Time zone: Europe/Berlin, Name: Gate 1, north",
        "Delay=30, comm_key (not shown)": "Option Delay: 30, Its key: not shown",
        "area=": "Area: default",
        "networks=('192.168.7.0/24',)": "Networks: 192.168.7.0/24",
        "networks=('10.0.0.0/8', '192.0.2.7')": "Networks: 10.0.0.0/8, 192.0.2.7",
        "networks=()": "Networks: none",
        "language=ar, zone=None": "Language: ar, Time zone: none",
        "name, card, areas": "Name, Card number, Areas",
        "privilege group": "Rights at terminals, Group",
        "scopes=read+write, areas=North+South": "Permissions: See, Change, Areas: North, South",
        "read, write; areas: North": "See, Change; Areas: North",
        "description, people kept on its terminals": "Description, people kept on its terminals",
    }
    for told, words in shown.items():
        assert str(detail_phrase(f"{told}; by CLI from here")) == f"{words}; by CLI from here"
        assert str(detail_phrase(told)) == words
    assert detail_phrase("REBOOT; a=b") == "REBOOT; a=b"

    def note(tx: Transaction) -> None:
        for told in shown:
            tx[AuditStore].add("account ann", "change terminal", "terminal T1", told, 5)

    await rig.store.write(note)
    await browser.get("/?lang=en-XA")
    assert english_left(document(await browser.get("/audit"))) == []


@pytest_twisted.ensureDeferred
async def test_orders_are_shown_with_the_meaning_of_their_commands(rig: Rig) -> None:
    """Commands, jobs and forwarders, as the daemon notes them, have no English word left."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    order = {"command": "DATA UPDATE USERINFO", "params": {"PIN": "1", "Pri": "14"}}
    assert (await rig.api("POST", "/devices/T1/commands", order)).status == 202
    volume = {"command": "SET OPTION", "params": {"key": "VOLUME", "value": "7"}}
    assert (await rig.api("POST", "/devices/T1/commands", volume)).status == 202
    assert (await rig.api("POST", "/commands", {"command": "INFO", "all": True})).status == 202
    hook = {"name": "a7", "url": "https://127.0.0.1:9/", "allow_private": True}
    assert (await rig.api("POST", "/forwarders", hook)).status == 201
    browser = await signed_in(rig)
    shown = text_of(await browser.get("/audit"))
    assert "14 (Super administrator)" in shown
    assert "2 terminals" in shown
    assert "Events: punches" in shown
    await browser.get("/?lang=en-XA")
    assert english_left(document(await browser.get("/audit"))) == []


@pytest_twisted.ensureDeferred
async def test_the_audit_log_is_filtered(rig: Rig) -> None:
    """Filters choose by actor, action, day and person; the page shows who did what."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    assert (await rig.api("PUT", "/users/17", {"name": "Ann"})).status == 200
    assert "add account" in text_of(await browser.get("/audit")).partition("Details")[2]
    of_person = (await browser.get("/audit?pin=17")).body.decode().partition("<tbody>")[2]
    assert 'href="/console/people/17"' in of_person
    assert "add account" not in of_person
    shown = text_of(await browser.get("/audit?action=add+account&actor=token+admin"))
    assert "account ann" in shown
    for query in (
        "actor=nobody",
        "action=nothing",
        "pin=18",
        "until=2001-01-01",
        "since=2999-01-01",
    ):
        assert "Nothing fits these filters." in text_of(await browser.get(f"/audit?{query}")), query
    found = text_of(await browser.get("/audit?since=2001-01-01"))
    assert "add account" in found.partition("Details")[2]
    wrong = text_of(await browser.get("/audit?since=yesterday"))
    assert "This is not a date" in wrong
    wrong = text_of(await browser.get("/audit?since=2027-01-01&until=2020-01-01"))
    assert "The last day is before the first one." in wrong
    one_day = text_of(await browser.get("/audit?since=2027-01-01&until=2027-01-01"))
    assert "before the first one" not in one_day


@pytest_twisted.ensureDeferred
async def test_the_audit_log_is_filtered_by_the_words_that_it_shows(rig: Rig) -> None:
    """Accounts, tokens, terminals and people are found by the names that stand on the page."""
    await rig.exchange("T1")
    await rig.exchange("T2")
    await rig.api("PATCH", "/devices/T1", {"alias": "Side door"})
    await rig.api("PATCH", "/devices/T2", {"alias": "Main gate"})
    await rig.api("PUT", "/users/17", {"name": "Élodie Cedar"})
    ines = await signed_in(rig, name="Ines")
    browser = await signed_in(rig, name="bob")

    async def found(query: str) -> str:
        return text_of(await browser.get(f"/audit?{query}")).partition("Details")[2]

    for who in ("Ines", "ines", "account+Ines"):
        assert "account Ines sign in" in await found(f"actor={who}"), who
        assert "token admin" not in await found(f"actor={who}"), who
    assert "change terminal" in await found("actor=admin")
    for where in ("Side+door", "side", "T1"):
        assert "Side door" in await found(f"device={where}"), where
        assert "Main gate" not in await found(f"device={where}"), where
    assert "add person" in await found("pin=elodie")
    assert "change terminal" not in await found("pin=elodie")
    page = (await browser.get("/audit")).body.decode()
    for option in ("account Ines", "a program, with the API token admin", "Side door", "T1"):
        assert f'<option value="{option}">' in page, option
    wrong = text_of(await browser.get("/audit?actor=Inez&device=Sidedoor"))
    assert "Nobody in the log is called Inez; did you mean Ines?" in wrong
    assert "No terminal has the name or serial number Sidedoor; did you mean Side door?" in wrong
    ines.language = "es"
    assert b"aria-invalid" not in (await ines.get("/audit?actor=cuenta+Ines")).body
    assert b"aria-invalid" in (await ines.get("/audit?actor=cuenta+Inez")).body
    exact = await rig.items("/audit?actor=Ines")
    assert exact == []


@pytest_twisted.ensureDeferred
async def test_records_that_were_added_late_are_shown_at_their_time(rig: Rig) -> None:
    """The newest time is on top, whatever the order in which records were added."""
    browser = await signed_in(rig)
    now = rig.daemon.registry.now()

    def note(tx: Transaction) -> None:
        for seconds in (5, 9, 7):
            tx[AuditStore].add("account ann", f"act {seconds}", "x", None, now + seconds * 1000)

    await rig.store.write(note)
    shown = text_of(await browser.get("/audit?actor=account+ann"))
    assert re.findall(r"act (\d)", shown.partition("Details")[2]) == ["9", "7", "5"]


@pytest_twisted.ensureDeferred
async def test_a_long_log_has_pages(rig: Rig) -> None:
    """The newest records come first; the next page begins where the last one ends."""
    browser = await signed_in(rig)
    for number in range(60):
        await rig.api("POST", "/tokens", {"name": f"t{number}", "scopes": ["read"]})
    shown = await browser.get("/audit")
    assert "token t59" in text_of(shown)
    assert "token t5 " not in text_of(shown)
    link = shown.body.decode().split('href="/console/audit?before=')[1].split('"')[0]
    second = text_of(await browser.get(f"/audit?before={link}"))
    assert "token t5 " in second
    assert "token t59" not in second


@pytest_twisted.ensureDeferred
async def test_the_action_is_chosen_in_words(rig: Rig) -> None:
    """Each is found by the value of its choice; one of a plugin stays chosen."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    browser.language = "es"
    page = document(await browser.get("/audit"))
    (choice,) = (one for one in page.iter("select") if one.get("name") == "action")
    values = {"".join(one.itertext()): one.get("value") for one in choice.iter("option")}
    assert values["cambiar terminal"] == "change terminal"
    assert "read photos" in values.values()
    assert "read photos" not in values
    await rig.api("PATCH", "/devices/T1", {"networks": ["192.168.7.0/24"]})
    shown = text_of(await browser.get("/audit?action=change+terminal"))
    assert "192.168.7.0/24;" in shown
    shown = await browser.get("/audit?action=count+doors")
    assert b'<option value="count doors" selected' in shown.body


@pytest_twisted.ensureDeferred
async def test_reads_of_one_page_are_one_line(rig: Rig) -> None:
    """With their number, while no other record is between them; all of them if asked for."""
    browser = await signed_in(rig)
    now = rig.daemon.registry.now()

    def note(tx: Transaction) -> None:
        for number in range(60):
            who = "account ann" if number != 30 else "account bob"
            subject = f"attendance photo {number}"
            tx[AuditStore].add(who, "read photos", subject, "by console from here", now)

    await rig.store.write(note)
    shown = text_of(await browser.get("/audit"))
    assert "and 28 more since" in shown
    assert "and 29 more since" in shown
    assert len(document(await browser.get("/audit")).findall(".//tbody/tr")) < 10
    each = document(await browser.get("/audit?action=read+photos"))
    assert len(each.findall(".//tbody/tr")) == 40


@pytest_twisted.ensureDeferred
async def test_people_and_callers_in_records_are_named_for_a_reader(rig: Rig) -> None:
    """No pseudonym is shown, and a person in a browser has not called the API."""
    await rig.exchange("T1")
    assert (await rig.api("PUT", "/users/17", {"name": "Ann"})).status == 200
    order = {"command": "DATA DELETE USERINFO", "params": {"PIN": "17"}}
    assert (await rig.api("POST", "/devices/T1/commands", order)).status == 202
    gone = await rig.person("18")
    now = rig.daemon.registry.now()

    def note(tx: Transaction) -> None:
        words = Refusal.NO_SCOPE.words
        tx[AuditStore].add("account bob", "refused", words, "GET /console/audit", now)
        tx[AuditStore].add("account bob", "erase person", gone, None, now)

    await rig.store.write(note)
    browser = await signed_in(rig)
    shown = text_of(await browser.get("/audit"))
    assert "person:" not in shown
    assert "user 17" in shown
    assert "a person who is not stored any more" in shown
    assert "the account may not do this" in shown
    assert "API was called" not in shown


@pytest_twisted.ensureDeferred
async def test_acts_on_people_say_how_and_to_whom(rig: Rig) -> None:
    """An import, a removal, and whether an erasure took the punches, are words of the page."""
    content = b"pin,name\n7,Ann Ash\n8,Bob Birch\n9,Eve Elm\n"
    assert (await rig.api("POST", "/users/import", content)).status == 200
    assert (await rig.api("DELETE", "/users/7")).status == 200
    assert (await rig.api("DELETE", "/users/8?erase=true")).status == 200
    assert (await rig.api("DELETE", "/users/9?erase=true&attendance=true")).status == 200
    browser = await signed_in(rig)
    shown = text_of(await browser.get("/audit"))
    assert "add person user 7 Ann Ash 7 left Name; imported from a file; by API" in shown
    assert "remove person user 7 Ann Ash 7 left" in shown
    assert "a person who is not stored any more punches stay; by API" in shown
    assert "a person who is not stored any more punches erased, too; by API" in shown
    kept = b"pin,name\n17,Cy\n"
    await rig.api("PUT", "/users/18", {"name": "Di"})
    path = "/users/import?remove_absent=true&confirm=1"
    assert (await rig.api("POST", path, kept)).status == 200
    assert "missing in an imported file" in text_of(await browser.get("/audit"))
    await browser.get("/?lang=en-XA")
    assert english_left(document(await browser.get("/audit"))) == []


@pytest_twisted.ensureDeferred
async def test_a_change_of_a_person_links_to_the_history_with_its_values(rig: Rig) -> None:
    """The record has the names of fields; an added person, and one who left, have no such link."""
    for pin, name in (("7", "Ann Ash"), ("7", "Ann Oak"), ("8", "Bob Birch")):
        await rig.api("PUT", f"/users/{pin}", {"name": name})
    browser = await signed_in(rig)
    shown = document(await browser.get("/audit?action=change+person"))
    links = [one.get("href") for one in shown.iter("a") if "#history" in (one.get("href") or "")]
    assert links == ["/console/people/7#history"]
    history = text_of(await browser.get("/people/7"))
    assert "Ann Ash" in history
    assert "Ann Oak" in history
    added = document(await browser.get("/audit?action=add+person"))
    assert not [one for one in added.iter("a") if "#history" in (one.get("href") or "")]
    await rig.api("DELETE", "/users/7")
    gone = document(await browser.get("/audit?action=change+person"))
    assert not [one for one in gone.iter("a") if "#history" in (one.get("href") or "")]


@pytest_twisted.ensureDeferred
async def test_durations_times_and_requests_in_details_are_words(rig: Rig) -> None:
    """How long a command waits, and what was refused, stand there without names of options."""
    await rig.exchange("T1")
    now = rig.daemon.registry.now()
    options = "; expires_in 316224000; not_before_at 1772352000000; priority 5; replaces abc"

    def note(tx: Transaction) -> None:
        order = f"x1: REBOOT{options}; by console from here"
        tx[AuditStore].add("account bob", "queue command", "terminal T1", order, now)
        for what in ("GET /console/people/<pin>/edit", "POST /console/areas/new", "GET /users"):
            detail = f"{what}, once, from 192.0.2.7"
            tx[AuditStore].add("account bob", "refused", Refusal.NO_SCOPE.words, detail, now)

    await rig.store.write(note)
    browser = await signed_in(rig)
    shown = text_of(await browser.get("/audit"))
    for words in (
        "waits until the terminal fetches it; not before Sun 1 Mar 2026 08:00",
        "priority 5; replaces abc",
        "opening a page of People, once, from 192.0.2.7",
        "sending a form of Areas, once, from 192.0.2.7",
        "reading by the API (/users), once, from 192.0.2.7",
    ):
        assert words in shown, words
    assert "expires_in" not in shown
    await browser.get("/?lang=en-XA")
    assert english_left(document(await browser.get("/audit"))) == []
