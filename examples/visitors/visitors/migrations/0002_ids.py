"""Number visitors, so that lists of the API have pages."""

import sqlalchemy
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Copy the rows to a table with ids."""
    op.create_table(
        "visitors_numbered",
        sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True),
        sqlalchemy.Column("device", sqlalchemy.Text, nullable=False),
        sqlalchemy.Column("pin", sqlalchemy.Text, nullable=False),
        sqlalchemy.Column("arrived", sqlalchemy.Text, nullable=False),
        sqlalchemy.Column("host", sqlalchemy.Text),
        sqlalchemy.Column("company", sqlalchemy.Text),
        sqlalchemy.UniqueConstraint("device", "pin", "arrived", name="visitors_once"),
    )
    op.execute(
        "INSERT INTO visitors_numbered (device, pin, arrived, host, company) "
        "SELECT device, pin, arrived, host, company FROM visitors ORDER BY arrived, device, pin"
    )
    op.drop_table("visitors")
    op.rename_table("visitors_numbered", "visitors")
