"""Results of commands: an answer (13), or a refusal with its return code (Appendix 1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import attrs

from ..protocol.codes import ReturnCode


class ReturnCodeError(Exception):
    """A command is not executed; the return code says why."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = int(code)


@attrs.frozen
class Answer:
    """The answer of a terminal to a command."""

    code: int = int(ReturnCode.SUCCESSFUL)
    values: Mapping[str, str] = attrs.field(factory=dict)
    """Values that the section of the command requires in addition to the return code."""
    content: bytes | None = None
    """Data after `Content=`, at the end."""
    then: Callable[[], Awaitable[None]] | None = None
    """Called after the answer is sent."""
