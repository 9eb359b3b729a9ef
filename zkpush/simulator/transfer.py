"""Downloads of files from the server: in parts, with a check (12.5.2, 12.8.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..protocol.codes import ReturnCode
from .answer import ReturnCodeError
from .errors import LinkError
from .link import Link

if TYPE_CHECKING:
    pass

PART = 64 * 1024
"""Bytes requested at once."""
TRIES = 3
"""Number of consecutive failures of a part after which the download fails."""


async def fetch(link: Link, path: str, **arguments: str) -> bytes:
    """Download a file; `ReturnCodeError` if it cannot be completed.

    A failed download is resumed, as by real terminals.
    """
    content, failures = b"", 0
    while True:
        try:
            part = await link.part(path, len(content), PART, **arguments)
        except LinkError:
            failures += 1
            if failures == TRIES:
                raise ReturnCodeError(ReturnCode.SERVER_DATA_FAILED) from None
            continue
        failures = 0
        content = content[: part.first] + part.content
        if len(content) >= part.total:
            return content
