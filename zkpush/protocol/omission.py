"""Omission of biometric templates from uploads, for servers that must not store any.

A template is recognised by its table, by its name, or by its length. A plugin's table that does not
declare `Table.holds_templates` counts as a table of templates if a field holds one or its records
are photos. Upload admission, plugin inboxes and the erasure of stored templates follow these rules.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import cast

import msgspec

from .fields import Command, Field, Kind, Layout, Row, Table, Writing
from .photos import Photo
from .records import Batch, DeclaredRows
from .rejects import Reject
from .replies import TABLE as ANSWERS
from .requests import Upload
from .secrecy import template_names
from .verification import POST_VERIFY_DATA

LENGTH = 64
"""Minimum length in characters of a text that may be a template."""
_QUOTED = 24
"""Minimum length in characters of a quoted text that may be part of a template."""
_LONG = re.compile(rb"[A-Za-z0-9+/_-]{%d}" % LENGTH)
_QUOTED_PART = re.compile(rf"[A-Za-z0-9+/_=-]{{{_QUOTED},}}")
_CONTENT = b"content"
"""The only template name that is also used for text."""
_NOTHING = rb"(?!)"
"""Matches no text."""
_ANY_PLACE = sys.maxsize
_UNDECLARED = (frozenset[str](), frozenset[str]())
"""Parameters of a command that is not declared: none holds a template for certain, or none."""
_OF_LINES = frozenset({Layout.COLUMNS, Layout.KEYED})


class TemplateRules:
    """Filters for uploads, answers and commands of servers without templates.

    `tables` and `commands` are the server's; their declarations say which values are templates.
    """

    def __init__(self, tables: Iterable[Table], commands: Iterable[Command]) -> None:
        declared = [table for table in tables if table.holds_templates is not None]
        biometric = [table for table in declared if table.holds_templates]
        partial = [table for table in declared if _template_places(table)]
        self._names = frozenset(
            name.rstrip("0123456789").encode() for name in template_names(declared)
        )
        names = b"|".join(sorted(self._names)) or _NOTHING
        others = b"|".join(sorted(self._names - {_CONTENT})) or _NOTHING
        # A template inside the value of another field: the separator before its name is missing.
        self._hidden = re.compile(
            rb"(?<![A-Za-z0-9_])(?:(?:%s)[ 0-9]*=|%s[ 0-9]*=[A-Za-z0-9+/]{%d})"
            % (others, _CONTENT, LENGTH),
            re.IGNORECASE,
        )
        # A template in a line whose fields are separated by spaces.
        self._spaced = re.compile(rb"(?<![A-Za-z0-9_])(%s)[ 0-9]*=[^ ]*" % names, re.IGNORECASE)
        self._pictures = frozenset(
            table.name
            for table in declared
            if table.layout is Layout.PHOTO and not table.holds_templates
        )
        # Tables whose rejects keep their bytes unless they look like a template.
        self._judged = frozenset(
            table.name for table in declared if table not in biometric and table not in partial
        ) | {ANSWERS, POST_VERIFY_DATA}
        # Declared value names in answers to commands.
        self._answers = frozenset(
            field.wire.casefold() for command in commands for field in command.answers
        ) | {"filename"}
        self.names = _names_of(biometric)
        """All names of tables of templates, as used in lines and commands."""
        harmless = _names_of(table for table in declared if table not in biometric)
        self._parameters = {
            command.name: self._template_parameters(command, harmless) for command in commands
        }
        self._raw = frozenset(
            command.name for command in commands if command.writing is Writing.RAW
        )
        self.transfer_words = frozenset({"FPImag", *(w for t in biometric for w in t.transfer)})
        """TransFlag words that request templates or fingerprint images (spec 5)."""

    def holds_templates(self, table: Table) -> bool:
        """Whether the records of a table are templates, or photos to make them from."""
        if table.holds_templates is not None:
            return table.holds_templates
        return table.layout is Layout.PHOTO or bool(self._template_fields(table.fields))

    def may_carry_templates(self, command: str, params: Mapping[str, str]) -> bool:
        """Whether a command with these parameters takes a template to a terminal, or may.

        Besides the tables of templates, this covers base64 parameters, a line of `RAW` that looks
        like a template, and such parameters and commands as are not declared (any more).
        """
        words = command.split(" ")
        if words[:2] == ["DATA", "UPDATE"] and words[2] in self.names:
            return True
        if command in self._raw:
            values = [value.encode("utf-8", "surrogatepass") for value in params.values()]
            return any(map(self._suspect, values))
        templates, others = self._parameters.get(command, _UNDECLARED)
        return any(
            name in templates or (name not in others and self.is_template(name, value))
            for name, value in params.items()
        )

    def is_template(self, name: str, value: str) -> bool:
        """Whether a value has a template's name or is as long as one.

        The second value of a name has a number appended to its name.
        """
        return self._is_template_name(name.encode("utf-8", "surrogatepass")) or len(value) >= LENGTH

    def kept_pairs(self, pairs: Mapping[str, str]) -> dict[str, str]:
        """Return undeclared values without possible templates."""
        return {name: value for name, value in pairs.items() if not self.is_template(name, value)}

    def kept_answer(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return the values of an answer to a command without possible templates."""
        return {
            name: value
            for name, value in values.items()
            if name.casefold() in self._answers or not self.is_template(name, value)
        }

    def kept_batch(self, batch: Batch) -> Batch:
        """Return the records of a batch without undeclared values that may be templates."""
        table = batch.table
        if isinstance(batch.rows, DeclaredRows):
            return batch
        templates = _template_places(table)
        rows: list[Row] = []
        for row in batch.rows:
            if table.layout is Layout.PHOTO:
                photo = cast(Photo, row[0])
                extra, raw = self.kept_undeclared(photo.extra, photo.raw)
                rows.append((msgspec.structs.replace(photo, extra=extra, raw=raw),))
            elif table.layout in (Layout.PAIRS, Layout.VALUES):
                name, value = row
                if not self.is_template(str(name), str(value)):
                    rows.append(row)
            else:
                values = [self.kept_value(value) for value in row[:-2]]
                extra, raw = self.kept_undeclared(
                    cast("str | None", row[-2]), cast("bytes | None", row[-1])
                )
                for place in templates:
                    values[place] = None
                rows.append((*values, extra, raw))
        return msgspec.structs.replace(batch, rows=rows)

    def kept_value(self, value: object) -> object:
        """Return a declared value, cut before a template in it."""
        if isinstance(value, str) and "=" in value:
            found = self._hidden.search(value.encode("utf-8", "surrogatepass"))
            if found is not None:
                before = value.encode("utf-8", "surrogatepass")[: found.start()]
                return before.decode("utf-8", "surrogatepass").rstrip(" ")
        return value

    def kept_undeclared(
        self, extra: str | None, raw: bytes | None
    ) -> tuple[str | None, bytes | None]:
        """Filter unknown columns (JSON) and the raw bytes of a line."""
        if extra is not None:
            left = self.kept_pairs(msgspec.json.decode(extra, type=dict[str, str]))
            extra = msgspec.json.encode(left).decode() if left else None
        return extra, None if raw is None or self._suspect(raw) else raw

    def kept_reject(self, reject: Reject) -> Reject:
        """Return a reject, without its bytes if they may contain a template.

        The reason and the table name are shortened where they may quote part of one.
        """
        if reject.table in self._pictures:  # a picture that may be stored
            return reject
        if reject.table in self._judged and not self._suspect(reject.raw):
            return reject
        table, reason = (_QUOTED_PART.sub("…", text) for text in (reject.table, reject.reason))
        return Reject(table, reason, b"")

    def kept_extract(self, table: Table | None, upload: Upload) -> Upload | None:
        """Return an extract without possible templates; None if nothing may be kept.

        `table` is None if its declaration is not known.
        """
        if table is not None and self.holds_templates(table):
            return None
        if table is not None and table.layout not in _OF_LINES:
            is_photo = table.layout is Layout.PHOTO
            return upload if is_photo or not self._suspect(upload.body) else None
        if table is None and b"\0" in upload.body:
            return None
        is_kept = _is_kept_in(table)
        lines = [self._kept_line(line, is_kept) for line in upload.body.split(b"\n")]
        return msgspec.structs.replace(upload, body=b"\n".join(lines))

    def _template_parameters(
        self, command: Command, harmless: Collection[str]
    ) -> tuple[frozenset[str], frozenset[str]]:
        """Wire names of the parameters of a command that hold templates, and of the others."""
        is_harmless = command.name.removeprefix("DATA UPDATE ") in harmless
        found = [] if is_harmless else self._template_fields(command.parameters)
        found += [field for field in command.parameters if field.holds_template]
        templates = frozenset(field.wire for field in found)
        return templates, frozenset(field.wire for field in command.parameters) - templates

    def _template_fields(self, fields: Iterable[Field]) -> list[Field]:
        """The fields of a plugin's table, or parameters of a command, that hold templates."""
        return [
            field
            for field in fields
            if field.kind is Kind.BASE64
            or (
                self._is_template_name(field.wire.encode())
                and (field.secret or field.wire.lower().encode() != _CONTENT)
            )
        ]

    def _is_template_name(self, name: bytes) -> bool:
        return name.rstrip(b" 0123456789").lower() in self._names

    def _suspect(self, raw: bytes) -> bool:
        """Whether bytes contain a template's name or a text as long as one."""
        lower = raw.lower()
        return any(name in lower for name in self._names) or _LONG.search(raw) is not None

    def _kept_line(self, line: bytes, is_kept: _IsKept) -> bytes:
        """Return a line without possible templates; the other parts keep their positions."""
        separator = b"\t"
        if separator not in line:
            separator = b" "
            line = self._spaced.sub(
                lambda found: found[0] if is_kept(_ANY_PLACE, found[1].lower()) else b"", line
            )
        parts = line.split(separator)
        return separator.join(
            self._kept_part(part, number, is_kept) for number, part in enumerate(parts)
        )

    def _kept_part(self, part: bytes, number: int, is_kept: _IsKept) -> bytes:
        name, equals, value = part.partition(b"=")
        # The keyword precedes the first name.
        before, space, word = name.rstrip(b" ").rpartition(b" ")
        if not equals:
            return part if len(part) < LENGTH or is_kept(number, b"") else b""
        if not is_kept(number, word.lower()) and (
            self._is_template_name(word) or len(value) >= LENGTH
        ):
            return before + space
        found = self._hidden.search(value)
        if found is None:
            return part
        return part[: len(part) - len(value) + found.start()].rstrip(b" ")


def _names_of(tables: Iterable[Table]) -> frozenset[str]:
    return frozenset(name for table in tables for name in (table.name, *table.aliases))


@functools.cache
def _template_places(table: Table) -> Sequence[int]:
    """Row indexes of templates in a table that is otherwise harmless."""
    return [table.names.index(field.name) for field in table.fields if field.holds_template]


_IsKept = Callable[[int, bytes], bool]
"""Whether a value is declared, by its index in the line and its name in lower case."""


@functools.cache
def _is_kept_in(table: Table | None) -> _IsKept:
    if table is None:
        return lambda number, name: False
    fields = [field for field in table.fields if not field.holds_template]
    names = frozenset(field.wire.lower().encode() for field in fields)
    if table.layout is Layout.COLUMNS:
        count = len(table.names)
        return lambda number, name: number < count
    return lambda number, name: name in names
