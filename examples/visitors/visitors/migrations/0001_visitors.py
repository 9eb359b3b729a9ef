"""Make the table, unless version 1.0, which had no migrations, has made it."""

import sqlalchemy
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make it."""
    if sqlalchemy.inspect(op.get_bind()).has_table("visitors"):
        return
    op.create_table(
        "visitors",
        sqlalchemy.Column("device", sqlalchemy.Text, primary_key=True),
        sqlalchemy.Column("pin", sqlalchemy.Text, primary_key=True),
        sqlalchemy.Column("arrived", sqlalchemy.Text, primary_key=True),
        sqlalchemy.Column("host", sqlalchemy.Text),
        sqlalchemy.Column("company", sqlalchemy.Text),
    )
