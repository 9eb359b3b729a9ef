"""Life of commands: deadline, priority, subject, reason of the end, and retention."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

IS_OPEN = sa.text("state IN ('queued', 'sent')")
HAS_BODY = sa.text("body_removed_at IS NULL")
text = sa.Text()


def upgrade():
    for column in (
        sa.Column("rank", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("not_before_at", sa.BigInteger()),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("subject", sa.LargeBinary()),
        sa.Column("answered_at", sa.BigInteger()),
        sa.Column("reason", text),
        sa.Column("replaced_by", text),
        sa.Column("body_removed_at", sa.BigInteger()),
    ):
        op.add_column("commands", column)
    # Also covers queries that were answered and whose records may still arrive.
    op.execute(
        "UPDATE commands SET answered_at = COALESCE(finished_at, lease_until, sent_at, created_at) "
        "WHERE return_code IS NOT NULL"
    )
    op.execute(
        "UPDATE commands SET reason = CASE state WHEN 'done' THEN 'done' WHEN 'failed' THEN "
        "CASE WHEN return_code IS NULL THEN 'damaged' ELSE 'failed' END "
        "WHEN 'cancelled' THEN CASE WHEN attempts = 0 THEN 'cancelled' ELSE 'cancelled late' END "
        "WHEN 'expired' THEN CASE WHEN attempts = 0 THEN 'not fetched' ELSE 'not answered' END END "
        "WHERE state IN ('done', 'failed', 'cancelled', 'expired')"
    )
    # An upgrade of the server must not open a door or ask for a finger.
    op.execute(
        "UPDATE commands SET expires_at = created_at + 60000 WHERE state = 'queued' AND command IN "
        "('AC_UNLOCK', 'AC_UNALARM', 'ENROLL_FP', 'ENROLL_MF', 'ENROLL_BIO')"
    )
    op.drop_index("commands_open", "commands")
    for name, columns, where in (
        ("commands_open", ["device_id", "rank", "seq"], IS_OPEN),
        ("commands_subject", ["device_id", "subject"], IS_OPEN),
        ("commands_finished", ["finished_at"], None),
        ("commands_bodies", ["finished_at"], HAS_BODY),
    ):
        op.create_index(
            name, "commands", columns, sqlite_where=where, postgresql_where=where
        )
