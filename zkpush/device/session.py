"""The session of a terminal, as a state machine.

Theory of operation. For developers. A terminal works with the options that it received in the
initialization exchange (spec 5), so the server serves nothing else before one (4): it answers polls
and uploads so that the terminal starts the exchange. After the exchange the session is *ready*,
across restarts of either side. When an option or the offset of the time zone changes, the session
becomes *stale*: the server still accepts uploads, because nothing about them has changed, but
answers the next poll so that the terminal repeats the exchange.

If both sides support 2.4.0 or later, the terminal may continue with the exchange of public keys
(6), which leads to the state *keys*, and that of factors (7), which leads to *factors*. The first
request that decrypts with the session key *proves* that the terminal has it. From then on the
session is *encrypted*, and plain requests are not served (Appendix 8). A change that makes a plain
session stale makes an encrypted one *outdated*. The initialization exchange is always plain and
starts again.

Before the proof, the server serves plain requests, unless encryption is *required* for the
terminal. Then it answers them so that the terminal starts the exchanges.

The database holds the state. A transition loads the stored state and stores the new one in the same
transaction. Polls and uploads, plain or sealed, do not change it, so the process answers them from
its copy in memory. A sealed upload is served on every process where it decrypts.
"""

from __future__ import annotations

from enum import Enum

from ..model import SessionState


class SessionReply(Enum):
    """What to do with a request."""

    SERVE = "serve"
    ASK_FOR_EXCHANGE = "ask for the exchange"


class AskForExchange(Exception):
    """The terminal has to begin with the initialization exchange."""


class OutOfOrder(Exception):
    """A step of an exchange that is not the next one."""


_NEW, _READY, _STALE = SessionState.NEW, SessionState.READY, SessionState.STALE
_KEYS, _FACTORS = SessionState.KEYS, SessionState.FACTORS
_ENCRYPTED, _OUTDATED = SessionState.ENCRYPTED, SessionState.OUTDATED
_CHANGES: dict[str, dict[SessionState, SessionState]] = {
    "exchanged": dict.fromkeys(SessionState, _READY),
    "keys": dict.fromkeys((_READY, _KEYS, _FACTORS), _KEYS),
    "factors": {_KEYS: _FACTORS},
    "proved": {
        **dict.fromkeys((_READY, _KEYS, _FACTORS, _ENCRYPTED), _ENCRYPTED),
        **dict.fromkeys((_STALE, _OUTDATED), _OUTDATED),
    },
    "renew": {
        _NEW: _NEW,
        **dict.fromkeys((_READY, _KEYS, _FACTORS, _STALE), _STALE),
        **dict.fromkeys((_ENCRYPTED, _OUTDATED), _OUTDATED),
    },
}
"""The changes: for each, the states in which it can happen, and the next state."""
_SERVED: dict[str, frozenset[SessionState]] = {
    "poll": frozenset({_READY, _KEYS, _FACTORS}),
    "upload": frozenset({_READY, _KEYS, _FACTORS, _STALE}),
    "sealed_poll": frozenset({_ENCRYPTED}),
}
"""The requests: for each, the states in which it is served."""


def _verdict(what: str, state: SessionState) -> SessionReply:
    return SessionReply.SERVE if state in _SERVED[what] else SessionReply.ASK_FOR_EXCHANGE


class Session:
    """A session, in the state that the store has."""

    __slots__ = ("_required", "poll", "state", "upload")

    def __init__(self, state: SessionState, *, required: bool = False) -> None:
        """`required` is whether plain requests are refused until the session is encrypted."""
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
        return _verdict("sealed_poll", self.state)

    def _change(self, what: str) -> None:
        after = _CHANGES[what].get(self.state)
        if after is None:
            raise OutOfOrder
        self._enter(after)

    def _enter(self, state: SessionState) -> None:
        refused = SessionReply.ASK_FOR_EXCHANGE if self._required else None
        self.state = state
        """The state, for the store."""
        self.poll: SessionReply = refused or _verdict("poll", state)
        """What to do with a plain poll."""
        self.upload: SessionReply = refused or _verdict("upload", state)
        """What to do with a plain upload."""


def transitions() -> list[tuple[str, str, str, str]]:
    """Every transition: state, what happens, next state, and the outcome in words."""
    changes = [
        (before.value, what, after.value, "nothing" if before is after else f"now {after.value}")
        for what, nexts in _CHANGES.items()
        for before, after in nexts.items()
    ]
    requests = [
        (state.value, what, state.value, _verdict(what, state).value)
        for what in _SERVED
        for state in SessionState
    ]
    return sorted(changes + requests)
