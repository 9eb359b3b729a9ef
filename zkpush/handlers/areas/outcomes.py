"""The outcome of a command for what it puts on a terminal."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

import msgspec

from ...persist.commandrows import reason_words
from ...persist.commands import CommandStore
from ...persist.transaction import Transaction
from ...protocol.codes import ReturnCode
from ...values.commands import CommandState
from .model import MOST_TRIES, PartState, SentPart

P = TypeVar("P", bound=SentPart)
BUSY = frozenset(
    {ReturnCode.TIMEOUT, ReturnCode.BUSY, ReturnCode.MEMORY_ERROR, ReturnCode.SERVER_DATA_FAILED}
)
"""Return codes of a terminal that may execute the command later."""


def _refusal(words: str | None, code: int | None) -> str:
    """Return why a terminal does not have a part: the meaning of its return code, if it is one."""
    if code is None:
        return words or "refused"
    known = ReturnCode(code)
    return f"{known.meaning if known.known else words or 'refused'} (return code {code})"


def settled(
    tx: Transaction,
    part: P,
    state: CommandState | None,
    code: int | None,
    now: int,
    later: Collection[int] = BUSY,
) -> P:
    """Return a part after the end of its command; `state` is None if the command was deleted.

    After a return code in `later`, the part is sent again.
    """
    is_present = part.state is PartState.SENT
    values: dict[str, object] = {"sent": None, "command": None, "updated_at": now}
    if state is CommandState.DONE:
        values["told"] = part.sent
        if is_present or part.sent == part.wanted:
            values["state"] = PartState.THERE if part.sent == part.wanted else PartState.WAITING
            values["reason"] = None
    elif is_present:
        command = None if part.command is None else tx[CommandStore].get(part.command)
        words = None if command is None else reason_words(command)
        is_replaced = command is not None and command.replaced_by is not None
        is_refused = state is CommandState.FAILED and code not in later
        if is_refused or (state is CommandState.CANCELLED and not is_replaced):
            values |= {"state": PartState.REFUSED, "reason": _refusal(words, code)}
        else:
            tries = part.tries + 1
            is_over = tries > MOST_TRIES
            values["state"] = PartState.UNKNOWN if is_over else PartState.WAITING
            values |= {"tries": tries, "reason": words}
    return msgspec.structs.replace(part, **values)
