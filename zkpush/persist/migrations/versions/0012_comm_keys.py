"""The pushcommkeys offered for each terminal; pinned keys are unchanged."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade():
    op.create_table(
        "comm_keys",
        sa.Column(
            "device_id",
            row_id,
            sa.ForeignKey("devices.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("fingerprint", key, primary_key=True),
        sa.Column("address", sa.Text()),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
    )
    for name, others in (
        ("comm_key", ""),
        ("offered_comm_key", " AND (comm_key IS NULL OR comm_key <> offered_comm_key)"),
    ):
        op.execute(
            "INSERT INTO comm_keys (device_id, fingerprint, address, first_seen_at, last_seen_at) "
            f"SELECT id, {name}, address, created_at, COALESCE(last_seen_at, created_at) "
            f"FROM devices WHERE {name} IS NOT NULL{others}"
        )
    op.drop_column("devices", "offered_comm_key")
