"""What operators do with forwarders, each in one unit of work with its audit record."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from hyperlink import URL
from msgspec import UNSET
from twisted.internet.threads import deferToThread

from ...device import acts
from ...interfaces import IForwarder, IPlacedForwarder
from ...manage.bodies import in_one, member_mistakes
from ...manage.errors import ApiError, bad_request, not_found
from ...manage.news import Cursor, Tables
from ...manage.times import instant, parse_instant
from ...model import CORRECTED, Caller
from ...persist.areas import check_areas_thd
from ...persist.transaction import Transaction
from ...phrases import Phrase
from .manual import secret_settings
from .model import (
    ForwarderState,
    ForwardRules,
    NewForwarder,
    SigningSecret,
    StoredForwarder,
)
from .reading import ends_thd, tables_of
from .rules import check_rules
from .service import ForwardEngine
from .signing import KEY_BYTES, write_secret
from .store import ForwarderStore
from .views import (
    ForwarderChange,
    ForwarderRequest,
    delivered_kinds,
)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
OVERLAP = 24 * 3600 * 1000
"""Milliseconds for which an old secret signs beside the new one."""
DEFAULT_EVENTS = ["attendance"]
"""Kinds of events of a forwarder that names none, if its kind delivers all."""


class Operations:
    """Changes to forwarders."""

    def __init__(
        self,
        engine: ForwardEngine,
        kinds: Collection[str],
        random: Callable[[int], bytes],
    ) -> None:
        """`kinds` are those of all events; `random` returns random bytes."""
        self._fields = engine.around.records.view_type.__struct_fields__
        self._engine = engine
        self._around = engine.around
        self._event_kinds = frozenset(kinds)
        self._random = random

    async def create(
        self, request: ForwarderRequest, caller: Caller
    ) -> tuple[StoredForwarder, str | None]:
        """Make a forwarder; return it and its secret."""
        if not NAME.fullmatch(request.name):
            raise bad_request("name: a forwarder is called by 1 to 64 letters, digits, ., - or _.")
        kind = self.kind(request.kind)
        given = {"url": request.url, "allow_private": request.allow_private}
        settings = {
            **request.settings,
            **{name: value for name, value in given.items() if value is not None},
        }
        events = request.events or delivered_kinds(kind) or DEFAULT_EVENTS
        checked = self._check(kind, settings, events, request.rules)
        if IPlacedForwarder.providedBy(kind):
            await deferToThread(kind.check_place, checked)
        secret = write_secret(self._random(KEY_BYTES)) if kind.makes_secret else None
        now = self._around.now()
        signing = () if secret is None else (SigningSecret(secret),)

        def unit(tx: Transaction) -> StoredForwarder | None:
            check_areas_thd(tx, request.rules.areas)
            ends = ends_thd(tx, self._around.records)
            begin = Cursor(0, 0) if _reaches_back(request.rules, now) else ends
            new = NewForwarder(
                name=request.name,
                kind=request.kind,
                events=tuple(events),
                rules=request.rules,
                settings=settings,
                secrets=signing,
                created_by=caller.actor,
                event_cursor=begin.event,
                record_cursor=begin.record,
            )
            added = tx[ForwarderStore].add(new, now)
            if added is not None:
                record_thd(tx, caller, acts.ADD_FORWARDER, added, _detail(added, kind), now)
            return added

        added = await self._around.store.write(unit)
        if added is None:
            raise ApiError(HTTPStatus.CONFLICT, f"There is a forwarder {request.name} already.")
        return added, secret

    async def change(self, key: int, change: ForwarderChange, caller: Caller) -> None:
        """Change settings, events or rules."""
        now = self._around.now()

        def unit(tx: Transaction) -> None:
            present = find_thd(tx, key)
            kind = self.kind(present.kind)
            given = {"url": change.url, "allow_private": change.allow_private}
            more = {} if change.settings is UNSET else change.settings
            settings = {
                **present.settings,
                **more,
                **{name: value for name, value in given.items() if value is not UNSET},
            }
            events = present.events if change.events is UNSET else tuple(change.events)
            rules = present.rules if change.rules is UNSET else change.rules
            self._check(kind, settings, events, rules)
            check_areas_thd(tx, rules.areas, present.rules.areas)
            changed: dict[str, Any] = {"settings": settings, "events": events, "rules": rules}
            changed |= self._moved(tx, present, events)
            # What the change may have mended is tried at once.
            changed |= {"next_at": None}
            stored = tx[ForwarderStore].change(key, changed)
            record_thd(tx, caller, acts.CHANGE_FORWARDER, stored, _detail(stored, kind), now)

        await self._around.store.write(unit)

    def _moved(
        self, tx: Transaction, present: StoredForwarder, events: tuple[str, ...]
    ) -> dict[str, int]:
        """Return new cursors for the tables that a change adds: their events from now on."""
        records = self._around.records
        before, after = tables_of(present, records), Tables.of(events, records.kinds)
        ends = ends_thd(tx, records)
        moved = {}
        if after.events and not before.events:
            moved["event_cursor"] = ends.event
        if after.records and not before.records:
            moved["record_cursor"] = ends.record
        return moved

    async def set_state(self, key: int, state: ForwarderState, caller: Caller) -> None:
        """Pause or resume."""
        now = self._around.now()
        changed: dict[str, Any] = {"state": state.value, "reason": None, "next_at": None}

        def unit(tx: Transaction) -> None:
            find_thd(tx, key)
            stored = tx[ForwarderStore].change(key, changed)
            record_thd(tx, caller, acts.CHANGE_FORWARDER, stored, state.value, now)

        await self._around.store.write(unit)

    async def rotate(self, key: int, caller: Caller) -> tuple[str, int]:
        """Make a new secret; return it, and until when (ms) the old one signs as well."""
        now = self._around.now()
        secret, until = write_secret(self._random(KEY_BYTES)), now + OVERLAP

        def unit(tx: Transaction) -> None:
            present = find_thd(tx, key)
            if not self.kind(present.kind).makes_secret:
                raise ValueError(f"A forwarder of the kind {present.kind} has no signing secret.")
            # The last secret ends in a day; an older one ends now, so that there are two at most.
            old = [SigningSecret(one.secret, until) for one in present.secrets if one.until is None]
            changed = {"secrets": (SigningSecret(secret), *old)}
            stored = tx[ForwarderStore].change(key, changed)
            detail = f"new secret, the old one until {instant(until)}"
            record_thd(tx, caller, acts.CHANGE_FORWARDER, stored, detail, now)

        await self._around.store.write(unit)
        return secret, until

    async def note_test(self, stored: StoredForwarder, caller: Caller) -> None:
        """Record that a sample event is sent."""
        now = self._around.now()
        await self._around.store.write(
            lambda tx: record_thd(tx, caller, acts.TEST_FORWARDER, stored, "", now)
        )

    async def remove(self, key: int, caller: Caller) -> None:
        """Remove a forwarder with its queue and its dead letters."""
        now = self._around.now()

        def unit(tx: Transaction) -> None:
            present = find_thd(tx, key)
            tx[ForwarderStore].remove(key)
            record_thd(tx, caller, acts.REMOVE_FORWARDER, present, "", now)

        await self._around.store.write(unit)

    def kind(self, name: str) -> IForwarder:
        """Return an installed kind; `ValueError` if there is none of that name."""
        found = self._engine.kinds.get(name)
        if found is None:
            there = ", ".join(sorted(self._engine.kinds))
            raise ValueError(
                f"kind: There is no kind {name[:40]!r} of forwarder; there are {there}."
            )
        return found

    def _check(
        self,
        kind: IForwarder,
        settings: Mapping[str, Any],
        events: Collection[str],
        rules: ForwardRules,
    ) -> Any:
        """Return the settings, decoded; `ValueError` unless they, events and rules are valid."""
        unknown = sorted(set(events) - self._event_kinds)
        if unknown:
            there = ", ".join(sorted(self._event_kinds))
            raise ValueError(
                f"events: There are no events of the kind {unknown[0][:40]!r}; there are {there}."
            )
        check_rules(rules, self._fields)
        delivered = delivered_kinds(kind)
        if delivered is not None and not set(delivered).issuperset(events):
            raise ValueError(
                f"events: A forwarder of the kind {kind.name} delivers {', '.join(delivered)} only."
            )
        if mistakes := [*member_mistakes(kind.settings, settings)]:
            raise ValueError(f"settings: {in_one(mistakes)}")
        found = msgspec.convert(settings, kind.settings)
        kind.check(found)
        return found


def operations_of(engine: ForwardEngine, events: Collection[str]) -> Operations:
    """Make the operations for the kinds `events` and the records that are events."""
    # Corrections come with the records that they are about.
    kinds = {*events, *engine.around.records.kinds} - {CORRECTED}
    return Operations(engine, kinds, secrets.token_bytes)


def find_thd(tx: Transaction, key: int) -> StoredForwarder:
    """Return a forwarder; a 404 if there is none of that id."""
    found = tx[ForwarderStore].get(key)
    if found is None:
        raise not_found(Phrase("There is no forwarder %(key)s.", key=key))
    return found


def record_thd(
    tx: Transaction, caller: Caller, action: str, stored: StoredForwarder, detail: str, now: int
) -> None:
    """Add to the audit log what was done to a forwarder."""
    acts.record(tx, caller, action, f"forwarder {stored.name}", detail, now)


def _reaches_back(rules: ForwardRules, now: int) -> bool:
    """Whether events from before now are wanted."""
    return rules.since is not None and 1000 * parse_instant(rules.since) < now


def _detail(stored: StoredForwarder, kind: IForwarder) -> str:
    """Describe a forwarder for the audit log: of a URL, only the host is shown."""
    hidden = secret_settings(kind)
    words = [stored.kind, f"events {', '.join(stored.events)}"]
    for name, value in stored.settings.items():
        if name in hidden:
            words.append(f"{name} (not shown)")
        elif isinstance(value, str) and "://" in value:
            url = URL.from_text(value)
            words.append(f"{name} {url.scheme}://{url.host}")
        else:
            words.append(f"{name}={str(value)[: acts.LONGEST]}")
    return "; ".join(words)
