"""`twistd zkpush`: options, and the one place where the daemon is put together."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import Any, NoReturn, cast

import attrs
from twisted.application.service import Service
from twisted.internet.address import IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.usage import Options as UsageOptions

from . import config
from .config import Config, ConfigError
from .datadir import DataDirectory, open_data_directory
from .device.exchange import Exchange
from .device.intake import Intake
from .device.queue import CommandQueue
from .device.registry import Registry
from .interfaces import IAdmissionPolicy, IRecordHandler, IStore, IStoreFactory, StoreError
from .manage.api import Endpoints
from .manage.auth import Tokens
from .manage.site import ManageSite
from .plugins import PluginConflict, by_claim, sound_plugins
from .resources.cdata import CData
from .resources.devicecmd import DeviceCmd
from .resources.getrequest import GetRequest
from .resources.ping import Ping
from .resources.site import TerminalSite


def _help(key: str) -> str:
    return config.meaning(Config, key)


class Options(UsageOptions):
    """The options of `twistd zkpush`; all of them can also stand in the file."""

    synopsis = "[options]"
    longdesc = "Serves attendance terminals. Everything has a default but --data."
    optParameters = [
        ["data", "d", None, _help("data")],
        ["config", "c", None, "TOML file with any of these options, and more; a flag wins over it"],
        ["manage", None, None, _help("manage")],
        ["database", None, None, _help("database")],
        ["admission", None, None, _help("admission")],
    ]

    def __init__(self) -> None:
        super().__init__()
        self.listen: list[str] = []

    def opt_listen(self, endpoint: str) -> None:  # noqa: D102 - the docstring is the help text
        self.listen.append(endpoint)

    opt_listen.__doc__ = _help("listen")

    def flags(self) -> dict[str, object]:
        """What was given on the command line, by the keys of the file."""
        given: dict[str, object] = {
            key: self[key]
            for key in ("data", "manage", "database", "admission")
            if self[key] is not None
        }
        if self.listen:
            given["listen"] = self.listen
        return given


@attrs.frozen
class Listener:
    """A site, and the endpoint it is served on."""

    description: str
    endpoint: IStreamServerEndpoint
    site: IProtocolFactory

    @property
    def scheme(self) -> str:
        """The URL scheme that clients use."""
        return "https" if self.description.partition(":")[0] in ("ssl", "tls") else "http"


class Daemon(Service):
    """Starts everything in order, and stops it in the opposite one."""

    _log = Logger()

    def __init__(
        self,
        data: DataDirectory,
        store: IStore,
        registry: Registry,
        terminals: list[Listener],
        manage: Listener,
    ) -> None:
        self.data = data
        self.store = store
        self.registry = registry
        self.terminals = terminals
        self.manage = manage
        self._ports: list[IListeningPort] = []

    def privilegedStartService(self) -> None:
        """Open the database, then the ports; a failure is one line, and exit status 1."""
        try:
            self.store.start()
            for listener in [*self.terminals, self.manage]:
                self._ports.append(_now(listener.endpoint.listen(listener.site)))
        except (StoreError, CannotListenError, OSError, ValueError) as error:
            stop_here([f"cannot start: {error}"])
        super().privilegedStartService()

    def startService(self) -> None:
        """Load what is known, and say where the daemon is."""
        super().startService()
        self._say_where()
        loading = Deferred.fromCoroutine(self.registry.start())
        loading.addErrback(lambda failure: self._log.failure("Terminals are not loaded", failure))

    def stopService(self) -> Deferred[None]:
        """Take nothing new, finish what is in hand, drain the writer."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        for port in self._ports:
            await _as_deferred(port.stopListening())
        for listener in self.terminals:
            await cast(TerminalSite, listener.site).drain()
        await self.registry.stop()
        await self.store.stop()
        self.data.say_nothing()

    def _say_where(self) -> None:
        listeners = [*self.terminals, self.manage]
        urls = [
            _url(listener.scheme, port.getHost())
            for listener, port in zip(listeners, self._ports, strict=True)
        ]
        for url in urls[:-1]:
            self._log.info("Terminals are served at {url}", url=url)
        self._log.info("The API is at {url}", url=urls[-1])
        self.data.say_where({"pid": os.getpid(), "listen": urls[:-1], "manage": urls[-1]})


def makeService(options: Options) -> Service:
    """Put the daemon together. A mistake in the configuration is a line each, and exit status 1."""
    from twisted.internet import reactor

    file = None if options["config"] is None else Path(options["config"])
    try:
        settings = config.load(file, options.flags(), _check_endpoint)
        key_file = os.environ.get("ZKPUSH_KEY_FILE")
        data = open_data_directory(settings.data, Path(key_file) if key_file else None)
        return build(settings, data, reactor)
    except ConfigError as error:
        stop_here(error.mistakes)
    except (PluginConflict, ValueError) as error:
        stop_here([str(error)])


def build(settings: Config, data: DataDirectory, reactor: Any) -> Daemon:
    """Put the parts together: `ValueError` or `PluginConflict` if they do not fit."""
    policies = by_claim(sound_plugins(IAdmissionPolicy), lambda plugin: [plugin.name])
    factories = by_claim(sound_plugins(IStoreFactory), lambda plugin: plugin.schemes)
    handlers = by_claim(
        sound_plugins(IRecordHandler), lambda plugin: [table.name for table in plugin.tables]
    )

    scheme = settings.database_url.partition(":")[0].partition("+")[0]
    if scheme not in factories:
        raise ValueError(
            f"database: no store takes {scheme!r}; there are {', '.join(sorted(factories))}"
        )
    store = factories[scheme].open(settings.database_url, reactor)
    registry = Registry(
        store, policies[settings.admission], settings.timezone, settings.options, reactor
    )
    intake = Intake(store, registry, handlers, reactor)
    exchange = Exchange(store, registry, intake.tables, settings.options)
    queue = CommandQueue(store, registry, settings.commands, secrets.choice)

    terminals = TerminalSite(
        {
            "cdata": CData(registry, exchange, intake),
            "getrequest": GetRequest(registry, intake, queue),
            "devicecmd": DeviceCmd(registry, queue),
            "ping": Ping(registry),
        },
        settings.limits.body_bytes,
        reactor,
    )
    endpoints = Endpoints(store, registry, queue, reactor)
    manage = ManageSite(endpoints.routes(), Tokens(data.admin_token), reactor)

    def listener(description: str, site: IProtocolFactory) -> Listener:
        return Listener(description, serverFromString(reactor, description), site)

    return Daemon(
        data,
        store,
        registry,
        [listener(text, terminals) for text in settings.listen],
        listener(settings.manage, manage),
    )


def stop_here(mistakes: list[str]) -> NoReturn:
    """Say what is wrong, a line each, and end with status 1."""
    for mistake in mistakes:
        print(f"zkpush: {mistake}", file=sys.__stderr__)
    raise SystemExit(1)


def _check_endpoint(text: str) -> object:
    from twisted.internet import reactor

    try:
        return serverFromString(reactor, text)
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise ValueError(
            f"{text!r} is not a Twisted endpoint such as tcp:8081 or "
            f"ssl:8443:privateKey=key.pem:certKey=cert.pem ({error})"
        ) from None


def _now(listening: Deferred[IListeningPort]) -> IListeningPort:
    """The port, or the exception, of an endpoint that listens at once, as all of Twisted's do."""
    outcome: list[object] = []
    listening.addBoth(outcome.append)
    if not outcome:
        raise ValueError("an endpoint did not listen at once")
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    return cast(IListeningPort, outcome[0])


def _as_deferred(stopping: object) -> Deferred[object]:
    """`stopListening` gives a Deferred or nothing."""
    return maybeDeferred(lambda: stopping)


def _url(scheme: str, address: Any) -> str:
    """Where an endpoint can be reached; a socket file is `unix:/path`."""
    if isinstance(address, UNIXAddress):
        return f"unix:{address.name!s}"
    host = f"[{address.host}]" if isinstance(address, IPv6Address) else address.host
    return f"{scheme}://{host}:{address.port}"
