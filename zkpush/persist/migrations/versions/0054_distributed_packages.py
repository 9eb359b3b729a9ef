"""Packages of people for terminals of areas that distribute."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"

key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade():
    op.add_column("distribution_terminals", sa.Column("package", key_text))
    op.add_column("distribution_terminals", sa.Column("packaged_at", sa.BigInteger()))
    op.add_column("distribution_terminals", sa.Column("no_packages", sa.Text()))
