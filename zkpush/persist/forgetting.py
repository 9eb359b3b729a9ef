"""Removal of stored templates, for servers that no longer keep any."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs
import msgspec
import sqlalchemy
from sqlalchemy import Connection, Row, delete, or_, select, update

from ..endings import EndReason
from ..protocol.dialect import Dialect
from ..protocol.omission import TemplateRules
from ..protocol.rejects import Reject
from ..protocol.requests import Upload
from ..protocol.secrecy import EXTRA, RAW
from ..protocol.tableset import TableSet
from ..values.commands import OPEN_STATES, CommandState
from . import schema
from .audit import AuditStore
from .commandrows import CommandBody
from .commandschema import commands
from .databases import Database
from .naming import named
from .pictures import path_of
from .purge import note, purge_thd
from .sealed import KEY, opened, sealed
from .transaction import Transaction
from .vault import Vault

_OPEN = tuple(state.value for state in OPEN_STATES)


@attrs.define
class Erasure:
    """Removal of templates, as passed to the parts of nouns that take part in it."""

    connection: Connection
    vault: Vault
    rules: TemplateRules
    pictures: set[str] = attrs.field(factory=set)
    """Keys of pictures to remove, unless other rows name them."""

    def change(self, table: sqlalchemy.Table, row: Row[Any], changed: Mapping[str, object]) -> None:
        """Encrypt and write values of a row; none of them may be in the key of its table."""
        values = sealed(self.vault, table, {**row._mapping, **changed})
        self.connection.execute(
            update(table)
            .where(table.c.id == row.id)
            .values({name: values[name] for name in changed})
        )


ForgetTemplates = Callable[[Erasure], int]
"""`forget_templates` of a capability's `store` part: returns the number of templates and photos
that it removed."""


def forget_templates_thd(
    database: Database,
    vault: Vault,
    now: int,
    tables: TableSet,
    rules: TemplateRules,
    parts: Iterable[ForgetTemplates],
) -> int:
    """Remove all templates, comparison photos and data that may contain them; then purge.

    This covers everything that uploads omit when no templates are kept
    (`zkpush.protocol.omission`): fingerprints of identity cards, unknown columns and options,
    rejects, and pending lines of plugins. Commands with templates are covered too. `tables` are
    those of all record handlers; `parts` remove the templates of each noun. Returns the number of
    templates and photos removed.
    """
    with database.engine.begin() as connection:
        erasure = Erasure(connection, vault, rules)
        forgotten = sum([forget(erasure) for forget in parts])
        _forget_commands(connection, vault, now, rules)
        _forget_answers(connection, vault, rules)
        _forget_packages(connection, now)
        _forget_undeclared(erasure)
        _forget_options(erasure)
        _forget_rejects(erasure)
        _forget_inbox(erasure, tables)
        pictures = erasure.pictures - named(connection, erasure.pictures)
        for digest in pictures:
            kept = schema.pictures
            connection.execute(delete(kept).where(kept.c.digest == digest))
        note(connection)
        audit = Transaction(database, vault, connection, lambda: now, writes=True)[AuditStore]
        audit.add("operator", "forget templates", "all", None, now)
        audit.flush()
        # Before the commit: if the process dies here, the next run finds them by their rows.
        if database.pictures is not None:
            for digest in pictures:
                path_of(database.pictures, digest).unlink(missing_ok=True)
    purge_thd(database, vault)
    return forgotten


def _forget_commands(connection: Connection, vault: Vault, now: int, rules: TemplateRules) -> None:
    """Clear the bodies of commands that may hold templates; cancel those still open."""
    nothing = msgspec.json.encode(CommandBody({}, {}, ""))
    for seq in (
        connection.execute(select(commands.c.seq).where(commands.c.body.is_not(None)))
        .scalars()
        .all()
    ):
        row = connection.execute(select(commands).where(commands.c.seq == seq)).one()
        body = opened(vault, commands, row._mapping)["body"]
        params: dict[str, str] = {}
        if body is not None:
            said = msgspec.json.decode(body, type=CommandBody)
            params = {**said.asked, **said.params}
        if not rules.may_carry_templates(row.command, params):
            continue
        values: dict[str, object] = {"id": row.id, "body": nothing}
        values |= {"file_id": None, "file_digest": None}
        if row.state in _OPEN:
            values |= _cancelled(now)
        connection.execute(
            update(commands).where(commands.c.id == row.id).values(sealed(vault, commands, values))
        )


def _cancelled(now: int) -> dict[str, object]:
    """Return the values that cancel a command whose templates are removed."""
    return {
        "state": CommandState.CANCELLED.value,
        "reason": EndReason.FORGOTTEN.value,
        "finished_at": now,
    }


def _forget_answers(connection: Connection, vault: Vault, rules: TemplateRules) -> None:
    some = select(commands).where(commands.c.result.is_not(None))
    for row in connection.execute(some).all():
        result = opened(vault, commands, row._mapping)["result"]
        said = {} if not result else msgspec.json.decode(result, type=dict[str, str])
        if rules.kept_answer(said) != said:
            values = {"id": row.id, "result": msgspec.json.encode(rules.kept_answer(said))}
            connection.execute(
                update(commands)
                .where(commands.c.id == row.id)
                .values(sealed(vault, commands, values))
            )


def _forget_packages(connection: Connection, now: int) -> None:
    """Remove packages of people, which hold templates; cancel open commands that need them."""
    files = schema.files
    made = select(files.c.command).where(files.c.command.is_not(None))
    connection.execute(
        update(commands)
        .where(commands.c.id.in_(made), commands.c.state.in_(_OPEN))
        .values(_cancelled(now))
    )
    connection.execute(delete(files).where(files.c.command.is_not(None)))


def _forget_undeclared(erasure: Erasure) -> None:
    """Remove unknown columns, raw bytes and text suffixes that may be templates from records."""
    for table in schema.metadata.sorted_tables:
        if EXTRA not in table.c:
            continue
        texts = [
            column
            for column in table.c
            if isinstance(column.type, schema.PlainText) and column.name not in table.info[KEY]
        ]
        some = or_(
            table.c[EXTRA].is_not(None),
            table.c[RAW].is_not(None),
            *(column.like("%=%") for column in texts),
        )
        for row in erasure.connection.execute(select(table).where(some)).all():
            said = opened(erasure.vault, table, row._mapping)
            kept = {column.name: erasure.rules.kept_value(said[column.name]) for column in texts}
            kept[EXTRA], kept[RAW] = erasure.rules.kept_undeclared(said[EXTRA], said[RAW])
            changed = {name: value for name, value in kept.items() if value != said[name]}
            if changed:
                erasure.change(table, row, changed)


def _forget_options(erasure: Erasure) -> None:
    """Remove option and attribute values of terminals that may be templates."""
    devices = schema.devices
    for row in erasure.connection.execute(select(devices)).all():
        values = opened(erasure.vault, devices, row._mapping)
        for name in ("options", "attributes"):
            said = msgspec.json.decode(values[name] or "{}", type=dict[str, object])
            texts = {key: value for key, value in said.items() if isinstance(value, str)}
            left = said.keys() - (texts.keys() - erasure.rules.kept_pairs(texts).keys())
            if len(left) < len(said):
                kept = {key: value for key, value in said.items() if key in left}
                changed = {name: msgspec.json.encode(kept).decode()}
                erasure.change(devices, row, changed)


def _forget_rejects(erasure: Erasure) -> None:
    """Remove the bytes of rejects that may contain templates."""
    rejects = schema.rejects
    for number in (
        erasure.connection.execute(select(rejects.c.id).order_by(rejects.c.id)).scalars().all()
    ):
        row = erasure.connection.execute(select(rejects).where(rejects.c.id == number)).one()
        values = opened(erasure.vault, rejects, row._mapping)
        said = Reject(row.table_name, values["reason"] or "", values["raw"] or b"")
        kept = erasure.rules.kept_reject(said)
        if kept != said or values["raw"] is None:
            changed = {"table_name": kept.table, "reason": kept.reason, "raw": kept.raw}
            erasure.change(rejects, row, changed)


def _forget_inbox(erasure: Erasure, tables: TableSet) -> None:
    """Remove data that may be templates from pending lines of plugins.

    Lines of template tables, and damaged lines, are removed entirely.
    """
    inbox = schema.inbox
    for number in (
        erasure.connection.execute(select(inbox.c.id).order_by(inbox.c.id)).scalars().all()
    ):
        row = erasure.connection.execute(select(inbox).where(inbox.c.id == number)).one()
        content = opened(erasure.vault, inbox, row._mapping)["content"]
        kept = None
        if content is not None:
            upload, dialect = msgspec.msgpack.decode(content, type=tuple[Upload, Dialect])
            kept = erasure.rules.kept_extract(tables.get(row.table_name), upload)
        if kept is None:
            erasure.connection.execute(delete(inbox).where(inbox.c.id == number))
        elif kept != upload:
            changed = {"content": msgspec.msgpack.encode((kept, dialect))}
            erasure.change(inbox, row, changed)
