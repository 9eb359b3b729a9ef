"""What a terminal records: attendance, people, operations; as a real one would send it."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from ..handlers.logs.tables import IDCARD
from ..protocol.codes import BiometricType
from ..protocol.exchange import STAMPS
from ..protocol.fields import Table

OPERLOG = "OPERLOG"
"""The data type of everything that has no stamp of its own (5)."""
_DATA_TYPES = frozenset(name for name, _, _ in STAMPS)
_KEYS = {IDCARD.name: ("pin", "id_number")}
"""Of what has no key on the wire, as it is an event there, and is held if the server gives it."""


@attrs.frozen
class RecordForm:
    """A table, and the values of its fields by their names; it takes those that it has."""

    table: Table
    values: Mapping[str, object]

    @property
    def data_type(self) -> str:
        """The data type that it is sent as (5)."""
        return self.table.name if self.table.name in _DATA_TYPES else OPERLOG


@attrs.define(eq=False)
class Record:
    """Something that a terminal has, and whether the server has it, too."""

    own: RecordForm
    words: tuple[str, ...] = ()
    """The words of TransFlag that ask for it; none where there is no word for it."""
    type: BiometricType | None = None
    """The biometric type of a template or a comparison photo."""
    unified: RecordForm | None = None
    """The form of the hybrid protocol (3.1), if it has another one."""
    picture: bytes = b""
    """The picture of an attendance photo."""
    form: RecordForm = attrs.field(init=False)
    """The form that it is sent in."""
    stamp: int = 0
    """Its place among the records of its data type."""
    sent: bool = False
    """Whether the server has it: it has acknowledged it, or it has given it."""
    given: bool = False
    """Whether it is from the server, which has not been told of it since."""
    gone: bool = False
    """Whether the terminal has it no more, as it was replaced or deleted."""

    def __attrs_post_init__(self) -> None:
        self.form = self.own

    @property
    def key(self) -> tuple[object, ...]:
        """What it is replaced by: another one with the same key."""
        table, values = self.own.table, self.own.values
        names = table.key or _KEYS.get(table.name, ())
        said = (values.get(name, table.field(name).default) for name in names)
        return (table.name, self.type, *map(str, said))
