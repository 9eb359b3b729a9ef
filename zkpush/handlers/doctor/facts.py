"""Facts about a terminal, for its checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ...causes import BEGUN_ANEW
from ...consequences import advice_among
from ...model import Device
from ...phrases import Phrase
from ...problems import ProblemCode, ServerProblem, TerminalAdvice
from ...values.setaside import RepeatedReject
from ..commands.model import StuckQueue
from ..trace.model import TracedRequest


@attrs.frozen
class TerminalFacts:
    """Data about a terminal."""

    device: Device
    now: int
    """Milliseconds since the epoch."""
    is_online: bool
    last_seen_at: int | None
    trace: Sequence[TracedRequest]
    """Newest last."""
    oldest_command_at: int | None
    """When the oldest command that may be sent now was queued (ms)."""
    stuck: StuckQueue | None
    """Its queue, if no answer has come for long."""
    unanswered: StuckQueue | None
    """Its queue, if no answer has come lately."""
    stamps: frozenset[str]
    """Names of the tables that it has ever uploaded."""

    decided_at: int | None
    """When an operator last changed in the last hour what of its requests is refused (ms)."""
    has_begun_anew: bool
    """Whether an operator has begun its tokens anew in the last day."""
    has_records: bool
    """Whether an attendance record of it is stored."""
    newest_reject: int | None
    """ID of its newest reject."""
    repeated: RepeatedReject | None
    """The reject that it sent most often, if not once."""
    others: Sequence[ServerProblem]
    """Problems of the server that are about it, or of which it may be the cause."""

    @property
    def problems(self) -> Mapping[str, str]:
        """Details of its problems by code; its own before those of the server."""
        own = {one.code: one.detail for one in self.device.problems}
        return {**{str(one.code): one.detail for one in self.others}, **own}

    def problem(self, code: str) -> str | None:
        """Return the detail of a problem of the terminal; None if it does not have it."""
        return self.problems.get(code)

    def advice(self, code: str) -> Phrase:
        """Return the advice on a problem of the terminal, without what was done already."""
        if code == ProblemCode.TOKEN_MISSING and self.has_begun_anew:
            return TerminalAdvice(BEGUN_ANEW, sn=self.device.sn)
        return advice_among(code, self.device, self.problems, self.newest_reject)

    def is_sure(self, code: str) -> bool:
        """Whether a problem is its own, or that of no other terminal."""
        own = any(one.code == code for one in self.device.problems)
        return own or all(len(one.candidates) < 2 for one in self.others if one.code == code)
