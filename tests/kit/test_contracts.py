"""The contract suites: our own plugins fulfil them, and a broken plugin does not."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest

from zkpush.crypto.suite import SealingSuite
from zkpush.crypto.terminal import TerminalCipher
from zkpush.device.admission import APPROVE, CLOSED, OPEN, AdmissionPolicy
from zkpush.handlers.people.verification import KnownUsers
from zkpush.resources.attendance.family import AttendancePush
from zkpush.testing.contracts import (
    AdmissionPolicyContract,
    CipherSuiteContract,
    TerminalFamilyContract,
    VerifierContract,
)

from ..warm import TRACED

pytestmark = pytest.mark.long

ROOT = pathlib.Path(__file__).parents[2]
BROKEN = pathlib.Path(__file__).with_name("broken.py")
SUMMARY = re.compile(r"^(?:FAILED|ERROR) \S+?::(\w+)::(\w+)", re.MULTILINE)
EXPECTED = {
    "TestStoresTwice": {"test_the_same_lines_again_change_nothing"},
    "TestStoresNothing": {
        "test_lines_are_stored",
        "test_a_transaction_that_is_rolled_back_leaves_nothing",
    },
    "TestHasNoExample": {
        "test_each_table_has_an_example",
        "test_lines_are_stored",
        "test_a_transaction_that_is_rolled_back_leaves_nothing",
    },
    "TestMakesTablesAnew": {"test_tables_are_made_once"},
    "TestCommits": {
        "test_it_does_not_end_its_transaction",
        "test_a_daemon_stores_what_it_acknowledges",
    },
    "TestCommitsBelow": {
        "test_it_does_not_end_its_transaction",
        "test_a_daemon_stores_what_it_acknowledges",
    },
    "TestRaisesInThePolicy": {
        "test_it_decides_about_anything",
        "test_a_daemon_does_what_it_decides",
    },
    "TestForgetsTheLine": {"test_no_refusal_is_taken_for_success", "test_a_command_is_one_line"},
    "TestIsNoVerdict": {"test_it_decides_about_anything", "test_a_daemon_answers_what_it_decides"},
    "TestSealsNothing": {
        "test_both_ends_understand_each_other",
        "test_keys_are_new_in_every_exchange",
        "test_a_changed_byte_is_refused",
        "test_a_request_opens_in_its_own_place_only",
        "test_a_request_opens_in_its_own_session_only",
        "test_a_reply_is_no_request",
        "test_a_replay_has_the_number_it_had",
        "test_noise_is_not_opened",
    },
}


class OurPolicy(AdmissionPolicyContract):
    """A policy of ours."""

    policy: AdmissionPolicy

    def make_policy(self) -> AdmissionPolicy:
        """Each is a value."""
        return self.policy


class TestApprove(OurPolicy):
    """--admission approve."""

    policy = APPROVE


class TestOpen(OurPolicy):
    """--admission open."""

    policy = OPEN


class TestClosed(OurPolicy):
    """--admission closed."""

    policy = CLOSED


class TestKnownUsers(VerifierContract):
    """The default verifier."""

    def make_verifier(self) -> KnownUsers:
        """Make it."""
        return KnownUsers()


class TestAttendancePush(TerminalFamilyContract):
    """The first family."""

    def make_family(self) -> AttendancePush:
        """Make it."""
        return AttendancePush()


class TestSealingSuite(CipherSuiteContract):
    """The suite of docs/encryption.md."""

    secret = b"a secret of this site, 32 bytes."

    def make_suite(self) -> SealingSuite:
        """The server's end."""
        return SealingSuite()

    def make_terminal(self, sn: str, secret: bytes) -> TerminalCipher:
        """The terminal's end."""
        return TerminalCipher(sn, secret)


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The tests that fail for each broken plugin."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / "test_broken.py").write_text(BROKEN.read_text())
    # The tests above reach the same: to count coverage twice takes longer than they do.
    uncounted = {name: value for name, value in os.environ.items() if name != TRACED}
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=no", folder),
            *("-p", "no:cacheprovider", "-p", "tests.migrated"),
            *("-p", "tests.compiled"),
        ],
        cwd=folder,
        env={**uncounted, "COLUMNS": "300", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    found: dict[str, set[str]] = {}
    for name, test in SUMMARY.findall(ran.stdout):
        found.setdefault(name, set()).add(test)
    return found


@pytest.mark.parametrize("case", EXPECTED)
def test_a_broken_plugin_fails_its_contract(failures: dict[str, set[str]], case: str) -> None:
    """By the tests that name its fault."""
    assert EXPECTED[case] - failures.get(case, set()) == set()


def test_only_the_broken_ones_fail(failures: dict[str, set[str]]) -> None:
    """A plugin beside them that is sound passes."""
    assert set(failures) == set(EXPECTED)
