"""A server that keeps no templates: what is taken and not stored, not sent, and not asked for.

Terminals go on to recognise people by what they hold themselves; the server has none of it, so it
can lose none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import attrs
import msgspec

from ..protocol.biometrics import (
    BIOMETRIC_NAMES,
    BIOMETRIC_TABLES,
    FINGERPRINTS,
    HARMLESS_TABLES,
    TRANSFER_WORDS,
)
from ..protocol.errors import CommandError
from ..protocol.fields import Command, Layout, Table
from ..protocol.handshake import without_words
from ..protocol.photos import Photo
from ..protocol.plain import AttendanceRows
from ..protocol.records import Batch, Row
from ..protocol.rejects import Reject
from ..protocol.secrecy import template_names
from ..protocol.tables import ATTPHOTO, IDCARD

NO_TYPE = "0:0:0:0:0:0:0:0:0:0"
"""No biometric type is exchanged (3.1)."""
_LENGTH = 64
"""Characters of a text that may be a template: none is so short."""
_LONG = re.compile(rb"[A-Za-z0-9+/_-]{%d}" % _LENGTH)
_NAMES = frozenset(name.rstrip("0123456789").encode() for name in template_names())
_PLACES = tuple(IDCARD.names.index(field.name) for field in FINGERPRINTS)
_OFF = "templates are switched off on this server: see `privacy.templates` of its configuration"


@attrs.frozen
class Privacy:
    """What the server may keep."""

    templates: bool = True
    """Whether it keeps templates, and photos that they are made of."""

    def kept(self, batches: Sequence[Batch]) -> Sequence[Batch]:
        """What is stored of some batches: no templates, and nothing undeclared that may be one."""
        if self.templates:
            return batches
        return [_without(batch) for batch in batches if batch.table not in BIOMETRIC_TABLES]

    def kept_rejects(self, rejects: Sequence[Reject]) -> Sequence[Reject]:
        """What is stored of what was not understood: not the bytes, where a template may be."""
        if self.templates:
            return rejects
        return [
            msgspec.structs.replace(reject, raw=b"") if _may_hold_template(reject) else reject
            for reject in rejects
        ]

    def check(self, command: Command, params: Mapping[str, str]) -> None:
        """`CommandError` for a command that brings templates to a terminal, or from one."""
        if self.templates:
            return
        words = command.name.split(" ")
        if words[0] == "DATA" and words[1] in ("UPDATE", "QUERY") and words[2] in BIOMETRIC_NAMES:
            raise CommandError(_OFF)
        if any(field.wire in params for field in FINGERPRINTS):
            raise CommandError(_OFF)
        table = params.get("TableName")
        if command.name == "PutFile" and table != "USERINFO" and ("url" not in params or table):
            raise CommandError(f"TableName: only USERINFO, because {_OFF}")

    def tables(self, tables: Iterable[Table]) -> list[Table]:
        """The tables that terminals are asked for."""
        return [table for table in tables if self.templates or table not in BIOMETRIC_TABLES]

    def told(self, settings: Mapping[str, str | int]) -> dict[str, str | int]:
        """What terminals are told: nothing that makes them send templates, whatever is set."""
        told = dict(settings)
        if not self.templates:
            told |= {"MultiBioDataSupport": NO_TYPE, "MultiBioPhotoSupport": NO_TYPE}
            if "TransFlag" in told:
                told["TransFlag"] = without_words(str(told["TransFlag"]), TRANSFER_WORDS)
        return told


def _may_hold_template(reject: Reject) -> bool:
    if reject.table == ATTPHOTO.name:
        return False  # a picture that is kept
    return reject.table not in HARMLESS_TABLES or _suspect(reject.raw)


def _suspect(raw: bytes) -> bool:
    """Whether bytes name a template, or hold text as long as one."""
    lower = raw.lower()
    return any(name in lower for name in _NAMES) or _LONG.search(raw) is not None


def _without(batch: Batch) -> Batch:
    """The records of a batch without what is not declared, and may be a template."""
    table = batch.table
    if isinstance(batch.rows, AttendanceRows):  # has nothing that is not declared
        return batch
    rows: list[Row] = []
    for row in batch.rows:
        if table.layout is Layout.PHOTO:
            photo = cast(Photo, row[0])
            extra, raw = _kept(photo.extra, photo.raw)
            rows.append((msgspec.structs.replace(photo, extra=extra, raw=raw),))
        elif table.layout in (Layout.PAIRS, Layout.VALUES):
            name, value = row
            if not _is_template(str(name), str(value)):
                rows.append(row)
        else:
            values = list(row[:-2])
            extra, raw = _kept(cast("str | None", row[-2]), cast("bytes | None", row[-1]))
            if table is IDCARD:
                for place in _PLACES:
                    values[place] = None
            rows.append((*values, extra, raw))
    return msgspec.structs.replace(batch, rows=rows)


def _kept(extra: str | None, raw: bytes | None) -> tuple[str | None, bytes | None]:
    """What is kept of unknown columns, and of a line's bytes."""
    if extra is not None:
        said = msgspec.json.decode(extra, type=dict[str, str])
        left = {name: value for name, value in said.items() if not _is_template(name, value)}
        extra = msgspec.json.encode(left).decode() if left else None
    return extra, None if raw is None or _suspect(raw) else raw


def _is_template(name: str, value: str) -> bool:
    """Whether a value stands where a template does, or is as long as one.

    The second value of a name has a number behind it.
    """
    return name.rstrip(" 0123456789").casefold().encode() in _NAMES or len(value) >= _LENGTH
