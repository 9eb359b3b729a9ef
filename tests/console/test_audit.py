"""The page of the audit log."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_twisted

import zkpush
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
    assert len(names) == len({*names}) == 5


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
    """The fields of people that a module gives the labels which they have on pages."""
    return {
        key.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant)
        and key.value in PERSON_LABELS
        and ast.unparse(value) == f"Phrase({str(PERSON_LABELS[key.value])!r})"
    }


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
        "area=": "Area: none",
        "language=ar, zone=None": "Language: ar, Time zone: none",
        "name, card, areas": "Name, Card number, Areas",
        "privilege group": "Rights at terminals, Group",
        "scopes=read+write, areas=North+South": "Permissions: See, Change, Areas: North, South",
        "read, write; areas: North": "See, Change; Areas: North",
        "description, distributes": "Description, distributes",
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
    assert "add account" in text_of(await browser.get("/audit"))
    of_person = (await browser.get("/audit?pin=17")).body.decode()
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
    assert "add account" in text_of(await browser.get("/audit?since=2001-01-01"))
    wrong = text_of(await browser.get("/audit?since=yesterday"))
    assert "This is not a date" in wrong
    wrong = text_of(await browser.get("/audit?since=2027-01-01&until=2020-01-01"))
    assert "The last day is before the first one." in wrong
    one_day = text_of(await browser.get("/audit?since=2027-01-01&until=2027-01-01"))
    assert "before the first one" not in one_day


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
