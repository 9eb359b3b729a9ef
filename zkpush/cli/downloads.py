"""Streaming of content from the API, whatever its size.

Commands import this module when they run: it imports the HTTP client.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import treq
from twisted.web.iweb import IResponse

from .client import Api, Patience
from .newfiles import Moved

BINARY = "application/octet-stream"


async def download(api: Api, *path: str, take: Callable[[bytes], object], moved: Moved) -> None:
    """Download the content at a path of the API, passing each part to `take`."""
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
        *path,
        headers={"Accept": f"{BINARY}, */*"},
        collect=collect,
        patience=patience,
    )
