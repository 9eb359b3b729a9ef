"""Forgetting the templates that are stored: for a server that is to have none any more."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, delete, select, update

from ..model import CommandState
from ..protocol.biometrics import BIOMETRIC_NAMES, FINGERPRINTS, HARMLESS_TABLES
from ..protocol.tables import BIOPHOTO
from . import schema
from .audit import Audit
from .commands import CommandBody
from .databases import Database
from .naming import named
from .pictures import path_of
from .purge import note, purge_thd
from .sealed import sealed
from .vault import Vault

_OF_BIOPHOTO = f'%"{BIOPHOTO.name}"]'
"""The keys of comparison photos end with what they are."""
_OPEN = (CommandState.QUEUED.value, CommandState.SENT.value)


def forget_templates_thd(database: Database, vault: Vault, now: int) -> int:
    """Remove all templates and comparison photos, and whatever else holds any; then purge.

    Those are fingerprints of identity cards, commands with templates, and lines with them that were
    not understood. Gives how many templates and photos there were.
    """
    with database.engine.begin() as connection:
        pictures = _pictures(connection)
        forgotten = _forget_people(connection)
        _forget_cards(connection)
        _forget_commands(connection, vault)
        _forget_packages(connection)
        _forget_rejects(connection, vault)
        pictures -= named(connection, pictures)
        for digest in pictures:
            kept = schema.pictures
            connection.execute(delete(kept).where(kept.c.digest == digest))
        note(connection)
        audit = Audit(database, vault, connection, connection.connection.driver_connection)
        audit.add("operator", "forget templates", "all", None, now)
        audit.flush()
        # Before the commit: who dies here finds them by their rows when this is run again.
        if database.pictures is not None:
            for digest in pictures:
                path_of(database.pictures, digest).unlink(missing_ok=True)
    purge_thd(database, vault)
    return forgotten


def _forget_people(connection: Connection) -> int:
    photos = schema.person_photos
    forgotten = 0
    for statement in (
        delete(schema.templates),
        delete(photos).where(photos.c.kind == BIOPHOTO.name),
    ):
        forgotten += connection.execute(statement).rowcount
    for table in (schema.holdings, schema.versions):
        is_of_photo = (table.c.table_name == photos.name) & table.c.key.like(_OF_BIOPHOTO)
        is_of_template = table.c.table_name == schema.templates.name
        connection.execute(delete(table).where(is_of_photo | is_of_template))
    return forgotten


def _forget_cards(connection: Connection) -> None:
    nothing = dict.fromkeys([*(field.name for field in FINGERPRINTS), "raw"])
    connection.execute(update(schema.idcards).values(nothing))


def _forget_commands(connection: Connection, vault: Vault) -> None:
    """Commands stay, without what they said; those that are not ended are cancelled."""
    commands = schema.commands
    named = commands.c.command.in_([f"DATA UPDATE {name}" for name in (*BIOMETRIC_NAMES, "IDCARD")])
    nothing = msgspec.json.encode(CommandBody({}, {}, ""))
    for row in connection.execute(select(commands.c.id, commands.c.state).where(named)).all():
        values: dict[str, object] = {"id": row.id, "body": nothing}
        values |= {"file_id": None, "file_digest": None}
        if row.state in _OPEN:
            values["state"] = CommandState.CANCELLED.value
        connection.execute(
            update(commands).where(commands.c.id == row.id).values(sealed(vault, commands, values))
        )


def _forget_packages(connection: Connection) -> None:
    """Packages of people hold templates; commands that still wait for theirs are cancelled."""
    commands, files = schema.commands, schema.files
    made = select(files.c.command).where(files.c.command.is_not(None))
    connection.execute(
        update(commands)
        .where(commands.c.id.in_(made), commands.c.state.in_(_OPEN))
        .values(state=CommandState.CANCELLED.value)
    )
    connection.execute(delete(files).where(files.c.command.is_not(None)))


def _forget_rejects(connection: Connection, vault: Vault) -> None:
    """What was not understood stays, without its bytes where they may be of a template."""
    rejects = schema.rejects
    query = select(rejects.c.id, rejects.c.device_id, rejects.c.digest).where(
        rejects.c.table_name.not_in(HARMLESS_TABLES)
    )
    for row in connection.execute(query).all():
        key = {"device_id": row.device_id, "digest": bytes(row.digest)}
        raw = sealed(vault, rejects, {**key, "raw": b""})["raw"]
        connection.execute(update(rejects).where(rejects.c.id == row.id).values(raw=raw))


def _pictures(connection: Connection) -> set[str]:
    """The pictures of comparison photos."""
    photos = schema.person_photos
    query = select(photos.c.picture).where(photos.c.kind == BIOPHOTO.name)
    return set(filter(None, connection.execute(query).scalars()))
