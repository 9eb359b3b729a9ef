"""`GET problems`: the problems of terminals and of the server, in one list.

Other parts of the server register a source: `problems.add_source(disk.problems)`. A source is
called for each listing and each scrape of the metrics, so it returns known state and does not
block. Problems that only the database knows come from a stored source, which is called with a read
transaction.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import attrs
import msgspec
from msgspec import Meta
from twisted.logger import Logger

from ..device.registry import Registry
from ..interfaces import IStore, StoreError
from ..model import MOST_ID, Caller, Page
from ..persist.devices import DeviceStore
from ..persist.rejects import RejectStore
from ..persist.transaction import Transaction
from ..problems import ProblemCode, ProblemKind, ServerProblem, known_code
from .arguments import no_such
from .limits import TERMINAL, Owner, visible_thd
from .listing import DeviceQuery, whole
from .lists import ApiList
from .routes import Route
from .views import ProblemView

Source = Callable[[], Iterable[ServerProblem]]
StoredSource = Callable[[Transaction], Iterable[ServerProblem]]
SPAN = 1000
"""Maximum number of problems of a terminal, or of the server, plus one. The id of a problem in the
list is the row id of its terminal (0 for the server) times this, plus its number."""
TERMINALS_AT_ONCE = 200
"""Number of terminals in one query."""


class ProblemQuery(DeviceQuery, frozen=True):
    """Filter for problems."""

    code: Annotated[str | None, Meta(description="Code of the problems, such as `no zone`")] = None


@attrs.frozen
class ProblemFilter:
    """The filter of a request, and what is known of the server without the database."""

    device: str | None
    code: str | None
    known: Sequence[ServerProblem]


class _Listed(NamedTuple):
    """A problem in the list."""

    id: int
    view: ProblemView


class Problems:
    """Collects problems from their sources."""

    _log = Logger()

    def __init__(
        self, store: IStore, registry: Registry, kinds: Sequence[ProblemKind] = ()
    ) -> None:
        """`kinds` are those of capabilities."""
        self.codes = [*map(str, ProblemCode), *kinds]
        """All declared codes."""
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

    def stored_thd(self, tx: Transaction) -> list[ServerProblem]:
        """Return the problems of the server that the database knows."""
        return [
            found
            for source in self._stored
            # mypy cannot infer a lambda with a default.
            for found in self._ask(lambda source=source: source(tx))  # type: ignore[misc]
        ]

    def about_thd(self, tx: Transaction) -> Mapping[str, Sequence[ServerProblem]]:
        """Map serial numbers to the problems of the server that are about a terminal."""
        found: dict[str, list[ServerProblem]] = {}
        for problem in [*self.known(), *self.stored_thd(tx)]:
            if problem.sn is not None:
                found.setdefault(problem.sn, []).append(problem)
        return found

    async def _read(self) -> list[ServerProblem]:
        return await self._store.read(self.stored_thd) if self._stored else []

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
        listed = ApiList(
            path="/problems",
            summary="Problems of the server, then those of terminals in the order they were first "
            "seen; for callers who are limited to areas, those of their terminals",
            view=ProblemView,
            query=ProblemQuery,
            filter=self._wanted,
            find_thd=self._find_thd,
            show=lambda listed, caller: listed.view,
            owner=_owner,
            known={"code": self._no_code_thd},
        ).route(self._store)

        async def run(query: ProblemQuery, caller: Caller, **more: Any) -> object:
            try:
                return await listed.run(query=query, caller=caller, **more)
            except StoreError:
                known = None if caller.areas is not None else self._explanation(query)
                if known is None:
                    raise
                return whole(known)

        return [attrs.evolve(listed, run=run)]

    def _no_code_thd(self, tx: Transaction, code: str) -> str | None:
        return no_such("problem code", code, self._problems.codes)

    def _wanted(self, query: ProblemQuery) -> ProblemFilter:
        return ProblemFilter(query.device, query.code, self._problems.known())

    def _find_thd(self, tx: Transaction, page: Page, wanted: ProblemFilter) -> list[_Listed]:
        end = MOST_ID if page.before is None else page.before
        found = (
            one
            for one in self._all_thd(tx, page, wanted)
            if page.after < one.id < end and wanted.code in (None, one.view.code)
        )
        return [*itertools.islice(found, page.limit)]

    def _all_thd(self, tx: Transaction, page: Page, wanted: ProblemFilter) -> Iterator[_Listed]:
        """Iterate over the problems of the owners that the page touches, in its order."""
        server: list[_Listed] = []
        if page.after < SPAN:
            problems = [*wanted.known, *self._problems.stored_thd(tx)]
            listed = _numbered(0, [ProblemView.of_server(problem) for problem in problems])
            server = [one for one in listed if wanted.device in (None, one.view.device)]
            if page.areas is not None:
                server = visible_thd(tx, server, _owner, page.areas)
        if not page.newest_first:
            yield from server
        first = page.after // SPAN - 1
        last = None if page.before is None else page.before // SPAN + 1
        part = Page(TERMINALS_AT_ONCE, max(first, 0), last, page.newest_first, page.areas)
        while devices := tx[DeviceStore].with_problems(part, wanted.device):
            for device in devices:
                rejects = tx[RejectStore]
                views = ProblemView.of_device(rejects.current(device), rejects.newest_id(device.id))
                own = _numbered(device.id, views)
                yield from reversed(own) if page.newest_first else own
            if page.newest_first:
                part = msgspec.structs.replace(part, before=devices[-1].id)
            else:
                part = msgspec.structs.replace(part, after=devices[-1].id)
        if page.newest_first:
            yield from reversed(server)

    def _explanation(self, query: ProblemQuery) -> list[ProblemView] | None:
        """Return the problems that explain why the database cannot be read, if they are asked."""
        known = self._problems.known()
        says_why = any(one.code is ProblemCode.CANNOT_STORE for one in known)
        if not says_why or query != ProblemQuery(limit=query.limit, order=query.order):
            return None
        return [ProblemView.of_server(one) for one in known]


def _owner(listed: _Listed) -> Owner:
    """Return the terminal of a problem; none has an empty serial number."""
    return Owner(TERMINAL, listed.view.device or "")


def _numbered(owner: int, views: Sequence[ProblemView]) -> list[_Listed]:
    numbered = enumerate(views[: SPAN - 1], owner * SPAN + 1)
    return [_Listed(number, view) for number, view in numbered]
