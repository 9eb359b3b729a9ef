"""Indexes of the filters of operations and identity cards."""

from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade():
    op.create_index("operations_code", "operations", ["code", "id"])
    op.create_index("idcards_pin", "idcards", ["pin", "id"])
