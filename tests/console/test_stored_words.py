"""Sentences that are stored, or made when something happens, in the language of the visit."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import pytest_twisted

import zkpush
from zkpush.device import acts
from zkpush.device.session import BEGINS, TAKEN_BEFORE, WITHOUT_TOKEN
from zkpush.device.unservedbodies import NOT_BELOW
from zkpush.handlers.areas.model import PartState, PlacedPart
from zkpush.handlers.areas.places import PlaceStore
from zkpush.handlers.areas.reasons import PLACE_REASONS
from zkpush.handlers.audit.wording import ACTIONS, DETAILS, KINDS, SUBJECTS
from zkpush.handlers.trace.model import TracedContent
from zkpush.handlers.trace.wording import answer_in_words
from zkpush.model import Problem
from zkpush.persist.audit import AuditStore
from zkpush.persist.devices import DeviceStore
from zkpush.persist.rejects import RejectStore
from zkpush.phrases import A_SOCKET_FILE, Phrase
from zkpush.problems import ProblemCode
from zkpush.protocol.reasons import REASONS
from zkpush.protocol.rejects import Reject

from ..rig import Rig
from .browser import document, signed_in, text_of
from .walk import english_left

SOURCES = sorted(Path(zkpush.__file__).parent.rglob("*.py"))


def plain_details(source: str) -> list[int]:
    """The lines where a problem is made with a detail that is no phrase."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "").endswith("Problem"):
            given = [one.value for one in node.keywords if one.arg == "detail"] + node.args[1:2]
            if any(isinstance(one, ast.JoinedStr | ast.Constant) for one in given):
                found.append(node.lineno)
    return found


@pytest.mark.long
def test_details_of_problems_are_phrases() -> None:
    """Nothing makes a problem whose detail is a finished sentence."""
    assert {
        source.name: lines for source in SOURCES if (lines := plain_details(source.read_text()))
    } == {}
    assert plain_details("Problem(code, f'It is {x}', 5)\nServerProblem(detail='x')") == [1, 2]


def test_what_a_terminal_was_answered_is_in_words_and_what_it_was_sent_is_data() -> None:
    """Each summary of the trace finds its sentences; lines of the protocol stay as they are."""

    def answer(text: str, status: int = 200) -> tuple[list[str], list[str]]:
        words, remarks = answer_in_words(
            TracedContent(method="GET", path="/iclock/x", status=status, sent=1, answered=text)
        )
        data = [one for one in (*words, *remarks) if not isinstance(one, Phrase)]
        return data, [one for one in (*words, *remarks) if one not in data]

    for text in ("its options", "a file, 12 bytes", "encrypted, 3 bytes", "7 bytes"):
        assert answer(text) == ([], [text])
    commands = ["command 1: LOG", "command 2: a command as it was given"]
    assert answer(", ".join(commands)) == ([], commands)
    assert answer(f"{', '.join(commands)} and 4 more") == (
        [],
        [commands[0], f"{commands[1]} and 4 more"],
    )
    assert answer("OK: 0 (2 parts not understood, and kept; foreign token)") == (
        ["OK: 0"],
        ["2 parts not understood, and kept", "foreign token"],
    )
    for reason in (BEGINS, WITHOUT_TOKEN, TAKEN_BEFORE, NOT_BELOW):
        assert answer(f"UNKNOWN DEVICE ({reason})") == (["UNKNOWN DEVICE"], [reason])
    assert answer("No room (yet)", 503) == (["No room (yet)"], [])


@pytest_twisted.ensureDeferred
async def test_problems_of_each_kind_are_shown_in_the_language_of_the_person(rig: Rig) -> None:
    """The detail is translated with its values, also what was stored before a restart."""
    await rig.exchange("T1")
    device = (await rig.store.read(lambda tx: tx[DeviceStore].find("T1"))).id

    def unit(tx) -> None:
        for code in ProblemCode:
            came = Phrase(
                "Requests come from %(first)s and %(second)s in turns.",
                first=A_SOCKET_FILE,
                second="192.0.2.7",
            )
            tx[DeviceStore].raise_problem(device, Problem(code, came, 5))

    await rig.store.write(unit)
    browser = await signed_in(rig)
    await browser.get("/?lang=en-XA")
    for path in ("/", "/terminals/T1", "/terminals/T1/doctor"):
        assert english_left(document(await browser.get(path))) == [], path
    await browser.get("/?lang=es")
    assert "alternadas desde un archivo de socket y 192.0.2.7" in text_of(await browser.get("/"))
    shown = (await rig.api("GET", "/problems")).json["items"]
    assert {one["detail"] for one in shown if one["device"] == "T1"} == {
        "Requests come from a socket file and 192.0.2.7 in turns."
    }


@pytest_twisted.ensureDeferred
async def test_a_problem_of_an_older_version_is_shown_as_it_is(rig: Rig) -> None:
    """It is English, and is marked so."""
    await rig.exchange("T1")
    device = (await rig.store.read(lambda tx: tx[DeviceStore].find("T1"))).id
    old = Problem(ProblemCode.SILENT, "It was last heard of at noon.", 5)
    await rig.store.write(lambda tx: tx[DeviceStore].raise_problem(device, old))
    browser = await signed_in(rig)
    await browser.get("/?lang=ar")
    page = (await browser.get("/terminals/T1")).body.decode()
    assert '<span lang="en" dir="auto" translate="no">It was last heard of at noon.</span>' in page


def said(template: Phrase) -> str:
    """A text of a template, as it is stored in English."""
    names = re.findall(r"%\((\w+)\)s", template.text)
    values = {name: "2026-03-01" if name.endswith("_day") else "7" for name in names}
    return str(Phrase.made(template.text, values, template.plural))


async def walked(rig: Rig, path: str) -> list[str]:
    """The English words of a list, page by page."""
    browser = await signed_in(rig)
    await browser.get("/?lang=en-XA")
    left: list[str] = []
    pages = 0
    query: str | None = path
    while query is not None:
        page = await browser.get(query)
        assert page.status == 200
        left += english_left(document(page))
        older = re.findall(rf'href="/console({path}\?before=[^"]*)"', page.body.decode())
        query = older[0] if older else None
        pages += 1
    assert pages > 1
    return left


@pytest_twisted.ensureDeferred
async def test_reasons_of_rejects_are_shown_in_the_language_of_the_person(rig: Rig) -> None:
    """One reject of each declared reason: nothing is English but what was sent."""
    await rig.exchange("T1")
    device = (await rig.store.read(lambda tx: tx[DeviceStore].find("T1"))).id
    made = [
        Reject("ATTLOG", said(one), b"%d" % number) for number, one in enumerate(REASONS.templates)
    ]
    await rig.store.write(lambda tx: tx[RejectStore].add(device, made, 5))
    assert await walked(rig, "/rejects") == []


@pytest_twisted.ensureDeferred
async def test_records_of_the_audit_log_are_shown_in_the_language_of_the_person(rig: Rig) -> None:
    """One record of each action, subject and detail; the API has the texts as they are stored."""
    actions = {
        one
        for name, one in vars(acts).items()
        if isinstance(one, str) and name.isupper() and not name.startswith("_")
    }
    texts = [*actions, *map(said, ACTIONS.templates), *(f"read {kind}" for kind in KINDS)]
    others = [("refused", said(one), None) for one in SUBJECTS.templates]
    others += [("refused", "site", said(one)) for one in DETAILS.templates]

    def unit(tx) -> None:
        for action in texts:
            if not action.startswith("read 7"):
                tx[AuditStore].add("operator ann", action, "terminal T1", "once, from here", 5)
        for action, subject, detail in others:
            if not subject.startswith("limits."):
                tx[AuditStore].add("device T1", action, subject, detail, 5)

    await rig.store.write(unit)
    assert await walked(rig, "/audit") == []
    stored = {one["action"] for one in await rig.items("/audit")}
    assert set(actions) <= stored


@pytest_twisted.ensureDeferred
async def test_why_people_are_not_on_a_terminal_is_shown_in_their_language(rig: Rig) -> None:
    """One part of each declared reason, for one person each."""
    await rig.exchange("T1")
    device = (await rig.store.read(lambda tx: tx[DeviceStore].find("T1"))).id

    def unit(tx) -> None:
        for number, one in enumerate(PLACE_REASONS.templates):
            tx[PlaceStore].put(
                [
                    PlacedPart(
                        device_id=device,
                        pin=str(number),
                        part=part,
                        wanted=b"x",
                        state=PartState.DOES_NOT_FIT,
                        reason=said(one),
                        updated_at=5,
                    )
                    for part in ("user", "photo", "template 1 3 0", "comparison photo 9 0 0")
                ]
            )

    await rig.store.write(unit)
    browser = await signed_in(rig)
    await browser.get("/?lang=en-XA")
    assert english_left(document(await browser.get("/terminals/T1/people"))) == []
