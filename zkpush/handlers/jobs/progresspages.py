"""Pages of jobs: the list, and one job with its progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec

from ...manage.console.forms import NOTHING_ENTERED, FormEntry
from ...manage.console.pages import (
    ConfirmationQuestion,
    ConsoleForm,
    ConsolePage,
    ConsoleRoute,
    LivePart,
    NavGroup,
    NavPlace,
    Redirect,
    View,
)
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.services import Services
from ...model import Page
from ...persist.transaction import Transaction
from ...phrases import listed_phrases, with_more
from .endpoints import JOB, JobEndpoints, endpoints_of
from .model import Job
from .questions import CANCEL, question_again
from .requests import RetryRequest
from .store import JobStore
from .views import JobView, view_thd
from .wording import JOB_REASONS

PER_PAGE = 50
"""Jobs on a page of the list."""
STATES: Mapping[str, tuple[Phrase, str]] = {
    "queueing": (Phrase("being sent out"), "calm"),
    "running": (Phrase("waits for terminals"), "calm"),
    "finished": (Phrase("finished"), "good"),
    "stopped": (Phrase("stopped after failures"), "bad"),
    "cancelling": (Phrase("being cancelled"), "warn"),
    "cancelled": (Phrase("cancelled"), "calm"),
}
"""States in words, each with the kind of its badge."""
COUNTS: Mapping[str, tuple[Phrase, str]] = {
    "waiting": (Phrase("not begun"), "calm"),
    "queued": (Phrase("waits for the terminal"), "calm"),
    "sent": (Phrase("sent, not answered yet"), "calm"),
    "done": (Phrase("done"), "good"),
    "failed": (Phrase("failed"), "bad"),
    "refused": (Phrase("not possible on the terminal"), "bad"),
    "expired": (Phrase("given up"), "bad"),
    "unknown": (Phrase("not known whether done"), "warn"),
    "cancelled": (Phrase("cancelled"), "calm"),
    "removed": (Phrase("ended and deleted by age"), "calm"),
}
"""States of the commands of a job in words, each with the kind of its badge."""
RETRIED: tuple[tuple[str, Phrase, Phrase | None], ...] = (
    ("failed", Phrase("failed"), None),
    ("expired", Phrase("given up"), None),
    ("unknown", Phrase("not known whether done"), Phrase("They may then be carried out twice.")),
)
NO_JOB = Phrase("There is no such job any more.")
MOST_NAMED = 3
"""Commands of a job that are named in words."""
EVERY = 5.0
"""Seconds after which the progress is looked at again."""


class JobSearch(msgspec.Struct, frozen=True):
    """The page of the list."""

    before: int | None = None


class RetryJobForm(msgspec.Struct, frozen=True):
    """States of the commands to send again."""

    states: list[Literal["failed", "expired", "unknown"]]


class CancelJobForm(msgspec.Struct, frozen=True):
    """A form that is one button."""


class JobPages:
    """The list, and one job."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._catalogue = services.queue.catalogue
        self._families = services.registry.families
        self._jobs: JobEndpoints = endpoints_of(services)

    def routes(self) -> list[ConsoleRoute]:
        """Return the pages, forms and the live part."""
        return [
            ConsolePage(
                path="/jobs",
                title=Phrase("Jobs"),
                run=self.list,
                query=JobSearch,
                nav=NavPlace(NavGroup.SITE, 40, "check"),
                limited=(),
            ),
            ConsolePage(path="/jobs/<job_id>", title=Phrase("Job"), run=self.show, limited=(JOB,)),
            LivePart(
                name="jobs-progress",
                run=self.progress_part,
                kinds=("command",),
                every=EVERY,
                limited=(JOB,),
            ),
            ConsoleForm(
                path="/jobs/<job_id>/retry",
                fields=RetryJobForm,
                run=self.retry,
                again=self.show,
                question=self.ask_again,
                limited=(JOB,),
            ),
            ConsoleForm(
                path="/jobs/<job_id>/cancel",
                fields=CancelJobForm,
                run=self.cancel,
                again=self.show,
                question=CANCEL,
                limited=(JOB,),
            ),
        ]

    async def list(self, visit: Visit, query: JobSearch) -> View:
        """List jobs, the newest first."""
        part = Page(PER_PAGE + 1, before=query.before, newest_first=True, areas=visit.areas)

        def find(tx: Transaction) -> list[tuple[Job, JobView]]:
            return [
                (job, view_thd(tx, job, self._families, visit.areas, is_whole=False))
                for job in tx[JobStore].page(part)
            ]

        found = await self._store.read(find)
        shown = found[:PER_PAGE]
        more = {"before": shown[-1][0].seq} if len(found) > PER_PAGE else None
        return View(
            template="jobs.html",
            values={
                "jobs": [(job, view, self._in_words(job.names)) for job, view in shown],
                "states": STATES,
                "next_query": None if more is None else urlencode(more),
                "first_query": None if query.before is None else "",
            },
        )

    async def show(self, visit: Visit, job_id: str, entry: FormEntry = NOTHING_ENTERED) -> View:
        """Show a job."""
        values = await self._of(visit, job_id)
        return View(
            template="job.html",
            title=Phrase("Job"),
            values={
                **values,
                "entry": entry,
                "retried": RETRIED,
                "in_words": self._in_words(values["job"].names),
            },
            live=[f"jobs-progress:{job_id}"],
        )

    def _in_words(self, names: Sequence[str]) -> Phrase:
        """Return what the first commands of a job do; one of no catalogue has its name."""
        meanings = {one.name: Phrase.made(one.meaning, {}) for one in self._catalogue}
        different = [*dict.fromkeys(names)]
        said = listed_phrases([meanings.get(name, name) for name in different[:MOST_NAMED]])
        more = len(different) - MOST_NAMED
        return with_more(said, more) if more > 0 else said

    async def progress_part(self, visit: Visit, argument: str | None) -> View:
        """Show the progress of a job."""
        return View(template="_progress.html", values=await self._of(visit, argument or ""))

    async def ask_again(
        self, visit: Visit, form: RetryJobForm, job_id: str
    ) -> ConfirmationQuestion | None:
        """Ask before commands are sent again that restart, delete or are dangerous."""
        names = (await self._of(visit, job_id))["job"].names
        return question_again([one for one in self._catalogue if one.name in names])

    async def retry(self, visit: Visit, form: RetryJobForm, job_id: str) -> Redirect:
        """Send commands of a job again."""
        await self._of(visit, job_id)
        await self._jobs.retry(job_id, RetryRequest([*form.states]), visit.caller)
        return Redirect(to=f"/jobs/{job_id}", notice=Phrase("They are sent again."))

    async def cancel(self, visit: Visit, form: CancelJobForm, job_id: str) -> Redirect:
        """Cancel what has not ended."""
        await self._of(visit, job_id)
        await self._jobs.cancel(job_id, visit.caller)
        return Redirect(to=f"/jobs/{job_id}", notice=Phrase("What has not ended is cancelled."))

    async def _of(self, visit: Visit, job_id: str) -> dict[str, Any]:
        def find(tx: Transaction) -> tuple[Job, JobView]:
            job = tx[JobStore].get(job_id)
            if job is None:
                raise LookupError(NO_JOB)
            return job, view_thd(tx, job, self._families, visit.areas)

        job, view = await self._store.read(find)
        numbers = msgspec.structs.asdict(view.counts)
        words, kind = STATES[view.state]
        total = sum(numbers.values())
        left = sum(numbers[name] for name in ("waiting", "queued", "sent"))
        return {
            "job": job,
            "view": view,
            "reason": JOB_REASONS.phrase(view.reason or ""),
            "words": words,
            "kind": kind,
            "counts": [(name, numbers[name], *COUNTS[name]) for name in COUNTS if numbers[name]],
            "total": total,
            "ended": total - left,
            "count_words": COUNTS,
            "is_cancellable": left > 0 and view.state in ("queueing", "running", "stopped"),
            "is_retryable": view.state in ("queueing", "running", "finished", "stopped")
            and any(numbers[name] for name in ("failed", "expired", "unknown")),
        }
