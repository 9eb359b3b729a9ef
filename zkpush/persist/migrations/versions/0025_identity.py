"""Record type, work code and card number in the identity of attendance records.

Stored records get a distinction from their content, so that resending them adds no duplicates.
Records that an earlier version merged are stored when they are sent again. Errors and identity
cards get the digests that find repetitions.
"""

import msgspec
import sqlalchemy as sa
from alembic import op

from zkpush.persist.keys import ensure_vault

revision = "0025"
down_revision = "0024"

PART = 1000
NAME = "attendance_identity"
key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
KEY = ["time", "device_id", "pin", "status", "verify", "distinction"]
NO_ZONE = sa.text("doubt = 'no zone'")
DOUBTFUL = sa.text("doubt IS NOT NULL")
INDEXES = (
    ("attendance_no_zone", ["device_id", "id"], NO_ZONE),
    ("attendance_doubt", ["doubt", "id"], DOUBTFUL),
    ("attendance_received", ["received_at", "id"], None),
)


def upgrade():
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        # Rebuild the table, because SQLite cannot drop its only constraint.
        for name, _, _ in INDEXES:
            op.drop_index(name, "attendance")
        with op.batch_alter_table("attendance", recreate="always") as batch:
            batch.add_column(distinction())
            batch.drop_constraint(NAME, type_="unique")
            batch.create_unique_constraint(NAME, KEY)
        for name, columns, where in INDEXES:
            op.create_index(name, "attendance", columns, sqlite_where=where)
    else:
        op.add_column("attendance", distinction())
        op.drop_constraint(NAME, "attendance", type_="unique")
        op.create_unique_constraint(NAME, "attendance", KEY)
    tell_apart(connection)
    for name in ("errors", "idcards"):
        digest = sa.Column("digest", sa.LargeBinary(), nullable=False, server_default=sa.text("''"))
        op.add_column(name, digest)
        op.execute(f"UPDATE {name} SET digest = identity")
        op.create_index(f"{name}_repeated", name, ["device_id", "digest"])


def distinction():
    return sa.Column("distinction", key, nullable=False, server_default=sa.text("''"))


def tell_apart(connection):
    """Compute the distinctions of stored records."""
    names = ("id", "pin", "record_type", "work_code", "id_number", "distinction")
    table = sa.table("attendance", *map(sa.column, names))
    some = sa.or_(
        sa.func.coalesce(table.c.record_type, 0) != 0,
        sa.func.coalesce(table.c.work_code, "").not_in(["", "0"]),
        sa.and_(table.c.pin == "0", sa.func.coalesce(table.c.id_number, "") != ""),
    )
    database = op.get_context().config.attributes["database"]
    vault = None
    last = 0
    while True:
        query = sa.select(table).where(table.c.id > last, some).order_by(table.c.id).limit(PART)
        rows = connection.execute(query).all()
        if not rows:
            return
        if vault is None:
            vault = ensure_vault(connection, database.site)
        last = rows[-1].id
        values = [{"at": row.id, "to": vault.index(said(row)).hex()[:32]} for row in rows]
        change = sa.update(table).where(table.c.id == sa.bindparam("at"))
        connection.execute(change.values(distinction=sa.bindparam("to")), values)


def said(row):
    code = "" if row.work_code in (None, "0") else row.work_code
    number = (row.id_number or "") if row.pin == "0" else ""
    return msgspec.json.encode((row.record_type or 0, code, number))
