"""Services of people: replies to terminals that request a user or a verification, deletions of
erased people, and questions about users whom terminals have not stated."""

from __future__ import annotations

from ...device.questions import Question
from ...manage.services import Contribution, Role, Services
from .identifying import UserQuestions
from .problems import problems_thd
from .remote import RemoteUsers
from .returns import ErasedReturns
from .verification import BackgroundVerification


def contribute(services: Services) -> Contribution:
    """Provide the replies; raises `ValueError` if the configured verifier is not installed."""
    settings = services.settings
    name, verifiers = settings.verification.verifier, services.verifiers
    if name not in verifiers:
        raise ValueError(
            f"verification.verifier: there is no verifier {name!r}; "
            f"there are {', '.join(sorted(verifiers))}"
        )
    remote = RemoteUsers(
        services.store,
        services.registry,
        settings.remote_attendance,
        services.clock,
        services.refusals,
    )
    verification = BackgroundVerification(
        services.store,
        services.registry,
        verifiers[name],
        settings.verification,
        services.clock,
        services.privacy,
    )
    parts = (services.store, services.queue, services.now, services.clock)
    periodic = (ErasedReturns(*parts), UserQuestions(*parts))
    return Contribution(
        services=[(Role.DATABASE, one) for one in periodic],
        answers={Question.USER: remote.answer, Question.ADMITTANCE: verification.answer},
        stored_problems=[problems_thd],
    )
