"""Database tables of jobs."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, text

from ...persist.schema import KeyText, PlainText, RowId, metadata
from ...persist.sealed import KEY, SealedText

_UNFINISHED = text("state IN ('queueing', 'cancelling')")

jobs = Table(
    "jobs",
    metadata,
    Column("seq", RowId, primary_key=True),
    Column("id", KeyText, nullable=False, unique=True),
    Column("state", PlainText(), nullable=False),
    Column("reason", PlainText()),
    # The names of the commands, as JSON, and the numbers of commands and of terminals.
    Column("names", PlainText(), nullable=False),
    Column("number", Integer(), nullable=False),
    Column("terminals", Integer(), nullable=False),
    # The commands with their parameters, until all of them are queued.
    Column("body", SealedText()),
    Column("options", PlainText(), nullable=False),
    Column("priority", Integer(), nullable=False),
    Column("created_at", BigInteger(), nullable=False),
    Column("created_by", PlainText(), nullable=False),
    Column("ended_at", BigInteger()),
    Column("idempotency_key", KeyText),
    # Keyed hash of the request, to compare it with a later one of the same idempotency key.
    Column("fingerprint", LargeBinary(), nullable=False),
    # What a retry queues again: commands that ended in these states, up to this number.
    Column("retry_states", PlainText()),
    Column("retry_below", BigInteger()),
    # Number of failures that do not stop the job, because a caller let it go on after them.
    Column("forgiven", Integer(), nullable=False, server_default=text("0")),
    Index("jobs_unfinished", "seq", sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
    Index("jobs_idempotency", "created_by", "idempotency_key", unique=True),
    info={KEY: ("id",)},
)

job_targets = Table(
    "job_targets",
    metadata,
    Column("job_seq", RowId, ForeignKey("jobs.seq", ondelete="CASCADE"), primary_key=True),
    Column("place", Integer(), primary_key=True),
    Column("device_id", RowId, ForeignKey("devices.id", ondelete="CASCADE"), nullable=False),
    Column("state", PlainText(), nullable=False),
    # Number of its commands that are queued.
    Column("queued", Integer(), nullable=False, server_default=text("0")),
    # Whether commands that did not succeed are to be queued again.
    Column("retrying", Integer(), nullable=False, server_default=text("0")),
    Column("reason", PlainText()),
    Index("job_targets_state", "job_seq", "state", "place"),
    Index("job_targets_device", "device_id"),
)
"""The terminals of jobs, in the order in which their commands are queued."""
