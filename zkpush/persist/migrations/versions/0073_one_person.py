"""Whether a settled conflict was about one person, whom the terminal has under another name."""

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0072"


def upgrade():
    op.add_column("conflicts", sa.Column("one_person", sa.Boolean()))
    op.create_index("conflicts_people", "conflicts", ["pin", "device_id"])
