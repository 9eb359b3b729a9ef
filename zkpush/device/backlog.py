"""Pending lines of terminals in the inbox, behind which later uploads are stored."""

from __future__ import annotations

from collections.abc import Collection

from ..interfaces import IStore
from ..persist.inbox import InboxStore
from .contents import ContentsReader
from .functions import FunctionTable
from .queries import open_queries
from .terminal import Terminal


class Backlog:
    """Tells what has to be known before an upload is stored behind pending lines."""

    def __init__(self, store: IStore, reader: ContentsReader, functions: FunctionTable) -> None:
        self._store = store
        self._reader = reader
        self._functions = functions

    async def handlers(self, terminal: Terminal) -> Collection[str]:
        """Return the handlers of ordered tables for which lines of a terminal are pending."""
        handlers = {*self._reader.reader(terminal.dialect.family).ordered.values()}
        device_id = terminal.device.id
        return await self._store.read(lambda tx: tx[InboxStore].pending(device_id, handlers))

    async def is_asked(self, terminal: Terminal) -> bool:
        """Return whether the terminal has an open query, for which it may be uploading."""
        if terminal.next_due is None:
            return False
        device = terminal.device
        matchers = self._functions.of(device.family).matchers
        found = await self._store.read(lambda tx: open_queries(tx, device.id, matchers))
        return bool(found)
