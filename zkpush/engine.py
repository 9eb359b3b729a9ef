"""The engine: the services of the daemon that belong to no capability, in dependency order."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from .clockwatch import ClockWatch
from .config import Config
from .containment import contained
from .datadir import DataDirectory
from .device.answers import CommandAnswers
from .device.budget import MemoryBudget
from .device.contents import ContentsReader
from .device.downloads import Downloads
from .device.exchange import Exchange
from .device.gate import AdmissionGate
from .device.intake import Intake
from .device.packages import Packages
from .device.plugininbox import PluginInbox
from .device.privacy import Privacy
from .device.proxies import Proxies
from .device.queue import CommandQueue
from .device.refusals import Refusal, RefusalLog
from .device.registry import Registry
from .device.sessiongate import SessionGate
from .device.sitecommands import with_site_commands
from .device.unserved import UnservedRequests
from .device.unservedbodies import UnservedBodies
from .device.zones import ZoneKeeper
from .installed import InstalledPlugins
from .interfaces import IBringsTables, INamesPictures, IStore, StoreError
from .manage.auth import Tokens
from .manage.collection import PictureCollection
from .manage.health import HealthCheck
from .manage.problemnews import ProblemAnnouncer
from .manage.problems import Problems
from .manage.readings import SecretAccessLog
from .manage.retention import Retention
from .manage.services import Installation, Services
from .manage.tokens import TOKEN_BYTES, TokenAdministration
from .origins import SettingOrigins
from .periodic import PeriodicService
from .protocol.omission import TemplateRules
from .protocol.packets import PacketLimits
from .protocol.tableset import TableSet
from .resources.gate import RequestGate
from .resources.paths import PathTable
from .resources.serving import RequestServer
from .tls import Certificates
from .values.storage import StoragePlace


@attrs.frozen(kw_only=True)
class Engine:
    """The services that capabilities use, and the ones that only the composition root connects."""

    services: Services
    brings: Sequence[IBringsTables]
    """Record handlers with tables of their own."""
    exchange: Exchange
    answers: CommandAnswers
    budget: MemoryBudget
    admission: AdmissionGate
    session: SessionGate
    proxies: Proxies
    unserved: UnservedRequests
    unserved_bodies: UnservedBodies
    inbox: PluginInbox
    pictures: PictureCollection
    announcer: ProblemAnnouncer
    tokens: Tokens
    retention: Retention
    certificates: Certificates
    clock_watch: ClockWatch

    @property
    def jobs(self) -> list[PeriodicService]:
        """Jobs of the process that serves people."""
        return [
            self.tokens,
            self.retention,
            self.services.health,
            self.pictures,
            self.services.zones,
            self.announcer,
        ]

    def gate(self, paths: PathTable) -> RequestGate:
        """Make the gate of the terminals' port."""
        services = self.services
        return RequestGate(
            paths,
            self.admission,
            services.refusals,
            self.budget,
            self.proxies,
            services.registry,
            self.unserved_bodies.keep,
            self.unserved_bodies.report,
        )

    def server(self, gate: RequestGate) -> RequestServer:
        """Make the server, which checks requests with the gate and answers them."""
        return RequestServer(gate, self.services.registry, self.admission, self.session)


def open_store(
    settings: Config, data: DataDirectory, found: InstalledPlugins, reactor: Any
) -> IStore:
    """Make the store of the configured database, not started yet."""
    plugin = f"store {found.factory.schemes[0]}"
    with contained(plugin, "opening", passes=(StoreError, ValueError)):
        return found.factory.open(settings.database_url, data.key, reactor)


def assemble(
    settings: Config,
    data: DataDirectory,
    reactor: Any,
    found: InstalledPlugins,
    urls: Callable[[], Sequence[str]],
    origins: SettingOrigins,
    *,
    is_worker: bool,
) -> Engine:
    """Make the services; `ValueError` or `PluginError` if that fails.

    `urls` returns the URLs of the open ports; `origins` says where the settings come from.
    """
    limits, handlers, known = settings.limits, found.handlers, found.capabilities
    catalogue = with_site_commands(
        known.catalogue, settings.commands.site, settings.commands.site_parameters
    )
    owner = secrets.token_hex(8)
    store = open_store(settings, data, found, reactor)
    refusals = RefusalLog(store, reactor)
    tables = TableSet(handlers.tables)
    privacy = Privacy(settings.privacy.templates, TemplateRules(tables, catalogue))
    registry = Registry(
        store,
        found.policy,
        settings.timezone,
        privacy.told(settings.options),
        reactor,
        owner,
        found.ciphers,
        found.families,
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
        found.health,
        registry.updated,
        privacy,
    )
    reader = ContentsReader(store, handlers, packets, privacy, inbox.wake, found.families)
    unserved = UnservedRequests(registry, refusals)
    intake = Intake(store, registry, reader, reactor, budget, known.functions, unserved)
    exchange = Exchange(
        store,
        registry,
        intake.tables,
        settings.options,
        secrets.token_bytes,
        refusals,
        privacy,
        catalogue,
    )
    queue = CommandQueue(
        store,
        registry,
        settings.commands,
        secrets.choice,
        reactor,
        privacy,
        catalogue,
        known.functions,
        known.intents,
    )
    places = [
        StoragePlace("data directory", str(data.path)),
        StoragePlace("temporary files", tempfile.gettempdir(), is_temporary=True),
    ]
    problems = Problems(store, registry, known.problems)
    health = HealthCheck(store, settings.health, places, data.check_key, reactor, owner)
    naming = [one.handler for one in handlers.all if INamesPictures.providedBy(one.handler)]
    pictures = PictureCollection(store, naming, reactor, owner)
    clock_watch = ClockWatch(reactor)
    clock_watch.add(queue.clock_jumped)
    for source in (
        health.problems,
        store.problems,
        inbox.problems,
        pictures.problems,
        clock_watch.problems,
        unserved.problems,
    ):
        problems.add_source(source)
    problems.add_stored_source(inbox.stored_problems)
    # Workers share the terminals' certificates with their parent, which logs faults.
    form = settings.commands.package_format
    packages = Packages(store, known.functions, known.intents, catalogue, form, data.path, reactor)
    certificates = Certificates(settings.tls, reactor, quiet=is_worker)
    tokens = Tokens(data.admin_token, store, reactor)
    return Engine(
        services=Services(
            settings=settings,
            clock=reactor,
            owner=owner,
            store=store,
            registry=registry,
            zones=ZoneKeeper(store, registry, settings.timezone, reactor),
            queue=queue,
            intake=intake,
            reader=reader,
            downloads=Downloads(store, refusals, packages),
            privacy=privacy,
            refusals=refusals,
            tables=tables,
            catalogue=catalogue,
            events=known.events,
            secret_access=SecretAccessLog(store, reactor),
            tokens=TokenAdministration(
                store, tokens, lambda: secrets.token_urlsafe(TOKEN_BYTES), reactor
            ),
            problems=problems,
            health=health,
            verifiers=found.verifiers,
            forwarders=found.forwarders,
            installation=Installation(
                secret_paths=[data.path, data.path / "admin.token", data.key_file],
                urls=urls,
                certificates=certificates.doubts,
                origins=origins,
            ),
            erasers=[
                part.erase_person
                for part in reversed(known.part("store"))
                if hasattr(part, "erase_person")
            ],
            counters=[
                part.count_punches for part in known.part("store") if hasattr(part, "count_punches")
            ],
            enders=[
                part.end_terminal
                for part in reversed(known.part("store"))
                if hasattr(part, "end_terminal")
            ],
        ),
        brings=[one.handler for one in handlers.all if IBringsTables.providedBy(one.handler)],
        exchange=exchange,
        answers=CommandAnswers(store, registry, reactor, privacy, known.functions),
        budget=budget,
        admission=AdmissionGate(registry, limits.requests_per_minute, unserved, reactor),
        session=SessionGate(store, registry, refusals, reactor),
        proxies=Proxies(settings.proxies.trusted),
        unserved=unserved,
        unserved_bodies=UnservedBodies(store, registry, intake, privacy, unserved),
        inbox=inbox,
        pictures=pictures,
        announcer=ProblemAnnouncer(store, problems, owner, reactor),
        tokens=tokens,
        retention=Retention(
            store, settings.events, settings.audit, settings.commands, reactor, owner
        ),
        certificates=certificates,
        clock_watch=clock_watch,
    )
