"""Sentences that are stored, or made when something happens, in the language of the visit."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest_twisted

import zkpush
from zkpush.model import Problem
from zkpush.persist.devices import DeviceStore
from zkpush.phrases import A_SOCKET_FILE, Phrase
from zkpush.problems import ProblemCode

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


def test_details_of_problems_are_phrases() -> None:
    """Nothing makes a problem whose detail is a finished sentence."""
    assert {
        source.name: lines for source in SOURCES if (lines := plain_details(source.read_text()))
    } == {}
    assert plain_details("Problem(code, f'It is {x}', 5)\nServerProblem(detail='x')") == [1, 2]


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
