"""Values of access data: tables, entries, entries on terminals, and intents."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ..areas.model import SentPart
from .fields import Value

ACCESS_DATA = "access_data"
"""Kind of the events about entries."""
PRIORITY = -9
"""Priority of commands of access data: before people, who refer to time periods and groups."""
ENTRY = ""
"""The part of an entry that is not a user whom a message is for."""


class AccessEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of an area."""

    id: int
    area: str
    table: str
    key: str
    fields: Mapping[str, Value]
    digest: bytes
    """Digest of what terminals are sent."""
    updated_at: int
    damaged: bool = False
    """Whether the fields cannot be decrypted."""


class PlacedEntry(SentPart, frozen=True, kw_only=True):
    """An entry that belongs on a terminal, or is to be deleted there."""

    device_id: int
    table_name: str
    entry: str
    """Key of the entry."""
    part: str = ENTRY
    """User ID of a user whom a message is for; otherwise empty."""

    @property
    def key(self) -> tuple[int, str, str, str]:
        """Terminal, table, entry and part."""
        return self.device_id, self.table_name, self.entry, self.part


class IssuedTerminal(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal with access data, and what it was last compared with."""

    device_id: int
    area: str
    revision: int
    """Revision of the access data of the area."""
    compared_at: int
    """When its people were last compared as a whole."""
    emptied_at: int
    """When it was last emptied."""


class EntryPlace(msgspec.Struct, frozen=True, kw_only=True):
    """An entry on a terminal, in words."""

    id: int
    device: str
    table: str
    key: str
    state: str
    meaning: str
    updated_at: int


class PutAccessEntry(msgspec.Struct, frozen=True):
    """Intent: add or change an entry on a terminal."""

    table: str
    key: str
    fields: Mapping[str, Value]


class DeleteAccessEntry(msgspec.Struct, frozen=True):
    """Intent: delete an entry on a terminal."""

    table: str
    key: str


class AssignMessage(msgspec.Struct, frozen=True):
    """Intent: show a message to a user."""

    key: str
    pin: str


class UnassignMessage(msgspec.Struct, frozen=True):
    """Intent: show a message to a user no more."""

    key: str
    pin: str
