"""Faults that were found in the running daemon, each with the tests that would find it again.

The lists are in `faults_of_the_door`, `faults_of_records` and `faults_of_commands`. The tests go
through HTTP or the command line.
"""

from __future__ import annotations

import ast
import functools
import pathlib

import pytest

from . import (
    claims_of_secrets,
    claims_of_short_records,
    claims_of_strangers,
    faults_of_commands,
    faults_of_records,
    faults_of_the_door,
)

TESTS = pathlib.Path(__file__).parent.parent
THROUGH_THE_FRONT = {
    "rig",
    "make_rig",
    "Rig",
    "Daemon",
    "daemon",
    "zkpush",
    "planted",
    "filled",
    "refusal",
}
"""Fixtures and helpers that speak HTTP to a daemon, or start one or the command line."""


@functools.cache
def functions(path: pathlib.Path) -> dict[str, frozenset[str]]:
    """The functions of a module, each with the names of its arguments and of what it uses."""
    return {
        node.name: frozenset(
            part.arg if isinstance(part, ast.arg) else part.id
            for part in ast.walk(node)
            if isinstance(part, ast.arg | ast.Name)
        )
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def uses(test: str) -> frozenset[str]:
    """The names that a test, as `file::name`, uses; `KeyError` or `OSError` if it is gone."""
    name, _, function = test.partition("::")
    return functions(TESTS / name)[function]


def test_no_row_is_left_out() -> None:
    """Each part of the list stands here with all its rows, and each row has a test."""
    faults = faults_of_the_door.FAULTS
    assert {part: len(rows) for part, rows in faults.items()} == faults_of_the_door.ROWS
    assert [row for rows in faults.values() for row, tests in rows.items() if not tests] == []


@pytest.mark.parametrize(
    ("part", "fault"),
    [(part, fault) for part, rows in faults_of_the_door.FAULTS.items() for fault in rows],
)
def test_a_known_fault_keeps_its_tests(part: str, fault: str) -> None:
    """Its tests are there, and go through HTTP or the command line."""
    for test in faults_of_the_door.FAULTS[part][fault]:
        assert uses(test) & THROUGH_THE_FRONT, f"{test} asks no daemon"


@pytest.mark.parametrize("fault", faults_of_records.FAULTS)
def test_a_known_fault_of_records_keeps_its_test(fault: str) -> None:
    """What was found once has a test as long as there is the promise."""
    assert faults_of_records.FAULTS[fault]
    for test in faults_of_records.FAULTS[fault]:
        assert uses(test)


@pytest.mark.parametrize("fault", faults_of_commands.FAULTS)
def test_a_known_fault_of_commands_keeps_its_tests(fault: str) -> None:
    """Its tests are there, and go through HTTP or the command line."""
    assert faults_of_commands.FAULTS[fault]
    for test in faults_of_commands.FAULTS[fault]:
        assert uses(test) & (THROUGH_THE_FRONT | {"nodes"}), f"{test} asks no daemon"


def security_page() -> tuple[str, str, str]:
    """The parts of docs/security.md about strangers and secrets, and what it refers to.

    That is the section of docs/performance.md about uploads of short records.
    """
    docs = TESTS.parent / "docs"
    strangers, secrets = (docs / "security.md").read_text().split("\n# Secrets at rest\n")
    _, short = (docs / "performance.md").read_text().split("\n## Uploads of short records\n")
    return strangers, secrets, "\n## Uploads of short records\n" + short.partition("\n## ")[0]


def in_one_line(text: str) -> str:
    """A text without its breaks of lines."""
    return " ".join(text.split())


CLAIMS = (claims_of_strangers.CLAIMS, claims_of_secrets.CLAIMS, claims_of_short_records.CLAIMS)


@pytest.mark.parametrize(
    ("part", "claim"), [(part, claim) for part, claims in enumerate(CLAIMS) for claim in claims]
)
def test_a_claim_about_security_keeps_its_tests(part: int, claim: str) -> None:
    """The page still says it, and its tests are there."""
    assert claim in in_one_line(security_page()[part])
    assert CLAIMS[part][claim]
    for test in CLAIMS[part][claim]:
        assert uses(test)


def test_every_section_about_security_has_tests() -> None:
    """Each section of docs/security.md makes a claim that names its tests."""
    unproved = []
    for text, claims in zip(security_page(), CLAIMS, strict=True):
        _, *sections = text.split("\n## ")
        assert sections
        for section in sections:
            if not any(claim in in_one_line(section) for claim in claims):
                unproved.append(section.splitlines()[0])
    assert unproved == []
