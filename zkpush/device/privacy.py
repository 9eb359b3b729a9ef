"""A server that keeps no templates: what is taken and not stored, not sent, and not asked for.

Terminals go on to recognise people by what they hold themselves; the server has none of it, so it
can lose none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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
from ..protocol.fields import Command, Table
from ..protocol.handshake import without_words
from ..protocol.records import Batch, Row
from ..protocol.rejects import Reject
from ..protocol.tables import IDCARD

NO_TYPE = "0:0:0:0:0:0:0:0:0:0"
"""No biometric type is exchanged (3.1)."""
_PLACES = tuple(IDCARD.names.index(field.name) for field in FINGERPRINTS)
_OFF = "templates are switched off on this server: see `privacy.templates` of its configuration"


@attrs.frozen
class Privacy:
    """What the server may keep."""

    templates: bool = True
    """Whether it keeps templates, and photos that they are made of."""

    def kept(self, batches: Sequence[Batch]) -> Sequence[Batch]:
        """What is stored of some batches."""
        if self.templates:
            return batches
        return [
            msgspec.structs.replace(batch, rows=[_without(row) for row in batch.rows])
            if batch.table is IDCARD
            else batch
            for batch in batches
            if batch.table not in BIOMETRIC_TABLES
        ]

    def kept_rejects(self, rejects: Sequence[Reject]) -> Sequence[Reject]:
        """What is stored of what was not understood: not the bytes, where a template may be."""
        if self.templates:
            return rejects
        return [
            reject if reject.table in HARMLESS_TABLES else msgspec.structs.replace(reject, raw=b"")
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


def _without(row: Row) -> Row:
    """An identity card without fingerprints; nor the line that they were in."""
    values = list(row)
    values[-1] = None
    for place in _PLACES:
        values[place] = None
    return tuple(values)
