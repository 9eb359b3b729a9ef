"""People, photos, operations, errors, identity cards; and doubts about times."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Indexed text is compared by bytes, as on SQLite.
key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade():
    op.add_column("attendance", sa.Column("doubt", sa.Text()))
    op.create_table(
        "operations",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("device_id", row_id, sa.ForeignKey("devices.id"), nullable=False),
        sa.Column("utc", sa.BigInteger(), nullable=False),
        sa.Column("doubt", sa.Text()),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("identity", sa.LargeBinary(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("operator", sa.Text()),
        sa.Column("time", key, nullable=False),
        sa.Column("value_1", sa.Text()),
        sa.Column("value_2", sa.Text()),
        sa.Column("value_3", sa.Text()),
        sa.Column("value_4", sa.Text()),
        sa.Column("extra", sa.Text()),
        sa.Column("raw", sa.LargeBinary()),
        sa.UniqueConstraint("device_id", "identity", name="operations_identity"),
    )
    op.create_table(
        "errors",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("device_id", row_id, sa.ForeignKey("devices.id"), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("identity", sa.LargeBinary(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message", sa.Text()),
        sa.Column("origin", sa.Text()),
        sa.Column("command_id", sa.Text()),
        sa.Column("additional", sa.Text()),
        sa.Column("extra", sa.Text()),
        sa.Column("raw", sa.LargeBinary()),
        sa.UniqueConstraint("device_id", "identity", name="errors_identity"),
    )
    op.create_table(
        "idcards",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("device_id", row_id, sa.ForeignKey("devices.id"), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("identity", sa.LargeBinary(), nullable=False),
        sa.Column("pin", sa.Text(), nullable=False),
        sa.Column("card_number", sa.Text()),
        sa.Column("id_number", sa.Text()),
        sa.Column("document_number", sa.Text()),
        sa.Column("name", sa.Text()),
        sa.Column("gender", sa.Integer()),
        sa.Column("nation", sa.Integer()),
        sa.Column("birthday", sa.Text()),
        sa.Column("validity", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("additional_address", sa.Text()),
        sa.Column("issuer", sa.Text()),
        sa.Column("photo", sa.Text()),
        sa.Column("fingerprint_1", sa.Text()),
        sa.Column("fingerprint_2", sa.Text()),
        sa.Column("reserved", sa.Text()),
        sa.Column("notice", sa.Text()),
        sa.Column("extra", sa.Text()),
        sa.Column("raw", sa.LargeBinary()),
        sa.UniqueConstraint("device_id", "identity", name="idcards_identity"),
    )
    op.create_table(
        "users",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("device_id", row_id, sa.ForeignKey("devices.id")),
        sa.Column("updated_at", sa.BigInteger()),
        sa.Column("pin", key, nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("privilege", sa.Integer()),
        sa.Column("password", sa.Text()),
        sa.Column("card", sa.Text()),
        sa.Column("group", sa.Integer()),
        sa.Column("timezones", sa.Text()),
        sa.Column("verify", sa.Integer()),
        sa.Column("vice_card", sa.Text()),
        sa.Column("start_datetime", sa.Text()),
        sa.Column("end_datetime", sa.Text()),
        sa.Column("expires", sa.Text()),
        sa.Column("extra", sa.Text()),
        sa.Column("raw", sa.LargeBinary()),
        sa.UniqueConstraint("pin", name="users_identity"),
    )
    op.create_table(
        "templates",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("device_id", row_id, sa.ForeignKey("devices.id")),
        sa.Column("updated_at", sa.BigInteger()),
        sa.Column("form", sa.Text()),
        sa.Column("pin", key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("valid", sa.Integer()),
        sa.Column("duress", sa.Integer()),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.Column("major_version", sa.Integer(), nullable=False),
        sa.Column("minor_version", sa.Integer(), nullable=False),
        sa.Column("format", sa.Text()),
        sa.Column("template", sa.LargeBinary(), nullable=False),
        sa.Column("extra", sa.Text()),
        sa.Column("raw", sa.LargeBinary()),
        sa.UniqueConstraint("pin", "type", "number", "index", "major_version", "minor_version", name="templates_identity"),
    )
    op.create_table(
        "person_photos",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("device_id", row_id, sa.ForeignKey("devices.id")),
        sa.Column("updated_at", sa.BigInteger()),
        sa.Column("kind", key, nullable=False),
        sa.Column("picture", sa.Text()),
        sa.Column("pin", key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer()),
        sa.Column("format", sa.Integer()),
        sa.Column("url", sa.Text()),
        sa.Column("extra", sa.Text()),
        sa.Column("raw", sa.LargeBinary()),
        sa.UniqueConstraint("pin", "type", "number", "index", "kind", name="person_photos_identity"),
    )
    op.create_table(
        "holdings",
        sa.Column("table_name", key, primary_key=True),
        sa.Column("key", key, primary_key=True),
        sa.Column("device_id", row_id, sa.ForeignKey("devices.id"), primary_key=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "versions",
        sa.Column("table_name", key, primary_key=True),
        sa.Column("key", key, primary_key=True),
        sa.Column("digest", sa.LargeBinary(), primary_key=True),
    )
    op.create_table(
        "attendance_photos",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("device_id", row_id, sa.ForeignKey("devices.id"), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("name", key, nullable=False),
        sa.Column("picture", key, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Integer()),
        sa.Column("pin", sa.Text()),
        sa.Column("id_number", sa.Text()),
        sa.Column("time", sa.Text()),
        sa.Column("utc", sa.BigInteger()),
        sa.Column("doubt", sa.Text()),
        sa.Column("command", sa.Text()),
        sa.Column("extra", sa.Text()),
        sa.Column("raw", sa.LargeBinary()),
        sa.UniqueConstraint("device_id", "name", "picture", name="attendance_photos_identity"),
    )
    op.create_table(
        "pictures",
        sa.Column("digest", key, primary_key=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "entries",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("device_id", row_id, sa.ForeignKey("devices.id"), nullable=False),
        sa.Column("table_name", key, nullable=False),
        sa.Column("key", key, nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("device_id", "table_name", "key", name="entries_identity"),
    )
