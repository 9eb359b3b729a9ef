"""Retry of rejects, decoded in the way of an upload.

A reject is decoded with the terminal's current dialect. Its records go to the handlers: built-in
ones store them in the unit of work that removes the reject, plugins through their inbox. A reject
that still cannot be decoded completely is kept with its new reason. Records that are already stored
are not stored twice. Units of work are small, so that uploads can be stored between them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from twisted.internet.defer import Deferred, DeferredLock, FirstError, gatherResults
from twisted.logger import Logger

from ... import __version__
from ...device import acts
from ...device.contents import ContentsReader, Failures
from ...device.intake import LONG_BODY, Intake
from ...device.registry import Registry
from ...interfaces import IStore, ITerminalFamily
from ...model import DEFAULT_AREA, Caller, Device, Page
from ...persist.devices import DeviceStore
from ...persist.rejects import RejectStore
from ...persist.transaction import Transaction
from ...protocol.errors import TerminalError
from ...protocol.faultkinds import FaultKinds
from ...protocol.rejects import REQUEST, Origin
from ...protocol.replies import TABLE as ANSWERS
from ...protocol.reports import INFO, OPTIONS
from ...protocol.requests import Upload, is_packed, normalize_segment, parse_arguments
from ...protocol.uploads import Contents
from ...protocol.verification import POST_VERIFY_DATA
from ...values.audit import terminal_subject
from ...values.families import Action
from ...values.setaside import RejectSelection, StoredReject

RETRY_REJECTS = "retry rejects"
DELETE_REJECT = "delete reject"
PART_BYTES = 8 * 1024
"""Most bytes decoded and stored in one unit of work, if the reject can be split."""
MOST_TOGETHER = 16
"""Most rejects decoded at a time; together they have about `PART_BYTES` at most."""
PAGE = 100
"""Rejects per query."""
_OF_THEIR_MOMENT = frozenset(
    name.casefold() for name in (ANSWERS, POST_VERIFY_DATA, OPTIONS.name, INFO.name)
)
"""Tables of rejects that are not retried. They belong to a request of the past, or describe a past
state of the terminal that must not replace a later one."""


class RetryCounts(msgspec.Struct):
    """Result of a retry."""

    read: int = 0
    """Rejects that were decoded and removed."""
    kept: int = 0
    """Rejects that still cannot be decoded."""
    records: int = 0
    """Records that were decoded."""


class RejectReader:
    """Retries rejects."""

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        intake: Intake,
        reader: ContentsReader,
        version: str = __version__,
    ) -> None:
        """`version` is the version of the program."""
        self._store = store
        self._registry = registry
        self._intake = intake
        self._reader = reader
        tables = sorted(f"{table.name} {' '.join(table.aliases)}" for table in reader.tables)
        self._program = [version, *tables]
        self._lock = DeferredLock()

    def reader_of(self, device: Device) -> str:
        """Return a digest of everything that determines how a terminal's data is decoded.

        It covers the version of the program, the tables of installed handlers, and the settings of
        the terminal that affect decoding.
        """
        parts = [*self._program, device.dialect, device.timezone]
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:32]

    async def retry(self, selection: RejectSelection, by: Caller | None = None) -> RetryCounts:
        """Retry the selected rejects; raises `LookupError` if there is no such terminal.

        A retry requested by a caller is recorded in the audit log. A limited caller retries those
        of its areas.
        """
        result: RetryCounts = await self._lock.run(
            lambda: Deferred.fromCoroutine(self._retry(selection, by))
        )
        return result

    async def _retry(self, selection: RejectSelection, by: Caller | None) -> RetryCounts:
        if selection.device is not None:
            await self._check_terminal(selection.device, by)
        if by is not None:
            await self._record(selection, by)
        last = await self._store.read(lambda tx: tx[RejectStore].last_id())
        counts, devices, after = RetryCounts(), set[int](), 0
        areas = None if by is None else by.areas
        while found := await self._page(selection, Page(PAGE, after, areas=areas), last):
            for together in _groups(found):
                await self._all_again(together, counts)
            devices |= {one.device_id for one in found}
            after = found[-1].id
        await self.update_problems(devices)
        return counts

    async def reasons(self, reject: StoredReject, lines: Sequence[bytes]) -> list[str | None]:
        """Return why each line of a reject cannot be read now; None for one that can."""
        device = await self._device(reject.device)
        found: list[str | None] = []
        for line in lines:
            upload = Upload(reject.table, line)
            contents = self._reader.decode(upload, device.dialect, may_be_dense=True)
            rejects = [contents.whole] if contents.whole is not None else contents.rejects
            found.append(rejects[0].reason if rejects else None)
        return found

    async def delete(self, reject_id: int, by: Caller) -> bool:
        """Delete a reject with its bytes, and record the caller; False if there is none."""
        now = self._registry.now()

        def unit(tx: Transaction) -> Device | None:
            found = tx[RejectStore].get(reject_id)
            if found is None:
                return None
            tx[RejectStore].remove(reject_id)
            subject = terminal_subject(found.device)
            detail = f"reject {reject_id}, {found.size} bytes"
            acts.record(tx, by, DELETE_REJECT, subject, detail, now)
            tx[RejectStore].update_problem(tx[DeviceStore].get(found.device_id))
            return tx[DeviceStore].get(found.device_id)

        device = await self._store.write(unit)
        if device is not None:
            self._registry.updated(device)
        return device is not None

    async def update_problems(self, devices: Iterable[int]) -> None:
        """Update the problems of terminals to match their rejects."""
        for device_id in devices:

            def unit(tx: Transaction, device_id: int = device_id) -> Device:
                tx[RejectStore].update_problem(tx[DeviceStore].get(device_id))
                return tx[DeviceStore].get(device_id)

            self._registry.updated(await self._store.write(unit))

    async def _record(self, selection: RejectSelection, by: Caller) -> None:
        whose = "all terminals" if by.areas is None else "all terminals of its areas"
        if selection.device is not None:
            whose = f"terminal {selection.device}"
        now = self._registry.now()

        def unit(tx: Transaction) -> None:
            acts.record(tx, by, RETRY_REJECTS, whose, (selection.table or "")[: acts.LONGEST], now)

        await self._store.write(unit)

    async def _page(
        self, selection: RejectSelection, part: Page, last: int
    ) -> Sequence[StoredReject]:
        found = await self._store.read(lambda tx: tx[RejectStore].page(part, selection=selection))
        return [one for one in found if one.id <= last]

    async def _check_terminal(self, sn: str, by: Caller | None) -> None:
        """Raise `LookupError` for an unknown terminal, and for one of no area of the caller."""
        device = await self._store.read(lambda tx: tx[DeviceStore].find(sn))
        areas = None if by is None else by.areas
        if device is None or (areas is not None and (device.area or DEFAULT_AREA) not in areas):
            raise LookupError(f"There is no terminal {sn}.")

    async def _device(self, sn: str) -> Device:
        terminal = self._registry.known(sn)
        if terminal is not None:
            return terminal.device
        device = await self._store.read(lambda tx: tx[DeviceStore].find(sn))
        if device is None:
            raise LookupError(f"There is no terminal {sn}.")
        return device

    async def _all_again(self, rejects: Sequence[StoredReject], counts: RetryCounts) -> None:
        running = [Deferred.fromCoroutine(self._again(one, counts)) for one in rejects]
        try:
            await gatherResults(running, consumeErrors=True)
        except FirstError as error:
            error.subFailure.raiseException()

    async def _again(self, listed: StoredReject, counts: RetryCounts) -> None:
        """Retry one reject, and count the result."""
        reject: StoredReject | None = listed
        if listed.raw is None:  # lists omit long bodies
            reject = await self._store.read(lambda tx: tx[RejectStore].get(listed.id))
        if reject is None:  # another process has already retried it
            return
        if not reject.raw or reject.table.casefold() in _OF_THEIR_MOMENT:
            counts.kept += 1
            return
        device = await self._device(reject.device)
        upload = _upload_of(reject, reject.raw, self._registry.families.of(device))
        if upload is None:
            counts.kept += 1
            return
        if upload.packed or len(upload.body) > LONG_BODY:
            await self._read_long(reject, device, upload, counts)
        else:
            contents = self._reader.decode(upload, device.dialect, may_be_dense=True)
            await self._store_part(reject, device, contents, _faults_of(contents), counts)

    async def _read_long(
        self, reject: StoredReject, device: Device, upload: Upload, counts: RetryCounts
    ) -> None:
        faults = FaultKinds()
        with self._intake.parts(upload, device.dialect, PART_BYTES, may_be_dense=True) as following:
            contents = await self._intake.on_thread(following)
            while contents is not None:
                faults.add_all(_faults_of(contents))
                later = await self._intake.on_thread(following)
                is_last = later is None
                await self._store_part(reject, device, contents, faults, counts, is_last=is_last)
                contents = later

    async def _store_part(
        self,
        reject: StoredReject,
        device: Device,
        contents: Contents,
        faults: FaultKinds,
        counts: RetryCounts,
        *,
        is_last: bool = True,
    ) -> None:
        """Store the decoded part; after the last one, remove the reject or record the reason."""
        contents.rejects, contents.whole = [], None  # the reject itself stays whole instead
        received_at, now = reject.received_at, self._registry.now()
        sealed = self._reader.seal(device, contents, device.dialect, received_at)
        portion = self._intake.writer.portion(
            device, contents, sealed, received_at, keeps_failed=False
        )

        def unit(tx: Transaction) -> tuple[Device | None, Failures, bool | None]:
            if is_last and not tx[RejectStore].again(reject.id, now):
                return None, {}, None  # another process has already retried it
            changed, failed = self._intake.writer.persist(tx, portion)
            reason = faults.reason or next(
                (
                    self._reader.failure(device.family, table, error)
                    for table, error in failed.items()
                ),
                None,
            )
            if reason is None and is_last:
                tx[RejectStore].remove(reject.id)
            elif reason is not None and is_last:
                tx[RejectStore].failed(reject, reason)
            return changed, failed, reason is None

        changed, failed, is_read = await self._store.write(unit, risky=portion.is_risky)
        if is_read is None:
            return
        if changed is not None:
            self._registry.updated(changed)
        self._intake.writer.tell(portion, failed)
        for table, error in failed.items():
            faults.add(self._reader.failure(device.family, table, error))
        counts.records += contents.count
        if is_last:
            counts.read += is_read
            counts.kept += not is_read


def _upload_of(reject: StoredReject, raw: bytes, family: ITerminalFamily) -> Upload | None:
    """Return a reject as an upload; None for a request that is still not an upload."""
    if reject.origin is not None:
        upload = _read_request(reject.origin, raw, family)
        if upload is not None or reject.table == REQUEST:
            return upload
    return Upload(reject.table, raw, packed=is_packed(raw, reject.packed), name=reject.name)


def _read_request(origin: Origin, body: bytes, family: ITerminalFamily) -> Upload | None:
    """Parse a body with its original request, by the current routes; its stamp is ignored."""
    name = normalize_segment(origin.path.encode().rstrip(b"/").rpartition(b"/")[2]).decode()
    try:
        arguments = parse_arguments(origin.query.encode())
    except TerminalError:
        return None
    for row in family.routes:
        if row.path != name or origin.method not in row.methods.split():
            continue
        key, _, value = row.selector.partition("=")
        found = arguments.get(key)
        if not key or (found is not None and value.lower() in ("", found.lower())):
            is_upload = row.action is Action.UPLOAD
            return family.upload(name, arguments, body, moves_stamp=False) if is_upload else None
    return None


def _faults_of(contents: Contents) -> FaultKinds:
    """Return the faults of some contents, by kind."""
    faults = FaultKinds()
    # The last reject is the whole body if there are too many parts to keep each.
    for reject in contents.rejects[: -1 if contents.is_kept else None]:
        faults.add(reject.reason)
    named = sum(count for _, count in faults)
    faults.add_further(max(0, contents.unread - named))
    return faults


def _groups(rejects: Sequence[StoredReject]) -> Iterator[Sequence[StoredReject]]:
    """Group rejects that are retried together."""
    group: list[StoredReject] = []
    size = 0
    for reject in rejects:
        if group and (len(group) == MOST_TOGETHER or size + reject.size > PART_BYTES):
            yield group
            group, size = [], 0
        group.append(reject)
        size += reject.size
    if group:
        yield group
