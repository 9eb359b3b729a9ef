"""The area of the terminal when a command was queued; unknown for older commands."""

from alembic import op
from sqlalchemy import Column, Text

revision = "0060"
down_revision = "0059"


def upgrade():
    op.add_column("commands", Column("area", Text()))
