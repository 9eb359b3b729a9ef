"""Pages that mend problems, by their codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from ...pathparts import path_part
from ...problems import ProblemCode
from ...protocol.fields import Scope
from ..views import ProblemView
from .phrases import Phrase


@attrs.frozen
class MendingPage:
    """A link to the page where a problem is solved."""

    label: Phrase
    path: str
    """Path under `/console`; `%s` stands for the encoded serial number."""
    scope: Scope = Scope.READ
    """Scope without which it is not shown."""


CHECKS = MendingPage(Phrase("Why no punches?"), "/terminals/%s/doctor")
_ZONE = MendingPage(Phrase("Set the time zone"), "/terminals/%s#change", Scope.WRITE)
_CLOCK = MendingPage(Phrase("What to do about its clock"), "/terminals/%s#state")
_KEYS = MendingPage(Phrase("Look at its keys"), "/terminals/%s/approve", Scope.WRITE)
_PROTECTION = MendingPage(Phrase("Look at its protection"), "/terminals/%s/settings")
_REQUESTS = MendingPage(Phrase("Look at its requests"), "/terminals/%s/requests")
_REJECTS = MendingPage(Phrase("Look at what was not understood"), "/rejects?device=%s")
_COMMANDS = MendingPage(Phrase("Look at its commands"), "/commands?device=%s")
_DAYS = MendingPage(Phrase("Look at the days"), "/terminals/%s/completeness")
_PEOPLE = MendingPage(Phrase("Look at its people"), "/terminals/%s/people")
_ACCESS = MendingPage(Phrase("Look at the access data"), "/access")
_CONFLICTS = MendingPage(Phrase("Settle the conflicts"), "/people/conflicts", Scope.WRITE)
_FORWARDERS = MendingPage(Phrase("Look at the forwarders"), "/forwarders", Scope.ADMIN)

_PAGES: Mapping[str, MendingPage] = {
    ProblemCode.NO_ZONE: _ZONE,
    ProblemCode.PROXY_DATE: _ZONE,
    ProblemCode.CLOCK_WRONG: _CLOCK,
    ProblemCode.KEY_CHANGED: _KEYS,
    ProblemCode.SEVERAL_KEYS: _KEYS,
    ProblemCode.OTHER_FAMILY: _KEYS,
    ProblemCode.OTHER_ADDRESS: _PROTECTION,
    ProblemCode.TWO_PLACES: _PROTECTION,
    ProblemCode.CANNOT_ENCRYPT: _PROTECTION,
    ProblemCode.NO_TOKEN: _PROTECTION,
    ProblemCode.TOKEN_MISSING: _PROTECTION,
    ProblemCode.SECOND_SESSION: _REQUESTS,
    ProblemCode.UNKNOWN_REQUESTS: _REQUESTS,
    ProblemCode.NOT_OPENED: _REQUESTS,
    ProblemCode.FOREIGN_TOKEN: _REQUESTS,
    ProblemCode.REJECTS: _REJECTS,
    ProblemCode.COMMANDS_GIVEN_UP: _COMMANDS,
    ProblemCode.QUEUE_STUCK: _COMMANDS,
    ProblemCode.SECRETS_WAIT: _COMMANDS,
    ProblemCode.UNKNOWN_ANSWERS: _COMMANDS,
    ProblemCode.COUNT_DIFFERS: _DAYS,
    ProblemCode.RECORDS_MISSING: _DAYS,
    ProblemCode.REMOVED_PERSON: _PEOPLE,
    ProblemCode.DELETIONS_WAIT: _PEOPLE,
    ProblemCode.NOT_DISTRIBUTED: _PEOPLE,
    ProblemCode.DRIFT: _PEOPLE,
    ProblemCode.ACCESS_REFUSED: _ACCESS,
    ProblemCode.CONFLICT: _CONFLICTS,
    "forwarder failing": _FORWARDERS,
    "forwarder stopped": _FORWARDERS,
    "forwarder unusable": _FORWARDERS,
    "dead letters": _FORWARDERS,
}


@attrs.frozen
class ShownProblem:
    """A problem with the page that mends it."""

    view: ProblemView
    page: MendingPage | None

    @property
    def needs(self) -> Scope:
        """The scope of whoever can follow the advice."""
        page = self.page
        return Scope.WRITE if page is None or page.scope is Scope.READ else page.scope


def shown_problems(problems: Iterable[ProblemView]) -> list[ShownProblem]:
    """Return problems with the pages that mend them."""
    return [ShownProblem(view, mending_page(view)) for view in problems]


def mending_page(problem: ProblemView) -> MendingPage | None:
    """Return the page that mends a problem, with its path filled in; None without one."""
    sn = problem.device
    page = _PAGES.get(problem.code, None if sn is None else CHECKS)
    if page is None or (sn is None and "%s" in page.path):
        return None
    return attrs.evolve(page, path=page.path.replace("%s", path_part(sn or "")))
