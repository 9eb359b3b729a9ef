"""What the trace says of acknowledgements."""

from __future__ import annotations

from ..counting import counted
from ..http.messages import ExplainedBody


def with_rejects(reply: bytes, unread: int) -> ExplainedBody:
    """Add to an acknowledgement how many parts were set aside as rejects; it quotes nothing."""
    return ExplainedBody(reply, f"{counted(unread, 'part')} set aside")
