"""Records of the audit log that are shown in one line."""

from __future__ import annotations

from collections.abc import Iterable

from ...values.audit import AuditRecord

READ = "read "
"""Start of the actions that show secrets."""


def grouped(records: Iterable[AuditRecord], *, is_each: bool = False) -> list[list[AuditRecord]]:
    """Put consecutive reads of one kind by one caller into one line.

    A page that shows many pictures is one read for the person who opens it. With `is_each`, each
    record has a line of its own.
    """
    lines: list[list[AuditRecord]] = []
    for record in records:
        if lines and not is_each and _is_alike(lines[-1][-1], record):
            lines[-1].append(record)
        else:
            lines.append([record])
    return lines


def _is_alike(one: AuditRecord, other: AuditRecord) -> bool:
    same = (one.actor, one.action, one.detail) == (other.actor, other.action, other.detail)
    return same and one.action.startswith(READ)
