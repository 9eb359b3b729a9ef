"""Lists of the API as routes: each declares how items are found and shown.

As JSON, a reply is one page of the list. As CSV and NDJSON, it is the whole list, in slices: each
is read and formatted on a thread of the store, and the next one is read when the client has
received the last. If a slice fails, the connection is aborted, so that no client takes the list for
complete.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeVar

import attrs
import msgspec
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.web.server import Request

from ..http.sending import Interrupted, Paced
from ..interfaces import IStore
from ..model import Caller, Page
from ..persist.areas import no_area_thd
from ..persist.devices import DeviceStore
from ..persist.presence import PresenceStore
from ..persist.transaction import Transaction
from ..phrases import Phrase, in_english
from ..protocol.fields import Scope
from .arguments import Known, Mistakes, suggestion
from .cells import csv_items, csv_lines
from .exporting import note_export
from .limits import (
    AREA,
    PERSON,
    TERMINAL,
    Owner,
    Owners,
    WholeSite,
    check_areas,
    owned_thd,
    visible_thd,
)
from .listing import DEFAULT_LIMIT, Listing, ListQuery, Position, part_at
from .routes import Route, Stream

R = TypeVar("R")
SLICE = 2000
"""Items in a slice."""
FAST_SLICE = 2
"""How many times as many items are in a slice that is made the faster way (`csv_thd`)."""
NDJSON = "application/x-ndjson"
CSV = "text/csv"
_log = Logger()


@attrs.frozen
class Shown(Generic[R]):
    """Items about to be shown to a caller."""

    caller: Caller
    query: Any
    names: Mapping[str, Any]
    """Variables of the path."""
    records: Sequence[R]
    items: Sequence[Any]


@attrs.frozen
class Slice:
    """Encoded lines of part of a list."""

    text: bytes
    keys: Sequence[int]
    """Ids of the items."""


def _as_it_is(query: Any) -> Any:
    return query


async def _note_nothing(shown: Shown[Any]) -> None:
    """Record nothing: the items hold no secrets."""


@attrs.frozen(kw_only=True)
class ApiList(Generic[R]):
    """A list of the API, ordered by id."""

    path: str
    summary: str
    view: Any
    """Type of an item."""
    find_thd: Callable[..., Sequence[R]]
    """Called with a transaction, a `Page`, the result of `filter`, and the variables of the
    path."""
    show: Callable[[R, Caller], Any]
    """Returns the view of a record; on any thread."""
    key: Callable[[R], int] = attrgetter("id")
    """Returns the id of a record."""
    query: type[ListQuery] = ListQuery
    filter: Callable[[Any], Any] = _as_it_is
    """Parses the query; raises `ValueError` if it is invalid."""
    scope: Scope = Scope.READ
    note: Callable[[Shown[R]], Awaitable[None]] = _note_nothing
    """Called before items are sent, to record that a caller sees secrets."""
    known: Mapping[str, Known] = {}
    """Filters of which some values cannot occur. They are checked where nothing was found, so that
    an empty list never hides a mistake."""
    owner: Callable[[R], Owners] | None = None
    """Returns what a record belongs to, for callers who are limited to areas. `find_thd` reads
    only records of `Page.areas`, and this is checked once more before they are shown."""
    whole_site: WholeSite | None = None
    """Why limited callers are refused, in place of `owner`."""
    csv_thd: Callable[[Transaction, Page, Any], Slice | None] | None = None
    """Faster way to CSV lines, for callers who see no secrets of these items; None for a slice with
    secrets."""

    def route(self, store: IStore) -> Route:
        """Make the route of the list."""

        filters = {**_OF_ALL, **self.known}

        async def mistakes(values: Mapping[str, str]) -> list[str]:
            known = [name for name in filters if name in self.query.__struct_fields__]
            given = {name: values[name] for name in known if name in values}
            return await store.read(lambda tx: _mistakes_thd(tx, filters, given))

        async def run(query: ListQuery, accept: str, caller: Caller, **names: Any) -> object:
            wanted = _Wanted(self, store, query, self.filter(query), caller, names)
            if CSV in accept:
                return await wanted.stream(CSV)
            if NDJSON in accept:
                return await wanted.stream(NDJSON)
            return await wanted.part()

        return Route(
            "GET",
            self.path,
            self.scope,
            run,
            self.summary,
            query=self.query,
            returns=Listing[self.view],  # type: ignore[name-defined]  # a type made at run time
            takes=("accept", "caller"),
            forms=(CSV, NDJSON),
            mistakes=mistakes,
            limited=self.whole_site
            if self.owner is None
            else tuple(name for name in (TERMINAL, PERSON, AREA) if f"<{name}>" in self.path),
        )


@attrs.frozen
class _Wanted(Generic[R]):
    """A request for a list."""

    list: ApiList[R]
    store: IStore
    query: ListQuery
    filter: Any
    caller: Caller
    names: Mapping[str, Any]

    async def part(self) -> Listing[Any]:
        """Return a page of the list."""
        position, limit = self.query.position, self.query.limit or DEFAULT_LIMIT

        def read_thd(tx: Transaction) -> tuple[Sequence[R], Sequence[Any], bool]:
            # One more item shows whether there are more pages.
            page = part_at(position, limit + 1, newest_first=self.newest_first)
            found = self._find_thd(tx, page)
            taken = found[:limit]
            return taken, self._show(taken), len(found) > limit

        records, items, is_more = await self.store.read(read_thd)
        if not records:
            await self._check_filters()
        await self._note(records, items)
        keys = [*map(self.list.key, records)]
        after = position.after(keys, newest_first=self.newest_first)
        return Listing([*items], str(after) if is_more else None, str(after.later))

    async def stream(self, content_type: str) -> Stream:
        """Stream the whole list as it is now, up to the requested limit."""
        position = self.query.position

        every = self.list.filter(self.list.query())

        def begin_thd(tx: Transaction) -> int:
            part = Page(1, newest_first=True, areas=self.caller.areas)
            newest = self.list.find_thd(tx, part, every, **self.names)
            return self.list.key(newest[0]) if newest else 0

        top = max(await self.store.read(begin_thd), position.later.low)
        if position.high is None:
            position = Position(position.low, top + 1, top)
        names: Sequence[str] = self.list.view.__struct_fields__
        head = csv_lines([names]) if content_type == CSV else b""
        slices = Slices(self, content_type, position, self.query.limit)
        first = await slices.next()
        if not first:
            await self._check_filters()
        form = content_type.rpartition("/")[2].removeprefix("x-")
        await note_export(self.store, self.caller, form, self.list.path, self.query, self.names)
        headers = {"X-Cursor": str(position.later)}
        begin = functools.partial(send_parts, slices, head + first)
        return Stream(f"{content_type}; charset=utf-8", begin, headers)

    async def slice(self, content_type: str, page: Page) -> Slice:
        """Read and format the lines of a page."""

        def read_thd(tx: Transaction) -> tuple[Sequence[R], Sequence[Any], Slice]:
            if (make_thd := self._fast_thd(content_type)) is not None:
                fast = make_thd(tx, page, self.filter)
                if fast is not None:
                    return (), (), fast
            found = self._find_thd(tx, page)
            items = self._show(found)
            if content_type == CSV:
                text = csv_items(self.list.view.__struct_fields__, items)
            else:
                text = msgspec.json.Encoder(enc_hook=in_english).encode_lines(items)
            return found, items, Slice(text, [*map(self.list.key, found)])

        records, items, found = await self.store.read(read_thd)
        await self._note(records, items)
        return found

    def slice_size(self, content_type: str) -> int:
        """Number of items to read for a slice."""
        return SLICE if self._fast_thd(content_type) is None else SLICE * FAST_SLICE

    def _fast_thd(
        self, content_type: str
    ) -> Callable[[Transaction, Page, Any], Slice | None] | None:
        """Return the faster way, where it may be taken."""
        is_open = content_type == CSV and self.caller.areas is None
        return self.list.csv_thd if is_open else None

    @property
    def newest_first(self) -> bool:
        return self.query.order == "desc"

    def _find_thd(self, tx: Transaction, page: Page) -> Sequence[R]:
        areas, owner = self.caller.areas, self.list.owner
        if areas is None:
            return self.list.find_thd(tx, page, self.filter, **self.names)
        if owner is None:
            raise RuntimeError(f"{self.list.path} is not for callers who are limited to areas")
        page = msgspec.structs.replace(page, areas=areas)
        found = self.list.find_thd(tx, page, self.filter, **self.names)
        return visible_thd(tx, found, owner, areas)

    async def _check_filters(self) -> None:
        """Refuse a terminal or a value that cannot occur; called if nothing was found."""
        sn = self.names.get("sn")
        filters = {**_OF_ALL, **self.list.known}
        given = {name: getattr(self.query, name, None) for name in filters}
        texts = {name: str(value) for name, value in given.items() if value is not None}
        if sn is None and not texts:
            return

        def find_thd(tx: Transaction) -> list[str]:
            if sn is not None and tx[DeviceStore].find(sn) is None:
                raise LookupError(Phrase("There is no terminal %(sn)s.", sn=sn[:40]))
            if self.caller.areas is None:
                return _mistakes_thd(tx, filters, texts)
            # What the database knows of other areas is no hint for this caller.
            if "area" in texts:
                check_areas(self.caller, [texts["area"]], "area")
            device = texts.get("device")
            if device is None or owned_thd(tx, [Owner(TERMINAL, device)], self.caller.areas):
                return []
            return [f"device: {_no_terminal(device)}"]

        if mistakes := await self.store.read(find_thd):
            raise Mistakes(mistakes)

    def _show(self, records: Sequence[R]) -> Sequence[Any]:
        return [self.list.show(record, self.caller) for record in records]

    async def _note(self, records: Sequence[R], items: Sequence[Any]) -> None:
        await self.list.note(Shown(self.caller, self.query, self.names, records, items))


def _no_terminal(sn: str) -> str:
    return f"There is no terminal {sn[:40]!r}."


def _no_terminal_thd(tx: Transaction, sn: str) -> str | None:
    if tx[DeviceStore].find(sn) is not None:
        return None
    return _no_terminal(sn) + suggestion(sn, tx[PresenceStore].serials())


_OF_ALL: Mapping[str, Known] = {"device": _no_terminal_thd, "area": no_area_thd}
"""Filters that mean the same in each list that has them."""


def _mistakes_thd(
    tx: Transaction, known: Mapping[str, Known], given: Mapping[str, str]
) -> list[str]:
    """Return the mistakes in the filters of a list."""
    found = {name: known[name](tx, text) for name, text in given.items()}
    return [f"{name}: {mistake}" for name, mistake in found.items() if mistake is not None]


class Slices:
    """Reads the slices of a list in order."""

    def __init__(
        self, wanted: _Wanted[Any], content_type: str, position: Position, limit: int | None
    ) -> None:
        self._wanted = wanted
        self._content_type = content_type
        self._position = position
        self._left = limit
        self.is_over = False

    async def next(self) -> bytes:
        """Read the next slice."""
        size = self._wanted.slice_size(self._content_type)
        if self._left is not None:
            size = min(size, self._left)
        newest_first = self._wanted.newest_first
        page = part_at(self._position, size, newest_first=newest_first)
        found = await self._wanted.slice(self._content_type, page)
        self._position = self._position.after(found.keys, newest_first=newest_first)
        if self._left is not None:
            self._left -= len(found.keys)
        self.is_over = len(found.keys) < size or self._left == 0
        return found.text


class Parts(Protocol):
    """Parts of a reply, which are made while it is sent."""

    is_over: bool

    async def next(self) -> bytes:
        """Make the next part."""
        ...


def send_parts(slices: Parts, first: bytes, request: Request) -> Callable[[], None]:
    """Start to send a list; the returned function aborts that."""
    pace = Paced(request)
    request.notifyFinish().addErrback(lambda _: pace.stopProducing())

    async def run() -> None:
        pace.begin()
        try:
            await pace.write(first)
            while not slices.is_over:
                await pace.write(await slices.next())
        except Exception as error:
            pace.finish()
            if not isinstance(error, Interrupted):
                _log.error("A list was not sent to its end: {error}", error=str(error))
            if request.channel is not None:
                request.channel.forceAbortClient()
        else:
            pace.finish()
            request.finish()

    Deferred.fromCoroutine(run()).addErrback(
        lambda failure: _log.failure("A list was not sent", failure)
    )
    return pace.stopProducing
