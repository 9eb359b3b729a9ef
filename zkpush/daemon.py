"""The daemon as a service: opens everything in order, and closes it in the opposite one."""

from __future__ import annotations

import datetime
import gc
import os
import sys
import threading
from collections.abc import Sequence
from typing import Any, NoReturn, cast

import attrs
from twisted.application.service import Service
from twisted.internet.address import IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.logger import Logger
from twisted.python.failure import Failure

from .clock import ClockWatch
from .config import ConfigError
from .datadir import DataDirectory
from .datalock import DirectoryInUse, DirectoryLock
from .descriptors import TooFewDescriptors, take_descriptors
from .device.doorlog import DoorLog
from .device.plugininbox import PluginInbox
from .device.queue import CommandQueue
from .device.registry import Registry
from .endpoints import is_encrypted
from .interfaces import IBringsTables, IStore, StoreError, WrongKey
from .manage.problems import Problems
from .manage.site import ManageSite
from .protocol.text import visible
from .resources.site import TerminalSite
from .resources.transport import MOST_WAITING
from .stopping import counted
from .tls import Certificates
from .workers import Workers

YOUNG = 5000
"""How many more objects there are before the garbage collector looks at the new ones."""


PROXIED = "haproxy:"
"""How the description of an endpoint begins on which each connection begins with its address."""


@attrs.frozen
class Listener:
    """A site, and the endpoint it is served on."""

    description: str
    endpoint: IStreamServerEndpoint
    site: IProtocolFactory

    @property
    def is_proxied(self) -> bool:
        """Whether clients say from where they come before they say anything else."""
        return self.description.startswith(PROXIED)

    @property
    def scheme(self) -> str:
        """The URL scheme that clients use."""
        return "https" if is_encrypted(self.description) else "http"


class Daemon(Service):
    """One process that serves terminals, people, or both."""

    _log = Logger()

    def __init__(
        self,
        data: DataDirectory,
        store: IStore,
        brings: Sequence[IBringsTables],
        registry: Registry,
        queue: CommandQueue,
        door: DoorLog,
        inbox: PluginInbox,
        problems: Problems,
        terminals: Sequence[Listener],
        manage: Listener | None,
        workers: Workers | None,
        certificates: Certificates,
        clock_watch: ClockWatch,
        *,
        new: bool = False,
    ) -> None:
        """Without `manage` it is a worker; with `workers`, those serve the terminals.

        `brings` are the handlers that have tables of their own. With `new`, the data directory may
        get another database than it had.
        """
        self.data = data
        self.store = store
        self.brings = brings
        self.registry = registry
        self.queue = queue
        self.door = door
        self.inbox = inbox
        self.problems = problems
        self.terminals = terminals
        self.manage = manage
        self.workers = workers
        self.certificates = certificates
        self.clock_watch = clock_watch
        self._new = new
        self._lock = DirectoryLock(data.path)
        self._started_at = datetime.datetime.now(datetime.UTC)
        self._ports: list[IListeningPort] = []
        self._is_stopped = False

    def privilegedStartService(self) -> None:
        """Open the database, then the ports; a failure is one line, and exit status 1."""
        self._share_descriptors()
        if self.manage is not None:  # of several processes, one tells
            for listener in [*self.terminals, self.manage]:
                if listener.is_proxied and not getattr(listener.site, "proxies", True):
                    self._log.warn(
                        "Whoever connects to {endpoint} says from where it comes, and is believed; "
                        "name your proxies in proxies.trusted",
                        endpoint=listener.description,
                    )
        try:
            self._open_database()
            for listener in [*self.terminals, *filter(None, [self.manage])]:
                self._ports.append(_open(listener))
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
        super().privilegedStartService()

    def _open_database(self) -> None:
        """Lock the data directory, then open the database that belongs to it.

        Workers share the lock of their parent, which has recorded the database already.
        """
        if self.manage is not None:
            self._lock.take(self._about())
            self.data.say_nothing()  # of a daemon that was killed
        found = self.store.start(self.brings, self.data.claim(new=self._new))
        if found is None:
            self._log.warn("The database is in memory: all of it is lost when the daemon stops")
        elif self.manage is not None:
            self.data.remember(*found)

    def _about(self) -> dict[str, object]:
        """This process, for the lock and `run.json`."""
        at = self._started_at.isoformat(timespec="seconds").replace("+00:00", "Z")
        return {"pid": os.getpid(), "started_at": at}

    def _share_descriptors(self) -> None:
        """Take no more connections than there are file descriptors; say so if that is fewer."""
        site: object = self.terminals[0].site  # all listeners of terminals have the same
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
        if found.terminals < wanted and manage is not None:  # of several processes, one tells
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
        """Load what is known, start the workers, and say where the daemon is."""
        super().startService()
        self.certificates.start()
        self.clock_watch.start()
        if self.workers is not None:
            self.workers.start(
                [cast(Any, port).fileno() for port in self._ports[:-1]], self.registry.refused.add
            )
        if self.manage is not None:
            self._say_where()
        loading = Deferred.fromCoroutine(self.registry.start())
        self.queue.start()
        self.door.start()
        self.inbox.start(self.store.unprepared)
        loading.addCallbacks(
            lambda _: settle(),
            lambda failure: self._log.failure("Terminals are not loaded", failure),
        )

    def stopService(self) -> Deferred[None]:
        """Take nothing new, finish what is in hand, drain the writer."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self.certificates.stop()
        self.clock_watch.stop()
        if self.workers is not None:
            await self.workers.stop()
        for port in self._ports:
            await _as_deferred(port.stopListening())
        for listener in self.terminals:
            await cast(TerminalSite, listener.site).drain()
        self.queue.stop()
        await self.inbox.stop()
        await self.registry.stop()
        await self.door.stop()
        await self.store.stop()
        self.leave()
        self._lock.release()
        self._is_stopped = True

    def leave(self) -> None:
        """Take back where the daemon is: it is gone in a moment."""
        if self.manage is not None:
            self.data.say_nothing()

    def pending(self) -> list[str]:
        """What is not finished yet, in words; from any thread."""
        sites = {id(listener.site): listener.site for listener in self.terminals}
        in_hand = sum(cast(TerminalSite, site).in_hand for site in sites.values())
        words = [
            *counted(in_hand, "request of a terminal", "requests of terminals"),
            *counted(self.store.counts().get("pending", 0), "unit of work", "units of work"),
            *counted(0 if self.workers is None else self.workers.running, "worker", "workers"),
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
        listeners = [*self.terminals, *filter(None, [self.manage])]
        urls = [
            _url(listener.scheme, port.getHost())
            for listener, port in zip(listeners, self._ports, strict=True)
        ]
        for url in urls[:-1]:
            self._log.info("Terminals are served at {url}", url=url)
        self._log.info("The API is at {url}", url=urls[-1])
        self.data.say_where({**self._about(), "listen": urls[:-1], "manage": urls[-1]})


def settle() -> None:
    """Exclude everything that is loaded now from garbage collection, and collect less often.

    The modules and the terminals stay; to walk through all of them again and again takes a tenth
    of the time of an upload. Uploads leave no garbage behind: their objects have no cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)


def stop_here(mistakes: list[str]) -> NoReturn:
    """Say what is wrong, a line each, and end with status 1."""
    for mistake in mistakes:
        print(f"zkpush: {visible(mistake)}", file=sys.__stderr__)
    raise SystemExit(1)


def _open(listener: Listener) -> IListeningPort:
    """Listen at once, as all of Twisted's endpoints do, or raise what went wrong."""
    outcome: list[object] = []
    listener.endpoint.listen(listener.site).addBoth(outcome.append)
    if not outcome:
        raise ValueError(f"{listener.description} did not listen at once")
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    port = cast(IListeningPort, outcome[0])
    sock = getattr(port, "socket", None)
    if sock is not None:
        sock.listen(MOST_WAITING)
    return port


def _as_deferred(stopping: object) -> Deferred[object]:
    """`stopListening` gives a Deferred or nothing."""
    return maybeDeferred(lambda: stopping)


def _url(scheme: str, address: Any) -> str:
    """Where an endpoint can be reached; a socket file is `unix:/path`."""
    if isinstance(address, UNIXAddress):
        return f"unix:{address.name!s}"
    host = f"[{address.host}]" if isinstance(address, IPv6Address) else address.host
    return f"{scheme}://{host}:{address.port}"
