"""Composition root of `twistd zkpush`.

The services of the engine come first, then those of each installed capability, in the order of
their requirements. No capability is named here.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec
from twisted.application.service import Service

from . import config, logstream, redaction
from .adoption import Inheritance, port_opener
from .capability import CapabilityError
from .clock import machine_zone, use_monotonic_time, wall_clock
from .config import Config, ConfigError
from .containment import PluginError, PluginHealth
from .contributions import contributions_of
from .daemon import Daemon, stop_here
from .datadir import DataDirectory, open_data_directory
from .discovery import PluginConflict
from .endpoints import server_endpoint
from .engine import Engine, assemble
from .http.ports import PortOpener
from .installed import InstalledPlugins, check_policy, find_plugins, sections
from .logstream import LogStream
from .manage.api import Endpoints
from .manage.connections import EndlessReplies
from .manage.console.live import LiveHub
from .manage.console.resource import ConsoleResource
from .manage.console.terminalnames import TerminalNames
from .manage.feed import Feed
from .manage.metrics import Metrics
from .manage.plugins import PluginEndpoints
from .manage.services import Contributions
from .manage.site import ManageSite
from .options import Options
from .origins import NO_ORIGINS, SettingOrigins
from .permissions import key_file
from .ports import PROXIED, Listener
from .resources.actions import Actions
from .resources.paths import PathTable
from .resources.site import TerminalSite
from .settings.network import Tls
from .stopping import FOR_WORKERS, DrainDeadline
from .tls import Credentials, reload_on_hangup
from .workers import Reporting, Workers, stop_with_parent

__all__ = ["Options", "build", "makeService"]


def makeService(options: Options) -> Service:
    """Make the daemon; print configuration mistakes, one per line, and exit with status 1."""
    from twisted.internet import reactor

    use_monotonic_time(reactor)
    log = logstream.install(reactor)
    redaction.install()
    file = None if options["config"] is None else Path(options["config"])
    workers = inherited = None
    try:
        settings = config.load(file, options.flags(), _check_endpoint, check_policy, sections())
        machine = frozenset({"timezone"} if settings.timezone is None else ())
        if settings.timezone is None:
            settings = msgspec.structs.replace(settings, timezone=machine_zone(os.environ))
        origins = SettingOrigins.of(file, options.flags(), machine, os.environ)
        data = open_data_directory(settings.data, key_file(settings.data, os.environ))
        if options["adopt"] is not None:
            inherited = Inheritance.parse(options["adopt"])
            stop_with_parent(reactor)
        elif settings.workers > 1:
            workers = Workers(settings.workers, options.again(), reactor)
        daemon = build(
            settings,
            data,
            reactor,
            workers=workers,
            inherited=inherited,
            log=log,
            origins=origins,
        )
    except ConfigError as error:
        stop_here(error.mistakes)
    except (CapabilityError, PluginConflict, PluginError, ValueError) as error:
        stop_here([str(error)])
    reload_on_hangup(daemon.certificates, reactor)
    _end_in_time(daemon, settings, log, reactor)
    return daemon


def build(
    settings: Config,
    data: DataDirectory,
    reactor: Any,
    *,
    workers: Workers | None = None,
    inherited: Inheritance | None = None,
    log: LogStream | None = None,
    plugins: Collection[object] = (),
    origins: SettingOrigins = NO_ORIGINS,
) -> Daemon:
    """Make the daemon; `ValueError` or `PluginConflict` if its parts conflict.

    With `workers`, the parent opens the terminals' ports for them. With `inherited`, this process
    is a worker. `plugins` are added, or replace installed ones of the same class and name.
    `origins` says where the settings come from.
    """
    found = find_plugins(settings, PluginHealth(wall_clock(reactor)), plugins)
    engine = assemble(
        settings,
        data,
        reactor,
        found,
        lambda: daemon.urls,
        origins,
        is_worker=inherited is not None,
    )
    added = contributions_of(found.capabilities, engine.services, found.health)
    terminals = _terminals(engine, added)
    opener = port_opener(
        reactor, inherited, settings.workers, lambda: terminals.is_full, shares=workers is not None
    )
    for_terminals = engine.certificates.for_terminals
    daemon = Daemon(
        data,
        engine,
        added,
        [
            Listener(text, server_endpoint(opener, text, for_terminals), terminals)
            for text in settings.listen
        ],
        None if inherited is not None else _people(engine, found, added, log),
        workers,
        None
        if inherited is None
        else Reporting(
            engine.services.refusals.counts,
            engine.unserved.strangers,
            inherited.report,
            reactor,
        ),
        new=settings.new and inherited is None,
    )
    engine.services.problems.add_source(daemon.job_problems)
    return daemon


def _terminals(engine: Engine, added: Contributions) -> TerminalSite:
    """Make the site of terminals, which answers each in the protocol of its family."""
    services = engine.services
    families = services.registry.families
    actions = Actions(
        families,
        services.intake,
        engine.exchange,
        services.queue,
        engine.answers,
        added.answers,
        services.downloads,
    )
    gate = engine.gate(PathTable(row for one in families for row in actions.bind(one)))
    return TerminalSite(
        gate,
        engine.server(gate),
        services.settings.limits,
        engine.proxies,
        engine.unserved.struck,
        services.clock,
        added.watch,
    )


def _people(
    engine: Engine, found: InstalledPlugins, added: Contributions, log: LogStream | None
) -> Listener:
    """Make the site of people: API, console, health and metrics, on their endpoint."""
    services, settings = engine.services, engine.services.settings
    figures = Metrics(services, engine.pictures, engine.inbox, added.records, added.figures)
    if log is not None:
        figures.watch_log(log)
    feed = Feed(services.store, services.clock, added.records)
    room = EndlessReplies(settings.limits, feed)
    endpoints = Endpoints(
        services,
        PluginEndpoints(services.store, found.described, engine.inbox),
        figures,
        added,
        feed,
        room,
    )
    console = ConsoleResource(
        added.console,
        added.sign_in,
        TerminalNames(services.registry),
        lambda parts, render, living: LiveHub(feed, parts, render, living, services.clock, room),
        engine.proxies,
        services.refusals,
        engine.tokens.limits,
        {one.name: one.meaning for one in services.catalogue},
        services.clock,
    )
    site = ManageSite(
        endpoints.routes(),
        console,
        engine.tokens,
        settings.limits,
        engine.proxies,
        settings.manage.startswith(PROXIED),
        services.refusals,
        services.clock,
        lambda: services.installation.urls()[:-1],
    )
    opener = PortOpener(services.clock)
    endpoint = server_endpoint(opener, settings.manage, engine.certificates.for_people)
    return Listener(settings.manage, endpoint, site)


def _end_in_time(daemon: Daemon, settings: Config, log: LogStream | None, reactor: Any) -> None:
    """Bound the time between a stop signal and the end of the process."""

    def clean_up() -> None:
        daemon.leave()
        if log is not None:
            log.end()

    seconds = settings.limits.drain_seconds + (0 if daemon.workers is None else FOR_WORKERS)
    deadline = DrainDeadline(seconds, daemon.pending, clean_up)
    reactor.addSystemEventTrigger("before", "shutdown", deadline.start)
    reactor.callWhenRunning(deadline.watch, signal.SIGTERM, signal.SIGINT)


def _check_endpoint(text: str) -> object:
    from twisted.internet import reactor

    return server_endpoint(reactor, text, lambda files: Credentials(files, Tls()))
