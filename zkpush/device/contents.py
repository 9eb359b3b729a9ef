"""Decoded uploads, with the rejects and inbox items stored beside their records.

Lines that are not understood become rejects; lines of plugins that store later go to their inbox.
Both are encrypted before they are stored. All functions may run on any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import attrs
from twisted.logger import Logger

from ..interfaces import IStore, ITerminalFamily
from ..model import Device
from ..protocol.dialect import Dialect
from ..protocol.extracts import Extractor, parts_of
from ..protocol.fields import Layout, Table
from ..protocol.packets import PacketLimits
from ..protocol.parts import decode_parts
from ..protocol.rejects import Reject
from ..protocol.requests import Upload
from ..protocol.uploads import Contents, UploadDecoder
from ..values.setaside import InboxItem, SealedItems, SealedRejects
from .budget import MemoryBudget
from .families import Families
from .handlers import HandlerSet
from .privacy import Privacy

Failures = Mapping[str, BaseException]
"""Errors raised by handlers, by table name."""
FEW_PARTS = 4
SHORT_PARTS = 16 * 1024
"""Maximum count and total bytes of rejects and inbox items sealed on the reactor; more are sealed
on a thread."""


@attrs.frozen
class Sealed:
    """Encrypted rejects and inbox items of some contents."""

    rejects: SealedRejects | None = None
    items: SealedItems | None = None


NOTHING = Sealed()


@attrs.frozen(eq=False)
class FamilyReader:
    """Decoder and extractor for the uploads of one family."""

    decoder: UploadDecoder
    extractor: Extractor
    later: Mapping[str, str]
    """Plugins that store later, by table name."""
    declared: Mapping[str, Table]
    ordered: Mapping[str, str]
    """The handlers of tables whose records are not stored before pending ones, by the names of the
    tables. Those of attendance are not among them: they replace nothing, whatever their order."""
    unordered: Collection[str]
    """Names of uploads, in lower case, that hold none of these tables."""

    @classmethod
    def of(
        cls, family: ITerminalFamily, handlers: HandlerSet, limits: PacketLimits
    ) -> FamilyReader:
        """Build the reader for the tables of a family that handlers take."""
        tables = [table for table in handlers.tables if table.family == family.name]
        later = {
            table.name: plugged.name
            for plugged in handlers.later
            for table in plugged.tables
            if table.family == family.name
        }
        ordered = {
            table.name: handlers.by_table[family.name, table.name].name
            for table in tables
            if table.least_bytes
            and not table.is_placed
            and table.decode_body is None
            and table.name not in later
        }
        unordered = {
            name.lower()
            for table in tables
            if table.decode_body is not None or table.layout is Layout.PHOTO
            for name in (table.name, *table.aliases)
        }
        return cls(
            family.decoder(tables, limits),
            Extractor(tables, limits),
            later,
            {table.name: table for table in tables},
            ordered,
            unordered,
        )

    def is_ordered(self, contents: Contents) -> bool:
        """Whether there are records that are not stored before pending ones."""
        return any(batch.table.name in self.ordered for batch in contents.batches)


class ContentsReader:
    """Decodes uploads, and seals their rejects and inbox items."""

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        handlers: HandlerSet,
        limits: PacketLimits,
        privacy: Privacy,
        wake: Callable[[Iterable[str]], None],
        families: Families,
    ) -> None:
        """`wake` is called with the names of plugins that have new inbox items."""
        self.tables = handlers.tables
        """The tables that handlers take, which are all tables that the server stores."""
        self.readers = {
            family.name: FamilyReader.of(family, handlers, limits) for family in families
        }
        self.nothing = FamilyReader.of(families.default, HandlerSet([]), limits)
        self._store = store
        self.handlers = handlers
        self.privacy = privacy
        self.wake = wake

    def reader(self, family: str) -> FamilyReader:
        """The reader of a family; one that understands nothing if it is not installed."""
        return self.readers.get(family, self.nothing)

    def decode(self, upload: Upload, dialect: Dialect, may_be_dense: bool = False) -> Contents:
        """Decode an upload as `UploadDecoder.decode` does; callable from any thread."""
        reader = self.reader(dialect.family)
        contents = reader.decoder.decode(upload, dialect, may_be_dense=may_be_dense)
        return self.set_apart(contents, dialect.family)

    def set_apart(self, contents: Contents, family: str, waiting: Collection[str] = ()) -> Contents:
        """Extract what is stored later, in the bytes in which it came.

        That is what plugins store, and lines of dense uploads; and lines for the handlers in
        `waiting`, for which earlier lines of the terminal are pending. Lines that the decoder has
        kept are not looked for again in the upload.
        """
        source, reader = contents.source, self.reader(family)
        if source is None or not (reader.later or contents.deferred or waiting):
            return contents
        behind = {name for name, handler in reader.ordered.items() if handler in waiting}
        extracts: list[tuple[str, Upload]] = []
        deferred = {table.name: lines for table, lines in contents.deferred}
        read = {batch.table.name for batch in contents.batches if batch.rows}
        later = {name for name in (*read, *deferred) if name in reader.later}
        later |= read & behind - contents.lines.keys()
        if later:
            rejected = {reject.raw for reject in contents.rejects}
            extracts += self._extracts(reader, source, later, rejected)
        for name in sorted((read & behind | deferred.keys()) - later):
            lines = contents.lines[name] if name in read & behind else []
            parts = parts_of(source, [*lines, *deferred.get(name, ())], is_kept=contents.is_kept)
            extracts += self._kept(reader, name, parts)
        contents.extracts, contents.behind = extracts, behind
        return contents

    @contextmanager
    def parts(
        self,
        upload: Upload,
        dialect: Dialect,
        size: int,
        budget: MemoryBudget,
        may_be_dense: bool,
        waiting: Collection[str],
    ) -> Iterator[Callable[[], Contents | None]]:
        """Decode an upload in parts of about `size` bytes, charged to the memory budget.

        The function that is yielded reads the next part, on a thread; None at the end. `waiting`
        are handlers for which lines of the terminal are pending.
        """
        pending = set(waiting)
        decoder = self.reader(dialect.family).decoder
        parts = decode_parts(decoder, upload, dialect, size, may_be_dense=may_be_dense)
        charge = budget.decode(decoder.memory(upload, size))

        def following() -> Contents | None:
            contents = next(parts, None)
            if contents is None:
                return None
            contents = self.set_apart(contents, dialect.family, pending)
            for table, _ in contents.deferred:
                pending.add(self.handlers.by_table[dialect.family, table.name].name)
            return contents

        try:
            yield following
        finally:
            charge.release()

    def has_little_to_seal(self, contents: Contents) -> bool:
        """Whether `seal` is fast enough for the reactor."""
        rejects, extracts = contents.rejects, contents.extracts
        if not rejects and not extracts:  # the usual case
            return True
        size = sum([len(one.raw) for one in rejects]) + sum([len(one.body) for _, one in extracts])
        return len(rejects) + len(extracts) <= FEW_PARTS and size <= SHORT_PARTS

    def kept(self, contents: Contents) -> Sequence[Reject]:
        """Return the rejects that are stored of an upload; one if nothing of it was understood."""
        # A whole body may hold templates; single lines can be filtered.
        is_whole = contents.whole is not None and self.privacy.templates
        found = [contents.whole] if is_whole and contents.whole else contents.rejects
        return self.privacy.kept_rejects(found)

    def seal(
        self,
        device: Device,
        contents: Contents,
        dialect: Dialect,
        now: int,
        address: str | None = None,
    ) -> Sealed:
        """Seal rejects and inbox items; callable from any thread.

        `address` is where they came from.
        """
        if not contents.rejects and not contents.extracts:
            return NOTHING
        rejects = self.kept(contents)
        items = [
            InboxItem(
                plugin=self.handlers.by_table[dialect.family, table].name,
                device_id=device.id,
                table=table,
                upload=part,
                dialect=dialect,
                received_at=now,
            )
            for table, part in contents.extracts
        ]
        return Sealed(
            self._store.seal_rejects(device.id, rejects, now, address=address),
            self._store.seal_items(items),
        )

    def _extracts(
        self,
        reader: FamilyReader,
        source: Upload,
        tables: Collection[str],
        without: Collection[bytes] = (),
    ) -> Iterator[tuple[str, Upload]]:
        """The lines of some tables that may be stored, with the table names."""
        for name, part in reader.extractor.extracts(source, tables, without):
            yield from self._kept(reader, name, [part])

    def _kept(
        self, reader: FamilyReader, table: str, parts: Iterable[Upload]
    ) -> Iterator[tuple[str, Upload]]:
        """The lines of one table that may be stored, with the table name."""
        for part in parts:
            kept = self.privacy.kept_extract(reader.declared[table], part)
            if kept is not None:
                yield table, kept

    def failed_rejects(self, family: str, contents: Contents, failed: Failures) -> Sequence[Reject]:
        """The lines of tables whose handlers failed, as rejects."""
        if contents.source is None:
            return ()
        return [
            Reject(table, self.failure(family, table, failed[table]), part.body, name=part.name)
            for table, part in self._extracts(self.reader(family), contents.source, failed)
        ]

    def failure(self, family: str, table: str, error: BaseException) -> str:
        """The reason for rejects of a table whose handler failed."""
        name = self.handlers.by_table[family, table].name
        return f"the handler {name} failed ({type(error).__name__})"
