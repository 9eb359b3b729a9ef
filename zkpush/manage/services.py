"""What the daemon and the parts of capabilities exchange: its services, and what they add to it."""

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
from ..http.messages import Reply, RequestHead, Verdict
from ..interfaces import IStore, IVerifier
from ..periodic import PeriodicService
from ..protocol.catalogue import Catalogue
from ..protocol.tableset import TableSet
from .feed import RecordSource
from .health import HealthCheck
from .problems import Problems, Source, StoredSource
from .readings import SecretAccessLog
from .routes import Route

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)
Watch = Callable[[RequestHead, Verdict | None, Reply], object]
"""Called with each request of a terminal, what was decided on its head, and its reply. An
`AcceptedRequest` is what it was taken for; anything else stands for a refused request."""


class Offers:
    """The objects that capabilities offer to those that require them, by their classes."""

    def __init__(self) -> None:
        self._by_class: dict[type, tuple[str, Any]] = {}

    def add(self, capability: str, offered: object) -> None:
        """Add an object; `ValueError` if another capability offers one of the same class."""
        owner, _ = self._by_class.setdefault(type(offered), (capability, offered))
        if owner != capability:
            raise ValueError(f"{owner} and {capability} both offer a {type(offered).__name__}")

    def __getitem__(self, kind: type[T]) -> T:
        """The object of a class; `LookupError` if no capability offers it."""
        offered: T = self._by_class[kind][1]
        return offered


@attrs.frozen(kw_only=True)
class Installation:
    """Facts about this process and where it runs, for checks."""

    secret_paths: Sequence[Path]
    """The data directory and files in it that are for their owner only."""
    urls: Callable[[], Sequence[str]]
    """URLs of the open ports; those of terminals first."""
    certificates: Callable[[], Sequence[str] | None]
    """Faults of certificates; None where no port uses TLS."""


@attrs.frozen(kw_only=True)
class Services:
    """The services of the daemon, which `contribute` and `routes` of a capability take."""

    settings: Config
    clock: Any
    """The reactor, or a `Clock` in tests."""
    owner: str
    """The name of this process in leases."""
    store: IStore
    registry: Registry
    queue: CommandQueue
    intake: Intake
    reader: ContentsReader
    downloads: Downloads
    privacy: Privacy
    refusals: RefusalLog
    tables: TableSet
    """The tables of all record handlers."""
    catalogue: Catalogue
    events: Sequence[str]
    """The kinds of events that are added to the store."""
    secret_access: SecretAccessLog
    """Records in the audit log that a caller was shown secrets."""
    problems: Problems
    health: HealthCheck
    verifiers: Mapping[str, IVerifier]
    installation: Installation
    offers: Offers = attrs.field(factory=Offers)
    """Objects of the capabilities that this one requires, and its own."""

    def now(self) -> int:
        """The time, in milliseconds since the epoch."""
        return self.registry.now()

    def section(self, kind: type[S]) -> S:
        """The section of the configuration of a type, which is the `SETTINGS` of a capability."""
        return section_of(self.settings, kind)


class Role(Enum):
    """The processes that run a service."""

    PROCESS = "process"
    """Every process."""
    NODE = "node"
    """One process of each node: the one that serves people."""


@attrs.frozen(kw_only=True)
class Figure:
    """A metric without labels."""

    name: str
    """Begins with `zkpush_` and the name of the capability."""
    meaning: str
    read: Callable[[], float]
    """Returns the value of now; called at each scrape, on the reactor."""
    is_counter: bool = False


@attrs.frozen(kw_only=True)
class Contribution:
    """What a capability adds to a running daemon; all of it is optional."""

    services: Sequence[tuple[Role, PeriodicService]] = ()
    offers: Sequence[object] = ()
    """Objects for the other parts of the capability, and for capabilities that require it."""
    answers: Mapping[Question, Answerer] = {}
    """Answers to questions of terminals."""
    problems: Sequence[Source] = ()
    """Functions that return problems of the server; they must not block."""
    stored_problems: Sequence[StoredSource] = ()
    """The same with a unit of work, on a thread of the database."""
    figures: Sequence[Figure] = ()
    watches: Sequence[Watch] = ()
    """Functions that are called with each request of a terminal."""


@attrs.frozen
class Addition:
    """All that one capability adds to a running daemon."""

    name: str
    contribution: Contribution
    routes: Sequence[Route]
    records: RecordSource | None
    """The table of records that are events themselves, if it brings one."""


class Contributions:
    """What all capabilities add, in the order of what they require."""

    def __init__(self) -> None:
        self.jobs: list[PeriodicService] = []
        """For one process of each node."""
        self.recorders: list[PeriodicService] = []
        """For every process."""
        self.answers: dict[Question, Answerer] = {}
        self.figures: list[Figure] = []
        self.routes: list[Route] = []
        self._watches: list[Watch] = []
        self._records: list[tuple[str, RecordSource]] = []

    def add(self, addition: Addition, services: Services) -> None:
        """Add what one capability brings; `ValueError` if another answers the same question."""
        contribution = addition.contribution
        for question, answer in contribution.answers.items():
            if question in self.answers:
                raise ValueError(
                    f"{addition.name}: another capability answers the {question.value}, too"
                )
            self.answers[question] = answer
        for role, service in contribution.services:
            (self.jobs if role is Role.NODE else self.recorders).append(service)
        for source in contribution.problems:
            services.problems.add_source(source)
        for stored in contribution.stored_problems:
            services.problems.add_stored_source(stored)
        self.figures += contribution.figures
        self._watches += contribution.watches
        self.routes += addition.routes
        if addition.records is not None:
            self._records.append((addition.name, addition.records))

    def check(self) -> None:
        """`ValueError` if a question has no answer, or not exactly one capability has records."""
        missing = [question.value for question in Question if question not in self.answers]
        if missing:
            raise ValueError(f"no capability answers the {', '.join(missing)}")
        if len(self._records) != 1:
            names = ", ".join(name for name, _ in self._records) or "none"
            raise ValueError(
                f"one capability must bring RECORDS, the records that are events; found: {names}"
            )

    @property
    def records(self) -> RecordSource:
        """The table of records that are events themselves."""
        return self._records[0][1]

    @property
    def watch(self) -> Watch:
        """All watches as one."""
        watches = tuple(self._watches)
        if len(watches) == 1:
            return watches[0]

        def watch(head: RequestHead, verdict: Verdict | None, reply: Reply) -> None:
            for each in watches:
                each(head, verdict, reply)

        return watch
