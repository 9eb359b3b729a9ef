"""Terminals, stamps, attendance records, commands and rejects."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def device_id(**options):
    return sa.Column("device_id", row_id, sa.ForeignKey("devices.id"), nullable=False, **options)


def upgrade():
    op.create_table(
        "devices",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("sn", sa.Text(), nullable=False, unique=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("alias", sa.Text()),
        sa.Column("area", sa.Text()),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("push_version", sa.Text()),
        sa.Column("language", sa.Text()),
        sa.Column("device_type", sa.Text()),
        sa.Column("comm_key", sa.Text()),
        sa.Column("offered_comm_key", sa.Text()),
        sa.Column("told_time_zone", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("firmware", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger()),
        sa.Column("settings", sa.Text(), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("options", sa.Text(), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("attributes", sa.Text(), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("counts", sa.Text(), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("problems", sa.Text(), nullable=False, server_default=sa.text("'[]'")),
    )
    op.create_table(
        "stamps",
        device_id(primary_key=True),
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
    op.create_table(
        "attendance",
        sa.Column("id", row_id, primary_key=True),
        device_id(),
        sa.Column("utc", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("pin", sa.Text(), nullable=False),
        sa.Column("time", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("verify", sa.Integer(), nullable=False),
        sa.Column("work_code", sa.Text()),
        sa.Column("reserved_1", sa.Text()),
        sa.Column("reserved_2", sa.Text()),
        sa.Column("id_number", sa.Text()),
        sa.Column("record_type", sa.Integer()),
        sa.Column("mask", sa.Integer()),
        sa.Column("temperature", sa.Float()),
        sa.Column("converted_temperature", sa.Float()),
        sa.Column("time_offset", sa.Integer()),
        sa.Column("extend_data", sa.Text()),
        sa.Column("extra", sa.Text()),
        sa.Column("raw", sa.LargeBinary()),
        sa.UniqueConstraint(
            "time", "device_id", "pin", "status", "verify", name="attendance_identity"
        ),
    )
    op.create_index("attendance_utc", "attendance", ["utc"])
    op.create_table(
        "commands",
        sa.Column("seq", row_id, primary_key=True),
        sa.Column("id", sa.Text(), nullable=False, unique=True),
        device_id(),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.BigInteger()),
        sa.Column("return_code", sa.BigInteger()),
        sa.Column("result", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("finished_at", sa.BigInteger()),
    )
    op.create_index("commands_of_device", "commands", ["device_id", "seq"])
    is_open = sa.text("state IN ('queued', 'sent')")
    op.create_index(
        "commands_open",
        "commands",
        ["device_id", "seq"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_table(
        "rejects",
        sa.Column("id", row_id, primary_key=True),
        device_id(),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("device_id", "digest", name="rejects_identity"),
    )
