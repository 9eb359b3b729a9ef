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

from ...values.families import SessionTable
from ...values.sessions import SessionState

_NEW, _READY, _STALE = SessionState.NEW, SessionState.READY, SessionState.STALE
_KEYS, _FACTORS = SessionState.KEYS, SessionState.FACTORS
_ENCRYPTED, _OUTDATED = SessionState.ENCRYPTED, SessionState.OUTDATED
SESSION = SessionTable(
    {
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
    },
    {
        "poll": frozenset({_READY, _KEYS, _FACTORS}),
        "upload": frozenset({_READY, _KEYS, _FACTORS, _STALE}),
        "sealed_poll": frozenset({_ENCRYPTED}),
    },
)
"""The sessions of Attendance PUSH."""
