"""Services of a capability: jobs, figures, problems and offers, which it adds to the daemon.

`contribute(services)` of a `services` part takes `Services` and returns a `Contribution`. The
stable attributes of `Services` are `store.read` and `store.write` with a unit of work, `clock`,
`now()`, `section(kind)` and `offers[kind]`. A job is a `PeriodicService` with `every`; it runs on
the reactor and must not block.
"""

from __future__ import annotations

from ..manage.services import Contribution, Figure, Role, Services
from ..periodic import PeriodicService
from ..problems import ProblemKind, ServerProblem

__all__ = [
    "Contribution",
    "Figure",
    "PeriodicService",
    "ProblemKind",
    "Role",
    "ServerProblem",
    "Services",
]
