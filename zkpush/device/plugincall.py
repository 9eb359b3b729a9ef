"""State of a record handler's call on its thread, watched from the reactor."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..interfaces import IPluginConnection
from ..values.setaside import InboxItem


@attrs.frozen
class Running:
    """A handler call in progress."""

    items: Sequence[InboxItem]
    since: float
    """Start time (s) of its transaction; infinite until then."""
    lock_seconds: float
    connection: IPluginConnection | None
    """The connection of its transaction, if any."""
    until: int = 0
    """End (ms) of its claim on the items."""


@attrs.define
class Watched:
    """Actions taken on a call that lasts too long."""

    call: Running | None = None
    is_aborted: bool = False
    is_reported: bool = False
