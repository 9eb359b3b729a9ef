"""Access data of areas, and how far it is on terminals."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
OPEN = sa.text("state = 'waiting' OR command IS NOT NULL")
OF_USER = sa.text("part <> ''")


def of_area(*, is_key=False):
    area = sa.ForeignKey("areas.name", ondelete="CASCADE")
    return sa.Column("area", key_text, area, primary_key=is_key, nullable=False)


def of_device():
    device = sa.ForeignKey("devices.id", ondelete="CASCADE")
    return sa.Column("device_id", row_id, device, primary_key=True, autoincrement=False)


def upgrade():
    zero = sa.text("0")
    op.add_column(
        "distribution_terminals",
        sa.Column("compared_at", sa.BigInteger(), nullable=False, server_default=zero),
    )
    op.create_table(
        "emptied_terminals",
        of_device(),
        sa.Column("emptied_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "access_entries",
        sa.Column("id", row_id, primary_key=True),
        of_area(),
        sa.Column("table_name", key_text, nullable=False),
        sa.Column("entry", key_text, nullable=False),
        sa.Column("fields", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("area", "table_name", "entry", name="access_entries_identity"),
    )
    op.create_table(
        "access_areas",
        of_area(is_key=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "access_places",
        of_device(),
        sa.Column("table_name", key_text, primary_key=True),
        sa.Column("entry", key_text, primary_key=True),
        sa.Column("part", key_text, primary_key=True),
        sa.Column("wanted", sa.LargeBinary()),
        sa.Column("told", sa.LargeBinary()),
        sa.Column("sent", sa.LargeBinary()),
        sa.Column("state", key_text, nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("command", key_text),
        sa.Column("tries", sa.Integer(), nullable=False, server_default=zero),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "access_places_open",
        "access_places",
        ["device_id"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_index(
        "access_places_part",
        "access_places",
        ["part"],
        sqlite_where=OF_USER,
        postgresql_where=OF_USER,
    )
    op.create_table(
        "access_terminals",
        of_device(),
        sa.Column("area", key_text, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("compared_at", sa.BigInteger(), nullable=False),
        sa.Column("emptied_at", sa.BigInteger(), nullable=False),
    )
