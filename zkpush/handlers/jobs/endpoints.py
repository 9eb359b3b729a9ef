"""What is done with jobs, commands for many terminals at once, by the API and by pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from ...counting import people_phrase, terminals_phrase
from ...device import acts
from ...device.changes import check_scopes
from ...device.queue import CommandQueue
from ...device.registry import Registry
from ...interfaces import IStore
from ...manage.errors import ApiError, NotConfirmed, not_found
from ...manage.limits import TERMINAL, Belongs, Owner, id_of
from ...manage.lists import ApiList
from ...manage.routes import Route
from ...manage.services import Services
from ...manage.targets import targets_thd, targets_words
from ...model import Caller, Page
from ...persist.commandjobs import JobCommands
from ...persist.transaction import Transaction
from ...phrases import Phrase, in_series, words_of
from ...protocol.commands import check_command
from ...protocol.errors import CommandError
from ...protocol.fields import Command, Scope
from ..people.store import check_commands_thd, deletions_thd
from .model import Job, JobCommand, JobState, NewJob
from .requests import JobDeletionQuery, JobQuery, JobRequest, RetryRequest, commands_of, options_of
from .runner import JobRunner
from .store import JobStore
from .views import JobView, view_thd

_CREATE, _CANCEL, _RETRY = "create job", "cancel job", "retry job"


class JobEndpoints:
    """Handlers of the routes of jobs."""

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        queue: CommandQueue,
        runner: JobRunner,
        most_bytes: int,
    ) -> None:
        """`most_bytes` is the maximum size of a request that makes a job."""
        self._most_bytes = most_bytes
        self._store = store
        self._registry = registry
        self._queue = queue
        self._runner = runner

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(
                "POST",
                "/commands",
                Scope.WRITE,
                self.add,
                "Queue commands for many terminals, as a job; the same Idempotency-Key again gives "
                "the same job",
                query=JobDeletionQuery,
                body=JobRequest,
                body_bytes=self._most_bytes,
                returns=JobView,
                status=HTTPStatus.ACCEPTED,
                takes=("idempotency_key", "caller"),
                limited=(),
            ),
            ApiList[tuple[int, JobView, Sequence[Owner]]](
                path="/jobs",
                summary="Jobs, newest first",
                view=JobView,
                query=JobQuery,
                find_thd=self._page_thd,
                show=lambda found, caller: found[1],
                key=lambda found: found[0],
                owner=lambda found: found[2],
            ).route(self._store),
            Route(
                "GET",
                "/jobs/<id>",
                Scope.READ,
                self.show,
                "One job, with its failures",
                returns=JobView,
                takes=("caller",),
                limited=(JOB,),
            ),
            Route(
                "DELETE",
                "/jobs/<id>",
                Scope.WRITE,
                self.cancel,
                "Cancel the commands of a job that have not ended",
                status=HTTPStatus.NO_CONTENT,
                takes=("caller",),
                limited=(JOB,),
            ),
            Route(
                "POST",
                "/jobs/<id>/retry",
                Scope.WRITE,
                self.retry,
                "Queue again the commands of a job that did not succeed, and let a stopped job go "
                "on",
                body=RetryRequest,
                returns=JobView,
                status=HTTPStatus.ACCEPTED,
                takes=("caller",),
                limited=(JOB,),
            ),
        ]

    def _page_thd(
        self, tx: Transaction, part: Page, query: JobQuery
    ) -> list[tuple[int, JobView, Sequence[Owner]]]:
        families = self._registry.families
        return [
            (
                job.seq,
                view_thd(tx, job, families, part.areas, is_whole=False),
                () if part.areas is None else _owners_thd(tx, job),
            )
            for job in tx[JobStore].page(part)
        ]

    async def add(
        self,
        body: JobRequest,
        query: JobDeletionQuery,
        idempotency_key: str | None,
        caller: Caller,
    ) -> JobView:
        """Store a job, and begin to carry it out."""
        commands = commands_of(body)
        terminals = await self._store.read(lambda tx: targets_thd(tx, body, caller))
        entries = self._entries(commands, {one.family for one in terminals})
        for entry, params in entries:
            check_scopes(caller, entry.scopes(params), f"This {entry.name}")
        options = options_of(body, entries, caller)
        now = self._registry.now()
        new = NewJob(
            id=self._queue.writer.new_id(now),
            commands=commands,
            options=options,
            priority=options.priority or 0,
            created_by=caller.name,
            idempotency_key=idempotency_key,
            request=msgspec.json.encode(body),
        )
        keys = [one.id for one in terminals]
        names = ", ".join(dict.fromkeys(one.command for one in commands))
        detail = f"{names}; {targets_words(body, len(keys))}"

        def unit(tx: Transaction) -> Job:
            if idempotency_key is not None:
                found = tx[JobStore].find(caller.name, idempotency_key, new.request)
                if found is not None:
                    if not found[1]:
                        raise ApiError(
                            HTTPStatus.CONFLICT,
                            Phrase("This Idempotency-Key was used for another job."),
                        )
                    return found[0]
            check_commands_thd(tx, caller, entries)
            _check_deletions(tx, commands, keys, query.confirm)
            acts.record(tx, caller, _CREATE, f"job {new.id}", detail, now)
            return tx[JobStore].add(new, keys, now)

        job = await self._store.write(unit)
        self._runner.begin()
        return await self.show(job.id, caller)

    def _entries(
        self, commands: Iterable[JobCommand], families: Iterable[str]
    ) -> list[tuple[Command, Mapping[str, str]]]:
        """Check commands; return their entries, each with the parameters.

        Raises `ValueError`, which names all mistakes.
        """
        mistakes: list[str] = []
        found: list[tuple[Command, Mapping[str, str]]] = []
        for number, one in enumerate(commands, 1):
            for family in families:
                try:
                    entry = self._queue.catalogue.find(one.command, family)
                    check_command(entry, one.params)
                except CommandError as error:
                    mistakes.append(
                        Phrase(
                            "command %(number)s: %(reason)s", number=number, reason=words_of(error)
                        )
                    )
                    break
                found.append((entry, one.params))
        if mistakes:
            raise ValueError(in_series(mistakes))
        return found

    async def show(self, id: str, caller: Caller) -> JobView:
        """Show a job."""

        def find_thd(tx: Transaction) -> JobView:
            return view_thd(tx, _found(tx, id), self._registry.families, caller.areas)

        return await self._store.read(find_thd)

    async def cancel(self, id: str, caller: Caller) -> None:
        """Cancel a job."""
        now = self._registry.now()

        def unit(tx: Transaction) -> None:
            job = _found(tx, id, locked=True)
            if job.state in (JobState.CANCELLED, JobState.CANCELLING):
                raise ApiError(
                    HTTPStatus.CONFLICT,
                    Phrase("The job %(id)s is cancelled already.", id=id),
                )
            tx[JobStore].cancel_rest(job)
            tx[JobStore].change(job, JobState.CANCELLING, now)
            acts.record(tx, caller, _CANCEL, f"job {id}", "", now)

        await self._store.write(unit)
        self._runner.begin()

    async def retry(self, id: str, body: RetryRequest, caller: Caller) -> JobView:
        """Queue commands of a job again."""
        now = self._registry.now()

        def unit(tx: Transaction) -> None:
            job = _found(tx, id, locked=True)
            if job.state in (JobState.CANCELLED, JobState.CANCELLING):
                raise ApiError(
                    HTTPStatus.CONFLICT,
                    Phrase(
                        "The job %(id)s is cancelled, which cannot be taken back. Queue its "
                        "commands again as a new job: `zkpush commands send`.",
                        id=id,
                    ),
                )
            check_scopes(caller, job.options.scopes, "This job")
            commands, jobs = tx[JobCommands], tx[JobStore]
            terminals = commands.terminals_to_retry(id, body.states)
            jobs.retry(job, body.states, commands.last(), terminals, caller.areas)
            jobs.forgive(job, commands.failures(id, jobs.retrying(job)))
            acts.record(tx, caller, _RETRY, f"job {id}", ", ".join(body.states), now)

        await self._store.write(unit)
        self._runner.begin()
        return await self.show(id, caller)


def _owners_thd(tx: Transaction, job: Job) -> list[Owner]:
    return [Owner(TERMINAL, sn) for sn in tx[JobStore].terminals_of(job)]


def _job_owners_thd(tx: Transaction, names: Mapping[str, Any]) -> Collection[Owner]:
    job = tx[JobStore].get(id_of(names))
    return () if job is None else _owners_thd(tx, job)


JOB = Belongs(_job_owners_thd, "There is no job {id}.")
"""The job that the variable `id` names; all its terminals have to be in the areas of the caller."""


def _found(tx: Transaction, id: str, *, locked: bool = False) -> Job:
    job = tx[JobStore].get(id, locked=locked)
    if job is None:
        raise not_found(Phrase("There is no job %(id)s.", id=id))
    return job


def _check_deletions(
    tx: Transaction, commands: Iterable[JobCommand], keys: Sequence[int], confirmed: int | None
) -> None:
    """Raise `ApiError` if commands delete many people and the caller has not confirmed that."""
    found = deletions_thd(tx, [(one.command, one.params) for one in commands], keys)
    if found.is_many and confirmed != found.people:
        raise NotConfirmed(
            Phrase(
                "This would delete %(people)s on %(terminals)s, those of each terminal counted by "
                "themselves",
                people=people_phrase(found.people),
                terminals=terminals_phrase(len(keys)),
            )
            if len(keys) > 1
            else Phrase(
                "This would delete %(people)s on %(terminals)s",
                people=people_phrase(found.people),
                terminals=terminals_phrase(len(keys)),
            ),
            found.people,
        )


def endpoints_of(services: Services) -> JobEndpoints:
    """Make the handlers of jobs, for the API and for pages."""
    return JobEndpoints(
        services.store,
        services.registry,
        services.queue,
        services.offers[JobRunner],
        services.settings.limits.command_bytes,
    )
