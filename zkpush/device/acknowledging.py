"""What the trace says of acknowledgements."""

from __future__ import annotations

from ..counting import counted
from ..http.messages import ExplainedBody


def with_rejects(reply: bytes, number: int) -> ExplainedBody:
    """Add to an acknowledgement how many rejects were kept; it quotes nothing."""
    return ExplainedBody(reply, f"{counted(number, 'reject')} kept")
