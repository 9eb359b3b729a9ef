"""Pictures bound to their rows, and encryption of all undeclared data.

Each row that names a picture gets a second, encrypted reference, bound to the row. The references
at the time of this upgrade are trusted. The former plain values are purged after the commit: see
`unfinished`.
"""

import sqlalchemy as sa
from alembic import op

from zkpush.persist.keys import ensure_vault
from zkpush.persist.sealed import place

revision = "0013"
down_revision = "0012"

PART = 200
POINTERS = {
    "attendance_photos": ("picture", ("device_id", "received_at", "name", "pin", "time")),
    "person_photos": ("picture", ("pin", "type", "number", "index", "kind")),
    "files": ("content", ("name", "size", "origin", "created_at")),
}
UNDECLARED = {
    "attendance": ("device_id", "time", "pin"),
    "operations": ("device_id", "identity"),
    "errors": ("device_id", "identity"),
}


def upgrade():
    database = op.get_context().config.attributes["database"]
    connection = op.get_bind()
    vault = ensure_vault(connection, database.site)
    for name, (picture, key) in POINTERS.items():
        op.add_column(name, sa.Column("pointer", sa.LargeBinary()))
        table = sa.table(name, *map(sa.column, {"id", picture, "pointer", *key}))
        for row in rows_of(connection, table, table.c[picture].is_not(None)):
            about = place(name, "pointer", [getattr(row, part) for part in key])
            sealed = vault.seal(getattr(row, picture).encode(), about)
            change(connection, table, row.id, {"pointer": sealed})
    was_plain = [seal_undeclared(connection, vault, name, key) for name, key in UNDECLARED.items()]
    if any(was_plain):
        connection.exec_driver_sql(
            "INSERT INTO unfinished SELECT 'purge' "
            "WHERE NOT EXISTS (SELECT 1 FROM unfinished WHERE name = 'purge')"
        )


def seal_undeclared(connection, vault, name, key):
    """Encrypt undeclared columns and the bytes of lines; return whether there were any."""
    op.execute(f"ALTER TABLE {name} RENAME COLUMN extra TO plain_extra")
    op.add_column(name, sa.Column("extra", sa.LargeBinary()))
    columns = {"id", "plain_extra", "extra", "raw", *key}
    table = sa.table(name, *map(sa.column, columns))
    is_there = sa.or_(table.c.plain_extra.is_not(None), table.c.raw.is_not(None))
    found = False
    for row in rows_of(connection, table, is_there):
        about = [getattr(row, part) for part in key]
        values = {}
        if row.plain_extra is not None:
            values["extra"] = vault.seal(row.plain_extra.encode(), place(name, "extra", about))
        if row.raw is not None:
            values["raw"] = vault.seal(bytes(row.raw), place(name, "raw", about))
        change(connection, table, row.id, values)
        found = True
    op.drop_column(name, "plain_extra")
    return found


def rows_of(connection, table, where):
    """Iterate over selected rows of a table in batches; the caller may change them."""
    last = 0
    while True:
        query = sa.select(table).where(table.c.id > last, where).order_by(table.c.id).limit(PART)
        rows = connection.execute(query).all()
        if not rows:
            return
        last = rows[-1].id
        yield from rows


def change(connection, table, row, values):
    connection.execute(sa.update(table).where(table.c.id == row).values(values))
