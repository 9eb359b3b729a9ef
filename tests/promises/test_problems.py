"""Problems of terminals and of the server are in one list, with words and advice."""

from __future__ import annotations

import ast
import pathlib
from typing import Any

import pytest
import pytest_twisted
from prometheus_client.openmetrics.parser import text_string_to_metric_families

import zkpush
from zkpush.interfaces import StoreError
from zkpush.manage import problems
from zkpush.manage.problemnews import ProblemAnnouncer
from zkpush.model import Page, Problem
from zkpush.persist.devices import DeviceStore
from zkpush.persist.events import EventStore
from zkpush.problems import ProblemCode, ServerProblem, advice_of, meaning_of

from ..rig import NOON, Rig

SINCE = NOON * 1000
SINCE_AT = "2026-03-01T12:00:00.000Z"


async def with_problem(rig: Rig, sn: str, *codes: str) -> None:
    """A terminal with these problems."""
    await rig.exchange(sn)

    def unit(tx) -> None:
        device = tx[DeviceStore].find(sn)
        for code in codes:
            tx[DeviceStore].raise_problem(device.id, Problem(code, f"{code} was seen", SINCE))

    await rig.store.write(unit)
    await rig.registry.follow()


def server_problem(detail: str = "seen", subject: str = "disk") -> ServerProblem:
    """A problem of the server."""
    code = ProblemCode.COUNT_DIFFERS
    return ServerProblem(code=code, subject=subject, detail=detail, since_at=SINCE)


async def counted(rig: Rig) -> dict[str, float]:
    """The values of `zkpush_problems`, those above zero."""
    text = (await rig.api("GET", "/metrics", headers=(), prefix="")).body.decode()
    (family,) = [
        each for each in text_string_to_metric_families(text) if each.name == "zkpush_problems"
    ]
    assert {sample.labels["code"] for sample in family.samples} == set(ProblemCode)
    return {sample.labels["code"]: sample.value for sample in family.samples if sample.value}


@pytest_twisted.ensureDeferred
async def test_problems_of_terminals_are_listed_with_words_and_advice(rig: Rig) -> None:
    """Each problem has its terminal, code, meaning, detail, advice and time."""
    await rig.exchange("T1")
    await with_problem(rig, "T2", ProblemCode.TWO_PLACES)
    await with_problem(rig, "T3", ProblemCode.SILENT)
    (places, silent) = await rig.items("/problems")
    assert "`zkpush doctor T3` shows more" in silent["advice"]
    assert [places] == [
        {
            "device": "T2",
            "subject": "terminal T2",
            "code": "two places",
            "code_meaning": ProblemCode.TWO_PLACES.meaning,
            "detail": "two places was seen",
            "advice": ProblemCode.TWO_PLACES.advice.replace("set SN ", "set T2 "),
            "since_at": SINCE_AT,
            "follows": None,
        }
    ]


@pytest_twisted.ensureDeferred
async def test_problems_of_the_server_come_first(rig: Rig) -> None:
    """What a source returns is listed without a terminal, as long as it returns it."""
    await with_problem(rig, "T1", ProblemCode.TWO_PLACES)
    found = [server_problem()]
    rig.daemon.problems.add_source(lambda: found)
    rig.daemon.problems.add_stored_source(
        lambda tx: [server_problem(subject=f"{len(tx[DeviceStore].page(Page(9)))} terminals")]
    )
    items = await rig.items("/problems")
    assert [(item["device"], item["subject"]) for item in items] == [
        (None, "disk"),
        (None, "1 terminals"),
        ("T1", "terminal T1"),
    ]
    found.clear()
    assert [item["subject"] for item in await rig.items("/problems")] == [
        "1 terminals",
        "terminal T1",
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6])
@pytest_twisted.ensureDeferred
async def test_problems_come_in_parts(rig: Rig, limit: int) -> None:
    """`limit` and `after` walk through all problems without gaps or repetitions."""
    rig.daemon.problems.add_source(lambda: [server_problem("a"), server_problem("b")])
    await with_problem(rig, "T1", ProblemCode.TWO_PLACES, ProblemCode.OTHER_ADDRESS)
    await with_problem(rig, "T2", ProblemCode.TWO_PLACES)
    whole = await rig.items("/problems")
    assert len(whole) == 5
    parts, after = [], "0"
    while after is not None:
        part = (await rig.api("GET", f"/problems?limit={limit}&after={after}")).json
        assert len(part["items"]) <= limit
        parts += part["items"]
        after = part["next"]
    assert parts == whole


@pytest_twisted.ensureDeferred
async def test_problems_of_one_terminal(rig: Rig) -> None:
    """`device` leaves out the server and the other terminals."""
    rig.daemon.problems.add_source(lambda: [server_problem()])
    await with_problem(rig, "T1", ProblemCode.TWO_PLACES)
    await with_problem(rig, "T2", ProblemCode.OTHER_ADDRESS)
    items = await rig.items("/problems?device=T2")
    assert [item["code"] for item in items] == [ProblemCode.OTHER_ADDRESS]
    unknown = await rig.api("GET", "/problems?device=T9")
    assert unknown.status == 400
    assert "There is no terminal 'T9'" in unknown.json["detail"]


@pytest_twisted.ensureDeferred
async def test_a_problem_of_the_server_about_a_terminal_is_in_all_its_lists(rig: Rig) -> None:
    """Of problems, of terminals, in its checks and in its event; the advice has its number."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    found = ServerProblem(
        code=ProblemCode.NOT_DISTRIBUTED,
        subject="terminal T1",
        sn="T1",
        detail="People are not there",
        since_at=SINCE,
    )
    rig.daemon.problems.add_source(lambda: [found, server_problem()])
    (listed,) = await rig.items("/problems?device=T1")
    assert (listed["device"], listed["code"]) == ("T1", "not distributed")
    assert "`zkpush devices users T1`" in listed["advice"]
    assert await rig.items("/problems?device=T2") == []
    codes = {
        one["sn"]: [each["code"] for each in one["problems"]] for one in await rig.items("/devices")
    }
    assert codes == {"T1": ["not distributed"], "T2": []}
    checks = (await rig.api("GET", "/devices/T1/doctor")).json["checks"]
    assert [one["detail"] for one in checks if one["name"] == "not distributed"] == [found.detail]
    assert [one["device"] for one in await announced(rig)] == ["T1", None]


@pytest_twisted.ensureDeferred
async def test_problems_of_one_code(rig: Rig) -> None:
    """`code` leaves out all others, those of the server too, in each part."""
    rig.daemon.problems.add_source(lambda: [server_problem()])
    for number in range(3):
        await with_problem(rig, f"T{number}", ProblemCode.TWO_PLACES, ProblemCode.COUNT_DIFFERS)
    path = "/problems?code=attendance%20count%20differs"
    assert [one["device"] for one in await rig.items(path)] == [None, "T0", "T1", "T2"]
    newest = await rig.api("GET", f"{path}&order=desc&limit=1")
    assert [one["device"] for one in newest.json["items"]] == ["T2"]
    rest = await rig.items(f"{path}&order=desc&after={newest.json['next']}")
    assert [one["device"] for one in rest] == ["T1", "T0", None]


@pytest_twisted.ensureDeferred
async def test_more_terminals_than_are_read_at_once_have_problems(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are listed, once, in both orders."""
    monkeypatch.setattr(problems, "TERMINALS_AT_ONCE", 2)
    for number in range(5):
        await with_problem(rig, f"T{number}", ProblemCode.TWO_PLACES)
    forwards = [one["device"] for one in await rig.items("/problems")]
    assert forwards == ["T0", "T1", "T2", "T3", "T4"]
    assert [one["device"] for one in await rig.items("/problems?order=desc")] == forwards[::-1]


@pytest_twisted.ensureDeferred
async def test_a_source_that_fails_does_not_hide_the_others(rig: Rig) -> None:
    """The list and the metrics have what the other sources return."""

    def broken(tx: object = None) -> list[ServerProblem]:
        raise RuntimeError("broken")

    rig.daemon.problems.add_source(broken)
    rig.daemon.problems.add_stored_source(broken)
    rig.daemon.problems.add_source(lambda: [server_problem()])
    assert [item["subject"] for item in await rig.items("/problems")] == ["disk"]
    assert await counted(rig) == {ProblemCode.COUNT_DIFFERS: 1}


@pytest_twisted.ensureDeferred
async def test_problems_are_counted_by_code(rig: Rig) -> None:
    """The gauge has every declared code, and counts terminals and the server together."""
    assert await counted(rig) == {}
    await with_problem(rig, "T1", ProblemCode.TWO_PLACES, ProblemCode.COUNT_DIFFERS)
    await with_problem(rig, "T2", ProblemCode.TWO_PLACES, "of a later version")
    rig.daemon.problems.add_source(lambda: [server_problem()])
    assert await counted(rig) == {ProblemCode.TWO_PLACES: 2, ProblemCode.COUNT_DIFFERS: 2}


@pytest_twisted.ensureDeferred
async def test_metrics_are_served_without_the_database(rig: Rig) -> None:
    """The gauge then counts what is in memory."""
    await with_problem(rig, "T1", ProblemCode.TWO_PLACES)

    def unavailable(tx: object) -> list[ServerProblem]:
        raise StoreError("gone")

    rig.daemon.problems.add_stored_source(unavailable)
    assert await counted(rig) == {ProblemCode.TWO_PLACES: 1}


@pytest.mark.parametrize("code", ProblemCode)
def test_a_code_has_words(code: ProblemCode) -> None:
    """Its meaning is a phrase, and its advice a sentence."""
    assert meaning_of(code.value) == code.meaning
    assert advice_of(code.value) == code.advice
    assert code.meaning[0].isupper()
    assert not code.meaning.endswith(".")
    assert code.advice.endswith(".")


def test_a_code_of_a_later_version_is_shown_as_it_is() -> None:
    """A stored problem can be of a version that knows more."""
    assert (meaning_of("new kind"), advice_of("new kind")) == ("new kind", "")


@pytest.mark.long
def test_problems_are_raised_with_declared_codes_only() -> None:
    """Nowhere in the program is a problem made with a code that has no words.

    A code that is passed in has the type `ProblemCode`.
    """
    undeclared = []
    made = 0
    for path in pathlib.Path(zkpush.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text())
        passed = {
            one.arg
            for one in ast.walk(tree)
            if isinstance(one, ast.arg)
            and one.annotation is not None
            and ast.unparse(one.annotation) == "ProblemCode"
        }
        for node in ast.walk(tree):
            # The type of the code is checked for problems of the server, and of these is text.
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem":
                made += 1
                named = {each.arg: each.value for each in node.keywords}
                code = ast.unparse(named.get("code") or node.args[0])
                if not code.startswith("ProblemCode.") and code not in passed:
                    undeclared.append(f"{path.name}:{node.lineno}: {code}")
    assert made
    assert undeclared == []


async def announced(rig: Rig, seconds: float = 30.0) -> list[dict[str, Any]]:
    """The data of all events about problems, once some time has passed."""
    rig.clock.advance(seconds)
    (announcer,) = (job for job in rig.daemon.jobs if isinstance(job, ProblemAnnouncer))
    await announcer.look()
    events = await rig.store.read(lambda tx: tx[EventStore].of_kind("problem", 0))
    return [dict(event.data) for event in events]


@pytest_twisted.ensureDeferred
async def test_a_problem_of_the_server_is_an_event_when_it_begins_and_ends(rig: Rig) -> None:
    """Once each, however often its detail changes."""
    found: list[ServerProblem] = []
    rig.daemon.problems.add_source(lambda: found)
    assert await announced(rig) == []
    found.append(server_problem())
    (raised,) = await announced(rig)
    assert raised == {
        "device": None,
        "subject": "disk",
        "what": "raised",
        "code": "attendance count differs",
        "meaning": ProblemCode.COUNT_DIFFERS.meaning,
        "detail": "seen",
        "advice": ProblemCode.COUNT_DIFFERS.advice,
    }
    found[0] = server_problem("seen again")
    assert await announced(rig) == [raised]
    found.clear()
    assert await announced(rig) == [raised, {**raised, "what": "cleared"}]
    assert len(await announced(rig)) == 2


@pytest_twisted.ensureDeferred
async def test_a_restart_announces_nothing_twice(make_rig, tmp_path: pathlib.Path) -> None:
    """What went on is not raised again, and what is over is cleared by the next process."""
    url = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    stays, ends = server_problem(subject="stays"), server_problem(subject="ends")
    first, second = await make_rig(database=url), await make_rig(database=url)
    first.daemon.problems.add_source(lambda: [stays, ends])
    assert len(await announced(first)) == 2
    second.daemon.problems.add_source(lambda: [stays])
    told = await announced(second)
    assert [(one["subject"], one["what"]) for one in told[2:]] == [("ends", "cleared")]


@pytest_twisted.ensureDeferred
async def test_a_node_does_not_clear_the_problems_of_another(
    make_rig, tmp_path: pathlib.Path
) -> None:
    """Its disk may be full while that of the other is not; what both see is one event."""
    url = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    nodes = await make_rig(database=url), await make_rig(database=url)
    assert await announced(nodes[1]) == []
    nodes[0].daemon.problems.add_source(lambda: [server_problem(subject="disk of one")])
    for node in nodes:
        node.daemon.problems.add_source(lambda: [server_problem(subject="both")])
    for node in (*nodes, *nodes):
        told = await announced(node)
    assert [(one["subject"], one["what"]) for one in told] == [
        ("disk of one", "raised"),
        ("both", "raised"),
    ]
