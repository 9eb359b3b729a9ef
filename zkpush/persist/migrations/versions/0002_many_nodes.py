"""Revisions of terminals, and leases; the index of identities also serves lookups by time."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# Indexed text is compared by bytes, because language collations change with their library.
KEYS = {
    "devices": ["sn"],
    "stamps": ["name"],
    "attendance": ["pin", "time"],
    "commands": ["id"],
}


def upgrade():
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    key = sa.Text()
    op.drop_index("attendance_utc", "attendance", if_exists=True)
    if on_postgresql:
        key = sa.Text(collation="C")
        for table, columns in KEYS.items():
            changes = ", ".join(f'ALTER COLUMN {name} TYPE TEXT COLLATE "C"' for name in columns)
            op.execute(f"ALTER TABLE {table} {changes}")
    op.add_column(
        "devices",
        sa.Column("revision", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    )
    op.create_index("devices_revision", "devices", ["revision"])
    op.create_table(
        "removed_devices",
        sa.Column("sn", key, primary_key=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("name", key, primary_key=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
    )
