"""Packages: files that are made when a terminal fetches them (spec 12.5.2).

Theory of operation. A package holds commands, one a line, for thousands of people. Its lines are
read from the store in parts, each in a transaction of its own that only reads, so that no upload
waits for a package. They go to a temporary file, which is then packed into a second one; neither
has a name, and both are encrypted with a key that only this process has. Memory holds one part. The
package is kept while the terminal fetches it, also in ranges, and is removed soon afterwards.

The number of lines is part of the command, and is counted when the command is sent. If people have
changed before the terminal fetches the package, the download is refused, and the command fails.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Literal, TypeVar

import attrs
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from twisted.internet import threads
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.interfaces import IDelayedCall

from ..interfaces import IStore
from ..model import Device
from ..persist.transaction import Transaction
from ..protocol.catalogue import Catalogue
from ..protocol.commands import command_text
from ..protocol.errors import Unavailable
from ..values.commands import QueuedCommand
from .functions import FunctionTable, Maker, Params
from .intents import IntentTable, NotPossible

T = TypeVar("T")
PackageForm = Literal["tar", "gzip"]
SOURCE = "Source"
"""The parameter that names a source of packages; see `CommandFunctions.sources`."""
MADE_AT_ONCE = 2
"""Maximum number of packages made at the same time."""
UNUSED_SECONDS = 120.0
"""Seconds after which a package that is not read is removed."""
SENT_SECONDS = 10.0
"""The same once its end was read."""
_CHUNK = 64 * 1024
_TAG = 16
_CHANGED = (
    "The people of this package have changed since the command was sent. Send the command again."
)


class SealedSpool(io.RawIOBase):
    """A temporary file, encrypted in chunks with a key of its own; written once, then read."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self._cipher = AESGCM(AESGCM.generate_key(256))
        self._pending = bytearray()
        self._chunks = 0
        self._place = 0
        self.size = 0
        """Number of bytes written."""

    def writable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Append bytes."""
        self._pending += data
        self.size += len(data)
        while len(self._pending) >= _CHUNK:
            self._append(bytes(self._pending[:_CHUNK]))
            del self._pending[:_CHUNK]
        return len(data)

    def finish(self) -> None:
        """Write the last chunk; nothing may be written afterwards."""
        if self._pending:
            self._append(bytes(self._pending))
            self._pending.clear()

    def readinto(self, buffer: Any) -> int:
        """Read on from the last place, after `finish`."""
        data = self.part(self._place, min(self._place + len(buffer), self.size))
        self._place += len(data)
        buffer[: len(data)] = data
        return len(data)

    def part(self, start: int, end: int) -> bytes:
        """Return the bytes between two offsets, after `finish`."""
        if start >= end:
            return b""
        first, last = start // _CHUNK, (end - 1) // _CHUNK
        chunks = []
        for number in range(first, last + 1):
            self._file.seek(number * (_CHUNK + _TAG))
            sealed = self._file.read(_CHUNK + _TAG)
            chunks.append(self._cipher.decrypt(_nonce(number), sealed, None))
        skipped = first * _CHUNK
        return b"".join(chunks)[start - skipped : end - skipped]

    def close(self) -> None:
        """Remove the file."""
        self._file.close()
        super().close()

    def _append(self, chunk: bytes) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._chunks), chunk, None))
        self._chunks += 1


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


class Package:
    """The content of a package, as served."""

    def __init__(self, spool: SealedSpool, md5: bytes) -> None:
        self._spool = spool
        self.md5 = md5

    def __len__(self) -> int:
        return self._spool.size

    def part(self, start: int, end: int) -> bytes:
        """Return some bytes; raises `LookupError` if the package was removed."""
        try:
            return self._spool.part(start, end)
        except ValueError:
            raise LookupError("the package was removed") from None

    def remove(self) -> None:
        """Remove the content."""
        self._spool.close()


@attrs.define
class _Shelved:
    """A package that is kept, or its making."""

    made: Package | None = None
    waiting: list[Deferred[None]] = attrs.field(factory=list)
    ending: IDelayedCall | None = None


class Packages:
    """Makes packages, and keeps each while its terminal fetches it."""

    def __init__(
        self,
        store: IStore,
        functions: FunctionTable,
        intents: IntentTable,
        catalogue: Catalogue,
        form: PackageForm,
        folder: Path,
        reactor: Any,
    ) -> None:
        """`folder` holds the temporary files."""
        self._store = store
        self._functions = functions
        self._intents = intents
        self._catalogue = catalogue
        self._form = form
        self._folder = folder
        self._reactor = reactor
        self._making = DeferredSemaphore(MADE_AT_ONCE)
        self._shelf: dict[str, _Shelved] = {}

    def __len__(self) -> int:
        """Return the number of packages that are kept or being made."""
        return len(self._shelf)

    async def of(self, command: QueuedCommand, device: Device) -> Package:
        """Return the package of a command, which is made unless it is there.

        Raises `Unavailable` if it differs from what the command announced.
        """
        shelved = self._shelf.get(command.id)
        if shelved is None:
            shelved = self._shelf[command.id] = _Shelved()
            try:
                shelved.made = await self._making.run(self._make, command, device)
            finally:
                if shelved.made is None:
                    del self._shelf[command.id]
                for one in shelved.waiting:
                    one.callback(None)
        elif shelved.made is None:
            waiting: Deferred[None] = Deferred()
            shelved.waiting.append(waiting)
            await waiting
        if shelved.made is None:
            raise Unavailable(_CHANGED)
        self._keep(command.id, shelved, UNUSED_SECONDS)
        return shelved.made

    async def read(self, command_id: str, package: Package, start: int, end: int) -> bytes:
        """Return some bytes of a package; raises `LookupError` if it was removed."""
        shelved = self._shelf.get(command_id)
        content = await self._in_thread(package.part, start, end)
        if shelved is not None:
            is_sent = end == len(package) and start > 0
            self._keep(command_id, shelved, SENT_SECONDS if is_sent else UNUSED_SECONDS)
        return content

    def _keep(self, command_id: str, shelved: _Shelved, seconds: float) -> None:
        """Remove a package after some seconds, unless it is read before."""
        if shelved.ending is not None and shelved.ending.active():
            shelved.ending.cancel()
        shelved.ending = self._reactor.callLater(seconds, self._remove, command_id)

    def _remove(self, command_id: str) -> None:
        shelved = self._shelf.pop(command_id, None)
        if shelved is not None and shelved.made is not None:
            shelved.made.remove()

    async def _make(self, command: QueuedCommand, device: Device) -> Package:
        maker = self._maker(command)
        lines = SealedSpool(self._folder)
        try:
            count = await self._collect(lines, maker, command, device)
            if not count or count != (command.records or count):
                raise Unavailable(_CHANGED)
            lines.finish()
            return await self._in_thread(_packed, lines, self._folder, self._form)
        finally:
            lines.close()

    def _maker(self, command: QueuedCommand) -> Maker:
        """Return what makes the lines of a package: a named source, or the command's own maker."""
        functions = self._functions.of(command.family)
        source = functions.sources.get(command.asked.get(SOURCE, ""))
        if source is None:
            return functions.makers[command.command]

        def make(
            tx: Transaction, device: Device, params: Params, after: int
        ) -> tuple[list[str], int | None]:
            intents, following = source(tx, device, after)
            return [line for one in intents for line in self._lines(tx, device, one)], following

        return make

    def _lines(self, tx: Transaction, device: Device, intent: object) -> list[str]:
        """Return the commands of an intent as text."""
        try:
            found = self._intents.translate(tx, device, intent)
        except (NotPossible, ValueError):  # what has become damaged is left out
            return []
        family = device.family
        return [
            command_text(self._catalogue.find(one.command, family), one.params) for one in found
        ]

    async def _collect(
        self, lines: SealedSpool, maker: Maker, command: QueuedCommand, device: Device
    ) -> int:
        """Write the lines of a package; returns their number."""
        count, after = 0, 0
        encoding = device.dialect.encoding

        def step(tx: Transaction) -> int | None:
            nonlocal count
            made, following = maker(tx, device, command.asked, after)
            text = "".join(f"C:{count + place}:{line}\n" for place, line in enumerate(made, 1))
            lines.write(text.encode(encoding, "replace"))
            count += len(made)
            return following

        while (following := await self._store.read(step)) is not None:
            after = following
        return count

    async def _in_thread(self, call: Callable[..., T], *arguments: object) -> T:
        return await threads.deferToThreadPool(
            self._reactor, self._reactor.getThreadPool(), call, *arguments
        )


class _Hashing(io.RawIOBase):
    """A file to write to that also computes the MD5 of what is written."""

    def __init__(self, spool: SealedSpool) -> None:
        super().__init__()
        self._spool = spool
        self.digest = hashlib.md5(usedforsecurity=False)

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Append bytes."""
        self.digest.update(data)
        return self._spool.write(data)


def _packed(lines: SealedSpool, folder: Path, form: PackageForm) -> Package:
    """Pack lines into a gzipped tar of one file, or into a gzip of the lines."""
    spool = SealedSpool(folder)
    hashing = _Hashing(spool)
    with gzip.GzipFile(fileobj=hashing, mode="wb", filename="", mtime=0) as packed:
        if form == "tar":
            with tarfile.open(fileobj=packed, mode="w|", format=tarfile.USTAR_FORMAT) as tar:
                member = tarfile.TarInfo("commands.txt")
                member.size = lines.size
                tar.addfile(member, io.BufferedReader(lines, _CHUNK))
        else:
            for start in range(0, lines.size, _CHUNK):
                packed.write(lines.part(start, min(start + _CHUNK, lines.size)))
    spool.finish()
    return Package(spool, hashing.digest.digest())
