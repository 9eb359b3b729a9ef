"""Files on their way: to terminals that were told to fetch them (12.5.2, 12.8.2), and to people.

Theory of operation. A file is looked up once, with the right to have it. After that it is read in
parts, each when what came before it has left, so that a connection holds one part of a file
whatever its size, and whoever reads slowly holds up nobody. Parts are read on the store's threads,
few at a time: a thousand terminals that fetch firmware leave threads for all others.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

import attrs
from twisted.internet.defer import DeferredLock, DeferredSemaphore
from twisted.logger import Logger

from ..http.sending import Interrupted
from ..interfaces import IStore, NotUnsealed, StoreError
from ..model import DeviceState
from ..persist.devices import DeviceStore
from ..persist.files import FileStore
from ..persist.transaction import Transaction
from ..protocol.errors import Refused, Unavailable, UnknownPath
from ..values.files import StoredFile
from .files import command_of, is_base64, secret_of
from .refusals import Refusal, RefusalLog
from .terminal import may_be_at

T = TypeVar("T")
_log = Logger()
READ_AT_ONCE = 2
"""Parts that are read at the same time."""
SUM_PART = 3 * 1024 * 1024
"""Bytes that are read at a time to make a sum of all; whole groups of base64."""
MOST_SUMS = 64
"""Sums that are remembered."""


@attrs.frozen
class Body:
    """What is served of a file: the file itself, or its base64 without line breaks."""

    file: StoredFile
    in_base64: bool

    def __len__(self) -> int:
        return (self.file.size + 2) // 3 * 4 if self.in_base64 else self.file.size

    def part(self, tx: Transaction, start: int, end: int) -> bytes:
        """Some bytes of it; `LookupError` if the file is not here, or cut."""
        if not self.in_base64:
            return tx[FileStore].part(self.file, start, end - start)
        first = start // 4 * 3
        last = min((end + 3) // 4 * 3, self.file.size)
        text = base64.b64encode(tx[FileStore].part(self.file, first, last - first))
        skipped = start % 4
        return text[skipped : skipped + end - start]


@attrs.frozen(eq=False)
class Download:
    """A file that somebody may have; its parts are read when they are asked for."""

    body: Body
    md5: bytes
    """Of all that can be served."""
    read: Callable[[int, int], Awaitable[bytes]]
    """Reads the bytes from one place to another; `LookupError` or `StoreError` if it cannot."""

    async def part(self, start: int, end: int) -> bytes:
        """Read bytes of a reply that has begun; `Interrupted` if they cannot be read."""
        try:
            return await self.read(start, end)
        except (LookupError, StoreError) as error:
            _log.error("A file was not sent to its end: {error}", error=str(error.args[0]))
            raise Interrupted from error


class Downloads:
    """Finds files, and reads them."""

    _log = Logger()

    def __init__(self, store: IStore, door: RefusalLog) -> None:
        self._door = door
        self._store = store
        self._reading = DeferredSemaphore(READ_AT_ONCE)
        self._summing = DeferredLock()
        self._sums: dict[str, bytes] = {}

    async def of_url(self, url: str, sn: str | None, address: str | None) -> Download:
        """Find the file of an open command by the secret in its URL.

        The command is that of terminal `sn`, if the request names one; its terminal is approved,
        and may be at the address. `UnknownPath` if the URL is not one of ours, or its file is
        gone; `Refused` if there is no such command; `Unavailable` if the file cannot be read.
        """
        try:
            secret = secret_of(url)
        except LookupError as error:
            self._door.refuse(Refusal.FILE, sn, address)
            raise UnknownPath(str(error)) from None

        def find(tx: Transaction) -> tuple[bool, Body | None]:
            command = command_of(tx, secret)
            if command is None or command.file is None or sn not in (None, command.device):
                return False, None
            device = tx[DeviceStore].find(command.device)
            if (
                device is None
                or device.state is not DeviceState.APPROVED
                or not may_be_at(device, address)
            ):
                return False, None
            file = tx[FileStore].get(command.file.id)
            return True, None if file is None else Body(file, is_base64(command))

        is_wanted, body = await self._read(find)
        if not is_wanted:
            self._door.refuse(Refusal.FILE_NOT_OPEN, sn, address)
            raise Refused("There is no open command to fetch this file.")
        if body is None:
            raise UnknownPath("This file was removed.")
        return await self.open(body)

    async def open(self, body: Body) -> Download:
        """Make ready what is there to be read; `Unavailable` if not all of it is."""

        async def read(start: int, end: int) -> bytes:
            return await self._read(lambda tx: body.part(tx, start, end))

        size = len(body)
        try:
            # A file that is missing or cut is found out before any of it is promised.
            await read(max(size - 1, 0), size)
            return Download(body, await self._sum(body), read)
        except LookupError as error:
            self._log.error("A file cannot be served: {error}", error=str(error.args[0]))
            raise Unavailable("What this file holds is missing on the server.") from None
        except NotUnsealed as error:
            self._log.error("A file cannot be served: {error}", error=str(error))
            raise Unavailable("What this file holds is damaged on the server.") from None

    async def _sum(self, body: Body) -> bytes:
        """The MD5 of what is served."""
        if not body.in_base64:
            return bytes.fromhex(body.file.md5)
        # Those who come at once for the same file wait for one of them to have made it.
        return await self._summing.run(self._base64_sum, body)

    async def _base64_sum(self, body: Body) -> bytes:
        known = self._sums.get(body.file.content)
        if known is not None:
            return known

        def make(tx: Transaction) -> bytes:
            digest = hashlib.md5(usedforsecurity=False)
            for start in range(0, len(body), SUM_PART // 3 * 4):
                end = min(start + SUM_PART // 3 * 4, len(body))
                digest.update(body.part(tx, start, end))
            return digest.digest()

        if len(self._sums) >= MOST_SUMS:
            self._sums.clear()
        made = self._sums[body.file.content] = await self._read(make)
        return made

    async def _read(self, query: Callable[[Transaction], T]) -> T:
        async def read() -> T:
            return await self._store.read(query)

        return await self._reading.run(read)
