"""Pages that settle conflicts: one by one, or several at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ...manage.commandviews import ask
from ...manage.console.forms import NOTHING_ENTERED, FormEntry
from ...manage.console.pages import (
    ConfirmationQuestion,
    ConsoleForm,
    ConsolePage,
    ConsoleRoute,
    Redirect,
    View,
)
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.services import Services
from ...model import Page
from ...persist.transaction import Transaction
from ...phrases import counted_phrase, sentences, terminal_phrase
from ...protocol.fields import Scope
from .bounds import CONFLICT, own_conflicts_thd
from .conflictquestions import BACK, ConflictQuestions
from .contradictions import ConflictStore
from .deciding import owner_of
from .model import DeletePerson
from .settling import ConflictSettlement
from .showing import conflicts_thd

_NONE_CHOSEN = Phrase("Choose conflicts first: tick the boxes beside them.")


_ONE_PERSON = ("our_name", "their_name")
_OURS = ("stored", "our_name")


class ConflictsQuery(msgspec.Struct, frozen=True):
    """Page of the list."""

    before: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None


FIRST_PAGE = ConflictsQuery()
PER_PAGE = 10
"""Conflicts on a page of the list, which stays under 50 KB in each language."""


class SettleForm(msgspec.Struct, frozen=True):
    """The side of a conflict that is right, or that the terminal is to delete its user.

    With `our_name` and `their_name` it is one person, under a wrong name there or here.
    """

    keep: Literal["stored", "terminal", "delete", "our_name", "their_name"]
    punches: Literal["person", "other", "later"] = "later"
    """Whose the doubtful punches are, if what is stored is kept."""


class SettleChosenForm(msgspec.Struct, frozen=True):
    """The side that is right in each of the chosen conflicts; see `SettleForm`."""

    keep: Literal["stored", "terminal", "our_name"]
    punches: Literal["person", "other", "later"] = "later"
    conflict: list[int] = []
    """IDs of the ticked conflicts."""
    shown: str = ""
    """IDs of all on the page, if that was ticked, with spaces between them."""

    @property
    def chosen(self) -> Sequence[int]:
        """IDs of the chosen ones, each once."""
        every = [int(text) for text in self.shown.split() if text.isdecimal()]
        return [*dict.fromkeys([*self.conflict, *every])]


class ConflictPages:
    """Open conflicts, and their settlement."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store
        self._settlement = ConflictSettlement(services)
        self._questions = ConflictQuestions(services)

    def routes(self) -> list[ConsoleRoute]:
        """Return the pages and forms."""
        return [
            ConsolePage(
                path="/people/conflicts",
                title=Phrase("Conflicts"),
                run=self.list,
                query=ConflictsQuery,
                limited=(),
            ),
            ConsoleForm(
                path="/people/conflicts/<int:conflict_id>",
                fields=SettleForm,
                run=self.settle,
                again=self.again,
                question=self.ask,
                limited=(CONFLICT,),
            ),
            ConsoleForm(
                path="/people/conflicts",
                fields=SettleChosenForm,
                run=self.settle_chosen,
                again=self.list,
                question=self.ask_chosen,
                limited=(),
            ),
        ]

    async def list(
        self,
        visit: Visit,
        query: ConflictsQuery = FIRST_PAGE,
        entry: FormEntry = NOTHING_ENTERED,
    ) -> View:
        """List the open conflicts, the newest first."""
        limit, before = PER_PAGE + 1, query.before
        part = Page(limit, before=before, newest_first=True, areas=visit.areas)
        found = await self._store.read(lambda tx: conflicts_thd(tx, part, visit.caller))
        shown = found[:PER_PAGE]
        more = f"before={shown[-1].conflict.id}" if len(found) > len(shown) else None
        values = {
            "conflicts": shown,
            "entry": entry,
            "may_change": visit.allows(Scope.WRITE),
            "next_query": more,
            "is_first": query.before is None,
        }
        return View(template="conflicts.html", title=Phrase("Conflicts"), values=values)

    async def again(self, visit: Visit, conflict_id: int, entry: FormEntry) -> View:
        """Show the list with the mistake."""
        return await self.list(visit, entry=entry)

    async def ask(
        self, visit: Visit, form: SettleForm, conflict_id: int
    ) -> ConfirmationQuestion | None:
        """Ask whose punches are, and before a terminal's values or a deletion change much."""

        def ask_thd(tx: Transaction) -> ConfirmationQuestion | None:
            found = tx[ConflictStore].get(conflict_id)
            if found is None:
                return None
            if form.keep == "delete":
                return self._questions.deletion_thd(tx, visit, found)
            if form.keep == "stored":
                return self._questions.keeping_thd(tx, visit, found)
            if form.keep in _ONE_PERSON:
                return self._questions.uniting_thd(tx, visit, found, form.keep)
            return self._questions.taking_thd(tx, visit, found)

        return await self._store.read(ask_thd)

    async def settle(self, visit: Visit, form: SettleForm, conflict_id: int) -> Redirect:
        """Take one side, or have the user deleted at the terminal."""
        if form.keep == "delete":
            found = await self._store.read(lambda tx: tx[ConflictStore].get(conflict_id))
            if found is None:
                raise LookupError(Phrase("The conflict is settled already."))
            await ask(self._services, found.device, DeletePerson(found.pin), visit.caller)
            return Redirect(
                to=BACK,
                notice=Phrase(
                    "Terminal %(sn)s deletes the user when it asks for commands next. Then keep "
                    "what is stored.",
                    sn=terminal_phrase(found.device),
                ),
            )
        fields: dict[str, object] | None = {} if form.keep in _OURS else None
        owner = owner_of(form.punches) if form.keep == "stored" else None
        await self._settlement.settle(
            conflict_id, fields, visit.caller, owner, one_person=form.keep in _ONE_PERSON
        )
        return Redirect(to=BACK, notice=Phrase("The conflict is settled."))

    async def ask_chosen(self, visit: Visit, form: SettleChosenForm) -> ConfirmationQuestion:
        """Ask before several conflicts are settled: how many, about whom, and what is lost."""

        def ask_thd(tx: Transaction) -> ConfirmationQuestion:
            if not form.chosen:
                raise ValueError(_NONE_CHOSEN)
            found = own_conflicts_thd(tx, form.chosen, visit.areas)
            if not found:
                raise ValueError(Phrase("The chosen conflicts are settled already."))
            return self._questions.several_thd(tx, found, form.keep)

        return await self._store.read(ask_thd)

    async def settle_chosen(self, visit: Visit, form: SettleChosenForm) -> Redirect:
        """Settle the chosen conflicts, all in the same way."""
        fields: dict[str, object] | None = {} if form.keep in _OURS else None
        owner = owner_of(form.punches) if form.keep == "stored" else None
        count = await self._settlement.settle_all(
            form.chosen, fields, visit.caller, owner, one_person=form.keep in _ONE_PERSON
        )
        done = counted_phrase(
            "%(num)s conflict is settled.", "%(num)s conflicts are settled.", count
        )
        missing = len(form.chosen) - count
        before = counted_phrase(
            "%(num)s other one was settled already.",
            "%(num)s other ones were settled already.",
            missing,
        )
        return Redirect(to=BACK, notice=sentences([done, before]) if missing else done)
