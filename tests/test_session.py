"""The session of a terminal: what each request does to it, in each state."""

from __future__ import annotations

import pathlib
import runpy

import pytest

from zkpush.device.session import OutOfOrder, Session, SessionReply, transitions
from zkpush.resources.attendance.session import SESSION
from zkpush.values.sessions import SessionState

NEW, READY, STALE = SessionState.NEW, SessionState.READY, SessionState.STALE
KEYS, FACTORS = SessionState.KEYS, SessionState.FACTORS
ENCRYPTED, OUTDATED = SessionState.ENCRYPTED, SessionState.OUTDATED
SERVE, ASK = SessionReply.SERVE, SessionReply.ASK_FOR_EXCHANGE
TABLE = [
    (NEW, "exchanged", READY, None),
    (NEW, "renew", NEW, None),
    (NEW, "poll", NEW, ASK),
    (NEW, "upload", NEW, ASK),
    (NEW, "sealed_poll", NEW, ASK),
    (READY, "exchanged", READY, None),
    (READY, "keys", KEYS, None),
    (READY, "proved", ENCRYPTED, None),
    (READY, "renew", STALE, None),
    (READY, "poll", READY, SERVE),
    (READY, "upload", READY, SERVE),
    (READY, "sealed_poll", READY, ASK),
    (STALE, "exchanged", READY, None),
    (STALE, "proved", OUTDATED, None),
    (STALE, "renew", STALE, None),
    (STALE, "poll", STALE, ASK),
    (STALE, "upload", STALE, SERVE),
    (STALE, "sealed_poll", STALE, ASK),
    (KEYS, "exchanged", READY, None),
    (KEYS, "keys", KEYS, None),
    (KEYS, "factors", FACTORS, None),
    (KEYS, "proved", ENCRYPTED, None),
    (KEYS, "renew", STALE, None),
    (KEYS, "poll", KEYS, SERVE),
    (KEYS, "upload", KEYS, SERVE),
    (KEYS, "sealed_poll", KEYS, ASK),
    (FACTORS, "exchanged", READY, None),
    (FACTORS, "keys", KEYS, None),
    (FACTORS, "proved", ENCRYPTED, None),
    (FACTORS, "renew", STALE, None),
    (FACTORS, "poll", FACTORS, SERVE),
    (FACTORS, "upload", FACTORS, SERVE),
    (FACTORS, "sealed_poll", FACTORS, ASK),
    (ENCRYPTED, "exchanged", READY, None),
    (ENCRYPTED, "proved", ENCRYPTED, None),
    (ENCRYPTED, "renew", OUTDATED, None),
    (ENCRYPTED, "poll", ENCRYPTED, ASK),
    (ENCRYPTED, "upload", ENCRYPTED, ASK),
    (ENCRYPTED, "sealed_poll", ENCRYPTED, SERVE),
    (OUTDATED, "exchanged", READY, None),
    (OUTDATED, "proved", OUTDATED, None),
    (OUTDATED, "renew", OUTDATED, None),
    (OUTDATED, "poll", OUTDATED, ASK),
    (OUTDATED, "upload", OUTDATED, ASK),
    (OUTDATED, "sealed_poll", OUTDATED, ASK),
]
"""State, what happens, next state, verdict."""
ROOT = pathlib.Path(__file__).parent.parent
PAGE = ROOT / "docs" / "session.md"


def happen(session: Session, what: str) -> SessionReply | None:
    """Let something happen to a session; the verdict, where there is one."""
    if what in ("poll", "upload", "sealed_poll"):
        verdict: SessionReply = getattr(session, what)
        return verdict
    getattr(session, what)()
    return None


@pytest.mark.parametrize(("before", "what", "after", "verdict"), TABLE)
def test_what_happens_leads_to_a_state_and_a_verdict(
    before: SessionState, what: str, after: SessionState, verdict: SessionReply | None
) -> None:
    """A session made from a stored state goes on from there, by the table."""
    session = Session(SESSION, before)
    assert happen(session, what) is verdict
    assert session.state is after


@pytest.mark.parametrize(("before", "what", "after", "_"), TABLE)
def test_the_next_state_is_one_to_go_on_from(
    before: SessionState, what: str, after: SessionState, _: object
) -> None:
    """The state for the store and that of the machine are the same: both serve alike."""
    session = Session(SESSION, before)
    happen(session, what)
    stored = Session(SESSION, after)
    assert (session.poll, session.upload) == (stored.poll, stored.upload)


def test_sessions_share_nothing() -> None:
    """What happens to one terminal happens to no other."""
    one, other = Session(SESSION, NEW), Session(SESSION, NEW)
    one.exchanged()
    assert (one.state, other.state) == (READY, NEW)
    assert (one.poll, other.poll) == (SERVE, ASK)


def test_the_life_of_a_session() -> None:
    """New, exchanged, changed by an operator, exchanged again: polls and uploads see it."""
    session = Session(SESSION, NEW)
    seen = []
    for what in ("exchanged", "renew", "exchanged"):
        seen.append((session.poll, session.upload))
        happen(session, what)
    seen.append((session.poll, session.upload))
    assert seen == [(ASK, ASK), (SERVE, SERVE), (ASK, SERVE), (SERVE, SERVE)]


@pytest.mark.parametrize("state", SessionState)
def test_where_encryption_is_required_nothing_plain_is_served(state: SessionState) -> None:
    """Before the exchanges and after them: plain polls and uploads are told to make them."""
    session = Session(SESSION, state, required=True)
    assert (session.poll, session.upload) == (ASK, ASK)
    assert session.sealed_poll is Session(SESSION, state).sealed_poll


@pytest.mark.parametrize("state", SessionState)
@pytest.mark.parametrize("what", ["keys", "factors", "proved"])
def test_a_step_that_is_not_the_next_one_is_refused(state: SessionState, what: str) -> None:
    """The order of an exchange is fixed (Appendix 8); out of it nothing changes."""
    session = Session(SESSION, state)
    if any((before, name) == (state, what) for before, name, _, _ in TABLE):
        happen(session, what)
    else:
        with pytest.raises(OutOfOrder):
            happen(session, what)
        assert session.state is state


def test_there_are_no_other_transitions() -> None:
    """The printed table has these forty-five, and no other."""
    listed = [(before, what, after) for before, what, after, _ in transitions(SESSION)]
    assert len(listed) == 45
    assert sorted(listed) == sorted((before, what, after) for before, what, after, _ in TABLE)


def test_the_page_is_what_the_machine_says(capsys: pytest.CaptureFixture[str]) -> None:
    """docs/session.md is never stale: it equals what scripts/session_diagram.py prints."""
    runpy.run_path(str(ROOT / "scripts" / "session_diagram.py"), run_name="__main__")
    assert PAGE.read_text(encoding="utf-8") == capsys.readouterr().out


def test_the_page_begins_with_the_theory_of_operation() -> None:
    """People read how it works before they look at the diagram."""
    title, empty, first, *_ = PAGE.read_text(encoding="utf-8").splitlines()
    assert title == "# The session of a terminal, as a state machine"
    assert empty == ""
    assert first.startswith("Theory of operation. ")


@pytest.mark.parametrize(("before", "what", "after", "verdict"), TABLE)
def test_the_page_has_a_line_for_each_transition(
    before: SessionState, what: str, after: SessionState, verdict: SessionReply | None
) -> None:
    """The diagram and the table below it both have every transition, in words."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert "```mermaid" in lines
    assert lines[lines.index("```mermaid") + 1] == "stateDiagram-v2"
    outcome = f"now {after}" if after is not before else "nothing"
    if verdict is not None:
        outcome = verdict.value
    assert f"    {before} --> {after}: {what} / {outcome}" in lines
    assert f"| {before} | {what} | {after} | {outcome} |" in lines
