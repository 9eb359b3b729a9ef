"""The inbox of record handlers: lines that are on disk, until the handler has stored them itself.

Plugins store all their lines from there, and our own handlers those of dense uploads.

Items of one terminal are taken in the order in which they came. Taking them is recorded before the
plugin is called, with the instant from which they may be taken again: so no other process takes
them meanwhile, and an item that ends a process or a thread is known the next time.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import sqlalchemy
from sqlalchemy import Row, Select, delete, func, select, update

from ..model import InboxItem, InboxState, SealedItems
from ..protocol.dialect import Dialect
from ..protocol.requests import Upload
from .buffers import BufferedRows
from .schema import inbox, plain
from .sealed import opened, sealed
from .vault import Vault

if TYPE_CHECKING:
    from .transaction import Transaction

MOST_ITEMS = 32
"""Items that are taken together."""
MOST_BYTES = 1024 * 1024
"""Bytes of their contents, unless one item alone is larger."""
MOST_UNFINISHED = 2
"""After so many tries of which nothing was heard again, an item is isolated."""
DAMAGED_PAUSE = 24 * 3600 * 1000
"""Milliseconds between two looks at an item that does not open: its row may be restored."""
_UNFINISHED = "no result"
_DAMAGED = "NotUnsealed"
_MARK_BYTES = 16


_NAMES = ("plugin", "device_id", "table_name", "mark", "content", "received_at")


def seal_items(vault: Vault, items: Sequence[InboxItem]) -> SealedItems:
    """Seal items for their rows; on whichever thread."""
    rows = []
    for item in items:
        row = sealed(
            vault,
            inbox,
            {
                "plugin": item.plugin,
                "device_id": item.device_id,
                "table_name": plain(item.table),
                "mark": secrets.token_hex(_MARK_BYTES),
                "content": msgspec.msgpack.encode((item.upload, item.dialect)),
                "received_at": item.received_at,
            },
        )
        rows.append(tuple(row[name] for name in _NAMES))
    return SealedItems(frozenset(item.plugin for item in items), rows)


class InboxStore(BufferedRows):
    """Lines for plugins that store them later, in transactions of their own."""

    table: ClassVar[sqlalchemy.Table] = inbox
    names: ClassVar[tuple[str, ...]] = _NAMES
    order = 1

    def __init__(self, tx: Transaction) -> None:
        self._vault = tx.vault
        self._connection = tx.connection
        super().__init__(tx)

    def add(self, items: SealedItems) -> None:
        """Keep items sealed by `IStore.seal_items`, in their order."""
        self.waiting.extend(items.rows)

    def claim(
        self, plugin: str, now: int, until: int, most: int = MOST_ITEMS, last: int | None = None
    ) -> list[InboxItem]:
        """The next items of one terminal, `most` at most, for one plugin, leased `until` then.

        The first of each terminal, those that were tried least before others, and then the oldest;
        or those of the next terminal in the order of ids, where `last` is the id of the one before.
        After them those that are isolated. Damaged items are isolated and put off, and hold up no
        others.
        """
        self.flush()
        while True:
            head = self._head(plugin, now, last)
            if head is None:
                return []
            if head.error == _UNFINISHED and head.tries >= MOST_UNFINISHED and not head.isolated:
                self._change([head.id], isolated=1, next_at=until)
                continue
            ids = [head.id] if head.tries or head.isolated else self._following(plugin, head, most)
            taken = self._connection.execute(
                update(inbox)
                .where(inbox.c.id.in_(ids), inbox.c.next_at <= now)
                .values(tries=inbox.c.tries + 1, next_at=until, error=_UNFINISHED)
                .returning(inbox)
            ).all()
            items = []
            # Another process may have been faster, and may have taken the first ones only.
            for row in sorted(taken, key=lambda row: row.id):
                item = self._item(row)
                if item is None:
                    self.failed([row.id], _DAMAGED, now, now + DAMAGED_PAUSE, isolated=True)
                else:
                    items.append(item)
            if items or not taken:
                return items

    def stored(self, ids: Sequence[int]) -> bool:
        """Drop items that the plugin has stored; False if some are not there any more."""
        return bool(
            self._connection.execute(delete(inbox).where(inbox.c.id.in_(ids))).rowcount == len(ids)
        )

    def failed(
        self, ids: Sequence[int], error: str, now: int, next_at: int, *, isolated: bool
    ) -> None:
        """Note what the plugin raised; the items are taken again at `next_at`."""
        self._change(
            ids,
            error=error,
            next_at=next_at,
            isolated=int(isolated),
            failed_at=func.coalesce(inbox.c.failed_at, now),
        )

    def give_back(self, ids: Sequence[int]) -> None:
        """Let items be taken again at once, one by one."""
        self._change(ids, error=None, next_at=0)

    def release(self, ids: Sequence[int], until: int) -> None:
        """Undo a claim that lasts `until` then; items that were claimed anew stay as they are."""
        self._connection.execute(
            update(inbox)
            .where(inbox.c.id.in_(ids), inbox.c.next_at == until, inbox.c.error == _UNFINISHED)
            .values(tries=inbox.c.tries - 1, next_at=0, error=None)
        )

    def due(self, now: int) -> list[str]:
        """The plugins for which items can be taken."""
        query = select(inbox.c.plugin).distinct().where(inbox.c.next_at <= now)
        return [str(name) for name in self._connection.execute(query).scalars()]

    def states(self) -> list[InboxState]:
        """What waits for each plugin, by its name."""
        last = func.max(sqlalchemy.case((inbox.c.error != _UNFINISHED, inbox.c.error)))
        query = (
            select(
                inbox.c.plugin,
                func.count().label("waiting"),
                func.sum(inbox.c.isolated).label("isolated"),
                func.min(inbox.c.received_at).label("oldest_at"),
                last.label("error"),
                func.min(inbox.c.failed_at).label("failed_at"),
            )
            .group_by(inbox.c.plugin)
            .order_by(inbox.c.plugin)
        )
        return [
            InboxState(
                plugin=row.plugin,
                waiting=int(row.waiting),
                isolated=int(row.isolated),
                oldest_at=row.oldest_at,
                error=row.error,
                failed_at=row.failed_at,
            )
            for row in self._connection.execute(query)
        ]

    def _head(self, plugin: str, now: int, last: int | None) -> Row[Any] | None:
        """The next item that can be taken: the first of a terminal, or else an isolated one."""
        firsts = (
            select(func.min(inbox.c.id))
            .where(inbox.c.plugin == plugin, inbox.c.isolated == 0)
            .group_by(inbox.c.device_id)
        )
        of_order = inbox.c.id.in_(firsts)
        for which in (of_order, (inbox.c.plugin == plugin) & (inbox.c.isolated == 1)):
            query = select(inbox).where(which, inbox.c.next_at <= now)
            found = self._connection.execute(_first(query, last)).one_or_none()
            if found is not None:
                return found
        return None

    def _following(self, plugin: str, head: Row[Any], most: int) -> list[int]:
        """The items of a terminal from its first one on that were not tried yet."""
        rows = self._connection.execute(
            select(inbox.c.id, inbox.c.tries, func.length(inbox.c.content).label("size"))
            .where(
                inbox.c.plugin == plugin,
                inbox.c.isolated == 0,
                inbox.c.device_id == head.device_id,
                inbox.c.id >= head.id,
            )
            .order_by(inbox.c.id)
            .limit(most)
        ).all()
        ids: list[int] = []
        size = 0
        for row in rows:
            size += row.size
            if row.tries or (ids and size > MOST_BYTES):
                break
            ids.append(int(row.id))
        return ids

    def _change(self, ids: Sequence[int], **values: object) -> None:
        self._connection.execute(update(inbox).where(inbox.c.id.in_(ids)).values(values))

    def _item(self, row: Row[Any]) -> InboxItem | None:
        """The item of a row; None if it is damaged, which is a problem of its own."""
        values = opened(self._vault, inbox, row._mapping)
        if values["content"] is None:
            return None
        upload, dialect = msgspec.msgpack.decode(values["content"], type=tuple[Upload, Dialect])
        return InboxItem(
            id=row.id,
            plugin=row.plugin,
            device_id=row.device_id,
            table=row.table_name,
            upload=upload,
            dialect=dialect,
            received_at=row.received_at,
            tries=row.tries - 1,
            is_isolated=bool(row.isolated),
        )


def _first(query: Select[Any], last: int | None) -> Select[Any]:
    # What was not tried comes first, so that items that fail again and again delay no others. Where
    # several processes write at once, each takes what no other is about to take.
    turn = () if last is None else (inbox.c.device_id <= last, inbox.c.device_id)
    order = (inbox.c.tries, *turn, inbox.c.id)
    return query.order_by(*order).limit(1).with_for_update(skip_locked=True)
