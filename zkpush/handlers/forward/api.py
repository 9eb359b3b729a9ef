"""API of forwarders, for administrators."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import attrs

from ...manage.errors import not_found
from ...manage.limits import WholeSite
from ...manage.listing import Listing, whole
from ...manage.lists import ApiList
from ...manage.routes import Route
from ...manage.services import Services
from ...manage.times import instant
from ...model import Caller, Page
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...protocol.fields import Scope
from ...values.forwarding import Delivered
from .deadletters import DeadLetters
from .model import DeadLetter, ForwarderBacklog, ForwarderState, StoredAttempt, StoredForwarder
from .operating import Operations, operations_of
from .pending import OUTCOME_NAMES
from .queue import DeliveryQueue
from .replaying import Replays
from .service import ForwardEngine
from .status import backlogs_thd
from .store import ForwarderStore
from .views import (
    AttemptView,
    DeadLetterView,
    DiscardRequest,
    DiscardView,
    ForwarderChange,
    ForwarderKindView,
    ForwarderRequest,
    ForwarderView,
    NewForwarderView,
    ReplayRequest,
    ReplayView,
    RotatedView,
    TestView,
    attempt_view,
    dead_view,
    forwarder_values,
    kind_view,
)

FORWARDERS = WholeSite("Forwarders send the records of all areas; use a token without areas.")
_Found = tuple[StoredForwarder, ForwarderBacklog]


class ForwarderEndpoints:
    """Handlers of the routes of forwarders."""

    def __init__(self, services: Services, engine: ForwardEngine, operations: Operations) -> None:
        self._store = services.store
        self._engine = engine
        self._operations = operations
        self._replays = Replays(engine, operations)
        self._letters = DeadLetters(engine, operations)

    def routes(self) -> list[Route]:
        """Return the routes."""
        one = "/forwarders/<int:id>"
        admin, by = Scope.ADMIN, ("caller",)
        found = [
            ApiList[_Found](
                path="/forwarders",
                summary="Forwarders: where events go, and how far each is",
                view=ForwarderView,
                scope=admin,
                find_thd=lambda tx, part, query: self._page_thd(tx, part),
                show=lambda found, caller: self._view(*found),
                key=lambda found: found[0].id,
            ).route(self._store),
            Route(
                "POST",
                "/forwarders",
                admin,
                self.create,
                "Make a forwarder; its signing secret is shown this once",
                body=ForwarderRequest,
                returns=NewForwarderView,
                status=HTTPStatus.CREATED,
                takes=by,
            ),
            Route("GET", one, admin, self.show, "A forwarder", returns=ForwarderView),
            Route(
                "PATCH",
                one,
                admin,
                self.change,
                "Change the settings, events or rules of a forwarder",
                body=ForwarderChange,
                returns=ForwarderView,
                takes=by,
            ),
            Route(
                "DELETE",
                one,
                admin,
                self.remove,
                "Remove a forwarder, with its pending events and dead letters",
                status=HTTPStatus.NO_CONTENT,
                takes=by,
            ),
            Route(
                "POST",
                "/forwarders/<int:id>/pause",
                admin,
                self.pause,
                "Pause a forwarder: its events are kept",
                returns=ForwarderView,
                takes=by,
            ),
            Route(
                "POST",
                "/forwarders/<int:id>/resume",
                admin,
                self.resume,
                "Resume a forwarder, and try at once",
                returns=ForwarderView,
                takes=by,
            ),
            Route(
                "POST",
                "/forwarders/<int:id>/test",
                admin,
                self.test,
                "Send one sample event, and tell what came back",
                returns=TestView,
                takes=by,
            ),
            Route(
                "POST",
                "/forwarders/<int:id>/rotate",
                admin,
                self.rotate,
                "Make a new signing secret; for a day, the old one signs as well",
                returns=RotatedView,
                takes=by,
            ),
            Route(
                "POST",
                "/forwarders/<int:id>/replay",
                admin,
                self.replay,
                "Send the events of a period, or dead letters, again",
                body=ReplayRequest,
                returns=ReplayView,
                takes=by,
            ),
            Route(
                "POST",
                "/forwarders/<int:id>/discard",
                admin,
                self.discard,
                "Discard dead letters: the receiver never gets these events",
                body=DiscardRequest,
                returns=DiscardView,
                limited=FORWARDERS,
                takes=by,
            ),
            ApiList[StoredAttempt](
                path="/forwarders/<int:id>/deliveries",
                summary="The last attempts of a forwarder to deliver",
                view=AttemptView,
                scope=admin,
                find_thd=lambda tx, part, query, id: tx[DeliveryQueue].attempts(part, id),
                show=lambda attempt, caller: attempt_view(attempt),
            ).route(self._store),
            ApiList[DeadLetter](
                path="/forwarders/<int:id>/dead",
                summary="Dead letters: events that the receiver did not take",
                view=DeadLetterView,
                scope=admin,
                find_thd=lambda tx, part, query, id: tx[DeliveryQueue].dead(part, id),
                show=lambda letter, caller: dead_view(letter),
            ).route(self._store),
            Route(
                "GET",
                "/forwarder-kinds",
                admin,
                self.kinds,
                "Kinds of forwarders, with their settings",
                returns=Listing[ForwarderKindView],
            ),
        ]
        return [attrs.evolve(route, limited=FORWARDERS) for route in found]

    async def create(self, body: ForwarderRequest, caller: Caller) -> NewForwarderView:
        """Make a forwarder."""
        added, secret = await self._operations.create(body, caller)
        found = await self._find(added.id)
        return NewForwarderView(secret=secret, **self._values(*found))

    async def show(self, id: int) -> ForwarderView:
        """Return a forwarder."""
        return self._view(*await self._find(id))

    async def change(self, id: int, body: ForwarderChange, caller: Caller) -> ForwarderView:
        """Change a forwarder."""
        await self._operations.change(id, body, caller)
        return await self.show(id)

    async def remove(self, id: int, caller: Caller) -> None:
        """Remove a forwarder."""
        await self._operations.remove(id, caller)

    async def pause(self, id: int, caller: Caller) -> ForwarderView:
        """Pause a forwarder."""
        await self._operations.set_state(id, ForwarderState.PAUSED, caller)
        return await self.show(id)

    async def resume(self, id: int, caller: Caller) -> ForwarderView:
        """Resume a forwarder."""
        await self._operations.set_state(id, ForwarderState.ACTIVE, caller)
        return await self.show(id)

    async def test(self, id: int, caller: Caller) -> TestView:
        """Send a sample event."""
        stored, _ = await self._find(id)
        await self._operations.note_test(stored, caller)
        outcome = await self._engine.test(stored)
        is_delivered = isinstance(outcome, Delivered)
        words = outcome.words if isinstance(outcome, Delivered) else outcome.reason
        return TestView(is_delivered, OUTCOME_NAMES[type(outcome)], words)

    async def rotate(self, id: int, caller: Caller) -> RotatedView:
        """Make a new secret."""
        secret, until = await self._operations.rotate(id, caller)
        return RotatedView(secret, instant(until))

    async def replay(self, id: int, body: ReplayRequest, caller: Caller) -> ReplayView:
        """Send events again."""
        return await self._replays.replay(id, body, caller)

    async def discard(self, id: int, body: DiscardRequest, caller: Caller) -> DiscardView:
        """Discard dead letters."""
        return await self._letters.discard(id, body, caller)

    async def kinds(self) -> Listing[ForwarderKindView]:
        """List the installed kinds."""
        return whole([kind_view(kind) for _, kind in sorted(self._engine.kinds.items())])

    def _page_thd(self, tx: Transaction, part: Page) -> list[_Found]:
        found = tx[ForwarderStore].page(part)
        backlogs = backlogs_thd(tx, self._engine.around.records)
        return [(one, backlogs[one.id]) for one in found]

    async def _find(self, key: int) -> _Found:
        def find(tx: Transaction) -> _Found | None:
            stored = tx[ForwarderStore].get(key)
            if stored is None:
                return None
            return stored, backlogs_thd(tx, self._engine.around.records)[key]

        found = await self._store.read(find)
        if found is None:
            raise not_found(Phrase("There is no forwarder %(key)s.", key=key))
        return found

    def _values(self, stored: StoredForwarder, backlog: ForwarderBacklog) -> dict[str, Any]:
        return forwarder_values(stored, backlog, self._engine.kinds.get(stored.kind))

    def _view(self, stored: StoredForwarder, backlog: ForwarderBacklog) -> ForwarderView:
        return ForwarderView(**self._values(stored, backlog))


def routes(services: Services) -> list[Route]:
    """Return the routes of forwarders."""
    engine = services.offers[ForwardEngine]
    return ForwarderEndpoints(services, engine, operations_of(engine, services.events)).routes()
