"""Terminals in the store."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec
from sqlalchemy import RowMapping, Select, case, delete, exists, func, not_, or_, select, update
from sqlalchemy.exc import IntegrityError

from ..model import DEFAULT_AREA, DEVICE_ATTRIBUTES, Device, DeviceState, Page, Problem, no_zone
from ..phrases import Phrase, in_english
from ..problems import ProblemCode
from ..protocol.dialect import FIRST_FAMILY
from ..protocol.facts import counts_of, firmware_of
from ..protocol.handshake import Hello
from ..protocol.options import merge
from ..protocol.reports import INFO
from ..values.sessions import SessionState
from .damage import DAMAGED
from .databases import insert
from .events import EventStore
from .limits import of_terminals
from .online import OnlineWindow
from .paging import part_of
from .problemchanges import changes_of_problems
from .schema import devices, removed_devices
from .sealed import opened, sealed

if TYPE_CHECKING:
    from .transaction import Transaction

_JSON = {name: one.hint for name, one in DEVICE_ATTRIBUTES.items() if one.is_json}
_ENUMS = {name: one.kind for name, one in DEVICE_ATTRIBUTES.items() if one.choices}
_NO_END = 2**63 - 1
_REPORTED = re.compile(rf"({'|'.join(field.name for field in INFO.fields)}|Value[0-9]+)\Z")
"""Attributes reported in the update information (9)."""
_NEWS = frozenset(name for name, one in DEVICE_ATTRIBUTES.items() if one.own.is_news)
"""Attributes whose changes are events; problems have events of their own."""


class DeviceStore:
    """Terminals."""

    def __init__(self, tx: Transaction) -> None:
        self._database, self._vault = tx.database, tx.vault
        self._connection = tx.connection
        self._events = tx[EventStore]
        self._writes, self._now = tx.writes, tx.now

    def get(self, device_id: int) -> Device:
        """Find a terminal by its key; `LookupError` if there is none."""
        device = self._one(select(devices).where(devices.c.id == device_id))
        if device is None:
            raise LookupError(Phrase("there is no terminal %(device_id)s", device_id=device_id))
        return device

    def find(self, sn: str) -> Device | None:
        """Find a terminal by its serial number."""
        return self._one(select(devices).where(devices.c.sn == sn))

    def find_all(self, serials: Collection[str]) -> list[Device]:
        """Find terminals by serial number, in no particular order."""
        query = select(devices).where(devices.c.sn.in_(serials))
        return [self._device(row._mapping) for row in self._connection.execute(query)]

    def with_keys(self, keys: Collection[int]) -> list[Device]:
        """Return terminals by key, in no particular order."""
        query = select(devices).where(devices.c.id.in_(keys))
        return [self._device(row._mapping) for row in self._connection.execute(query)]

    def changed_since(self, cursor: int) -> tuple[list[Device], int]:
        """Return the terminals changed since a cursor, and the next cursor; start with 0.

        Last-seen times do not count as changes. Each change is returned at least once, however long
        its transaction took; some are returned again.
        """
        begin, end, oldest = self._since(cursor)
        query = select(devices).where(devices.c.revision >= begin, devices.c.revision < end)
        return [self._device(row._mapping) for row in self._connection.execute(query)], oldest

    def removed_since(self, cursor: int) -> list[str]:
        """Return the serial numbers of terminals removed since a cursor of `changed_since`.

        Call it in the same transaction as `changed_since`.
        """
        begin, end, _ = self._since(cursor)
        query = select(removed_devices.c.sn).where(
            removed_devices.c.revision >= begin,
            removed_devices.c.revision < end,
            ~exists().where(devices.c.sn == removed_devices.c.sn),
        )
        return list(self._connection.execute(query).scalars())

    def _since(self, cursor: int) -> tuple[int, int, int]:
        """Return the new revisions after a cursor, from and to (exclusive), and the next cursor."""
        oldest, end = self._database.window(self._connection)
        # A cursor beyond the window belongs to a database that this one replaced. Everything is new
        # then, including revisions numbered by the server that the database was moved from.
        if not 0 < cursor <= oldest:
            return 0, _NO_END, oldest
        return cursor, end, oldest

    def page(
        self, part: Page, state: DeviceState | None = None, *, with_retired: bool = True
    ) -> list[Device]:
        """List terminals, also only those in a state, in the order they were first seen."""
        query = select(devices)
        if state is not None:
            query = query.where(devices.c.state == state.value)
        elif not with_retired:
            query = query.where(devices.c.state != DeviceState.RETIRED.value)
        return self._page(query, part)

    def has_records(self, device_id: int) -> bool:
        """Whether a row of another table keeps a terminal from being deleted."""
        try:
            with self._connection.begin_nested() as probe:
                self._connection.execute(delete(devices).where(devices.c.id == device_id))
                probe.rollback()
        except IntegrityError:
            return True
        return False

    def with_problems(self, part: Page, sn: str | None = None) -> list[Device]:
        """List the terminals that have problems, as `page` does; `sn` selects one terminal.

        `part.after` is exclusive.
        """
        query = select(devices).where(devices.c.problems != "[]")
        return self._page(query if sn is None else query.where(devices.c.sn == sn), part)

    def _page(self, query: Select[Any], part: Page) -> list[Device]:
        found = self._connection.execute(part_of(query, devices.c.id, part))
        return [self._device(row._mapping) for row in found]

    def search(
        self,
        part: Page,
        text: str = "",
        state: str | None = None,
        *,
        with_problems: bool = False,
        troubled: Collection[str] = (),
        window: OnlineWindow | None = None,
        is_online: bool = True,
    ) -> list[Device]:
        """List terminals whose serial number, name, area or address contains a text, by id.

        `state` and `with_problems` restrict the list further; `troubled` are the serial numbers of
        terminals with problems that are not stored with them. With a `window`, only terminals
        that are online in it are listed, or only others.
        """
        query = select(devices)
        if text:
            area = func.coalesce(devices.c.area, DEFAULT_AREA)
            columns = (devices.c.sn, devices.c.alias, area, devices.c.address)
            query = query.where(or_(*(one.icontains(text, autoescape=True) for one in columns)))
        if state is not None:
            query = query.where(devices.c.state == state)
        if with_problems:
            query = query.where(or_(devices.c.problems != "[]", devices.c.sn.in_(troubled)))
        if window is not None:
            online = window.condition(self._connection.dialect.name)
            query = query.where(online if is_online else not_(online))
        return self._page(query, part)

    def with_settings(self, part: Page) -> list[Device]:
        """List terminals with options of their own, by id."""
        return self._page(select(devices).where(devices.c.settings != "{}"), part)

    def counts(
        self, window: OnlineWindow, areas: frozenset[str] | None = None
    ) -> dict[str, tuple[int, int]]:
        """Count terminals by state: all of them, and those that are online.

        `areas` are those of a limited caller.
        """
        seen = func.sum(case((window.condition(self._connection.dialect.name), 1), else_=0))
        query = select(devices.c.state, func.count(), seen).group_by(devices.c.state)
        rows = self._connection.execute(query.where(*of_terminals(devices.c.id, areas)))
        return {state: (int(count), int(some)) for state, count, some in rows}

    def without_zone(self) -> list[str]:
        """List the serial numbers of terminals whose time zone is unknown."""
        query = select(devices.c.sn).where(devices.c.timezone.is_(None)).order_by(devices.c.id)
        return list(self._connection.execute(query).scalars())

    def add(
        self,
        sn: str,
        state: DeviceState,
        timezone: str | None,
        now: int,
        family: str = FIRST_FAMILY,
    ) -> Device:
        """Record a new terminal; one recorded meanwhile is left unchanged."""
        added = self._connection.execute(
            insert(self._connection, devices)
            .values(
                sn=sn,
                state=state.value,
                timezone=timezone,
                family=family,
                session=SessionState.NEW.value,
                created_at=now,
                revision=self._database.revision,
            )
            .on_conflict_do_nothing()
            .returning(devices.c.id)
        ).one_or_none()
        device = self.find(sn)
        if device is None:
            raise LookupError(Phrase("the terminal %(sn)s was not recorded", sn=sn))
        if added is not None:
            self._tell(sn, "added", {"state": state, "timezone": timezone}, now)
            if timezone is None and state is DeviceState.APPROVED:
                return self._change(device, {"problems": (no_zone(now),)})
        return device

    def change(self, device_id: int, values: Mapping[str, object]) -> Device:
        """Set attributes of a terminal, named as in `model.Device`.

        With the encoding, the one that the terminal has shown begins anew.
        """
        if "encoding" in values:
            values = {"shown_encoding": None, **values}
        if _NEWS.isdisjoint(values) and "problems" not in values:
            return self._set(device_id, values)
        return self._change(self.get(device_id), values)

    def _change(self, before: Device, values: Mapping[str, object]) -> Device:
        """Set attributes of a terminal, and add events for the changes."""
        if values.get("counts", before.counts) != before.counts:
            values = {**values, "counts_at": self._now()}
        device = self._set(before.id, values)
        changed = {
            name: getattr(device, name)
            for name in sorted(_NEWS & values.keys())
            if getattr(device, name) != getattr(before, name)
        }
        if changed:
            self._tell(device.sn, "changed", changed)
        for data in changes_of_problems(before, device):
            self._events.add("problem", data)
        return device

    def _tell(
        self, sn: str, what: str, values: Mapping[str, object], now: int | None = None
    ) -> None:
        self._events.add("device", {"device": sn, "what": what, "values": values}, now)

    def _set(self, device_id: int, values: Mapping[str, object]) -> Device:
        row = self._connection.execute(
            update(devices)
            .where(devices.c.id == device_id)
            .values(
                {
                    **self._columns(device_id, values),
                    "revision": self._database.revision,
                }
            )
            .returning(devices)
        ).one_or_none()
        if row is None:
            raise LookupError(Phrase("there is no terminal %(device_id)s", device_id=device_id))
        return self._device(row._mapping)

    def exchanged(self, device_id: int, hello: Hello, values: Mapping[str, object]) -> Device:
        """Store the parameters of a handshake (5), and further `values`.

        Attributes reported with polls (9) stay, because the handshake does not repeat them.
        """
        before = self.get(device_id)
        reported = {name: text for name, text in before.attributes.items() if _REPORTED.match(name)}
        return self._change(
            before,
            {
                "push_version": hello.push_version,
                "language": hello.language,
                "device_type": hello.device_type,
                "attributes": {**reported, **hello.attributes},
                "shown_encoding": before.shown_encoding
                if hello.language == before.language
                else None,
                **values,
            },
        )

    def merge_options(self, device_id: int, options: Mapping[str, str]) -> Mapping[str, str]:
        """Merge pushed options (8) into the stored ones.

        Returns the options that do not fit (see `protocol.options`). Writes nothing if nothing
        changes.
        """
        device = self.get(device_id)
        merged, left = merge(device.options, options)
        values = {
            "options": merged,
            "firmware": firmware_of(options) or device.firmware,
            "counts": {**device.counts, **counts_of(options)},
        }
        if any(getattr(device, name) != value for name, value in values.items()):
            self._change(device, values)
        return left

    def merge_info(self, device_id: int, info: Mapping[str, object]) -> None:
        """Store the update information (9) of a terminal: firmware, counts and attributes."""
        device = self.get(device_id)
        counts = {name: value for name, value in info.items() if isinstance(value, int)}
        texts = {name: str(value) for name, value in info.items() if not isinstance(value, int)}
        values = {
            "firmware": texts.pop("firmware", device.firmware),
            "counts": {**device.counts, **counts},
            "attributes": {**device.attributes, **texts},
        }
        if any(getattr(device, name) != value for name, value in values.items()):
            self._change(device, values)

    def raise_problem(self, device_id: int, problem: Problem) -> None:
        """Add a problem to a terminal, replacing one with the same code."""
        device = self.get(device_id)
        others = tuple(other for other in device.problems if other.code != problem.code)
        self._change(device, {"problems": (*others, problem)})

    def clear_problem(self, device_id: int, code: str) -> None:
        """Remove a problem from a terminal, if present."""
        device = self.get(device_id)
        left = tuple(problem for problem in device.problems if problem.code != code)
        if left != device.problems:
            self._change(device, {"problems": left})

    def remove(self, device_id: int) -> None:
        """Delete a terminal without records; raises `ValueError` if it has records."""
        revision, sn = self._database.revision, self.get(device_id).sn
        # Must come before the delete, which may remove the highest revision.
        remember = (
            insert(self._connection, removed_devices)
            .values(sn=sn, revision=revision)
            .on_conflict_do_update(
                index_elements=[removed_devices.c.sn], set_={"revision": revision}
            )
        )
        try:
            with self._connection.begin_nested():
                self._connection.execute(remember)
                self._connection.execute(delete(devices).where(devices.c.id == device_id))
        except IntegrityError:
            raise ValueError(
                Phrase(
                    "The terminal %(sn)s has records, which are kept, so it cannot be removed. "
                    "To refuse its requests from now on, block it: `zkpush devices block %(sn)s`.",
                    sn=sn,
                )
            ) from None
        self._tell(sn, "removed", {})

    def _one(self, query: Select[Any]) -> Device | None:
        if self._writes:
            # Changes depend on the values read, so the row is locked.
            query = query.with_for_update(key_share=True)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else self._device(row._mapping)

    def _columns(self, device_id: int, values: Mapping[str, object]) -> dict[str, object]:
        if "problems" in values:  # damage is detected at each read and not stored
            problems = cast(Sequence[Problem], values["problems"])
            kept = [one for one in problems if one.code != ProblemCode.DAMAGED]
            values = {**values, "problems": tuple(kept)}
        columns = {
            name: msgspec.json.encode(value, enc_hook=in_english).decode()
            if name in _JSON
            else value
            for name, value in values.items()
        }
        row = sealed(self._vault, devices, {"id": device_id, **columns})
        return {name: row[name] for name in columns}

    def _device(self, row: RowMapping) -> Device:
        values = opened(self._vault, devices, row)
        damaged = values.pop(DAMAGED, [])
        del values["revision"]
        for name, kind in _JSON.items():
            values[name] = msgspec.json.decode(values[name] or "{}", type=kind)
        for name, enum in _ENUMS.items():
            if values[name] is not None:
                values[name] = enum(values[name])
        if damaged:
            # The terminal will report these values again. Damage to one must not hide other
            # terminals.
            detail = Phrase(
                "What the terminal said of itself is damaged: %(values)s.",
                values=", ".join(damaged),
            )
            since_at = self._vault.damage.since(devices.name, row["sn"])
            problem = Problem(ProblemCode.DAMAGED, detail, since_at)
            values["problems"] = (*values["problems"], problem)
        return Device(**values)
