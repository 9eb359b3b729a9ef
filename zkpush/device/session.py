"""The session of a terminal, as a state machine.

Theory of operation. A terminal works by what it was told in the initialization exchange (5), so
nothing else is served before one (4): polls and uploads are answered so that it begins with the
exchange. Once it has made it, the session is *ready*, across restarts of either side. When
something that terminals are told changes (an option, the offset of the zone), the session becomes
*stale*: uploads are still taken, because nothing about them has changed, but the next poll is
answered so that the terminal makes the exchange again.

The state is in the store. What changes it (`exchanged`, `renew`) happens to a session made from the
stored state, in the unit of work that stores the new one; what only asks (`poll`, `upload`) is
answered by the session that a process has in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from automat import TypeMachineBuilder

from ..model import SessionState


class Verdict(Enum):
    """What to do with a request."""

    SERVE = "serve"
    ASK_FOR_EXCHANGE = "ask for the exchange"


class SessionInputs(Protocol):
    """What can happen to a session."""

    def exchanged(self) -> None:
        """The terminal makes the exchange."""

    def renew(self) -> None:
        """Something that the terminal was told changes."""

    def poll(self) -> Verdict:
        """The terminal asks for commands."""

    def upload(self) -> Verdict:
        """The terminal sends something that it will send again if it is not taken."""


class SessionHost:
    """What a machine belongs to."""

    __slots__ = ("state",)

    state: SessionState
    """The state, for the store; the machine keeps it up to date."""


def _enter(state: SessionState) -> Callable[[SessionInputs, SessionHost], None]:
    """The output of a transition that changes the state."""

    def enter(inputs: SessionInputs, host: SessionHost) -> None:
        host.state = state

    enter.__name__ = f"now {state.value}"
    return enter


_builder = TypeMachineBuilder(SessionInputs, SessionHost)
_new = _builder.state(SessionState.NEW.value)
_ready = _builder.state(SessionState.READY.value)
_stale = _builder.state(SessionState.STALE.value)

_new.upon(SessionInputs.exchanged).to(_ready)(_enter(SessionState.READY))
_ready.upon(SessionInputs.exchanged).loop().returns(None)
_stale.upon(SessionInputs.exchanged).to(_ready)(_enter(SessionState.READY))

_new.upon(SessionInputs.renew).loop().returns(None)
_ready.upon(SessionInputs.renew).to(_stale)(_enter(SessionState.STALE))
_stale.upon(SessionInputs.renew).loop().returns(None)

_new.upon(SessionInputs.poll).loop().returns(Verdict.ASK_FOR_EXCHANGE)
_ready.upon(SessionInputs.poll).loop().returns(Verdict.SERVE)
_stale.upon(SessionInputs.poll).loop().returns(Verdict.ASK_FOR_EXCHANGE)

_new.upon(SessionInputs.upload).loop().returns(Verdict.ASK_FOR_EXCHANGE)
_ready.upon(SessionInputs.upload).loop().returns(Verdict.SERVE)
_stale.upon(SessionInputs.upload).loop().returns(Verdict.SERVE)

_states = {state.name: state for state in (_new, _ready, _stale)}
_machine = _builder.build()


class Session(SessionHost):
    """A session, in the state that the store has."""

    __slots__ = ("_inputs", "poll", "upload")

    def __init__(self, state: SessionState) -> None:
        self.state = state
        self._inputs: SessionInputs = _machine(self, _states[state.value])
        self._ask()

    def exchanged(self) -> None:
        """The terminal makes the exchange."""
        self._inputs.exchanged()
        self._ask()

    def renew(self) -> None:
        """Something that the terminal was told changes."""
        self._inputs.renew()
        self._ask()

    def _ask(self) -> None:
        """Ask the machine once a state, and not at every poll of every terminal."""
        self.poll: Verdict = self._inputs.poll()
        """What to do with a poll."""
        self.upload: Verdict = self._inputs.upload()
        """What to do with an upload."""


def transitions() -> list[tuple[str, str, str, str]]:
    """Every transition: state, input, next state, and what comes of it."""
    return sorted(
        (before.name, what, after.name, ", ".join(output.name for output in outputs))
        for before, what, after, outputs in _machine.__automat_automaton__.allTransitions()
    )
