"""Areas that distribute: what belongs on terminals, and how far it is there."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WAITING = sa.text("state = 'waiting'")
SENT = sa.text("command IS NOT NULL")


def of_device():
    return sa.Column(
        "device_id",
        row_id,
        sa.ForeignKey("devices.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )


def upgrade():
    op.create_table(
        "places",
        of_device(),
        sa.Column("pin", key_text, primary_key=True),
        sa.Column("part", key_text, primary_key=True),
        sa.Column("wanted", sa.LargeBinary()),
        sa.Column("told", sa.LargeBinary()),
        sa.Column("sent", sa.LargeBinary()),
        sa.Column("state", key_text, nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("command", key_text),
        sa.Column("tries", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("is_guarded", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("places_pin", "places", ["pin"])
    for name, some in (("places_waiting", WAITING), ("places_sent", SENT)):
        op.create_index(
            name, "places", ["device_id", "pin"], sqlite_where=some, postgresql_where=some
        )
    op.create_table(
        "distribution_terminals",
        of_device(),
        sa.Column("area", key_text, nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("users", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("phase", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("after", key_text, nullable=False, server_default=sa.text("''")),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("may_delete", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    )
    op.create_table(
        "distribution_cursor",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("event", sa.BigInteger(), nullable=False),
    )
    op.create_index("holdings_device", "holdings", ["device_id", "table_name", "key"])
