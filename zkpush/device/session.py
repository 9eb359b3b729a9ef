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

from enum import Enum

from ..model import SessionState


class SessionReply(Enum):
    """What to do with a request."""

    SERVE = "serve"
    ASK_FOR_EXCHANGE = "ask for the exchange"


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
