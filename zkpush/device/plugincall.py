"""A call of a record handler on its thread, as it is watched from the reactor."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..interfaces import IPluginConnection
from ..model import InboxItem


@attrs.frozen
class Running:
    """A call of the handler that has not returned yet."""

    items: Sequence[InboxItem]
    since: float
    """When its transaction began; infinite until then."""
    lock_seconds: float
    connection: IPluginConnection | None
    """The one with its transaction, if it has one."""
    until: int = 0
    """When (ms) its claim of the items ends."""


@attrs.define
class Watched:
    """What has been done about a call that lasts too long."""

    call: Running | None = None
    is_aborted: bool = False
    is_reported: bool = False
