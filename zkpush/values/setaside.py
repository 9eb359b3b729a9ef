"""Uploaded data that is set aside: rejects, and lines in the inboxes of plugins."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..protocol.dialect import Dialect
from ..protocol.rejects import Origin
from ..protocol.requests import Upload


class SealedRejects(msgspec.Struct, frozen=True):
    """Rejects of one terminal as the store writes them: encrypted, by columns."""

    columns: Sequence[Sequence[object]]
    device_id: int

    @property
    def count(self) -> int:
        """Number of rejects."""
        return len(self.columns[0])


class StoredReject(msgspec.Struct, frozen=True, kw_only=True):
    """A stored reject: upload data that was not understood."""

    id: int
    device: str
    table: str
    reason: str
    raw: bytes | None
    """None in a list if it is long, and where it is damaged."""
    size: int
    """Length of `raw` in bytes."""
    received_at: int
    device_id: int = 0
    packed: bool = False
    """Whether `raw` is a packet (11.14)."""
    name: str | None = None
    """File name sent with the upload of a photo (11.3)."""
    origin: Origin | None = None
    """The request, if the reject is its whole body."""
    attempts: int = 0
    """Number of unsuccessful attempts to read it again."""
    tried_at: int | None = None
    """Time of the last attempt to read it again."""
    times: int = 1
    """How often the terminal sent it."""
    last_at: int = 0
    """When it came last."""
    address: str | None = None
    """Address from which it came last; None if that is not known."""
    damaged: tuple[str, ...] = ()
    """Names of the values that cannot be decrypted; they are empty here."""


class RepeatedReject(msgspec.Struct, frozen=True):
    """A reject that a terminal sent several times."""

    id: int
    times: int
    last_at: int


class RejectSelection(msgspec.Struct, frozen=True):
    """Filter for rejects."""

    device: str | None = None
    """Serial number of a terminal; None for all terminals."""
    table: str | None = None


class InboxItem(msgspec.Struct, frozen=True, kw_only=True):
    """Uploaded lines of one table, waiting for the plugin that stores them."""

    id: int = 0
    plugin: str
    """Name of the record handler."""
    device_id: int
    table: str
    upload: Upload
    """The lines as an upload of their own; the current version of the plugin decodes them again."""
    dialect: Dialect
    """Dialect of the terminal at the time of the upload."""
    received_at: int
    tries: int = 0
    """Number of earlier attempts to store them."""
    is_isolated: bool = False
    """Whether later lines of the terminal no longer wait for these."""


class SealedItems(msgspec.Struct, frozen=True):
    """Inbox items as the store writes them: encrypted, by rows."""

    plugins: frozenset[str]
    rows: Sequence[tuple[object, ...]]


class InboxState(msgspec.Struct, frozen=True, kw_only=True):
    """State of the inbox of one plugin."""

    plugin: str
    waiting: int = 0
    """Number of items; each holds lines of one table from one upload."""
    isolated: int = 0
    oldest_at: int | None = None
    error: str | None = None
    """Class name of the plugin's last exception on a waiting item."""
    failed_at: int | None = None
    """Time of the first failure on an item that still waits."""
