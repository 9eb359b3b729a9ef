"""What the trace says of acknowledgements."""

from __future__ import annotations

from ..counting import counted
from ..http.messages import ExplainedBody


def acknowledged(reply: bytes, rejects: int) -> bytes:
    """Add to an acknowledgement how many rejects were kept, if there were any."""
    return ExplainedBody(reply, rejects_kept(rejects)) if rejects else reply


def rejects_kept(number: int) -> str:
    """Return how many rejects were kept; it quotes nothing."""
    return f"{counted(number, 'part')} not understood, and kept"
