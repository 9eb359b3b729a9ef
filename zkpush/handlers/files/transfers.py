"""Streaming of files to and from the API, whatever their size."""

from __future__ import annotations

import os
from collections.abc import Callable
from http import HTTPStatus
from typing import IO, Any

import treq
from twisted.web.client import FileBodyProducer
from twisted.web.iweb import IResponse

from ...cli.client import Api, Patience
from ...cli.replies import Item

BINARY = "application/octet-stream"
Moved = Callable[[int, int], object]
"""Called with the number of bytes transferred and the total."""


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


async def download(api: Api, id: int, take: Callable[[bytes], object], moved: Moved) -> None:
    """Download the content of a file, passing each part to `take`."""
    patience = Patience(api.clock)

    async def collect(response: IResponse) -> bytes:
        if response.code >= HTTPStatus.MULTIPLE_CHOICES:
            return await treq.content(response)
        done, length = 0, int(response.length)

        def came(part: bytes) -> None:
            nonlocal done
            take(part)
            patience.renew()
            done += len(part)
            moved(done, length)

        await treq.collect(response, came)
        return b"{}"

    await api.exchange(
        "GET",
        "files",
        str(id),
        "content",
        headers={"Accept": BINARY},
        collect=collect,
        patience=patience,
    )
