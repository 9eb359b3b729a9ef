"""Checks of a plugin's tables: consistent declarations and readable examples."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import attrs

from .counting import counted
from .protocol.dialect import Dialect
from .protocol.fields import Table
from .protocol.packets import PacketLimits
from .protocol.requests import Upload
from .protocol.uploads import UploadDecoder

_MIXED = "OPERLOG"
"""Name of uploads whose lines begin with a keyword (11.4)."""


@attrs.frozen
class Fault:
    """A fault of a plugin, with advice for its author or the operator."""

    problem: str
    advice: str


def table_faults(table: Table) -> list[Fault]:
    """Return the faults of the declaration of a table, and of its examples."""
    found = list(_declaration_faults(table))
    return found or [fault for line in table.examples for fault in _example_faults(table, line)]


def example_upload(table: Table, line: str) -> Upload:
    """Make the upload of one line: of the table itself, or of mixed lines with keywords."""
    words = () if table.keyword is None else (table.keyword, *table.aliases)
    first = line.replace("\t", " ").partition(" ")[0].lower()
    is_mixed = first in {word.lower() for word in words}
    return Upload(_MIXED if is_mixed else table.name, line.encode())


def _declaration_faults(table: Table) -> Iterator[Fault]:
    if not table.name:
        yield Fault("A table has no name.", "Set `name` to what follows table= in uploads.")
    names = Counter(field.name for field in table.fields)
    wires = Counter(field.wire.lower() for field in table.fields)
    for what, counts in (("name", names), ("wire name", wires)):
        for name in sorted(name for name, count in counts.items() if count > 1):
            yield Fault(f"{table.name}: two fields have the {what} {name}.", "Rename one of them.")
    used = [("key", table.key), *((f"form {form.name}", form.fields) for form in table.forms)]
    for where, fields in used:
        for name in fields:
            if name not in names:
                yield Fault(
                    f"{table.name}: {where} lists {name}, which is no field.",
                    "List fields by their `name`, not by their name on the wire.",
                )
    for field in table.fields:
        try:
            re.compile(field.pattern or "", re.ASCII)
        except re.error as error:
            yield Fault(
                f"{table.name}: the pattern of {field.name} is no regular expression: {error}.",
                "Correct `pattern`.",
            )


def _example_faults(table: Table, line: str) -> Iterator[Fault]:
    advice = "Correct the example, or the fields that read it."
    contents = UploadDecoder([table], PacketLimits()).decode(example_upload(table, line), Dialect())
    for reject in contents.rejects:
        yield Fault(f"{table.name}: the example {line!r} is rejected: {reject.reason}.", advice)
    if contents.rejects:
        return
    count = sum(len(batch.rows) for batch in contents.batches if batch.table is table)
    if count != 1:
        yield Fault(
            f"{table.name}: the example {line!r} has {counted(count, 'row')}, and not one.", advice
        )
        return
    row = next(batch.rows[0] for batch in contents.batches if batch.table is table)
    extra = row[len(table.names)] if len(row) > len(table.names) else None
    if extra is not None:
        yield Fault(f"{table.name}: no field reads {extra} of the example {line!r}.", advice)
