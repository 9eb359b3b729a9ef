"""Record handlers and how each one runs.

Built-in handlers run inline: in the unit of work of the upload, without a savepoint. Handlers of
other packages run later, from the inbox, in their own transactions; or inline with a savepoint, if
the configuration lists them.
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
    """How a record handler runs."""

    TRUSTED = "trusted"
    """Inline without a savepoint; the handler is part of zkpush."""
    INLINE = "inline"
    """Inline, with a savepoint."""
    LATER = "later"
    """From the inbox."""


@attrs.frozen
class PluggedHandler:
    """A record handler, its tables, and how it runs."""

    handler: IRecordHandler
    name: str
    tables: tuple[Table, ...]
    changes_device: bool
    way: Way
    label: str = ""
    """Kind and name of the handler, for logs."""
    is_trusted: bool = False
    """Whether the handler is part of zkpush."""


class HandlerSet:
    """All record handlers, by the family and name of the tables they take."""

    def __init__(self, handlers: Iterable[IRecordHandler], inline: Collection[str] = ()) -> None:
        """`inline` are the handler names that the configuration lists.

        Raises `PluginConflict` if two handlers claim one table or name, and `ValueError` for an
        unknown name in `inline`.
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
