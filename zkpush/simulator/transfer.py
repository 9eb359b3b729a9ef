"""Files that a terminal fetches from its server: part by part, and checked (12.5.2, 12.8.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..protocol.codes import ReturnCode
from .answer import ReturnCodeError
from .errors import LinkError
from .link import Link

if TYPE_CHECKING:
    pass

PART = 64 * 1024
"""Bytes that are asked for at once."""
TRIES = 3
"""How often in a row a part is asked for, before the file is given up."""


async def fetch(link: Link, path: str, **arguments: str) -> bytes:
    """Fetch a file; `ReturnCodeError` if the server does not give it whole.

    What fails goes on where it was, as real terminals do.
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
