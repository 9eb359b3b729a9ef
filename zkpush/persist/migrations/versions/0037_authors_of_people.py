"""People: authors of fields, last words of terminals, areas, changes, conflicts and removals."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
OPEN = sa.text("settled_at IS NULL")


def of_device(**more):
    return sa.Column(
        "device_id", row_id, sa.ForeignKey("devices.id", ondelete="CASCADE"), nullable=False, **more
    )


def upgrade():
    op.create_table(
        "person_words",
        sa.Column("pin", key_text, primary_key=True),
        of_device(primary_key=True),
        sa.Column("word", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "person_authors",
        sa.Column("pin", key_text, primary_key=True),
        sa.Column("field", key_text, primary_key=True),
        sa.Column("author", sa.Text(), nullable=False),
    )
    op.create_table(
        "person_areas",
        sa.Column("pin", key_text, primary_key=True),
        sa.Column("area", key_text, primary_key=True),
    )
    op.create_index("person_areas_area", "person_areas", ["area", "pin"])
    op.create_table(
        "person_changes",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("pin", key_text, nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("old", sa.LargeBinary()),
        sa.Column("new", sa.LargeBinary()),
    )
    op.create_index("person_changes_pin", "person_changes", ["pin", "id"])
    op.create_table(
        "conflicts",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("pin", key_text, nullable=False),
        of_device(),
        sa.Column("said", sa.LargeBinary(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger()),
        sa.Column("settled_by", sa.Text()),
    )
    op.create_index(
        "conflicts_open",
        "conflicts",
        ["pin", "device_id"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_table(
        "removed_people",
        sa.Column("digest", sa.LargeBinary(), primary_key=True),
        sa.Column("pin", key_text),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
    )
    op.create_index("ix_removed_people_pin", "removed_people", ["pin"])
    # A person is in the area of the terminal that is recorded for them.
    op.execute(
        "INSERT INTO person_areas (pin, area) SELECT users.pin, coalesce(devices.area, 'default') "
        "FROM users JOIN devices ON devices.id = users.device_id"
    )
