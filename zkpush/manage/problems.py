"""`GET problems`: the problems of terminals and of the server, in one list.

Other parts of the server register a source: `problems.add_source(disk.problems)`. A source is
called for each listing and each scrape of the metrics, so it returns known state and does not
block. Problems that only the database knows come from a stored source, which is called with a read
transaction.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta
from twisted.logger import Logger

from ..device.registry import Registry
from ..interfaces import IStore, StoreError
from ..model import Page
from ..persist.devices import DeviceStore
from ..persist.transaction import Transaction
from ..problems import ProblemCode, ProblemKind, ServerProblem, known_code
from ..protocol.fields import Scope
from .listing import Limit, Listing, OfDevice
from .routes import Route
from .views import ProblemView

Source = Callable[[], Iterable[ServerProblem]]
StoredSource = Callable[[Transaction], Iterable[ServerProblem]]
_CURSOR = re.compile(r"([0-9]{1,18})\.([0-9]{1,9})\Z", re.ASCII)
_BEGINNING = "0.0"


class ProblemQuery(msgspec.Struct, frozen=True):
    """Filter for problems."""

    limit: Limit = 100
    after: Annotated[str, Meta(description="`next` of the previous page")] = _BEGINNING
    device: OfDevice = None


class Problems:
    """Collects problems from their sources."""

    _log = Logger()

    def __init__(self, store: IStore, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        self._sources: list[Source] = []
        self._stored: list[StoredSource] = []

    def add_source(self, source: Source) -> None:
        """Register a source of problems of the server, for all listings from now on."""
        self._sources.append(source)

    def add_stored_source(self, source: StoredSource) -> None:
        """Register a source that reads the database, on a thread of the store."""
        self._stored.append(source)

    async def of_server(self) -> list[ServerProblem]:
        """Return the problems of the server; `StoreError` if the database cannot be read."""
        return [*self.known(), *await self._read()]

    async def counts(self) -> Mapping[ProblemCode | ProblemKind, int]:
        """Return the number of problems of each declared code.

        Problems that only the database knows are left out while it does not answer.
        """
        counts: Counter[ProblemCode | ProblemKind] = Counter(dict.fromkeys(ProblemCode, 0))
        counts.update(problem.code for problem in self.known())
        for code, count in self._registry.problem_counts().items():
            known = known_code(code)
            if known is not None:
                counts[known] += count
        try:
            counts.update(problem.code for problem in await self._read())
        except StoreError as error:
            self._log.warn("Some problems are not counted: {error}", error=str(error))
        return counts

    def known(self) -> list[ServerProblem]:
        """Return the problems of the server that are known without the database."""
        return [found for source in self._sources for found in self._ask(source)]

    async def _read(self) -> list[ServerProblem]:
        if not self._stored:
            return []
        return await self._store.read(
            lambda tx: [
                found
                for source in self._stored
                # mypy cannot infer a lambda with a default.
                for found in self._ask(lambda source=source: source(tx))  # type: ignore[misc]
            ]
        )

    def _ask(self, source: Source) -> list[ServerProblem]:
        """Call a source; one that fails does not hide the others."""
        try:
            return [*source()]
        except StoreError:
            raise
        except Exception:
            self._log.failure("A source of problems failed")
            return []


class ProblemEndpoints:
    """The route of problems."""

    def __init__(self, store: IStore, problems: Problems) -> None:
        self._store = store
        self._problems = problems

    def routes(self) -> list[Route]:
        """The route of problems."""
        return [
            Route(
                "GET",
                "/problems",
                Scope.READ,
                self.problems,
                "Problems of the server, then those of terminals in the order they were first seen",
                query=ProblemQuery,
                returns=Listing[ProblemView],
            )
        ]

    async def problems(self, query: ProblemQuery) -> Listing[ProblemView]:
        """List problems; if the database cannot be read, the ones that explain it."""
        try:
            return await self._list(query)
        except StoreError:
            known = self._problems.known()
            says_why = any(one.code is ProblemCode.CANNOT_STORE for one in known)
            if not says_why or query.after != _BEGINNING or query.device is not None:
                raise
            return Listing([ProblemView.of_server(one) for one in known], None, _BEGINNING)

    async def _list(self, query: ProblemQuery) -> Listing[ProblemView]:
        owner, count = _parse_cursor(query.after)
        found: list[tuple[str, ProblemView]] = []
        if owner == 0 and query.device is None:
            server = await self._problems.of_server()
            found += [
                (f"0.{number}", ProblemView.of_server(problem))
                for number, problem in enumerate(server, 1)
                if number > count
            ]
        page = Page(query.limit + 1, max(owner - 1, 0))
        devices = await self._store.read(
            lambda tx: tx[DeviceStore].with_problems(page, query.device)
        )
        found += [
            (f"{device.id}.{number}", view)
            for device in devices
            for number, view in enumerate(ProblemView.of_device(device), 1)
            if device.id != owner or number > count
        ]
        part = found[: query.limit]
        is_more = len(found) > len(part)
        last = part[-1][0] if part else query.after
        return Listing([view for _, view in part], last if is_more else None, last)


def _parse_cursor(text: str) -> tuple[int, int]:
    """Parse a cursor: a terminal's row id (0: the server), and its number of listed problems."""
    match = _CURSOR.match(text)
    if match is None:
        raise ValueError("after: not a cursor of this list; pass the `next` of the part before.")
    return int(match[1]), int(match[2])
