"""The session of a terminal, by the tables of its family.

A transition loads the stored state and stores the new one in the same transaction. Polls and
uploads do not change it. The tables of Attendance PUSH are in `resources/attendance/session.py` and
on the page docs/session.md.
"""

from __future__ import annotations

from enum import Enum

from ..phrases import Phrase
from ..values.families import SessionTable
from ..values.sessions import SessionState


class SessionReply(Enum):
    """How to handle a request."""

    SERVE = "serve"
    ASK_FOR_EXCHANGE = "ask for the exchange"


BEGINS = Phrase("it has to begin a session")
WITHOUT_TOKEN = Phrase("it came without the secret of its session, the token")
OTHER_TOKEN = Phrase("it came with another secret, or token, than that of its session")
DOES_NOT_OPEN = Phrase("it does not open under the keys of its session")
NOT_ENCRYPTED = Phrase("it is not encrypted, and its session is")
TAKEN_BEFORE = Phrase("it was taken before")


class AskForExchange(Exception):
    """The terminal has to start with the initialization exchange."""

    def __init__(self, reason: Phrase = BEGINS) -> None:
        """`reason` says of the request why, for the trace."""
        super().__init__(reason)
        self.reason = reason


class OutOfOrder(Exception):
    """An exchange step came out of order."""


_NEW, _READY, _STALE = SessionState.NEW, SessionState.READY, SessionState.STALE
PLAIN = SessionTable(
    {
        "exchanged": dict.fromkeys(SessionState, _READY),
        "renew": {**dict.fromkeys(SessionState, _STALE), _NEW: _NEW},
    },
    {"poll": frozenset({_READY}), "upload": frozenset({_READY, _STALE})},
)
"""Session table without encryption: one exchange starts the session."""


def _verdict(table: SessionTable, what: str, state: SessionState) -> SessionReply:
    served = table.served.get(what, frozenset())
    return SessionReply.SERVE if state in served else SessionReply.ASK_FOR_EXCHANGE


class Session:
    """A session in its stored state."""

    __slots__ = ("_required", "_table", "poll", "state", "upload")

    def __init__(self, table: SessionTable, state: SessionState, *, required: bool = False) -> None:
        """`required` refuses plain requests until the session is encrypted."""
        self._table = table
        self._required = required
        self._enter(state)

    def exchanged(self) -> None:
        """The terminal performs the initialization exchange."""
        self._change("exchanged")

    def keys(self) -> None:
        """The terminal exchanges public keys; raises `OutOfOrder` if that is not the next step."""
        self._change("keys")

    def factors(self) -> None:
        """The terminal exchanges factors; raises `OutOfOrder` if that is not the next step."""
        self._change("factors")

    def proved(self) -> None:
        """A request decrypts with the session key; raises `OutOfOrder` before any exchange."""
        self._change("proved")

    def renew(self) -> None:
        """Options sent to the terminal have changed."""
        self._change("renew")

    @property
    def sealed_poll(self) -> SessionReply:
        """How to handle a sealed poll."""
        return _verdict(self._table, "sealed_poll", self.state)

    def _change(self, what: str) -> None:
        after = self._table.changes.get(what, {}).get(self.state)
        if after is None:
            raise OutOfOrder
        self._enter(after)

    def _enter(self, state: SessionState) -> None:
        refused = SessionReply.ASK_FOR_EXCHANGE if self._required else None
        self.state = state
        """The state to store."""
        self.poll: SessionReply = refused or _verdict(self._table, "poll", state)
        """How to handle a plain poll."""
        self.upload: SessionReply = refused or _verdict(self._table, "upload", state)
        """How to handle a plain upload."""


def renewed(table: SessionTable, state: SessionState) -> SessionState:
    """The state of a session after a change of options sent to the terminal."""
    session = Session(table, state)
    session.renew()
    return session.state


def transitions(table: SessionTable) -> list[tuple[str, str, str, str]]:
    """All transitions: state, event, next state, and the outcome in words."""
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
