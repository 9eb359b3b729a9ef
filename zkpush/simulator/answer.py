"""What comes of a command: an answer (13), or a refusal with its code (Appendix 1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import attrs

from ..protocol.codes import ReturnCode


class ReturnCodeError(Exception):
    """A command that is not executed; the code says why."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = int(code)


@attrs.frozen
class Answer:
    """What a terminal answers a command with."""

    code: int = int(ReturnCode.SUCCESSFUL)
    values: Mapping[str, str] = attrs.field(factory=dict)
    """What the section of the command wants beside the code."""
    content: bytes | None = None
    """What stands at the end, after `Content=`."""
    then: Callable[[], Awaitable[None]] | None = None
    """What the terminal does when it has answered."""
