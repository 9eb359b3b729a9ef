"""The daemon as a service: its parts start in the order of their dependencies."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterable, Sequence
from typing import NoReturn, cast

from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.logger import Logger

from .config import ConfigError
from .datadir import DataDirectory
from .datalock import DirectoryInUse
from .descriptors import TooFewDescriptors, take_descriptors
from .engine import Engine
from .interfaces import StoreError, WrongKey
from .manage.services import Contributions
from .manage.site import ManageSite
from .opening import OpenDatabase
from .periodic import PeriodicService
from .ports import Drain, Listener, Port
from .problems import ServerProblem
from .protocol.text import visible
from .resources.site import TerminalSite
from .stopping import counted
from .workers import Reporting, WorkerReport, Workers

YOUNG = 20_000
"""Number of new objects after which the garbage collector examines them.

An upload that waits for its commit holds about 25. Those of hundreds of terminals at once are no
garbage: to examine them again and again took a tenth of their time.
"""
SWITCH_SECONDS = 0.001
"""Longest time that a thread keeps the interpreter while others wait for it."""


class Daemon(MultiService):
    """One process that serves terminals, people, or both.

    Parts start in order, and stop one after the other in the opposite order, so that each can use
    its dependencies until it has stopped.
    """

    _log = Logger()

    def __init__(
        self,
        data: DataDirectory,
        engine: Engine,
        added: Contributions,
        terminals: Sequence[Listener],
        manage: Listener | None,
        workers: Workers | None,
        reporting: Reporting | None,
        *,
        new: bool = False,
    ) -> None:
        """`added` are the contributions of capabilities to the engine.

        Without `manage` the process is a worker. With `workers`, those serve the terminals. With
        `new`, the data directory may get another database than it had.
        """
        super().__init__()
        services = engine.services
        self.data = data
        self.store = services.store
        self.brings = engine.brings
        self.registry = services.registry
        self.queue = services.queue
        self.refusals = services.refusals
        self._unserved = engine.unserved
        self.inbox = engine.inbox
        self.problems = services.problems
        self.jobs: list[PeriodicService] = []
        if manage is not None:
            live = cast(ManageSite, manage.site).live
            self.jobs = [*engine.jobs, *added.jobs, live]
        """Services that run in one process of each node."""
        self.recorders = added.recorders
        """Services that run in every process."""
        self.terminals = terminals
        self.manage = manage
        self.workers = workers
        self.certificates = engine.certificates
        self.clock_watch = engine.clock_watch
        self.sites = list(
            {id(one.site): cast(TerminalSite, one.site) for one in terminals}.values()
        )
        self.ports = [Port(listener) for listener in self._listeners]
        self._is_stopped = False
        self._database = OpenDatabase(
            data,
            self.store,
            self.brings,
            is_parent=manage is not None,
            is_alone=manage is not None and services.settings.database is None,
            new=new,
        )
        if workers is not None:
            workers.share(self.ports[: len(terminals)], self._reported)
        parts: list[IService | None] = [
            reporting,
            self._database,
            self.refusals,
            self.registry,
            self.inbox,
            self.queue,
            *self.recorders,
            *self.jobs,
            *(site.ticking for site in self.sites),
            Drain(self.sites),
            *self.ports,
            workers,
            self.clock_watch,
            self.certificates,
        ]
        for part in parts:
            if part is not None:
                part.setServiceParent(self)

    def _reported(self, report: WorkerReport) -> None:
        """Count and list for a worker; both parts are bounded."""
        self.refusals.add(report.refused)
        for address in report.tls:
            self._unserved.heard(address)

    @property
    def urls(self) -> list[str]:
        """URLs of the open ports, terminals first."""
        return [port.url for port in self.ports if port.is_open]

    @property
    def _listeners(self) -> list[Listener]:
        return [*self.terminals, *filter(None, [self.manage])]

    def privilegedStartService(self) -> None:
        """Open the database, then the ports; a failure is one line, and exit status 1."""
        self._share_descriptors()
        self._warn_of_proxies()
        try:
            super().privilegedStartService()
        except WrongKey as error:
            stop_here(
                [
                    f"cannot start: {error}; put the right key at {self.data.key_file} "
                    "(or where ZKPUSH_KEY_FILE says): every node of a database has the same"
                ]
            )
        except ConfigError as error:
            stop_here(error.mistakes)
        except (DirectoryInUse, StoreError, CannotListenError, OSError, ValueError) as error:
            stop_here([f"cannot start: {error}"])

    def _warn_of_proxies(self) -> None:
        if self.manage is None:  # only one of several processes logs it
            return
        for listener in self._listeners:
            if listener.is_proxied and not getattr(listener.site, "proxies", True):
                self._log.warn(
                    "Whoever connects to {endpoint} says from where it comes, and is believed; "
                    "name your proxies in proxies.trusted",
                    endpoint=listener.description,
                )

    def _share_descriptors(self) -> None:
        """Limit connections to the available file descriptors; log it if that lowers a limit."""
        site: object = self.terminals[0].site  # all terminal listeners share one site
        manage: object = self.manage.site if self.manage else None
        if not isinstance(site, TerminalSite):
            return
        people = manage.limits.manage_connections if isinstance(manage, ManageSite) else 0
        wanted = site.limits.connections
        try:
            found = take_descriptors(wanted, people)
        except TooFewDescriptors as error:
            stop_here([f"cannot start: {error}"])
        site.most_connections = found.terminals
        if isinstance(manage, ManageSite):
            manage.connections.most = found.people
        if found.terminals < wanted and manage is not None:  # only one of several processes logs it
            self._log.warn(
                "This process may open {limit} files: it takes {count} connections of terminals, "
                "and not {wanted} as configured. Raise the limit (ulimit -n, LimitNOFILE=) to "
                "{needed}",
                limit=found.limit,
                count=found.terminals,
                wanted=wanted,
                needed=found.wanted,
            )

    def startService(self) -> None:
        """Start all parts, load the terminals, and record the URL of the daemon."""
        share_interpreter()
        super().startService()
        if self.manage is not None:
            self._say_where()
        Deferred.fromCoroutine(self.registry.follow()).addCallbacks(
            lambda _: settle(),
            lambda failure: self._log.failure("Terminals are not loaded", failure),
        )

    def stopService(self) -> Deferred[None]:
        """Stop accepting work, finish the requests in progress, and drain the writer."""
        self.running = False
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        for part in reversed(self.services):
            try:
                await maybeDeferred(part.stopService)
            except Exception:  # the other parts still have data to store
                self._log.failure("{part} failed to stop", part=type(part).__name__)
        self._is_stopped = True

    def leave(self) -> None:
        """Remove `run.json`: the process is about to end."""
        self._database.leave()

    def job_problems(self) -> Iterable[ServerProblem]:
        """Background jobs that fail."""
        for part in self.services:
            if isinstance(part, PeriodicService):
                yield from part.job_problems()

    def pending(self) -> list[str]:
        """Describe unfinished work; callable from any thread."""
        in_hand = sum(site.in_hand for site in self.sites)
        words = [
            *counted(in_hand, "request of a terminal", "requests of terminals"),
            *counted(self.store.counts().get("pending", 0), "unit of work", "units of work"),
            *counted(0 if self.workers is None else self.workers.children, "worker", "workers"),
        ]
        if self._is_stopped:
            threads = [
                thread.name
                for thread in threading.enumerate()
                if not thread.daemon and thread is not threading.main_thread()
            ]
            words += [f"the thread {name}" for name in threads]
        return words

    def _say_where(self) -> None:
        urls = [port.url for port in self.ports]
        for url in urls[:-1]:
            self._log.info("Terminals are served at {url}", url=url)
        self._log.info("The API is at {url}", url=urls[-1])
        self.data.say_where({**self._database.about(), "listen": urls[:-1], "manage": urls[-1]})


def settle() -> None:
    """Exclude all present objects from garbage collection, and collect less often.

    Modules and terminals stay in memory, and traversing them at each collection costs a tenth of
    the time of an upload. Uploads create no reference cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)


def share_interpreter() -> None:
    """Shorten the thread switch interval, so that the reactor gets the interpreter sooner.

    The reactor needs the interpreter again after each system call. With the default interval of 5
    ms, a poll takes five times as long while another thread decodes.
    """
    sys.setswitchinterval(SWITCH_SECONDS)


def stop_here(mistakes: list[str]) -> NoReturn:
    """Print mistakes, one per line, and exit with status 1."""
    for mistake in mistakes:
        print(f"zkpush: {visible(mistake)}", file=sys.__stderr__)
    raise SystemExit(1)
