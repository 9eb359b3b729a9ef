"""`twistd zkpush`: options, and the one place where the daemon is put together."""

from __future__ import annotations

import os
import secrets
import signal
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from twisted.application.service import Service
from twisted.logger import Logger
from twisted.python.usage import Options as UsageOptions

from . import config, logstream, redaction
from .capabilities import load
from .capability import CapabilityError, ICapability
from .clock import machine_zone, use_monotonic_time, wall_clock
from .clockwatch import ClockWatch
from .config import Config, ConfigError, Tls
from .containment import MESSAGES, PluginError, PluginHealth, contained
from .daemon import Daemon, stop_here
from .datadir import DataDirectory, open_data_directory
from .device.answers import CommandAnswers
from .device.budget import MemoryBudget
from .device.downloads import Downloads
from .device.exchange import Exchange
from .device.gate import AdmissionGate
from .device.handlers import HandlerSet
from .device.intake import Intake
from .device.plugininbox import RECORD_HANDLER, PluginInbox
from .device.privacy import Privacy
from .device.proxies import Proxies
from .device.queue import CommandQueue
from .device.refusals import Refusal, RefusalLog
from .device.registry import Registry
from .device.sessiongate import SessionGate
from .device.storing import ContentsWriter
from .device.terminal import Ciphers
from .device.zones import ZoneKeeper
from .discovery import (
    PluginConflict,
    PluginInfo,
    by_claim,
    describe,
    failed_modules,
    identity,
    sound_plugins,
)
from .edges import ContainedPolicy, ContainedSuite
from .endpoints import server_endpoint
from .handlers.attendance.api import RECORDS
from .handlers.doctor.api import DoctorEndpoints
from .handlers.doctor.server import Installation
from .handlers.files.api import FileEndpoints
from .handlers.people.remote import RemoteUsers
from .handlers.people.verification import BackgroundVerification
from .handlers.rejects.api import RejectEndpoints
from .handlers.rejects.jobs import RejectRetry
from .handlers.rejects.reading import RejectReader
from .handlers.trace.api import TraceEndpoints
from .handlers.trace.recorder import RequestTrace
from .http.ports import PortOpener
from .http.turns import Turns
from .interfaces import (
    IAdmissionPolicy,
    IBringsTables,
    ICipherSuite,
    INamesPictures,
    IRecordHandler,
    IStoreFactory,
    IVerifier,
    StoreError,
)
from .logstream import LogStream
from .manage.api import Endpoints
from .manage.auth import Tokens
from .manage.collection import PictureCollection
from .manage.connections import most_streams
from .manage.events import EventEndpoints
from .manage.health import HealthCheck
from .manage.plugins import PluginEndpoints
from .manage.problems import Problems
from .manage.readings import SecretAccessLog
from .manage.retention import Retention
from .manage.site import ManageSite
from .manage.tokens import TokenEndpoints
from .model import StoragePlace
from .permissions import key_file
from .pluginkinds import ADMISSION_POLICIES, CIPHER_SUITES, STORES, VERIFIERS, own_name, schemes
from .ports import PROXIED, Listener
from .protocol.omission import TemplateRules
from .protocol.packets import Limits as PacketLimits
from .protocol.tableset import TableSet
from .resources.attendance import AttendancePush
from .resources.gate import RequestGate
from .resources.paths import PathTable
from .resources.serving import RequestServer
from .resources.site import TerminalSite
from .stopping import FOR_WORKERS, DrainDeadline
from .stores import factory_of
from .tls import Certificates, Credentials, reload_on_hangup
from .workers import (
    AdoptingReactor,
    Inheritance,
    Reporting,
    SharingReactor,
    Workers,
    stop_with_parent,
)

P = TypeVar("P")
_log = Logger()
TOKEN_BYTES = 32
"""Random bytes in a token of the API."""


def _help(key: str) -> str:
    return config.meaning(Config, key)


class Options(UsageOptions):
    """Options of `twistd zkpush`. The configuration file takes all of them as well."""

    synopsis = "[options]"
    longdesc = (
        "Server for attendance terminals. Only --data is required. "
        "Example: twistd -n zkpush --data /var/lib/zkpush"
    )
    optParameters = [
        ["data", "d", None, _help("data")],
        ["config", "c", None, "TOML file with these options and more; flags override it"],
        ["manage", None, None, _help("manage")],
        ["database", None, None, _help("database")],
        ["admission", None, None, _help("admission")],
        ["workers", None, None, _help("workers")],
        ["adopt", None, None, "Internal: state that the parent process passes to its workers"],
    ]

    optFlags = [["new", None, _help("new")]]

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
            for key in ("data", "manage", "database", "admission", "workers")
            if self[key] is not None
        }
        if self.listen:
            given["listen"] = self.listen
        if self["new"]:
            given["new"] = True
        return given

    def again(self) -> list[str]:
        """The command line that says the same, for the workers, which find a database."""
        words = [("config", self["config"])] if self["config"] is not None else []
        for key, value in self.flags().items():
            if key == "new":
                continue
            words += [(key, one) for one in (value if isinstance(value, list) else [value])]
        return [word for key, value in words for word in (f"--{key}", str(value))]


def makeService(options: Options) -> Service:
    """Put the daemon together. A mistake in the configuration is a line each, and exit status 1."""
    from twisted.internet import reactor

    use_monotonic_time(reactor)
    log = logstream.install(reactor)
    redaction.install()
    file = None if options["config"] is None else Path(options["config"])
    try:
        settings = config.load(file, options.flags(), _check_endpoint, _check_admission)
        if settings.timezone is None:
            settings = msgspec.structs.replace(settings, timezone=machine_zone(os.environ))
        data = open_data_directory(settings.data, key_file(settings.data, os.environ))
        if options["adopt"] is not None:
            inherited = Inheritance.parse(options["adopt"])
            stop_with_parent(reactor)
            daemon = build(settings, data, reactor, inherited=inherited, log=log)
        else:
            workers = Workers(settings.workers, options.again(), reactor)
            several = settings.workers > 1
            daemon = build(settings, data, reactor, workers=workers if several else None, log=log)
    except ConfigError as error:
        stop_here(error.mistakes)
    except (CapabilityError, PluginConflict, PluginError, ValueError) as error:
        stop_here([str(error)])
    reload_on_hangup(daemon.certificates, reactor)
    _end_in_time(daemon, settings, log, reactor)
    return daemon


def _end_in_time(daemon: Daemon, settings: Config, log: LogStream | None, reactor: Any) -> None:
    """Bound the time between a signal to stop and the end of the process."""

    def clean_up() -> None:
        daemon.leave()
        if log is not None:
            log.end()

    seconds = settings.limits.drain_seconds + (0 if daemon.workers is None else FOR_WORKERS)
    deadline = DrainDeadline(seconds, daemon.pending, clean_up)
    reactor.addSystemEventTrigger("before", "shutdown", deadline.start)
    reactor.callWhenRunning(deadline.watch, signal.SIGTERM, signal.SIGINT)


def build(
    settings: Config,
    data: DataDirectory,
    reactor: Any,
    *,
    workers: Workers | None = None,
    inherited: Inheritance | None = None,
    log: LogStream | None = None,
    plugins: Collection[object] = (),
) -> Daemon:
    """Put the parts together: `ValueError` or `PluginConflict` if they do not fit.

    With `workers`, the terminals' ports are opened for them; with an inheritance, this is one.
    `plugins` are used beside those that are installed, or in the place of an installed one of the
    same class and name.
    """

    def found(interface: type[P]) -> list[P]:
        given = [one for one in plugins if interface.providedBy(one)]  # type: ignore[attr-defined]
        installed = sound_plugins(interface)
        if not given:
            return installed
        names = {identity(one) for one in given}
        others = [one for one in installed if identity(one) not in names]
        return others + sound_plugins(interface, given)

    policies = by_claim(found(IAdmissionPolicy), own_name)
    verifiers = by_claim(found(IVerifier), own_name)
    factories = by_claim(found(IStoreFactory), schemes)
    suites = by_claim(found(ICipherSuite), own_name)
    MESSAGES.shown = settings.plugins.log_messages

    plugin_health = PluginHealth(wall_clock(reactor))
    broken = failed_modules()
    for module in broken:
        plugin_health.failed(f"module {module}", ImportError())
    known = load(found(ICapability), broken)
    for name, error in known.failed.items():
        _log.error("{error}; it is left out", error=error)
        plugin_health.failed(f"capability {name}", error)
    handlers = HandlerSet([*known.handlers, *found(IRecordHandler)], settings.plugins.inline)
    factory = factory_of(factories, settings.database_url)
    verifier = settings.verification.verifier
    if verifier not in verifiers:
        raise ValueError(
            f"verification.verifier: there is no verifier {verifier!r}; "
            f"there are {', '.join(sorted(verifiers))}"
        )
    with contained(f"store {factory.schemes[0]}", "opening", passes=(StoreError, ValueError)):
        store = factory.open(settings.database_url, data.key, reactor)
    owner = secrets.token_hex(8)
    refusals = RefusalLog(store, reactor)
    tables = TableSet(handlers.tables)
    privacy = Privacy(settings.privacy.templates, TemplateRules(tables, known.catalogue))
    limits = settings.limits
    registry = Registry(
        store,
        ContainedPolicy(policies[settings.admission], plugin_health),
        settings.timezone,
        privacy.told(settings.options),
        reactor,
        owner,
        _ciphers(settings, suites, plugin_health),
        limits,
        refusals,
    )
    packets = PacketLimits(
        compressed=limits.body_bytes,
        expanded=limits.packet_bytes,
        ratio=limits.packet_ratio,
        members=limits.packet_members,
        member=limits.packet_bytes,
    )
    budget = MemoryBudget(
        limits.bodies_bytes,
        limits.body_wait_seconds,
        lambda sn, address: refusals.refuse(Refusal.BODIES_BYTES, sn, address),
        reactor,
    )
    inbox = PluginInbox(
        store,
        handlers,
        packets,
        reactor,
        settings.plugins,
        plugin_health,
        registry.updated,
        privacy,
    )
    writer = ContentsWriter(store, handlers, packets, privacy, inbox.wake)
    intake = Intake(store, registry, writer, reactor, budget, known.functions.matchers)
    exchange = Exchange(
        store,
        registry,
        intake.tables,
        settings.options,
        secrets.token_bytes,
        refusals,
        privacy,
        known.catalogue,
    )
    queue = CommandQueue(
        store,
        registry,
        settings.commands,
        secrets.choice,
        reactor,
        privacy,
        known.catalogue,
        known.functions,
    )
    answers = CommandAnswers(store, registry, reactor, privacy, known.functions)

    downloads = Downloads(store, refusals)
    verification = BackgroundVerification(
        store, registry, verifiers[verifier], settings.verification, reactor, privacy
    )
    remote = RemoteUsers(store, registry, settings.remote_attendance, reactor, refusals)
    family = AttendancePush(intake, exchange, queue, answers, remote, verification, downloads)
    proxies = Proxies(settings.proxies.trusted)
    admission = AdmissionGate(registry, limits.requests_per_minute, reactor)
    trace = RequestTrace(store, registry.known, known.catalogue, reactor, owner)
    terminals = TerminalSite(
        RequestGate(PathTable(family.routes), admission, refusals, budget, proxies),
        RequestServer(admission, SessionGate(store, registry, refusals, reactor)),
        limits,
        proxies,
        refusals.refuse,
        reactor,
        trace.note,
    )
    retention = Retention(store, settings.events, settings.audit, settings.commands, reactor, owner)
    readings = SecretAccessLog(store, reactor)
    described = [
        *describe(ADMISSION_POLICIES.title, policies.items()),
        *describe(CIPHER_SUITES.title, suites.items()),
        *(PluginInfo("module", module, module, None) for module in broken),
        *describe(RECORD_HANDLER, ((one.name, one.handler) for one in handlers.all)),
        *describe(STORES.title, factories.items()),
        *describe(VERIFIERS.title, verifiers.items()),
    ]
    problems = Problems(store, registry)
    health = HealthCheck(
        store,
        settings.health,
        [
            StoragePlace("data directory", str(data.path)),
            StoragePlace("temporary files", tempfile.gettempdir(), is_temporary=True),
        ],
        data.check_key,
        reactor,
        owner,
    )
    problems.add_source(health.problems)
    problems.add_source(store.problems)
    problems.add_source(inbox.problems)
    problems.add_stored_source(inbox.stored_problems)
    naming = [one.handler for one in handlers.all if INamesPictures.providedBy(one.handler)]
    pictures = PictureCollection(store, naming, reactor, owner)
    problems.add_source(pictures.problems)
    clock_watch = ClockWatch(reactor)
    clock_watch.add(queue.clock_jumped)
    problems.add_source(clock_watch.problems)
    reject_reader = RejectReader(store, registry, intake, writer)
    reject_retry = RejectRetry(store, reject_reader, reactor, owner)
    tokens = Tokens(data.admin_token, store, reactor)
    zones = ZoneKeeper(store, registry, settings.timezone, reactor)
    trace_endpoints = TraceEndpoints(store, trace)
    # Workers share the terminals' certificates with their parent, which logs what is wrong.
    certificates = Certificates(settings.tls, reactor, quiet=inherited is not None)
    installation = Installation(
        store,
        registry,
        health,
        problems,
        [data.path, data.path / "admin.token", data.key_file],
        lambda: [port.url for port in daemon.ports if port.is_open],
        certificates.doubts,
    )
    endpoints = Endpoints(
        store,
        registry,
        queue,
        TokenEndpoints(store, tokens, lambda: secrets.token_urlsafe(TOKEN_BYTES), reactor),
        readings,
        PluginEndpoints(store, described, inbox),
        problems,
        health,
        pictures,
        refusals,
        EventEndpoints(store, reactor, most_streams(limits), RECORDS),
        zones,
        [
            RejectEndpoints(store, readings, reject_reader, tables),
            trace_endpoints,
            DoctorEndpoints(store, registry, trace_endpoints.last_requests, installation, reactor),
            FileEndpoints(store, registry, downloads, readings, limits.file_bytes),
        ],
        known.part("api"),
    )
    if log is not None:
        endpoints.figures.watch_log(log)
    manage = ManageSite(
        endpoints.routes(),
        tokens,
        limits,
        proxies,
        settings.manage.startswith(PROXIED),
        refusals,
        reactor,
    )

    opener: Any = PortOpener(reactor)
    if workers is not None:
        opener = SharingReactor(reactor)
    elif inherited is not None:
        opener = AdoptingReactor(
            reactor,
            inherited.ports,
            lambda port: Turns(
                inherited.board, port, inherited.place, settings.workers, lambda: terminals.is_full
            ),
        )
    daemon = Daemon(
        data,
        store,
        [one.handler for one in handlers.all if IBringsTables.providedBy(one.handler)],
        registry,
        queue,
        refusals,
        inbox,
        problems,
        [tokens, retention, health, pictures, reject_retry, zones] if inherited is None else [],
        [trace],
        [
            Listener(text, server_endpoint(opener, text, certificates.for_terminals), terminals)
            for text in settings.listen
        ],
        None
        if inherited is not None
        else Listener(
            settings.manage,
            server_endpoint(PortOpener(reactor), settings.manage, certificates.for_people),
            manage,
        ),
        workers,
        None if inherited is None else Reporting(refusals.counts, inherited.report, reactor),
        certificates,
        clock_watch,
        new=settings.new and inherited is None,
    )
    problems.add_source(daemon.job_problems)
    return daemon


def _ciphers(settings: Config, found: Mapping[str, ICipherSuite], health: PluginHealth) -> Ciphers:
    """The cipher suites that there are; `ValueError` if the configured one is none for all."""
    suites: dict[str, ICipherSuite] = {
        name: ContainedSuite(suite, health) for name, suite in found.items()
    }
    name = settings.encryption.suite
    exchanging = sorted(name for name, suite in suites.items() if suite.exchanges)
    if name not in exchanging:
        raise ValueError(
            f"encryption.suite: there is no cipher suite {name!r} that exchanges keys; there are "
            f"{', '.join(exchanging)} (others are given to single terminals, with their keys)"
        )
    return Ciphers(suites, settings.encryption)


def _check_admission(name: str) -> object:
    policies = by_claim(sound_plugins(IAdmissionPolicy), own_name)
    if name not in policies:
        there = ", ".join(sorted(policies))
        raise ValueError(f"there is no policy {name!r}; there are {there}")
    return policies[name]


def _check_endpoint(text: str) -> object:
    from twisted.internet import reactor

    return server_endpoint(reactor, text, lambda files: Credentials(files, Tls()))
