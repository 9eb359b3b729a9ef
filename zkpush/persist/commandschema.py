"""Table of commands."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, text

from .schema import KeyText, PlainText, RowId, metadata
from .sealed import KEY, SealedText

commands = Table(
    "commands",
    metadata,
    Column("seq", RowId, primary_key=True),
    Column("id", KeyText, nullable=False, unique=True),
    Column("device_id", RowId, ForeignKey("devices.id"), nullable=False),
    Column("command", PlainText(), nullable=False),
    Column("family", PlainText(), nullable=False, server_default=text("'attendance'")),
    Column("body", SealedText(), nullable=False, server_default=text("''")),
    Column("idempotency_key", KeyText),
    Column("state", PlainText(), nullable=False),
    Column("attempts", Integer(), nullable=False),
    Column("lease_until", BigInteger()),
    Column("records", Integer(), nullable=False, server_default=text("0")),
    Column("return_code", BigInteger()),
    Column("result", SealedText()),
    Column("created_at", BigInteger(), nullable=False),
    Column("sent_at", BigInteger()),
    Column("finished_at", BigInteger()),
    # The negative priority: lower ranks are sent first.
    Column("rank", Integer(), nullable=False, server_default=text("0")),
    Column("not_before_at", BigInteger()),
    Column("expires_at", BigInteger()),
    # Digest of the object that the command changes, such as one person.
    # The keyed index of the subject: user IDs are few enough to be found by their digests.
    Column("subject", LargeBinary()),
    Column("answered_at", BigInteger()),
    Column("reason", PlainText()),
    Column("replaced_by", PlainText()),
    Column("body_removed_at", BigInteger()),
    # The file that the terminal fetches, and the SHA-256 of the secret in its URL.
    Column("file_id", BigInteger()),
    Column("file_digest", LargeBinary()),
    # The job, the number of the command in it, and whether the job queued the command again.
    Column("job", KeyText),
    Column("job_place", Integer()),
    Column("repeated", Integer(), nullable=False, server_default=text("0")),
    # The area of the terminal when it was queued; null for commands of earlier versions.
    Column("area", PlainText()),
    Index("commands_of_device", "device_id", "seq"),
    Index(
        "commands_file",
        "file_digest",
        unique=True,
        sqlite_where=text("file_digest IS NOT NULL"),
        postgresql_where=text("file_digest IS NOT NULL"),
    ),
    Index("commands_idempotency", "device_id", "idempotency_key", unique=True),
    Index(
        "commands_open",
        "device_id",
        "rank",
        "seq",
        sqlite_where=text("state IN ('queued', 'sent')"),
        postgresql_where=text("state IN ('queued', 'sent')"),
    ),
    Index(
        "commands_subject",
        "device_id",
        "subject",
        sqlite_where=text("state IN ('queued', 'sent')"),
        postgresql_where=text("state IN ('queued', 'sent')"),
    ),
    Index("commands_finished", "finished_at"),
    Index(
        "commands_of_job",
        "job",
        "repeated",
        "state",
        "device_id",
        sqlite_where=text("job IS NOT NULL"),
        postgresql_where=text("job IS NOT NULL"),
    ),
    # For the filters of lists: see `zkpush.handlers.commands.store`.
    Index(
        "commands_job",
        "job",
        "seq",
        sqlite_where=text("job IS NOT NULL"),
        postgresql_where=text("job IS NOT NULL"),
    ),
    Index("commands_state", "state", "seq"),
    Index("commands_name", "command", "seq"),
    Index("commands_created", "created_at", "seq"),
    Index(
        "commands_bodies",
        "finished_at",
        sqlite_where=text("body_removed_at IS NULL"),
        postgresql_where=text("body_removed_at IS NULL"),
    ),
    info={KEY: ("id",)},
)
"""Commands; the body contains the parameters, as sent and as requested, and the text."""
