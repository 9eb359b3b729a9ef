"""Unknown time zones of terminals, in place of UTC that nobody chose.

The instants in records of such terminals are marked as unknown. Columns are added and dropped,
because `devices` cannot be rebuilt: other tables refer to it.
"""

import json
import time

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0016"

NO_ZONE = "no zone"
SQLITE = (
    "ALTER TABLE devices ADD COLUMN zone TEXT",
    "UPDATE devices SET zone = timezone",
    "ALTER TABLE devices DROP COLUMN timezone",
    "ALTER TABLE devices RENAME COLUMN zone TO timezone",
)
POSTGRESQL = ("ALTER TABLE devices ALTER COLUMN timezone DROP NOT NULL",)
CHOSEN = """
    SELECT 1 FROM audit WHERE audit.action = 'change terminal'
    AND audit.subject = 'terminal ' || devices.sn AND audit.detail LIKE '%timezone=%'
"""
TABLES = ("attendance", "operations", "attendance_photos")


def upgrade():
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    for statement in SQLITE if is_sqlite else POSTGRESQL:
        op.execute(statement)
    op.add_column("devices", sa.Column("clock_skew_seconds", sa.BigInteger()))
    unknown = connection.execute(
        sa.text(
            "SELECT id, state, problems FROM devices "  # noqa: S608 - a constant
            f"WHERE timezone = 'UTC' AND NOT EXISTS ({CHOSEN})"
        )
    ).all()
    now = int(time.time() * 1000)
    for device in unknown:
        problems = json.loads(device.problems or "[]")
        if device.state == "approved":
            detail = "Its records have no instant, `utc`, and it is told no time."
            problems.append({"code": NO_ZONE, "detail": detail, "since_at": now})
        connection.execute(
            sa.text("UPDATE devices SET timezone = NULL, problems = :problems WHERE id = :id"),
            {"id": device.id, "problems": json.dumps(problems)},
        )
        for table in TABLES:
            of_its_own = " AND time_offset IS NULL" if table == "attendance" else ""
            timed = " AND utc IS NOT NULL" if table == "attendance_photos" else ""
            connection.execute(
                sa.text(
                    f"UPDATE {table} SET doubt = :doubt "  # noqa: S608 - constants
                    f"WHERE device_id = :id{of_its_own}{timed}"
                ),
                {"id": device.id, "doubt": NO_ZONE},
            )
    for table in TABLES:
        waiting = sa.text("doubt = 'no zone'")
        op.create_index(
            f"{table}_no_zone",
            table,
            ["device_id", "id"],
            sqlite_where=waiting,
            postgresql_where=waiting,
        )
    doubtful = sa.text("doubt IS NOT NULL")
    op.create_index(
        "attendance_doubt",
        "attendance",
        ["doubt", "id"],
        sqlite_where=doubtful,
        postgresql_where=doubtful,
    )
    op.create_index("attendance_received", "attendance", ["received_at", "id"])
