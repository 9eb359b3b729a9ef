"""Encryption of secrets at rest, under keys that are wrapped under the site key.

The former plain values are purged after the commit: see `unfinished`.
"""

import hashlib
import json
import re

import sqlalchemy as sa
from alembic import op

from zkpush.persist.keys import ensure_vault
from zkpush.persist.pictures import about, make_file, path_of
from zkpush.persist.sealed import place

revision = "0006"
down_revision = "0005"

# Indexed text is compared by bytes, as on SQLite.
key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

TEXT, BYTES = "text", "bytes"
PART = 200
# Encrypted columns, and the columns that form their associated data.
SEALED = {
    "devices": (("id",), {"options": TEXT, "attributes": TEXT}),
    "users": (("pin",), {"password": TEXT, "extra": TEXT, "raw": BYTES}),
    "templates": (
        ("pin", "type", "number", "index", "major_version", "minor_version"),
        {"template": BYTES, "extra": TEXT, "raw": BYTES},
    ),
    "person_photos": (("pin", "type", "number", "index", "kind"), {"extra": TEXT, "raw": BYTES}),
    "attendance_photos": (("device_id", "name", "picture"), {"extra": TEXT, "raw": BYTES}),
    "idcards": (
        ("device_id", "identity"),
        {"photo": TEXT, "fingerprint_1": TEXT, "fingerprint_2": TEXT, "extra": TEXT, "raw": BYTES},
    ),
    "entries": (("device_id", "table_name", "key"), {"fields": TEXT}),
    "rejects": (("device_id", "digest"), {"reason": TEXT, "raw": BYTES}),
    "files": (("content",), {"md5": TEXT}),
    "commands": (("id",), {"result": TEXT}),
}
NEEDED = {("entries", "fields"), ("rejects", "reason"), ("files", "md5")}
# Columns with the SHA-256 of values that could be guessed.
DIGESTS = {
    "operations": "identity",
    "errors": "identity",
    "idcards": "identity",
    "holdings": "digest",
    "versions": "digest",
    "rejects": "digest",
}
FOLDER = re.compile(r"file/[0-9]+(?:\.b64)?/", re.ASCII)


def upgrade():
    database = op.get_context().config.attributes["database"]
    op.create_table(
        "keys",
        sa.Column("id", key, primary_key=True),
        sa.Column("site", key, primary_key=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
    )
    op.create_table("unfinished", sa.Column("name", key, primary_key=True))
    connection = op.get_bind()
    vault = ensure_vault(connection, database.site)

    index_digests(connection, vault)
    seal_pictures(connection, vault, database.pictures)
    op.add_column("templates", sa.Column("digest", sa.LargeBinary()))
    op.add_column("entries", needed("digest"))
    index_values(connection, vault, "templates", "template", "digest")
    index_values(connection, vault, "entries", "fields", "digest")
    for table, (about_, columns) in SEALED.items():
        for name, kind in columns.items():
            seal_column(connection, vault, table, about_, name, kind)
    seal_commands(connection, vault)
    if has_rows(connection):
        connection.exec_driver_sql("INSERT INTO unfinished VALUES ('purge')")


def needed(name):
    return sa.Column(name, sa.LargeBinary(), nullable=False, server_default=sa.text("''"))


def has_rows(connection):
    return connection.exec_driver_sql("SELECT 1 FROM devices LIMIT 1").first() is not None


def rows_of(connection, table, keys, names):
    """Iterate over the rows of a table in batches, by key; the caller may change them."""
    table = sa.table(table, *map(sa.column, {*keys, *names}))
    place_of = sa.tuple_(*(table.c[name] for name in keys))
    last = None
    while True:
        query = sa.select(*(table.c[name] for name in dict.fromkeys((*keys, *names))))
        if last is not None:
            query = query.where(place_of > sa.tuple_(*last))
        rows = connection.execute(query.order_by(*(table.c[name] for name in keys)).limit(PART)).all()
        if not rows:
            return
        last = [getattr(rows[-1], name) for name in keys]
        yield from rows


def change(connection, table, where, values):
    table = sa.table(table, *map(sa.column, {*where, *values}))
    connection.execute(
        sa.update(table)
        .where(*(table.c[name] == value for name, value in where.items()))
        .values(values)
    )


def seal_column(connection, vault, table, about_, name, kind):
    source = name
    if kind is TEXT:
        source = f"plain_{name}"
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {name} TO {source}")
        is_needed = (table, name) in NEEDED
        op.add_column(table, needed(name) if is_needed else sa.Column(name, sa.LargeBinary()))
    row_key = "seq" if table == "commands" else "id"
    for row in rows_of(connection, table, (row_key,), (*about_, source)):
        plain = getattr(row, source)
        if plain is not None:
            plain = plain.encode() if kind is TEXT else bytes(plain)
            where = [getattr(row, part) for part in about_]
            sealed = vault.seal(plain, place(table, name, where))
            change(connection, table, {row_key: getattr(row, row_key)}, {name: sealed})
    if kind is TEXT:
        op.drop_column(table, source)


def seal_commands(connection, vault):
    op.add_column("commands", needed("body"))
    op.add_column(
        "commands", sa.Column("folders", sa.Text(), nullable=False, server_default=sa.text("''"))
    )
    for row in rows_of(connection, "commands", ("seq",), ("id", "params", "asked", "text")):
        body = json.dumps(
            {"params": json.loads(row.params), "asked": json.loads(row.asked), "text": row.text}
        )
        found = dict.fromkeys(FOLDER.findall(row.text))
        values = {
            "body": vault.seal(body.encode(), place("commands", "body", [row.id])),
            "folders": f" {' '.join(found)} " if found else "",
        }
        change(connection, "commands", {"seq": row.seq}, values)
    for name in ("params", "asked", "text"):
        op.drop_column("commands", name)


def index_digests(connection, vault):
    """Replace SHA-256 digests by their index, so that known values are still recognized."""
    for table, name in DIGESTS.items():
        keys = {
            "holdings": ("table_name", "key", "device_id"),
            "versions": ("table_name", "key", "digest"),
        }.get(table, ("id",))
        # All at once, because changing a digest that is a key changes the order.
        for row in list(rows_of(connection, table, keys, (name,))):
            where = {part: getattr(row, part) for part in keys}
            change(connection, table, where, {name: vault.index_of(bytes(getattr(row, name)))})


def index_values(connection, vault, table, source, name):
    for row in rows_of(connection, table, ("id",), (source,)):
        plain = getattr(row, source)
        plain = plain.encode() if isinstance(plain, str) else bytes(plain)
        change(connection, table, {"id": row.id}, {name: vault.index(plain)})


def seal_pictures(connection, vault, folder):
    """Rename pictures to their index, and encrypt them; plain files stay until the commit."""

    def renamed(digest):
        return vault.index_of(bytes.fromhex(digest)).hex()

    for table, name in (
        ("attendance_photos", "picture"),
        ("person_photos", "picture"),
        ("files", "content"),
    ):
        for row in rows_of(connection, table, ("id",), (name,)):
            digest = getattr(row, name)
            if digest is not None:
                change(connection, table, {"id": row.id}, {name: renamed(digest)})
    digests = [row.digest for row in rows_of(connection, "pictures", ("digest",), ())]
    content = sa.text("SELECT content FROM pictures WHERE digest = :digest")
    for digest in digests:
        plain = bytes(connection.execute(content, {"digest": digest}).scalar_one())
        values = {"digest": renamed(digest), "content": vault.seal(plain, about(renamed(digest)))}
        change(connection, "pictures", {"digest": digest}, values)
    if folder is None or not folder.exists():
        return
    for file in sorted(folder.glob("??/*")):
        plain = file.read_bytes()
        if hashlib.sha256(plain).hexdigest() == file.name:
            digest = renamed(file.name)
            make_file(folder, path_of(folder, digest), vault.seal(plain, about(digest)))
