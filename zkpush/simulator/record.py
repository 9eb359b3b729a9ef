"""Records of a terminal: attendance, people, operations."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from ..handlers.logs.tables import IDCARD
from ..protocol.codes import BiometricType
from ..protocol.exchange import STAMPS
from ..protocol.fields import Table

OPERLOG = "OPERLOG"
"""Data type of all tables without a stamp of their own (5)."""
_DATA_TYPES = frozenset(name for name, _, _ in STAMPS)
_KEYS = {IDCARD.name: ("pin", "id_number")}
"""Keys of tables without a key on the wire, whose records the server can also send."""


@attrs.frozen
class RecordForm:
    """A table, and values by field name; values of other fields are ignored."""

    table: Table
    values: Mapping[str, object]

    @property
    def data_type(self) -> str:
        """Data type that it is sent as (5)."""
        return self.table.name if self.table.name in _DATA_TYPES else OPERLOG


@attrs.define(eq=False)
class Record:
    """A record of the terminal, and whether the server has it."""

    own: RecordForm
    words: tuple[str, ...] = ()
    """Words of TransFlag that request it; empty without such a word."""
    type: BiometricType | None = None
    """Biometric type of a template or a comparison photo."""
    unified: RecordForm | None = None
    """Form of the hybrid protocol (3.1), if it differs."""
    picture: bytes = b""
    """Image of an attendance photo."""
    form: RecordForm = attrs.field(init=False)
    """Form in which it is sent."""
    stamp: int = 0
    """Sequence number among the records of its data type."""
    sent: bool = False
    """Whether the server has acknowledged it, or has sent it."""
    given: bool = False
    """Whether it came from the server and has not been sent back."""
    hidden: bool = False
    """Whether it is sent only when the server asks for it."""
    gone: bool = False
    """Whether it was replaced or deleted."""

    def __attrs_post_init__(self) -> None:
        self.form = self.own

    @property
    def key(self) -> tuple[object, ...]:
        """Key: a new record with the same key replaces this one."""
        table, values = self.own.table, self.own.values
        names = table.key or _KEYS.get(table.name, ())
        said = (values.get(name, table.field(name).default) for name in names)
        return (table.name, self.type, *map(str, said))
