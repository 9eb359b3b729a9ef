"""The services that capabilities use, and the contributions they add to the daemon."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import attrs
import msgspec

from ..config import Config, section_of
from ..device.contents import ContentsReader
from ..device.downloads import Downloads
from ..device.intake import Intake
from ..device.privacy import Privacy
from ..device.questions import Answerer, Question
from ..device.queue import CommandQueue
from ..device.refusals import RefusalLog
from ..device.registry import Registry
from ..device.zones import ZoneKeeper
from ..http.messages import Reply, RequestHead, Verdict
from ..interfaces import IForwarder, IStore, IVerifier
from ..origins import SettingOrigins
from ..periodic import PeriodicService
from ..persist.ending import EndTerminal
from ..persist.erasing import ErasePerson
from ..persist.transaction import Transaction
from ..protocol.catalogue import Catalogue
from ..protocol.tableset import TableSet
from ..values.punchspans import PunchSpan
from .console.pages import ConsoleAddition
from .console.visits import SignIn
from .health import HealthCheck
from .leasing import Leadership
from .news import RecordSource
from .problems import Problems, Source, StoredSource
from .readings import SecretAccessLog
from .routes import Route
from .tokens import TokenAdministration

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)
Watch = Callable[[RequestHead, Verdict | None, Reply], object]
"""Called with each request of a terminal, the verdict on its head, and its reply. The verdict is an
`AcceptedRequest`, or anything else for a refused request."""
CountPunches = Callable[[Transaction, PunchSpan], int]
"""`count_punches` of a capability's `store` part: counts its punches of a user ID in a span."""


class Offers:
    """Objects that capabilities offer to the ones that require them, by class."""

    def __init__(self) -> None:
        self._by_class: dict[type, tuple[str, Any]] = {}

    def add(self, capability: str, offered: object) -> None:
        """Add an object; `ValueError` if another capability offers one of the same class."""
        owner, _ = self._by_class.setdefault(type(offered), (capability, offered))
        if owner != capability:
            raise ValueError(f"{owner} and {capability} both offer a {type(offered).__name__}")

    def __getitem__(self, kind: type[T]) -> T:
        """Return the object of a class; `LookupError` if no capability offers it."""
        offered: T = self._by_class[kind][1]
        return offered


@attrs.frozen(kw_only=True)
class Installation:
    """Facts about this process and its environment, for checks."""

    secret_paths: Sequence[Path]
    """The data directory and the files that only its owner may access."""
    urls: Callable[[], Sequence[str]]
    """Returns the URLs of the open ports, terminals first."""
    certificates: Callable[[], Sequence[str] | None]
    """Returns faults of certificates; None if no port uses TLS."""
    origins: SettingOrigins
    """Where the settings come from."""


@attrs.frozen(kw_only=True)
class Services:
    """Services of the daemon, passed to `contribute` and `routes` of a capability."""

    settings: Config
    clock: Any
    """The reactor, or a `Clock` in tests."""
    owner: str
    """Name of this process in leases."""
    store: IStore
    registry: Registry
    zones: ZoneKeeper
    queue: CommandQueue
    intake: Intake
    reader: ContentsReader
    downloads: Downloads
    privacy: Privacy
    refusals: RefusalLog
    tables: TableSet
    """Tables of all record handlers."""
    catalogue: Catalogue
    events: Sequence[str]
    """Kinds of events that are added to the store."""
    secret_access: SecretAccessLog
    """Records in the audit log that a caller was shown secrets."""
    tokens: TokenAdministration
    problems: Problems
    health: HealthCheck
    verifiers: Mapping[str, IVerifier]
    forwarders: Mapping[str, IForwarder]
    """Installed kinds of forwarders, by name."""
    installation: Installation
    erasers: Sequence[ErasePerson] = ()
    """Functions of all capabilities that remove what their tables hold about a person, each before
    those of the capabilities that it requires."""
    enders: Sequence[EndTerminal] = ()
    """Functions of all capabilities that take part in the end of a terminal, in the same order."""
    counters: Sequence[CountPunches] = ()
    """Functions of all capabilities that count their punches."""
    offers: Offers = attrs.field(factory=Offers)
    """Objects offered by this capability and by the ones it requires."""

    def now(self) -> int:
        """Return the time, in milliseconds since the epoch."""
        return self.registry.now()

    def count_punches_thd(self, tx: Transaction, span: PunchSpan) -> int:
        """Count the punches of a user ID in a span of time."""
        return sum(count(tx, span) for count in self.counters)

    def section(self, kind: type[S]) -> S:
        """Return the configuration section of a type, the `SETTINGS` of a capability."""
        return section_of(self.settings, kind)


class Role(Enum):
    """Processes that run a service."""

    PROCESS = "process"
    """Every process."""
    NODE = "node"
    """One process of each node: the one that serves people."""
    DATABASE = "database"
    """One process among all of a database: the one of a node that holds the lease.

    Another node takes over at a stop, or a minute after a crash. A run that has begun does not
    end when the lease is lost, so its units of work must be harmless when two processes run them.
    """


@attrs.frozen(kw_only=True)
class Figure:
    """A metric without labels."""

    name: str
    """Name, which begins with `zkpush_` and the name of the capability."""
    meaning: str
    read: Callable[[], float]
    """Returns the current value; called at each scrape, on the reactor."""
    is_counter: bool = False


@attrs.frozen(kw_only=True)
class Contribution:
    """The additions of a capability to a running daemon; all are optional."""

    services: Sequence[tuple[Role, PeriodicService]] = ()
    offers: Sequence[object] = ()
    """Objects for the other parts of the capability, and for capabilities that require it."""
    answers: Mapping[Question, Answerer] = {}
    """Answers to questions of terminals."""
    problems: Sequence[Source] = ()
    """Functions that return problems of the server; they must not block."""
    stored_problems: Sequence[StoredSource] = ()
    """Like `problems`, but called with a unit of work on a thread of the store."""
    figures: Sequence[Figure] = ()
    watches: Sequence[Watch] = ()
    """Functions that are called with each request of a terminal."""
    sign_in: SignIn | None = None
    """Sessions of people in the console, which one capability brings."""


@attrs.frozen
class Addition:
    """A contribution with the records, routes and pages of its capability."""

    name: str
    contribution: Contribution
    routes: Sequence[Route]
    records: RecordSource | None
    """The table whose records are events themselves, if the capability has it."""
    console: ConsoleAddition


class Contributions:
    """The contributions of all capabilities, in the order of requirements."""

    def __init__(self) -> None:
        self.jobs: list[PeriodicService] = []
        """Services for the process of each node that serves people."""
        self.recorders: list[PeriodicService] = []
        """Services for every process."""
        self.answers: dict[Question, Answerer] = {}
        self.figures: list[Figure] = []
        self.routes: list[Route] = []
        self.console: list[ConsoleAddition] = []
        """Pages, forms and live parts of the capabilities that have some."""
        self._sign_ins: list[tuple[str, SignIn]] = []
        self._watches: list[Watch] = []
        self._records: list[tuple[str, RecordSource]] = []

    def add(self, addition: Addition, services: Services) -> None:
        """Add a contribution; `ValueError` if another capability answers the same question."""
        contribution = addition.contribution
        for question, answer in contribution.answers.items():
            if question in self.answers:
                raise ValueError(
                    f"{addition.name}: another capability answers the {question.value}, too"
                )
            self.answers[question] = answer
        self._add_services(addition, services)
        for source in contribution.problems:
            services.problems.add_source(source)
        for stored in contribution.stored_problems:
            services.problems.add_stored_source(stored)
        self.figures += contribution.figures
        self._watches += contribution.watches
        self.routes += addition.routes
        if addition.console.routes:
            self.console.append(addition.console)
        if contribution.sign_in is not None:
            self._sign_ins.append((addition.name, contribution.sign_in))
        if addition.records is not None:
            self._records.append((addition.name, addition.records))

    def _add_services(self, addition: Addition, services: Services) -> None:
        leadership: Leadership | None = None
        for role, service in addition.contribution.services:
            if role is Role.PROCESS:
                self.recorders.append(service)
                continue
            if role is Role.DATABASE:
                if leadership is None:
                    leadership = Leadership(
                        services.store, services.clock, services.now, services.owner, addition.name
                    )
                    self.jobs.append(leadership)
                service.run_if(leadership.hold)
            self.jobs.append(service)

    def check(self) -> None:
        """Raise `ValueError` for an unanswered question, or a missing or second unique part.

        Unique are the table of records, and the sessions of people.
        """
        missing = [question.value for question in Question if question not in self.answers]
        if missing:
            raise ValueError(f"no capability answers the {', '.join(missing)}")
        if len(self._records) != 1:
            names = ", ".join(name for name, _ in self._records) or "none"
            raise ValueError(
                f"one capability must bring RECORDS, the records that are events; found: {names}"
            )
        if len(self._sign_ins) != 1:
            names = ", ".join(name for name, _ in self._sign_ins) or "none"
            raise ValueError(
                f"one capability must bring the sign-in of the console; found: {names}"
            )

    @property
    def records(self) -> RecordSource:
        """The table whose records are events themselves."""
        return self._records[0][1]

    @property
    def sign_in(self) -> SignIn:
        """The sessions of people."""
        return self._sign_ins[0][1]

    @property
    def watch(self) -> Watch:
        """Return one watch that calls all watches."""
        watches = tuple(self._watches)
        if len(watches) == 1:
            return watches[0]

        def watch(head: RequestHead, verdict: Verdict | None, reply: Reply) -> None:
            for each in watches:
                each(head, verdict, reply)

        return watch
