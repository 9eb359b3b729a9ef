"""The session of a terminal, as a state machine.

Theory of operation. A terminal works by what it was told in the initialization exchange (5), so
nothing else is served before one (4): polls and uploads are answered so that it begins with the
exchange. Once it has made it, the session is *ready*, across restarts of either side. When
something that terminals are told changes (an option, the offset of the zone), the session becomes
*stale*: uploads are still taken, because nothing about them has changed, but the next poll is
answered so that the terminal makes the exchange again.

Where both sides speak 2.4.0 or above, the terminal may go on with the exchange of public keys (6)
and that of factors (7): the session is at its *keys*, then at its *factors*. That the terminal has
the session key is *proved* by the first request that opens under it; from then on the session is
*encrypted*, and nothing plain is served (Appendix 8). What makes a plain session stale makes this
one *outdated*. The initialization exchange is always plain, and starts over.

Before it is proved, plain requests are served, unless encryption is *required* of the terminal:
then they are answered so that it begins with the exchanges.

The state is in the store. What changes it happens to a session made from the stored state, in the
unit of work that stores the new one; what only asks (polls and uploads, plain or sealed) is
answered by the session that a process has in memory. A sealed upload is served wherever it opens.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol

from automat import NoTransition, TypeMachineBuilder

from ..model import SessionState


class Verdict(Enum):
    """What to do with a request."""

    SERVE = "serve"
    ASK_FOR_EXCHANGE = "ask for the exchange"


class OutOfOrder(Exception):
    """A step of an exchange that is not the next one."""


class SessionInputs(Protocol):
    """What can happen to a session."""

    def exchanged(self) -> None:
        """The terminal makes the initialization exchange."""

    def keys(self) -> None:
        """The terminal exchanges public keys."""

    def factors(self) -> None:
        """The terminal exchanges factors."""

    def proved(self) -> None:
        """A request opens under the session key."""

    def renew(self) -> None:
        """Something that the terminal was told changes."""

    def poll(self) -> Verdict:
        """The terminal asks for commands, in the plain."""

    def upload(self) -> Verdict:
        """The terminal sends something in the plain, and again if it is not taken."""

    def sealed_poll(self) -> Verdict:
        """The terminal asks for commands, sealed."""


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


_NEW, _READY, _STALE = SessionState.NEW, SessionState.READY, SessionState.STALE
_KEYS, _FACTORS = SessionState.KEYS, SessionState.FACTORS
_ENCRYPTED, _OUTDATED = SessionState.ENCRYPTED, SessionState.OUTDATED
_CHANGES: dict[Any, dict[SessionState, SessionState]] = {
    SessionInputs.exchanged: dict.fromkeys(SessionState, _READY),
    SessionInputs.keys: dict.fromkeys((_READY, _KEYS, _FACTORS), _KEYS),
    SessionInputs.factors: {_KEYS: _FACTORS},
    SessionInputs.proved: {
        **dict.fromkeys((_READY, _KEYS, _FACTORS, _ENCRYPTED), _ENCRYPTED),
        **dict.fromkeys((_STALE, _OUTDATED), _OUTDATED),
    },
    SessionInputs.renew: {
        _NEW: _NEW,
        **dict.fromkeys((_READY, _KEYS, _FACTORS, _STALE), _STALE),
        **dict.fromkeys((_ENCRYPTED, _OUTDATED), _OUTDATED),
    },
}
"""What changes a session: in which states it can happen, and what comes next."""
_SERVED: dict[Any, frozenset[SessionState]] = {
    SessionInputs.poll: frozenset({_READY, _KEYS, _FACTORS}),
    SessionInputs.upload: frozenset({_READY, _KEYS, _FACTORS, _STALE}),
    SessionInputs.sealed_poll: frozenset({_ENCRYPTED}),
}
"""What asks: in which states it is served."""

_builder = TypeMachineBuilder(SessionInputs, SessionHost)
_states = {state.value: _builder.state(state.value) for state in SessionState}
for _what, _next in _CHANGES.items():
    for _before, _after in _next.items():
        _upon = _states[_before.value].upon(_what)
        if _before is _after:
            _upon.loop().returns(None)
        else:
            _upon.to(_states[_after.value])(_enter(_after))
for _what, _where in _SERVED.items():
    for _state in SessionState:
        _verdict = Verdict.SERVE if _state in _where else Verdict.ASK_FOR_EXCHANGE
        _states[_state.value].upon(_what).loop().returns(_verdict)
_machine = _builder.build()


class Session(SessionHost):
    """A session, in the state that the store has."""

    __slots__ = ("_inputs", "_required", "poll", "upload")

    def __init__(self, state: SessionState, *, required: bool = False) -> None:
        """`required` is whether plain requests are refused until the session is encrypted."""
        self.state = state
        self._required = required
        self._inputs: SessionInputs = _machine(self, _states[state.value])
        self._ask()

    def exchanged(self) -> None:
        """The terminal makes the initialization exchange."""
        self._inputs.exchanged()
        self._ask()

    def keys(self) -> None:
        """The terminal exchanges public keys; `OutOfOrder` unless that is the next step."""
        self._step(self._inputs.keys)

    def factors(self) -> None:
        """The terminal exchanges factors; `OutOfOrder` unless that is the next step."""
        self._step(self._inputs.factors)

    def proved(self) -> None:
        """A request opens under the session key; `OutOfOrder` before any exchange."""
        self._step(self._inputs.proved)

    def renew(self) -> None:
        """Something that the terminal was told changes."""
        self._inputs.renew()
        self._ask()

    @property
    def sealed_poll(self) -> Verdict:
        """What to do with a sealed poll."""
        return self._inputs.sealed_poll()

    def _step(self, step: Callable[[], None]) -> None:
        try:
            step()
        except NoTransition:
            raise OutOfOrder from None
        self._ask()

    def _ask(self) -> None:
        """Ask the machine once a state, and not at every poll of every terminal."""
        refused = Verdict.ASK_FOR_EXCHANGE if self._required else None
        self.poll: Verdict = refused or self._inputs.poll()
        """What to do with a plain poll."""
        self.upload: Verdict = refused or self._inputs.upload()
        """What to do with a plain upload."""


def transitions() -> list[tuple[str, str, str, str]]:
    """Every transition: state, input, next state, and what comes of it."""
    return sorted(
        (before.name, what, after.name, ", ".join(output.name for output in outputs))
        for before, what, after, outputs in _machine.__automat_automaton__.allTransitions()
    )
