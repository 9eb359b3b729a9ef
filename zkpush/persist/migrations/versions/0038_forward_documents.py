"""Documents of receivers: their names by the events that they were made of."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade():
    op.create_table(
        "forward_documents",
        sa.Column(
            "forwarder_id",
            row_id,
            sa.ForeignKey("forwarders.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("event_id", key_text, primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
    )
