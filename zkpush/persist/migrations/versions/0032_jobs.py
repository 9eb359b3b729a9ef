"""Jobs: commands for many terminals; indexes for lists of commands."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
IN_JOB = sa.text("job IS NOT NULL")


def upgrade():
    for column in (
        sa.Column("job", key_text),
        sa.Column("job_place", sa.Integer()),
        sa.Column("repeated", sa.Integer(), nullable=False, server_default=sa.text("0")),
    ):
        op.add_column("commands", column)
    for name, columns, where in (
        ("commands_of_job", ["job", "repeated", "state", "device_id"], IN_JOB),
        ("commands_job", ["job", "seq"], IN_JOB),
        ("commands_state", ["state", "seq"], None),
        ("commands_name", ["command", "seq"], None),
        ("commands_created", ["created_at", "seq"], None),
    ):
        op.create_index(name, "commands", columns, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "jobs",
        sa.Column("seq", row_id, primary_key=True),
        sa.Column("id", key_text, nullable=False, unique=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("terminals", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("idempotency_key", key_text),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("retry_states", sa.Text()),
        sa.Column("retry_below", sa.BigInteger()),
        sa.Column("forgiven", sa.Integer(), nullable=False, server_default=sa.text("0")),
    )
    unfinished = sa.text("state IN ('queueing', 'cancelling')")
    op.create_index(
        "jobs_unfinished", "jobs", ["seq"], sqlite_where=unfinished, postgresql_where=unfinished
    )
    op.create_index("jobs_idempotency", "jobs", ["created_by", "idempotency_key"], unique=True)
    op.create_table(
        "job_targets",
        sa.Column(
            "job_seq", row_id, sa.ForeignKey("jobs.seq", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("place", sa.Integer(), primary_key=True),
        sa.Column(
            "device_id", row_id, sa.ForeignKey("devices.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("queued", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("retrying", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("reason", sa.Text()),
    )
    op.create_index("job_targets_state", "job_targets", ["job_seq", "state", "place"])
    op.create_index("job_targets_device", "job_targets", ["device_id"])
