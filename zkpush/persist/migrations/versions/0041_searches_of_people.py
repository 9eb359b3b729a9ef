"""Indexes for searches of people: by card and by privilege."""

from alembic import op

revision = "0041"
down_revision = "0040"


def upgrade():
    op.create_index("users_card", "users", ["card"])
    op.create_index("users_vice_card", "users", ["vice_card"])
    op.create_index("users_privilege", "users", ["privilege", "id"])
