"""Indexes of the audit log: who acted, and on what."""

from alembic import op

revision = "0059"
down_revision = "0058"


def upgrade():
    op.create_index("audit_actor", "audit", ["actor", "id"])
    op.create_index("audit_subject", "audit", ["subject", "id"])
