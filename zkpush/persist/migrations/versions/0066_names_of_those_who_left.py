"""Names and areas of people who were removed from the list, for their punches."""

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0065"


def upgrade():
    for name in ("name", "areas"):
        op.add_column("removed_people", sa.Column(name, sa.Text()))
