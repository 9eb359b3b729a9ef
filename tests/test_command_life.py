"""The life of a command: what each event does to it, in each state."""

from __future__ import annotations

import itertools

import pytest

from zkpush.device.life import LifeEvent, LifeRules, step_of, transitions
from zkpush.endings import EndReason, end_words
from zkpush.values.commands import FINAL_STATES, OPEN_STATES, CommandState, QueuedCommand

S, E, R = CommandState, LifeEvent, EndReason
TABLE = [
    (S.QUEUED, E.TAKEN, S.SENT, None),
    (S.QUEUED, E.SUCCEEDED, S.DONE, R.DONE),
    (S.QUEUED, E.FAILED, S.FAILED, R.FAILED),
    (S.QUEUED, E.ACKNOWLEDGED, S.SENT, None),
    (S.QUEUED, E.DEADLINE, S.EXPIRED, R.NOT_FETCHED),
    (S.QUEUED, E.CANCELLED, S.CANCELLED, R.CANCELLED),
    (S.QUEUED, E.REPLACED, S.CANCELLED, R.REPLACED),
    (S.QUEUED, E.DAMAGED, S.FAILED, R.DAMAGED),
    (S.SENT, E.TAKEN, S.SENT, None),
    (S.SENT, E.SUCCEEDED, S.DONE, R.DONE),
    (S.SENT, E.FAILED, S.FAILED, R.FAILED),
    (S.SENT, E.ACKNOWLEDGED, S.SENT, None),
    (S.SENT, E.GATHERED, S.DONE, R.DONE),
    (S.SENT, E.RESTARTED, S.DONE, R.RESTARTED),
    (S.DONE, E.CONFIRMED, S.DONE, R.DONE),
    (S.DONE, E.REFUTED, S.FAILED, R.FAILED),
    (S.SENT, E.UNREPEATABLE, S.UNKNOWN, R.NOT_REPEATED),
    (S.SENT, E.EXHAUSTED, S.EXPIRED, R.NOT_ANSWERED),
    (S.SENT, E.LATE, S.EXPIRED, R.TOO_OLD),
    (S.SENT, E.OVERTAKEN, S.UNKNOWN, R.OVERTAKEN),
    (S.SENT, E.SUPERSEDED, S.CANCELLED, R.REPLACED_LATE),
    (S.SENT, E.CANCELLED, S.CANCELLED, R.CANCELLED_LATE),
    (S.SENT, E.REPLACED, S.SENT, None),
    (S.SENT, E.DAMAGED, S.FAILED, R.DAMAGED),
    (S.QUEUED, E.RETIRED, S.CANCELLED, R.RETIRED),
    (S.SENT, E.RETIRED, S.CANCELLED, R.RETIRED),
    (S.UNKNOWN, E.SUCCEEDED, S.DONE, R.DONE),
    (S.UNKNOWN, E.FAILED, S.FAILED, R.FAILED),
    *[(state, E.SHORT, S.FAILED, R.SHORT) for state in (S.QUEUED, S.SENT, S.UNKNOWN)],
    *[
        (state, event, state, None)
        for state in (S.DONE, S.FAILED, S.EXPIRED, S.CANCELLED)
        for event in (E.SUCCEEDED, E.FAILED, E.SHORT)
    ],
]
"""State, what happens, next state, why it ends."""
DEADLINE = 1000
RULES = LifeRules(attempts=3, lifetime=500)


def command(state: CommandState, **values: object) -> QueuedCommand:
    """A command in a state."""
    common = {"params": {}, "asked": {}, "text": "X", "attempts": 1, "created_at": 0}
    values = {"expires_at": DEADLINE, **common, **values}
    return QueuedCommand(id="c", device="T1", command="X", state=state, **values)


@pytest.mark.parametrize(("before", "event", "after", "reason"), TABLE)
def test_an_event_leads_to_a_state_and_a_reason(
    before: CommandState, event: LifeEvent, after: CommandState, reason: EndReason | None
) -> None:
    """A command goes from state to state by the table."""
    step = step_of(event, before)
    assert step is not None
    assert (step.state, step.reason) == (after, reason)


def test_nothing_else_can_happen() -> None:
    """In no other state does an event do anything, and the printed table has no other rows."""
    known = {(before, event) for before, event, _, _ in TABLE}
    for state, event in itertools.product(CommandState, LifeEvent):
        assert (step_of(event, state) is not None) == ((state, event) in known)
    listed = [(before, what, after) for before, what, after, _ in transitions()]
    assert sorted(listed) == sorted((b.value, e.value, a.value) for b, e, a, _ in TABLE)


def test_an_end_has_a_reason_and_nothing_opens_again() -> None:
    """A command leaves the open states with a reason, and never comes back to them."""
    for before, event, after, reason in TABLE:
        if before in OPEN_STATES:
            assert (reason is not None) == (after in FINAL_STATES), event
        else:
            assert after in FINAL_STATES


@pytest.mark.parametrize(
    ("given", "now", "repeatable", "event"),
    [
        (command(S.QUEUED), DEADLINE, True, E.TAKEN),
        (command(S.QUEUED), DEADLINE, False, E.TAKEN),
        (command(S.QUEUED), DEADLINE + 1, True, E.DEADLINE),
        (command(S.QUEUED, expires_at=None), 500, True, E.TAKEN),
        (command(S.QUEUED, expires_at=None), 501, True, E.DEADLINE),
        (command(S.QUEUED, damaged=("params",)), 0, True, E.DAMAGED),
        (command(S.SENT), DEADLINE, True, E.TAKEN),
        (command(S.SENT), DEADLINE + 1, True, E.LATE),
        (command(S.SENT), 0, False, E.UNREPEATABLE),
        (command(S.SENT, damaged=("params",)), 0, False, E.UNREPEATABLE),
        (command(S.SENT, damaged=("params",)), 0, True, E.DAMAGED),
        (command(S.SENT, attempts=2), 0, True, E.TAKEN),
        (command(S.SENT, attempts=3), 0, True, E.EXHAUSTED),
        (command(S.SENT, replaced_by="d"), 0, True, E.SUPERSEDED),
        (command(S.SENT, answered_at=1, attempts=9), DEADLINE + 1, False, E.GATHERED),
    ],
)
def test_what_is_due_is_sent_or_ends(
    given: QueuedCommand, now: int, repeatable: bool, event: LifeEvent
) -> None:
    """A queued command is sent until its deadline; a sent one again, if nothing is against it."""
    assert RULES.due(given, now, is_repeatable=repeatable) is event
    assert step_of(event, given.state) is not None


def test_a_reason_is_a_sentence() -> None:
    """It says how often the command was sent, what replaced it, and that an answer came."""
    words = {reason: end_words(reason, 3, "abc", is_answered=False) or "" for reason in EndReason}
    assert len({*words.values()}) == len(EndReason)
    for text in words.values():
        assert text[0].isupper()
        assert text.endswith(".")
        assert "{" not in text
    assert "3 times" in words[R.NOT_ANSWERED]
    assert "(once)" in str(end_words(R.NOT_ANSWERED, 1, None, is_answered=False))
    assert "abc" in words[R.REPLACED]
    late = end_words(R.CANCELLED, 1, None, is_answered=True)
    assert late == f"{words[R.CANCELLED]} The terminal answered it afterwards."
    assert end_words(None, 0, None, is_answered=False) is None
    assert end_words("of a later version", 0, None, is_answered=False) == "of a later version"
