"""Storing of decoded contents: records by their handlers, everything else as rejects.

Uploads and rejects that are read again go the same way. Decoding and sealing may run on any thread;
`ContentsWriter.persist` runs in a unit of work, and `tell` once that is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import attrs
from twisted.logger import Logger

from ..containment import report
from ..interfaces import IStore, ITerminalFamily
from ..model import Device, InboxItem, SealedItems, SealedRejects
from ..persist.devices import DeviceStore
from ..persist.inbox import InboxStore
from ..persist.rejects import RejectStore
from ..persist.transaction import Transaction
from ..protocol.dialect import Dialect
from ..protocol.extracts import Extractor, parts_of
from ..protocol.fields import Table
from ..protocol.packets import PacketLimits
from ..protocol.records import Batch
from ..protocol.rejects import Reject
from ..protocol.requests import Upload
from ..protocol.uploads import Contents, UploadDecoder
from .families import Families
from .handlers import HandlerSet, PluggedHandler, Way
from .privacy import Privacy

STATE = "rtstate"
"""The table of access-control terminals that says every few seconds how their doors are: of their
uploads, which nobody takes, the last one is kept."""
FEW_PARTS = 4
SHORT_PARTS = 16 * 1024
"""How many rejects and items of the inbox, and of how many bytes, are sealed on the reactor; more
are on a thread."""


@attrs.frozen
class Sealed:
    """What is stored of some contents beside their records, sealed."""

    rejects: SealedRejects | None = None
    items: SealedItems | None = None


NOTHING = Sealed()


@attrs.frozen
class Portion:
    """Contents of one terminal, as they are stored in one unit of work."""

    device: Device
    contents: Contents
    arrived: Sequence[Batch]
    """All batches with records."""
    batches: Sequence[tuple[PluggedHandler, Batch]]
    """What handlers store inline."""
    sealed: Sealed
    received_at: int
    keeps_failed: bool = True
    """Whether lines that a handler fails to store become rejects."""

    @property
    def is_risky(self) -> bool:
        """Whether its unit of work attempts code that is not trusted: see `IStore.write`."""
        return any(plugged.way is Way.INLINE for plugged, _ in self.batches)


Failures = Mapping[str, BaseException]
"""What handlers raised, by the table."""


@attrs.frozen(eq=False)
class FamilyReader:
    """What reads the uploads of one family."""

    decoder: UploadDecoder
    extractor: Extractor
    later: Mapping[str, str]
    """The plugins that store tables later, by the names of the tables."""
    declared: Mapping[str, Table]

    @classmethod
    def of(
        cls, family: ITerminalFamily, handlers: HandlerSet, limits: PacketLimits
    ) -> FamilyReader:
        """Make it for the tables of the family that handlers take."""
        tables = [table for table in handlers.tables if table.family == family.name]
        later = {
            table.name: plugged.name
            for plugged in handlers.later
            for table in plugged.tables
            if table.family == family.name
        }
        return cls(
            family.decoder(tables, limits),
            Extractor(tables, limits),
            later,
            {table.name: table for table in tables},
        )


class ContentsWriter:
    """Decodes uploads, and writes what they say."""

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
        """`wake` is called with the names of plugins for which something is in the inbox."""
        self.tables = handlers.tables
        """The tables that handlers take: everything the server stores."""
        self._readers = {
            family.name: FamilyReader.of(family, handlers, limits) for family in families
        }
        self._nothing = FamilyReader.of(families.default, HandlerSet([]), limits)
        self._store = store
        self._handlers = handlers
        self._privacy = privacy
        self._wake = wake

    def reader(self, family: str) -> FamilyReader:
        """What reads uploads of a family; nothing is understood of one that is not installed."""
        return self._readers.get(family, self._nothing)

    def decode(self, upload: Upload, dialect: Dialect, may_be_dense: bool = False) -> Contents:
        """Read an upload, as `UploadDecoder.decode` does; on whichever thread."""
        reader = self.reader(dialect.family)
        contents = reader.decoder.decode(upload, dialect, may_be_dense=may_be_dense)
        return self.set_apart(contents, dialect.family)

    def set_apart(self, contents: Contents, family: str) -> Contents:
        """Extract what is stored later, in the bytes in which it came.

        That is what plugins store, and lines of dense uploads.
        """
        source, reader = contents.source, self.reader(family)
        if source is None or not (reader.later or contents.deferred):
            return contents
        extracts: list[tuple[str, Upload]] = []
        tables = [batch.table.name for batch in contents.batches if batch.rows]
        tables += [table.name for table, _ in contents.deferred]
        later = {table for table in tables if table in reader.later}
        if later:
            rejected = {reject.raw for reject in contents.rejects}
            extracts += self._extracts(reader, source, later, rejected)
        for table, lines in contents.deferred:
            if table.name not in later:
                extracts += self._kept(reader, table.name, parts_of(source, lines))
        contents.extracts = extracts
        return contents

    def has_little_to_seal(self, contents: Contents) -> bool:
        """Whether `seal` is quick enough for the reactor."""
        rejects, extracts = contents.rejects, contents.extracts
        if not rejects and not extracts:  # as almost always
            return True
        size = sum([len(one.raw) for one in rejects]) + sum([len(one.body) for _, one in extracts])
        return len(rejects) + len(extracts) <= FEW_PARTS and size <= SHORT_PARTS

    def seal(
        self, device: Device, contents: Contents, dialect: Dialect, now: int, attempts: int = 0
    ) -> Sealed:
        """Seal the rejects, and what is stored later; on whichever thread."""
        if not contents.rejects and not contents.extracts:
            return NOTHING
        # Of parts, those can be kept that hold no template.
        is_whole = contents.whole is not None and self._privacy.templates
        found = [contents.whole] if is_whole and contents.whole else contents.rejects
        rejects = self._privacy.kept_rejects(found)
        items = [
            InboxItem(
                plugin=self._handlers.by_table[dialect.family, table].name,
                device_id=device.id,
                table=table,
                upload=part,
                dialect=dialect,
                received_at=now,
            )
            for table, part in contents.extracts
        ]
        return Sealed(
            self._store.seal_rejects(device.id, rejects, now, attempts),
            self._store.seal_items(items),
        )

    def portion(
        self,
        device: Device,
        contents: Contents,
        sealed: Sealed,
        now: int,
        *,
        keeps_failed: bool = True,
    ) -> Portion:
        """What is stored of some contents, in one unit of work."""
        arrived = [batch for batch in contents.batches if batch.rows]
        kept = arrived if self._privacy.templates else self._privacy.kept(arrived)
        if len(kept) < len(arrived):
            self._log.info(
                "Terminal {sn}: {count} templates and photos are dropped, as is configured",
                sn=device.sn,
                count=contents.count - sum(len(batch.rows) for batch in kept),
            )
        by_table = self._handlers.by_table
        batches = [
            (plugged, batch)
            for batch in kept
            if (plugged := by_table[batch.table.family, batch.table.name]).way is not Way.LATER
        ]
        return Portion(device, contents, arrived, batches, sealed, now, keeps_failed)

    def persist(self, tx: Transaction, portion: Portion) -> tuple[Device | None, Failures]:
        """Write a portion; the terminal, if that may have changed it, and what handlers raised."""
        device, now, sealed = portion.device, portion.received_at, portion.sealed
        changes_device = False
        failed: dict[str, BaseException] = {}
        for plugged, batch in portion.batches:
            persist = plugged.handler.persist
            error = tx.attempt(plugged.name, plugged.is_trusted, persist, tx, device, batch, now)
            if error is not None:
                failed[batch.table.name] = error
            changes_device = changes_device or plugged.changes_device
        if sealed.rejects is not None:
            source = portion.contents.source
            if source is not None and source.table.lower() == STATE:
                tx[RejectStore].remove_table(device.id, source.table)
            tx[RejectStore].add_sealed(sealed.rejects)
        if failed and portion.keeps_failed:
            rejects = self._failed_rejects(device.family, portion.contents, failed)
            tx[RejectStore].add(device.id, rejects, now)
        if sealed.items is not None:
            tx[InboxStore].add(sealed.items)
        return tx[DeviceStore].get(device.id) if changes_device else None, failed

    def tell(self, portion: Portion, failed: Failures) -> None:
        """Everything is on disk: tell the handlers and the workers of plugins."""
        sn = portion.device.sn
        for plugged, batch in portion.batches:
            table = batch.table.name
            if table in failed:
                portion.contents.failed += len(batch.rows)
                act = "storing lines, which are rejects"
                report(plugged.label, act, failed[table], sn, table)
                continue
            try:
                plugged.handler.stored(portion.device, batch)
            except BaseException as error:  # as `contained`, at less cost for each upload
                report(plugged.label, "after the commit", error, sn, table)
        if portion.sealed.items is not None:
            self._wake(portion.sealed.items.plugins)

    def _extracts(
        self,
        reader: FamilyReader,
        source: Upload,
        tables: Collection[str],
        without: Collection[bytes] = (),
    ) -> Iterator[tuple[str, Upload]]:
        """The lines of some tables as they may be stored, by the names of the tables."""
        for name, part in reader.extractor.extracts(source, tables, without):
            yield from self._kept(reader, name, [part])

    def _kept(
        self, reader: FamilyReader, table: str, parts: Iterable[Upload]
    ) -> Iterator[tuple[str, Upload]]:
        """Lines of a table as they may be stored."""
        for part in parts:
            kept = self._privacy.kept_extract(reader.declared[table], part)
            if kept is not None:
                yield table, kept

    def _failed_rejects(
        self, family: str, contents: Contents, failed: Failures
    ) -> Sequence[Reject]:
        """The lines of tables whose handlers failed, as rejects."""
        if contents.source is None:
            return ()
        return [
            Reject(table, self.failure(family, table, failed[table]), part.body, name=part.name)
            for table, part in self._extracts(self.reader(family), contents.source, failed)
        ]

    def failure(self, family: str, table: str, error: BaseException) -> str:
        """Why lines of a table are rejects: their handler failed."""
        name = self._handlers.by_table[family, table].name
        return f"the handler {name} failed ({type(error).__name__})"
