"""Observed use of session tokens, and which terminals have used encryption.

Issued tokens stay valid; whether terminals return them is observed anew.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

devices = sa.table("devices", sa.column("id"), sa.column("tokens"))


def upgrade():
    false = sa.text("false")
    for column in (
        sa.Column("returns_token", sa.Boolean(), nullable=False, server_default=false),
        sa.Column("bare_addresses", sa.Text(), nullable=False, server_default=sa.text("'[]'")),
        sa.Column("encrypts", sa.Boolean(), nullable=False, server_default=false),
    ):
        op.add_column("devices", column)
    connection = op.get_bind()
    for row in connection.execute(sa.select(devices).where(devices.c.tokens != "[]")).all():
        tokens = [{"digest": digest} for digest in json.loads(row.tokens)]
        connection.execute(
            sa.update(devices).where(devices.c.id == row.id).values(tokens=json.dumps(tokens))
        )
    op.execute(
        "UPDATE devices SET encrypts = true WHERE id IN "
        "(SELECT device_id FROM sessions WHERE generation IS NOT NULL)"
    )
