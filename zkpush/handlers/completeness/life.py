"""The count of a day of a terminal, as a state machine.

Theory of operation. A count is *waiting* until its time has come and its terminal is connected.
Then the terminal is asked for the number of its attendance records of that day (`VERIFY SUM
ATTLOG`, spec 12.3.3), which is compared with the number of stored ones: the count is *counting*. If
the terminal holds more, it is asked to send all records of that day again (`DATA QUERY ATTLOG`,
spec 12.1.3; *fetching*), and then to count again (*recounting*). The count ends as *complete* or
*short*, or as *surplus* if fewer records are on the terminal than stored.

A terminal counts rows; the server stores equal rows once. A terminal that has sent as many rows as
it counts holds equal ones: all of them are stored, and the count is complete.

The database holds the state. Each step is one unit of work, together with the command that it
queues, and applies only if the state is still the one that it was decided for. So a killed process
loses nothing, and several processes may work at the same time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum

from ...values.commands import CommandState, QueuedCommand
from .model import CountState, DayCount


class CountEvent(Enum):
    """What happens to a count."""

    ASKED = "its terminal is connected, and its turn comes"
    UNFIT = "its terminal cannot be sent the command"
    DEADLINE = "the time for its terminal is over"
    EQUAL = "the terminal counts as many records as are stored"
    FEWER = "the terminal counts fewer records than are stored"
    MORE = "the terminal counts more records than are stored"
    ALL_SENT = "the terminal counts more records, and has sent as many as it counts"
    REFUSED = "the terminal refuses to count, or answers without a number"
    SILENT = "the terminal does not answer, or is busy"
    CANCELLED = "the command is cancelled"
    FETCHED = "the terminal has sent its records of that day"
    NOT_FETCHED = "the terminal does not send its records of that day"


_WAITING, _COUNTING = CountState.WAITING, CountState.COUNTING
_FETCHING, _RECOUNTING = CountState.FETCHING, CountState.RECOUNTING
_TABLE: Mapping[CountState, Mapping[CountEvent, CountState]] = {
    _WAITING: {
        CountEvent.ASKED: _COUNTING,
        CountEvent.UNFIT: CountState.UNSUPPORTED,
        CountEvent.DEADLINE: CountState.NOT_ANSWERED,
    },
    _COUNTING: {
        CountEvent.EQUAL: CountState.COMPLETE,
        CountEvent.FEWER: CountState.SURPLUS,
        CountEvent.MORE: _FETCHING,
        CountEvent.REFUSED: CountState.UNSUPPORTED,
        CountEvent.SILENT: _WAITING,
        CountEvent.CANCELLED: CountState.CANCELLED,
    },
    _FETCHING: {
        CountEvent.FETCHED: _RECOUNTING,
        CountEvent.NOT_FETCHED: CountState.SHORT,
        CountEvent.EQUAL: CountState.COMPLETE,
    },
    _RECOUNTING: {
        CountEvent.EQUAL: CountState.COMPLETE,
        CountEvent.FEWER: CountState.SURPLUS,
        CountEvent.ALL_SENT: CountState.COMPLETE,
        CountEvent.MORE: CountState.SHORT,
        CountEvent.REFUSED: CountState.SHORT,
        CountEvent.SILENT: CountState.SHORT,
        CountEvent.CANCELLED: CountState.SHORT,
    },
}
"""Transitions by state and event."""
_GAVE_UP = frozenset({CommandState.EXPIRED, CommandState.UNKNOWN})
_NUMBER = re.compile(r"[0-9]{1,18}\Z", re.ASCII)
_BUSY = frozenset({-3, -1003, -1005, -1007})
"""Return codes of a terminal that may count later: reading failed, timeout, busy, memory."""


def next_state(state: CountState, event: CountEvent) -> CountState | None:
    """Return the state after an event; None if the event cannot occur in this state."""
    return _TABLE.get(state, {}).get(event)


def transitions() -> list[tuple[str, str, str]]:
    """Return all transitions: state, event in words, next state."""
    return [
        (state.value, event.value, after.value)
        for state, steps in _TABLE.items()
        for event, after in steps.items()
    ]


def numbers_of(command: QueuedCommand) -> tuple[int, int] | None:
    """Return the numbers in the answer to a count: on the terminal, and stored then."""
    values = {name.lower(): value for name, value in (command.result or {}).items()}
    numbers = [values.get("attlogsum", ""), values.get("stored", "")]
    if not all(_NUMBER.match(text) for text in numbers):
        return None
    counted, stored = map(int, numbers)
    return counted, stored


def answer_to_count(count: DayCount, command: QueuedCommand | None) -> CountEvent:
    """Return the event of an ended VERIFY SUM command; None stands for a deleted command."""
    if command is None or command.state in _GAVE_UP:
        return CountEvent.SILENT
    if command.state is CommandState.CANCELLED:
        return CountEvent.CANCELLED
    numbers = numbers_of(command) if command.state is CommandState.DONE else None
    if numbers is None:
        is_busy = command.state is CommandState.FAILED and command.return_code in _BUSY
        is_damaged = bool(command.damaged)
        return CountEvent.SILENT if is_busy or is_damaged else CountEvent.REFUSED
    return compare(count, *numbers)


def compare(count: DayCount, counted: int, stored: int) -> CountEvent:
    """Return the event of a number of records on the terminal, and of stored ones."""
    if counted < stored:
        return CountEvent.FEWER
    if counted == stored:
        return CountEvent.EQUAL
    if count.state is CountState.RECOUNTING and count.sent == counted:
        return CountEvent.ALL_SENT
    return CountEvent.MORE


def answer_to_query(command: QueuedCommand | None) -> CountEvent:
    """Return the event of an ended DATA QUERY command; None stands for a deleted command.

    A terminal that sent fewer records than it announced is counted again, too.
    """
    code = None if command is None else command.return_code
    is_answered = command is not None and command.state in (CommandState.DONE, CommandState.FAILED)
    is_success = is_answered and code is not None and code >= 0
    return CountEvent.FETCHED if is_success else CountEvent.NOT_FETCHED
