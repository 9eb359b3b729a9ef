"""Rows of rejects: encrypted, with what identifies and explains them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from ..protocol.faultkinds import FaultKinds
from ..protocol.rejects import NOT_SERVED, REQUEST, Origin, Reject
from ..protocol.secrecy import public_reason
from ..values.setaside import SealedRejects
from .schema import kept_records, plain, rejects
from .sealed import seal_columns
from .vault import Vault

COLUMNS = (
    "device_id",
    "table_name",
    "reason",
    "cause",
    "raw",
    "digest",
    "received_at",
    "packed",
    "name",
    "origin",
    "attempts",
    "address",
)
"""Columns of a reject that are written."""
_NUMBER = re.compile(r"(?<![\w-])-?[0-9]+\b")


def seal_rejects(
    vault: Vault,
    device_id: int,
    rejects_: Sequence[Reject],
    now: int,
    attempts: int = 0,
    address: str | None = None,
) -> SealedRejects:
    """Encrypt rejects of a terminal for their rows, equal ones once; may run on any thread.

    `attempts` is the number of earlier attempts to decode them, and `address` where they came from.
    """
    rejects_ = [*{_identity(reject): reject for reject in rejects_}.values()]
    count = len(rejects_)
    columns = (
        [device_id] * count,
        [plain(reject.table) for reject in rejects_],
        [plain(reject.reason) for reject in rejects_],
        [cause_of(reject.table, reject.reason) for reject in rejects_],
        [reject.raw for reject in rejects_],
        [vault.index(_identity(reject)) for reject in rejects_],
        [now] * count,
        [int(reject.packed) for reject in rejects_],
        [reject.name for reject in rejects_],
        [_encoded(reject.origin) for reject in rejects_],
        [attempts] * count,
        [address] * count,
    )
    written = seal_columns(vault, rejects, COLUMNS, columns)
    return SealedRejects(written, device_id)


def cause_of(table: str, reason: str) -> str:
    """Return the cause of a reject: its public reason, without numbers but those of its faults.

    It contains nothing that was sent, so it is not encrypted. For `REQUEST`, it is the method and
    the path in words.
    """
    if table == REQUEST and reason.startswith(NOT_SERVED):
        return reason.removeprefix(NOT_SERVED)
    cause = FaultKinds()
    for one, count in FaultKinds(public_reason(kept_records().get(table), reason)):
        cause.add(_NUMBER.sub("…", one), count)
    return cause.reason or ""


def _identity(reject: Reject) -> bytes:
    """Identity of a reject: its bytes, or the reason if those are not kept."""
    return b"\0".join((reject.table.encode(), reject.raw or reject.reason.encode()))


def _encoded(origin: Origin | None) -> str | None:
    return None if origin is None else msgspec.json.encode(origin).decode()
