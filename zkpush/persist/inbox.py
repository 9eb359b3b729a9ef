"""Inbox of record handlers: lines stored until the handler has processed them.

Plugins store all their lines from the inbox; built-in handlers store those of dense uploads.

Items of one terminal are claimed in the order in which they arrived. A claim is committed before
the plugin is called, with the time at which it expires. No other process claims the items
meanwhile, and an item that kills its process or thread is recognized the next time.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import sqlalchemy
from sqlalchemy import Row, Select, delete, func, select, update

from ..protocol.dialect import Dialect
from ..protocol.requests import Upload
from ..values.setaside import InboxItem, InboxState, SealedItems
from .buffers import BufferedRows
from .schema import inbox, plain
from .sealed import opened, sealed
from .vault import Vault

if TYPE_CHECKING:
    from .transaction import Transaction

MOST_ITEMS = 32
"""Most items claimed together."""
MOST_BYTES = 1024 * 1024
"""Most bytes of their contents, unless one item alone is larger."""
MOST_UNFINISHED = 2
"""An item is isolated after this many attempts without an outcome."""
DAMAGED_PAUSE = 24 * 3600 * 1000
"""Milliseconds between attempts to open a damaged item, whose row may be restored."""
_UNFINISHED = "no result"
_DAMAGED = "NotUnsealed"
_MARK_BYTES = 16


_NAMES = ("plugin", "device_id", "table_name", "mark", "content", "received_at")


def seal_items(vault: Vault, items: Sequence[InboxItem]) -> SealedItems:
    """Encrypt items for their rows; may run on any thread."""
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
    """Lines for plugins, which store them later in transactions of their own."""

    table: ClassVar[sqlalchemy.Table] = inbox
    names: ClassVar[tuple[str, ...]] = _NAMES
    order = 1

    def __init__(self, tx: Transaction) -> None:
        self._vault = tx.vault
        self._connection = tx.connection
        super().__init__(tx)

    def add(self, items: SealedItems) -> None:
        """Add items encrypted by `IStore.seal_items`, in their order."""
        self.waiting.extend(items.rows)

    def claim(
        self, plugin: str, now: int, until: int, most: int = MOST_ITEMS, last: int | None = None
    ) -> list[InboxItem]:
        """Claim up to `most` items of one terminal for a plugin, leased until `until` (ms).

        Starts with the first item of a terminal, choosing the least tried one and then the oldest.
        With `last`, the id of the previous terminal, terminals take turns in the order of their ids
        instead of age. Isolated items come last. Damaged items are isolated and postponed, and do
        not delay others.
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
            # Another process may have claimed some of these rows first.
            for row in sorted(taken, key=lambda row: row.id):
                item = self._item(row)
                if item is None:
                    self.failed([row.id], _DAMAGED, now, now + DAMAGED_PAUSE, isolated=True)
                else:
                    items.append(item)
            if items or not taken:
                return items

    def stored(self, ids: Sequence[int]) -> bool:
        """Remove items that the plugin has stored; False if some no longer exist."""
        return bool(
            self._connection.execute(delete(inbox).where(inbox.c.id.in_(ids))).rowcount == len(ids)
        )

    def failed(
        self, ids: Sequence[int], error: str, now: int, next_at: int, *, isolated: bool
    ) -> None:
        """Record the plugin's error; the items can be claimed again at `next_at` (ms)."""
        self._change(
            ids,
            error=error,
            next_at=next_at,
            isolated=int(isolated),
            failed_at=func.coalesce(inbox.c.failed_at, now),
        )

    def give_back(self, ids: Sequence[int]) -> None:
        """Make items claimable at once, one by one."""
        self._change(ids, error=None, next_at=0)

    def release(self, ids: Sequence[int], until: int) -> None:
        """Undo a claim that lasts until `until` (ms); items claimed anew are left unchanged."""
        self._connection.execute(
            update(inbox)
            .where(inbox.c.id.in_(ids), inbox.c.next_at == until, inbox.c.error == _UNFINISHED)
            .values(tries=inbox.c.tries - 1, next_at=0, error=None)
        )

    def due(self, now: int) -> list[str]:
        """List the plugins that have claimable items."""
        query = select(inbox.c.plugin).distinct().where(inbox.c.next_at <= now)
        return [str(name) for name in self._connection.execute(query).scalars()]

    def pending(self, device_id: int, plugins: Collection[str]) -> set[str]:
        """Those of some handlers for which items of a terminal wait in their order."""
        query = (
            select(inbox.c.plugin)
            .distinct()
            .where(
                inbox.c.plugin.in_(sorted(plugins)),
                inbox.c.isolated == 0,
                inbox.c.device_id == device_id,
            )
        )
        return {str(name) for name in self._connection.execute(query).scalars()}

    def states(self) -> list[InboxState]:
        """Return the state of the inbox for each plugin, by name."""
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
        """Find the next claimable item: the first of a terminal, else an isolated one."""
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
        """List the untried items of a terminal, starting with its first."""
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
        """Decode the item of a row; None if it is damaged."""
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
    # Untried items come first, so that items that fail repeatedly do not delay others. Concurrent
    # processes skip each other's locked rows.
    turn = () if last is None else (inbox.c.device_id <= last, inbox.c.device_id)
    order = (inbox.c.tries, *turn, inbox.c.id)
    return query.order_by(*order).limit(1).with_for_update(skip_locked=True)
