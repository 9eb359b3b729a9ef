"""Problems of forwarders, with advice."""

from __future__ import annotations

from ...problems import ProblemKind

FAILING = ProblemKind(
    "forwarder failing",
    "A receiver of events does not take them; they are kept, and sent again",
    "See the detail, `zkpush forwarders show NAME` and `zkpush forwarders test NAME`. Attempts "
    "continue by themselves; to make one at once, use `zkpush forwarders resume NAME`.",
)
STOPPED = ProblemKind(
    "forwarder stopped",
    "A receiver has said that it wants no more events (410)",
    "Ask its operator why. `zkpush forwarders resume NAME` continues where it was stopped.",
)
DEAD_LETTERS = ProblemKind(
    "dead letters",
    "A receiver did not take some events, and they were set aside",
    "See them with `zkpush forwarders dead NAME`. When the cause is mended, send them again: "
    "`zkpush forwarders replay NAME --dead`.",
)
UNUSABLE = ProblemKind(
    "forwarder unusable",
    "A forwarder cannot run; its events are kept",
    "Install the plugin of its kind again, or set its settings anew.",
)
PROBLEMS = (FAILING, STOPPED, DEAD_LETTERS, UNUSABLE)
