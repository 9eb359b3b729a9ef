"""The session of a terminal, by the tables of its family.

A transition loads the stored state and stores the new one in the same transaction. Polls and
uploads do not change it. docs/session.md shows the tables of Attendance PUSH.
"""

from __future__ import annotations

from enum import Enum

from ..model import SessionState
from ..values.families import SessionTable


class SessionReply(Enum):
    """What to do with a request."""

    SERVE = "serve"
    ASK_FOR_EXCHANGE = "ask for the exchange"


class AskForExchange(Exception):
    """The terminal has to begin with the initialization exchange."""


class OutOfOrder(Exception):
    """A step of an exchange that is not the next one."""


_NEW, _READY, _STALE = SessionState.NEW, SessionState.READY, SessionState.STALE
PLAIN = SessionTable(
    {
        "exchanged": dict.fromkeys(SessionState, _READY),
        "renew": {**dict.fromkeys(SessionState, _STALE), _NEW: _NEW},
    },
    {"poll": frozenset({_READY}), "upload": frozenset({_READY, _STALE})},
)
"""Sessions that one exchange begins, and that are never encrypted."""


def _verdict(table: SessionTable, what: str, state: SessionState) -> SessionReply:
    served = table.served.get(what, frozenset())
    return SessionReply.SERVE if state in served else SessionReply.ASK_FOR_EXCHANGE


class Session:
    """A session, in the state that the store has."""

    __slots__ = ("_required", "_table", "poll", "state", "upload")

    def __init__(self, table: SessionTable, state: SessionState, *, required: bool = False) -> None:
        """`required` is whether plain requests are refused until the session is encrypted."""
        self._table = table
        self._required = required
        self._enter(state)

    def exchanged(self) -> None:
        """The terminal makes the initialization exchange."""
        self._change("exchanged")

    def keys(self) -> None:
        """The terminal exchanges public keys; `OutOfOrder` unless that is the next step."""
        self._change("keys")

    def factors(self) -> None:
        """The terminal exchanges factors; `OutOfOrder` unless that is the next step."""
        self._change("factors")

    def proved(self) -> None:
        """A request opens under the session key; `OutOfOrder` before any exchange."""
        self._change("proved")

    def renew(self) -> None:
        """Something that the terminal was told changes."""
        self._change("renew")

    @property
    def sealed_poll(self) -> SessionReply:
        """What to do with a sealed poll."""
        return _verdict(self._table, "sealed_poll", self.state)

    def _change(self, what: str) -> None:
        after = self._table.changes.get(what, {}).get(self.state)
        if after is None:
            raise OutOfOrder
        self._enter(after)

    def _enter(self, state: SessionState) -> None:
        refused = SessionReply.ASK_FOR_EXCHANGE if self._required else None
        self.state = state
        """The state, for the store."""
        self.poll: SessionReply = refused or _verdict(self._table, "poll", state)
        """What to do with a plain poll."""
        self.upload: SessionReply = refused or _verdict(self._table, "upload", state)
        """What to do with a plain upload."""


def renewed(table: SessionTable, state: SessionState) -> SessionState:
    """The state of a session once something that the terminal was told has changed."""
    session = Session(table, state)
    session.renew()
    return session.state


def transitions(table: SessionTable) -> list[tuple[str, str, str, str]]:
    """Every transition: state, what happens, next state, and the outcome in words."""
    changes = [
        (before.value, what, after.value, "nothing" if before is after else f"now {after.value}")
        for what, nexts in table.changes.items()
        for before, after in nexts.items()
    ]
    requests = [
        (state.value, what, state.value, _verdict(table, what, state).value)
        for what in table.served
        for state in SessionState
    ]
    return sorted(changes + requests)
