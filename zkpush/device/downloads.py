"""File downloads: to terminals told to fetch a file (spec 12.5.2, 12.8.2), and to people.

Theory of operation. A file is looked up and access is checked once. Then the file is read in parts,
each after the previous one was sent, so that a connection holds one part of a file of any size, and
a slow reader delays no one. Parts are read on the store's threads, a few at a time, so that a
thousand terminals fetching firmware leave threads for other work.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable, Sized
from typing import TypeVar

import attrs
from twisted.internet.defer import DeferredLock, DeferredSemaphore
from twisted.logger import Logger

from ..http.sending import Interrupted
from ..interfaces import IStore, NotUnsealed, StoreError
from ..model import Device, DeviceState
from ..persist.devices import DeviceStore
from ..persist.files import FileStore
from ..persist.transaction import Transaction
from ..protocol.errors import Refused, Unavailable, UnknownPath
from ..values.commands import QueuedCommand
from ..values.files import StoredFile
from .files import MADE_FILE, command_of, is_base64, secret_of
from .packages import Packages
from .refusals import Refusal, RefusalLog
from .terminal import may_be_at

T = TypeVar("T")
_log = Logger()
READ_AT_ONCE = 2
"""Maximum number of parts read at the same time."""
SUM_PART = 3 * 1024 * 1024
"""Bytes read at a time for a checksum; a multiple of three, for base64."""
MOST_SUMS = 64
"""Maximum number of cached checksums."""


@attrs.frozen
class Body:
    """The content to serve: the file itself, or its base64 without line breaks."""

    file: StoredFile
    in_base64: bool

    def __len__(self) -> int:
        return (self.file.size + 2) // 3 * 4 if self.in_base64 else self.file.size

    def part(self, tx: Transaction, start: int, end: int) -> bytes:
        """Return a range of bytes; raises `LookupError` if the file is missing or cut short."""
        if not self.in_base64:
            return tx[FileStore].part(self.file, start, end - start)
        first = start // 4 * 3
        last = min((end + 3) // 4 * 3, self.file.size)
        text = base64.b64encode(tx[FileStore].part(self.file, first, last - first))
        skipped = start % 4
        return text[skipped : skipped + end - start]


@attrs.frozen(eq=False)
class Download:
    """A file that the client may read; its parts are read on demand."""

    body: Sized
    md5: bytes
    """The MD5 digest of the whole body."""
    read: Callable[[int, int], Awaitable[bytes]]
    """Reads bytes from a start to an end offset; raises `LookupError` or `StoreError`."""

    async def part(self, start: int, end: int) -> bytes:
        """Read part of a reply that has begun; raises `Interrupted` if it cannot be read."""
        try:
            return await self.read(start, end)
        except (LookupError, StoreError) as error:
            _log.error("A file was not sent to its end: {error}", error=str(error.args[0]))
            raise Interrupted from error


class Downloads:
    """Finds and reads files."""

    _log = Logger()

    def __init__(self, store: IStore, door: RefusalLog, packages: Packages) -> None:
        self.packages = packages
        self._door = door
        self._store = store
        self._reading = DeferredSemaphore(READ_AT_ONCE)
        self._summing = DeferredLock()
        self._sums: dict[str, bytes] = {}

    async def of_url(self, url: str, sn: str | None, address: str | None) -> Download:
        """Find the file of an open command by the secret in its URL.

        The command must belong to terminal `sn` if the request names one, and its terminal must be
        approved and allowed at the address.

        Raises `UnknownPath` if the URL is malformed or its file was removed, `Refused` if there is
        no such command, and `Unavailable` if the file cannot be read.
        """
        try:
            secret = secret_of(url)
        except LookupError as error:
            self._door.refuse(Refusal.FILE, sn, address)
            raise UnknownPath(str(error)) from None

        def find(tx: Transaction) -> tuple[bool, Body | tuple[QueuedCommand, Device] | None]:
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
            if command.file.id == MADE_FILE:
                return True, (command, device)
            file = tx[FileStore].get(command.file.id)
            return True, None if file is None else Body(file, is_base64(command))

        is_wanted, body = await self._read(find)
        if not is_wanted:
            self._door.refuse(Refusal.FILE_NOT_OPEN, sn, address)
            raise Refused("There is no open command to fetch this file.")
        if body is None:
            raise UnknownPath("This file was removed.")
        return await (self.open(body) if isinstance(body, Body) else self._open_package(*body))

    async def _open_package(self, command: QueuedCommand, device: Device) -> Download:
        """Prepare a package of a command; raises `Unavailable` if it cannot be made."""
        package = await self.packages.of(command, device)

        async def read(start: int, end: int) -> bytes:
            return await self.packages.read(command.id, package, start, end)

        return Download(package, package.md5, read)

    async def open(self, body: Body) -> Download:
        """Prepare a body for reading; raises `Unavailable` if it is incomplete."""

        async def read(start: int, end: int) -> bytes:
            return await self._read(lambda tx: body.part(tx, start, end))

        size = len(body)
        try:
            # Detect a missing or truncated file before the reply begins.
            await read(max(size - 1, 0), size)
            return Download(body, await self._sum(body), read)
        except LookupError as error:
            self._log.error("A file cannot be served: {error}", error=str(error.args[0]))
            raise Unavailable("What this file holds is missing on the server.") from None
        except NotUnsealed as error:
            self._log.error("A file cannot be served: {error}", error=str(error))
            raise Unavailable("What this file holds is damaged on the server.") from None

    async def _sum(self, body: Body) -> bytes:
        """The MD5 digest of the body as served."""
        if not body.in_base64:
            return bytes.fromhex(body.file.md5)
        # Concurrent requests for one file share one computation.
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
