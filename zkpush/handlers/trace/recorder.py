"""Recorder of the trace: collects requests in memory and writes them in batches.

Theory of operation. Every request with the serial number of a known terminal is recorded. A request
equal to the previous one, such as an idle poll, only increments a count. So does an upload whose
body has another length, as those of a backlog have. New entries are written every few seconds, a
bounded number at a time, the terminals in turn: a flood of uploads delays the trace, and the trace
takes little of their time. A changed count is written once a minute, or when another request
follows. Every process can therefore show the trace of every terminal. The number of unwritten
entries is bounded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import cast

from ...clock import wall_clock
from ...device.request import AcceptedRequest, RefusedRequest, Request
from ...device.terminal import Terminal
from ...device.tokens import token_of
from ...http.messages import ExplainedReply, Reply, RequestHead, Verdict
from ...interfaces import IStore
from ...periodic import PeriodicService
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...protocol.catalogue import Catalogue
from ...protocol.errors import TerminalError
from ...protocol.requests import read_query
from .model import FAILURE, KEPT, TracedContent, TracedRequest
from .reading import describe
from .store import TraceStore

EVERY = 3.0
"""Seconds between writes."""
MINUTE = 60_000
"""Milliseconds until a changed count is written again."""
MOST_PENDING = 20_000
"""Most unwritten entries in memory; beyond that, a new entry of a terminal replaces its oldest."""
MOST_WRITTEN = 2_000
"""Approximate limit of entries per write."""
TRIM_EVERY = 20
"""New entries of a terminal after which its rows are trimmed."""
FOREIGN_TOKEN, FOREIGN_COOKIE = "foreign token", "foreign cookie"
"""Remarks on a request that is served although its token, or another cookie, is not ours."""
MOST_COMPARED = 200
"""Longest reply, in bytes, that is compared with the next one."""


_Source = tuple[RequestHead, Request | None, Reply, Catalogue, str | None]
"""What an entry is described from."""


_Mark = tuple[object, ...]
"""What equal requests have in common."""


class _Run:
    """Equal consecutive requests."""

    __slots__ = (
        "_content",
        "_source",
        "at",
        "count",
        "device_id",
        "mark",
        "number",
        "pending",
        "since_at",
        "status",
        "written_at",
    )

    def __init__(
        self, mark: _Mark | None, device_id: int, number: int, now: int, source: _Source
    ) -> None:
        """Requests equal it if they have the same `mark`; None if no other one does."""
        head, _, reply, _, _ = source
        self.mark = mark
        self.device_id = device_id
        self.number = number
        self.since_at = self.at = now
        self.count = 1
        self.status = reply[0] if isinstance(reply, tuple) else reply.status
        self._source: _Source | None = source
        self._content: TracedContent | None = None
        if mark is None or len(head.query) > MOST_COMPARED:
            _ = self.content  # describe long requests and replies now instead of keeping them
        self.pending = True
        """Whether it is waiting to be written."""
        self.written_at: int | None = None
        """When it was last written (ms)."""

    @property
    def content(self) -> TracedContent:
        """Description of the request and the reply, created on first use."""
        if self._source is not None:
            self._content, self._source = describe(*self._source), None
        return cast(TracedContent, self._content)

    @property
    def is_refused(self) -> bool:
        """Whether the requests were rejected."""
        return self.status >= FAILURE


class RequestTrace(PeriodicService):
    """Records the last requests of the terminals of this process, and writes them to the store."""

    def __init__(
        self,
        store: IStore,
        known: Callable[[str], Terminal | None],
        catalogue: Catalogue,
        clock: object,
        writer: str,
    ) -> None:
        """`known` finds a terminal by its serial number; `writer` is the id of this process."""
        super().__init__(clock)
        self._store = store
        self._known = known
        self._catalogue = catalogue
        self._wall = wall_clock(clock)
        self._writer = writer
        self._number = 0
        self._last: dict[str, _Run] = {}
        self._fresh: dict[int, tuple[deque[_Run], deque[_Run]]] = {}
        """Unwritten entries by terminal: served requests, and rejected ones."""
        self._count = 0
        """Number of entries in `_fresh`."""
        self._writing: Sequence[TracedRequest] = ()
        self._repeated: dict[int, _Run] = {}
        """Written entries whose count has changed since, by entry number."""
        self._since_trim: dict[int, int] = {}
        self.every(EVERY, self.write, Phrase("The trace of terminals is not written"))

    def note(self, head: RequestHead, verdict: Verdict | None, reply: Reply) -> None:
        """Record a request and its reply; see `zkpush.resources.site`."""
        request = terminal = None
        if isinstance(verdict, AcceptedRequest):
            request, terminal = verdict.request, verdict.terminal
            sn: str | None = request.sn
        elif isinstance(verdict, RefusedRequest):
            sn = verdict.sn
        else:
            sn = _serial(head)
        if terminal is None and sn is not None:
            terminal = self._known(sn)
        if sn is None or terminal is None:
            return
        device_id = terminal.device.id
        reason = _reason_of(terminal, head, reply)
        now, last = int(self._wall() * 1000), self._last.get(sn)
        mark = _mark(device_id, head, reply, reason)
        if last is not None and mark is not None and mark == last.mark:
            last.count += 1
            last.at = now
            if not last.pending:
                self._repeated[last.number] = last
            return
        self._number += 1
        source = head, request, reply, self._catalogue, reason
        run = _Run(mark, device_id, self._number, now, source)
        if last is not None and last.number in self._repeated:
            del self._repeated[last.number]
            self._add(last)
        self._last[sn] = run
        self._add(run)

    def fresh(self, device_id: int) -> list[TracedRequest]:
        """Return the entries of a terminal that are not stored yet, or with an outdated count."""
        runs = sorted(chain(*self._fresh.get(device_id, ())), key=lambda run: run.number)
        runs += [run for run in self._repeated.values() if run.device_id == device_id]
        writing = [one for one in self._writing if one.device_id == device_id]
        return [*writing, *map(self._traced, runs)]

    async def write(self) -> None:
        """Write some new entries, and counts last written a minute ago or more."""
        now = int(self._wall() * 1000)
        for number, run in [*self._repeated.items()]:
            if run.written_at is None or not 0 <= now - run.written_at < MINUTE:
                del self._repeated[number]
                self._add(run)
        if self._count:
            await self._write_part(now)
        for sn in [sn for sn in self._last if self._known(sn) is None]:
            del self._last[sn]

    async def finish(self) -> None:
        """Write everything that is not written yet."""
        for run in self._repeated.values():
            self._add(run)
        self._repeated.clear()
        while self._count:
            await self._write_part(int(self._wall() * 1000))

    async def _write_part(self, now: int) -> None:
        """Write some entries; after a failure they are queued again."""
        taken = self._take()
        trim = self._to_trim(taken)
        requests = self._writing = [self._traced(run) for run in taken]

        def unit(tx: Transaction) -> None:
            tx[TraceStore].write(requests, trim)

        for run in taken:
            run.pending = False
        try:
            await self._store.write(unit)
        except BaseException:
            for run in taken:
                self._repeated.pop(run.number, None)
                if not run.pending:
                    self._add(run, first=True)
            raise
        finally:
            self._writing = ()
        for run in taken:
            run.written_at = now

    def _take(self) -> list[_Run]:
        taken: list[_Run] = []
        while self._fresh and len(taken) < MOST_WRITTEN:
            kinds = self._fresh.pop(next(iter(self._fresh)))  # the one that waits longest
            runs = [*chain(*kinds)]
            taken += runs
            self._count -= len(runs)
        return taken

    def _to_trim(self, runs: Iterable[_Run]) -> list[int]:
        """Return the terminals with many new entries since their rows were trimmed."""
        for run in runs:
            if run.written_at is None:
                # The first entry trims rows left by an earlier process.
                count = self._since_trim.get(run.device_id, TRIM_EVERY)
                self._since_trim[run.device_id] = count + 1
        due = {run.device_id for run in runs if self._since_trim.get(run.device_id, 0) > TRIM_EVERY}
        self._since_trim.update(dict.fromkeys(due, 0))
        return sorted(due)

    def _add(self, run: _Run, *, first: bool = False) -> None:
        """Queue an entry for writing; if there are too many, the terminal's oldest is dropped."""
        run.pending = True
        kinds = self._fresh.get(run.device_id)
        if kinds is None:
            kinds = self._fresh[run.device_id] = (deque(), deque())
        same = kinds[run.is_refused]
        same.appendleft(run) if first else same.append(run)
        self._count += 1
        if len(same) > KEPT or self._count > MOST_PENDING:
            same.popleft().pending = False
            self._count -= 1

    def _traced(self, run: _Run) -> TracedRequest:
        return TracedRequest(
            writer=self._writer,
            number=run.number,
            device_id=run.device_id,
            since_at=run.since_at,
            at=run.at,
            count=run.count,
            refused=run.is_refused,
            content=run.content,
        )


def _mark(device_id: int, head: RequestHead, reply: Reply, reason: str | None) -> _Mark | None:
    """Return what a request has in common with its equals; None if it has none."""
    if not isinstance(reply, tuple):
        return None
    status, body = reply
    if len(body) > MOST_COMPARED:
        return None
    return device_id, head.method, head.path, head.query, head.address, status, body, reason


def _serial(head: RequestHead) -> str | None:
    """Return the serial number in a request that was not judged, if it can be parsed."""
    try:
        return read_query(head.query)[0]
    except TerminalError:
        return None


def _reason_of(terminal: Terminal, head: RequestHead, reply: Reply) -> str | None:
    """Return what a reply does not show to the terminal; None if there is nothing."""
    reason = reply.reason if isinstance(reply, ExplainedReply) else None
    is_foreign = head.cookie is not None and hash(head.cookie) == terminal.foreign
    status = reply[0] if isinstance(reply, tuple) else reply.status
    if head.cookie is None or not is_foreign or terminal.is_judged or status >= FAILURE:
        return reason
    foreign = FOREIGN_COOKIE if token_of(head.cookie) is None else FOREIGN_TOKEN
    return foreign if reason is None else f"{reason}; {foreign}"
