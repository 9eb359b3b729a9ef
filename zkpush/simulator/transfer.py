"""Files that a terminal fetches from its server: part by part, and checked (12.5.2, 12.8.2)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from ..protocol.codes import ReturnCode
from ..protocol.fields import Command
from .answer import Answer, ReturnCodeError
from .errors import LinkError
from .link import Link

if TYPE_CHECKING:
    from .terminal import SimulatedTerminal

PART = 64 * 1024
"""Bytes that are asked for at once."""
TRIES = 3
"""How often in a row a part is asked for, before the file is given up."""
_FILE = "file"
"""Where UPGRADE fetches from, with the URL as an argument (12.8.2)."""


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


async def upgrade(
    terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]
) -> Answer:
    """Fetch firmware, check it, install it, and come back with its version (12.8.2)."""
    if not {"checksum", "size", "url"} <= params.keys():
        raise ReturnCodeError(ReturnCode.PARAMETER_INCORRECT)
    content = await fetch(terminal.link, _FILE, url=params["url"])
    if "type" not in params:
        try:
            content = base64.b64decode(content, validate=True)
        except binascii.Error:
            raise ReturnCodeError(ReturnCode.SERVER_DATA_FAILED) from None
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if (str(len(content)), digest) != (params["size"], params["checksum"].lower()):
        raise ReturnCodeError(ReturnCode.SERVER_DATA_FAILED)

    async def then() -> None:
        base = terminal.model.firmware.partition("-")[0]
        terminal.model = attrs.evolve(terminal.model, firmware=f"{base}-{digest[:8]}")
        await terminal.restart()

    return Answer(then=then)
