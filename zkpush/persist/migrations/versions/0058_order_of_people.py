"""Index of people by their user IDs as numbers."""

from alembic import op

revision = "0058"
down_revision = "0057"


def upgrade():
    op.execute(
        "CREATE INDEX users_natural ON users ("
        "((substr('~', 1, length(ltrim(pin, '0123456789'))) "
        "|| substr('0123456789abcdefghijklmnopqrstuvwxyz', length(ltrim(pin, '0')) + 1, 1)) "
        "|| ltrim(pin, '0')), pin)"
    )
