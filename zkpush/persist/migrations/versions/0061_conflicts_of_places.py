"""Parts of people that wait for the decision of a conflict, apart from those that are refused."""

from alembic import op

revision = "0061"
down_revision = "0060"


def upgrade():
    op.execute(
        "UPDATE places SET state = 'conflict' WHERE state = 'refused' AND reason = "
        "'The terminal has other values; the conflict waits for a decision.'"
    )
