"""Pages of forwarders: the list with backlogs and errors, and one with its deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from ...manage.console.days import NO_DAY, typed_midnight
from ...manage.console.forms import NOTHING_ENTERED, FormEntry, FormMistakes
from ...manage.console.pages import (
    ConfirmationQuestion,
    ConsoleForm,
    ConsolePage,
    ConsoleRoute,
    LivePart,
    NavGroup,
    NavPlace,
    Redirect,
    View,
    of_whole_site,
)
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.errors import ApiError
from ...manage.services import Services
from ...manage.times import instant
from ...model import Page
from ...persist.transaction import Transaction
from ...protocol.fields import Scope
from ...values.eventwords import EVENT_WORDS
from ...values.forwarding import Delivered
from .deadletters import DeadLetters
from .model import DeadLetter, ForwarderBacklog, ForwarderState, StoredAttempt, StoredForwarder
from .operating import operations_of
from .queue import DeliveryQueue
from .replaying import Replays
from .service import ForwardEngine
from .status import backlogs_thd
from .store import ForwarderStore
from .views import DiscardRequest, ReplayRequest, shown_settings
from .wording import delivery_words

LIMITED = Phrase("Your account is limited to areas, and forwarders send the records of all areas.")
"""Why it is refused to limited accounts."""
MOST_FORWARDERS = 200
"""Maximum number of forwarders on the page."""
MOST_LISTED = 30
"""Attempts and dead letters that are shown."""
EVERY = 5.0
"""Seconds after which the state is looked at again."""
STATES: Mapping[ForwarderState, tuple[Phrase, str]] = {
    ForwarderState.ACTIVE: (Phrase("delivers"), "good"),
    ForwarderState.PAUSED: (Phrase("paused, its events are kept"), "warn"),
    ForwarderState.STOPPED: (Phrase("stopped: the receiver wants no more events"), "bad"),
}
OUTCOMES: Mapping[str, tuple[Phrase, str]] = {
    "delivered": (Phrase("delivered"), "good"),
    "later": (Phrase("not reached, tried again"), "warn"),
    "refused": (Phrase("answered with an error"), "bad"),
    "gone": (Phrase("wants no more events"), "bad"),
}
END_REPLAY = ConfirmationQuestion(
    title=Phrase("End the replay?"),
    text=Phrase("Events that are not sent again yet stay unsent. A new replay begins anew."),
    button=Phrase("End it"),
    back="/forwarders/<key>",
)
NO_FORWARDER = Phrase("There is no such forwarder any more.")
NOT_YET = Phrase("A replay is going on. Wait for its end, or end it.")


class ForwarderButton(msgspec.Struct, frozen=True):
    """A form that is one button."""


class ReplayForm(msgspec.Struct, frozen=True):
    """Days whose events are sent again."""

    since: str
    until: str = ""


class DeadLettersForm(msgspec.Struct, frozen=True):
    """Dead letters that are sent again or discarded; all of them by default."""

    ids: list[str] = []


class ForwarderPages:
    """The pages of forwarders."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._engine = services.offers[ForwardEngine]
        self._operations = operations_of(self._engine, services.events)
        self._replays = Replays(self._engine, self._operations)
        self._letters = DeadLetters(self._engine, self._operations)

    def routes(self) -> list[ConsoleRoute]:
        """Return the pages, forms and the live part."""
        one, admin = "/forwarders/<int:key>", Scope.ADMIN

        def form(
            word: str, fields: type[msgspec.Struct], run: Any, question: Any = None
        ) -> ConsoleForm:
            return ConsoleForm(
                path=f"{one}/{word}",
                scope=admin,
                fields=fields,
                run=run,
                again=self.show,
                question=question,
            )

        return [
            ConsolePage(
                path="/forwarders",
                title=Phrase("Forwarders"),
                scope=admin,
                run=self.list,
                nav=NavPlace(NavGroup.SERVER, 10, "forward"),
            ),
            ConsolePage(path=one, title=Phrase("Forwarder"), scope=admin, run=self.show),
            LivePart(name="forward-state", run=self.state_part, every=EVERY, scope=admin),
            form("test", ForwarderButton, self.test),
            form("pause", ForwarderButton, self.pause),
            form("resume", ForwarderButton, self.resume),
            form("replay", ReplayForm, self.replay),
            form("end", ForwarderButton, self.end_replay, END_REPLAY),
            form("dead", DeadLettersForm, self.send_dead),
            form("discard", DeadLettersForm, self.discard, self.ask_discard),
        ]

    async def list(self, visit: Visit) -> View:
        """List forwarders."""

        def find(tx: Transaction) -> list[tuple[StoredForwarder, ForwarderBacklog]]:
            backlogs = backlogs_thd(tx, self._engine.around.records)
            found = tx[ForwarderStore].page(Page(MOST_FORWARDERS))
            return [(one, backlogs[one.id]) for one in found]

        found = await self._store.read(find)
        return View(
            template="forwarders.html",
            values={"forwarders": found, "states": STATES, "said": delivery_words},
        )

    async def show(self, visit: Visit, key: int, entry: FormEntry = NOTHING_ENTERED) -> View:
        """Show a forwarder."""
        values = await self._of(key)
        stored: StoredForwarder = values["one"]
        newest = Page(MOST_LISTED, newest_first=True)

        def find(tx: Transaction) -> tuple[list[StoredAttempt], list[DeadLetter]]:
            queue = tx[DeliveryQueue]
            return [*queue.attempts(newest, key)], queue.dead(newest, key)

        attempts, dead = await self._store.read(find)
        settings = shown_settings(stored, self._engine.kinds.get(stored.kind))
        return View(
            template="forwarder.html",
            title=stored.name,
            live=[f"forward-state:{key}"],
            values={
                **values,
                "entry": entry,
                "settings": [(name, value) for name, value in sorted(settings.items())],
                "attempts": attempts,
                "dead": dead,
                "event_words": EVENT_WORDS,
                "outcomes": OUTCOMES,
            },
        )

    async def state_part(self, visit: Visit, argument: str | None) -> View:
        """Show how far a forwarder is."""
        key = argument or ""
        return View(template="_state.html", values=await self._of(int(key) if key.isdigit() else 0))

    async def test(self, visit: Visit, form: ForwarderButton, key: int) -> View:
        """Send a sample event, and show what came back."""
        stored = (await self._of(key))["one"]
        await self._operations.note_test(stored, visit.caller)
        outcome = await self._engine.test(stored)
        is_delivered = isinstance(outcome, Delivered)
        words = outcome.words if isinstance(outcome, Delivered) else outcome.reason
        values = {"one": stored, "is_delivered": is_delivered, "words": delivery_words(words)}
        return View(template="test.html", title=Phrase("Test"), values=values)

    async def pause(self, visit: Visit, form: ForwarderButton, key: int) -> Redirect:
        """Pause a forwarder."""
        await self._set(visit, key, ForwarderState.PAUSED)
        return _back(key, Phrase("It is paused. Its events are kept."))

    async def resume(self, visit: Visit, form: ForwarderButton, key: int) -> Redirect:
        """Resume a forwarder."""
        await self._set(visit, key, ForwarderState.ACTIVE)
        return _back(key, Phrase("It delivers again, and tries at once."))

    async def replay(self, visit: Visit, form: ReplayForm, key: int) -> Redirect:
        """Send the events of some days again."""
        since = _begin(visit, "since", form.since, 0)
        until = _begin(visit, "until", form.until, 1)
        return await self._replay(visit, key, ReplayRequest(since=since, until=until))

    async def end_replay(self, visit: Visit, form: ForwarderButton, key: int) -> Redirect:
        """End the replay that is going on."""
        await self._of(key)
        await self._replays.replay(key, ReplayRequest(cancel=True), visit.caller)
        return _back(key, Phrase("The replay is ended; what is queued already is sent."))

    async def send_dead(self, visit: Visit, form: DeadLettersForm, key: int) -> Redirect:
        """Send dead letters again."""
        ids = [*form.ids] or None
        return await self._replay(visit, key, ReplayRequest(dead=ids is None, ids=ids))

    async def ask_discard(
        self, visit: Visit, form: DeadLettersForm, key: int
    ) -> ConfirmationQuestion | None:
        """Ask whether dead letters are to be discarded; nothing is asked if there are none."""
        await self._of(key)
        found = await self._letters.discard(key, _discarded(form, dry_run=True), visit.caller)
        if not found.discarded:
            return None
        return ConfirmationQuestion(
            title=Phrase("Discard dead letters?"),
            text=Phrase(
                "The receiver never gets these events: %(num)s. Punches stay stored here. This "
                "cannot be undone.",
                num=found.discarded,
            ),
            button=Phrase("Discard"),
            back="/forwarders/<key>",
        )

    async def discard(self, visit: Visit, form: DeadLettersForm, key: int) -> Redirect:
        """Discard dead letters."""
        await self._of(key)
        found = await self._letters.discard(key, _discarded(form), visit.caller)
        return _back(key, Phrase("Dead letters that are discarded: %(num)s.", num=found.discarded))

    async def _replay(self, visit: Visit, key: int, request: ReplayRequest) -> Redirect:
        await self._of(key)
        try:
            found = await self._replays.replay(key, request, visit.caller)
        except ApiError as error:
            if error.status is HTTPStatus.CONFLICT:
                raise FormMistakes(NOT_YET) from None
            raise
        if found.is_exact:
            return _back(key, Phrase("Events that are sent again: %(num)s.", num=found.queued))
        return _back(key, Phrase("Events that are sent again: at most %(num)s.", num=found.queued))

    async def _set(self, visit: Visit, key: int, state: ForwarderState) -> None:
        await self._of(key)
        await self._operations.set_state(key, state, visit.caller)

    async def _of(self, key: int) -> dict[str, Any]:
        def find(tx: Transaction) -> tuple[StoredForwarder, ForwarderBacklog]:
            stored = tx[ForwarderStore].get(key)
            if stored is None:
                raise LookupError(NO_FORWARDER)
            return stored, backlogs_thd(tx, self._engine.around.records)[key]

        stored, backlog = await self._store.read(find)
        words, kind = STATES[stored.state]
        is_active = stored.state is ForwarderState.ACTIVE
        return {
            "one": stored,
            "backlog": backlog,
            "words": words,
            "kind": kind,
            "is_active": is_active,
            "said": delivery_words,
        }


def _discarded(form: DeadLettersForm, *, dry_run: bool = False) -> DiscardRequest:
    ids = [*form.ids] or None
    return DiscardRequest(all=ids is None, ids=ids, dry_run=dry_run)


def _back(key: int, notice: Phrase) -> Redirect:
    return Redirect(to=f"/forwarders/{key}", notice=notice)


def _begin(visit: Visit, name: str, text: str, days: int) -> str | None:
    """Return the begin of a day in the zone of the visit, as ISO 8601; None for no day."""
    try:
        begin = typed_midnight(text, visit.zone, days)
    except ValueError:
        raise FormMistakes(**{name: NO_DAY}) from None
    return None if begin is None else instant(begin * 1000)


def pages(services: Services) -> list[ConsoleRoute]:
    """The pages of forwarders."""
    return of_whole_site(ForwarderPages(services).routes(), LIMITED)
