"""Record handlers and the way in which each is run.

Ours run inline: in the unit of work of the upload, without a savepoint. Those of other packages run
later, from the inbox, in transactions of their own; or inline with a savepoint, where the
configuration names them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import Enum

import attrs

from ..discovery import by_claim, is_ours
from ..interfaces import IRecordHandler
from ..pluginkinds import handler_claims
from ..protocol.fields import Table


class Way(Enum):
    """How a record handler is run."""

    TRUSTED = "trusted"
    """Inline; it is a part of zkpush."""
    INLINE = "inline"
    """Inline, with a savepoint."""
    LATER = "later"
    """From the inbox."""


@attrs.frozen
class PluggedHandler:
    """A record handler, what it claims, and how it is run."""

    handler: IRecordHandler
    name: str
    tables: tuple[Table, ...]
    changes_device: bool
    way: Way
    label: str = ""
    """Its kind and name, for logs."""
    is_trusted: bool = False
    """Whether it is a part of zkpush."""


class HandlerSet:
    """All record handlers, by the tables that they take: family, and name."""

    def __init__(self, handlers: Iterable[IRecordHandler], inline: Collection[str] = ()) -> None:
        """`inline` are the names that the configuration lists.

        `PluginConflict` if two claim one table or one name, `ValueError` for an unknown name.
        """
        handlers = list(handlers)
        by_claim(handlers, handler_claims)
        plugged = [_plugged(handler, inline) for handler in handlers]
        self.by_table = {
            (table.family, name): one
            for one in plugged
            for table in one.tables
            for name in (table.name, *table.aliases)
        }
        self.all = tuple(plugged)
        names = {one.name for one in plugged}
        unknown = sorted(set(inline) - names)
        if unknown:
            raise ValueError(
                f"plugins.inline: there is no record handler {', '.join(unknown)}; "
                f"there are {', '.join(sorted(names))}"
            )
        self.tables = [table for one in plugged for table in one.tables]
        self.later = tuple(one for one in plugged if one.way is Way.LATER)


def _plugged(handler: IRecordHandler, inline: Collection[str]) -> PluggedHandler:
    way = Way.INLINE if handler.name in inline else Way.LATER
    if is_ours(handler):
        way = Way.TRUSTED
    return PluggedHandler(
        handler,
        str(handler.name),
        tuple(handler.tables),
        bool(handler.changes_device),
        way,
        f"record handler {handler.name}",
        way is Way.TRUSTED,
    )
