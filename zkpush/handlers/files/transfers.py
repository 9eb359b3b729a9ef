"""Streaming of files to the API, whatever their size."""

from __future__ import annotations

import os
from typing import IO, Any

from twisted.web.client import FileBodyProducer

from ...cli.client import Api, Patience
from ...cli.downloads import BINARY
from ...cli.newfiles import Moved
from ...cli.replies import Item


class _Watched:
    """File wrapper that reports how much was read."""

    def __init__(self, file: IO[bytes], moved: Moved) -> None:
        self.seek, self.tell, self.close = file.seek, file.tell, file.close
        self._file = file
        self._length = os.fstat(file.fileno()).st_size
        self._moved = moved

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes."""
        part = self._file.read(size)
        self._moved(self._file.tell(), self._length)
        return part


async def upload(api: Api, name: str, file: IO[bytes], moved: Moved) -> Item:
    """Upload a file while reading it; return the reply of the API."""
    patience = Patience(api.clock)

    def read(done: int, length: int) -> None:
        patience.renew()
        moved(done, length)

    watched: Any = _Watched(file, read)
    return await api.exchange(
        "POST",
        "files",
        query={"name": name},
        headers={"Content-Type": BINARY},
        producer=FileBodyProducer(watched),
        patience=patience,
    )
