"""Terminals that have erased people, by keyed digests."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PENDING = sa.text("pin IS NOT NULL")


def upgrade():
    op.create_table(
        "erased_holders",
        sa.Column("digest", sa.LargeBinary(), primary_key=True),
        sa.Column(
            "device_id",
            row_id,
            sa.ForeignKey("devices.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("pin", sa.LargeBinary()),
    )
    op.create_index(
        "erased_holders_pending",
        "erased_holders",
        ["device_id"],
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )
