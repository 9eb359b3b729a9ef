"""Pages that settle conflicts: one by one, or several at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
from ...phrases import counted_phrase, sentences, with_more
from ...protocol.codes import Privilege
from ...protocol.fields import Scope
from .administration import PeopleAdministration, check_agreement
from .bounds import CONFLICT, own_conflicts_thd
from .contradictions import ConflictStore
from .model import Conflict, DeletePerson
from .showing import MOST_CONFLICTS, conflicts_thd
from .store import PeopleStore

_BACK = "/people/conflicts"
_NAMED = 10
"""Most people named in a question."""
_NONE_CHOSEN = Phrase("Choose conflicts first: tick the boxes beside them.")


class ConflictsQuery(msgspec.Struct, frozen=True):
    """Page of the list."""

    after: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0


FIRST_PAGE = ConflictsQuery()


class SettleForm(msgspec.Struct, frozen=True):
    """The side of a conflict that is right, or that the terminal is to delete its user."""

    keep: Literal["stored", "terminal", "delete"]


class SettleChosenForm(msgspec.Struct, frozen=True):
    """The side that is right in each of the chosen conflicts."""

    keep: Literal["stored", "terminal"]
    conflict: list[int] = []
    """IDs of those that were ticked."""
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
        self._people = PeopleAdministration(services)

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
        """List the open conflicts."""
        part = Page(MOST_CONFLICTS + 1, after=query.after, areas=visit.areas)
        found = await self._store.read(lambda tx: conflicts_thd(tx, part, visit.caller))
        shown = found[:MOST_CONFLICTS]
        more = f"after={shown[-1].conflict.id}" if len(found) > len(shown) else None
        values = {
            "conflicts": shown,
            "entry": entry,
            "may_change": visit.allows(Scope.WRITE),
            "next_query": more,
            "is_first": query.after == 0,
        }
        return View(template="conflicts.html", title=Phrase("Conflicts"), values=values)

    async def again(self, visit: Visit, conflict_id: int, entry: FormEntry) -> View:
        """Show the list with the mistake."""
        return await self.list(visit, entry=entry)

    async def ask(
        self, visit: Visit, form: SettleForm, conflict_id: int
    ) -> ConfirmationQuestion | None:
        """Ask before a terminal deletes its user, or its values give a right at terminals."""
        found = await self._store.read(lambda tx: tx[ConflictStore].get(conflict_id))
        if form.keep == "delete" and found is not None:
            return ConfirmationQuestion(
                title=Phrase("Delete the user at the terminal?"),
                text=Phrase(
                    "Terminal %(sn)s deletes user %(pin)s, with all fingers, faces and photos that "
                    "it has under this user ID. Nothing is deleted here.",
                    sn=found.device,
                    pin=found.pin,
                ),
                button=Phrase("Delete there"),
                back=_BACK,
            )
        right = None if form.keep != "terminal" or found is None else _right(found)
        if found is None or right is None:
            return None
        return ConfirmationQuestion(
            title=Phrase("Give this right?"),
            text=Phrase(
                "By the terminal, user %(pin)s is: %(right)s. With its values, the person gets "
                "this right here, and may change settings, people and records at terminals.",
                pin=found.pin,
                right=Phrase.made(right.meaning, {}),
            ),
            button=Phrase("Give the right"),
            back=_BACK,
        )

    async def settle(self, visit: Visit, form: SettleForm, conflict_id: int) -> Redirect:
        """Take one side, or have the user deleted at the terminal."""
        if form.keep == "delete":
            found = await self._store.read(lambda tx: tx[ConflictStore].get(conflict_id))
            if found is None:
                raise LookupError(Phrase("The conflict is settled already."))
            await ask(self._services, found.device, DeletePerson(found.pin), visit.caller)
            return Redirect(
                to=_BACK,
                notice=Phrase(
                    "Terminal %(sn)s deletes the user when it asks for commands next. Then keep "
                    "what is stored.",
                    sn=found.device,
                ),
            )
        fields: dict[str, object] | None = {} if form.keep == "stored" else None
        await self._people.settle(conflict_id, fields, visit.caller)
        return Redirect(to=_BACK, notice=Phrase("The conflict is settled."))

    async def ask_chosen(self, visit: Visit, form: SettleChosenForm) -> ConfirmationQuestion:
        """Ask before several conflicts are settled: how many, about whom, and what is lost."""
        return await self._store.read(lambda tx: _question_thd(tx, visit, form))

    async def settle_chosen(self, visit: Visit, form: SettleChosenForm) -> Redirect:
        """Settle the chosen conflicts, all in the same way."""
        fields: dict[str, object] | None = {} if form.keep == "stored" else None
        count = await self._people.settle_all(form.chosen, fields, visit.caller)
        done = counted_phrase(
            "%(num)s conflict is settled.", "%(num)s conflicts are settled.", count
        )
        missing = len(form.chosen) - count
        before = counted_phrase(
            "%(num)s other one was settled already.",
            "%(num)s other ones were settled already.",
            missing,
        )
        return Redirect(to=_BACK, notice=sentences([done, before]) if missing else done)


def _question_thd(tx: Transaction, visit: Visit, form: SettleChosenForm) -> ConfirmationQuestion:
    """Return the question about the chosen conflicts; `ValueError` if none of them is open."""
    if not form.chosen:
        raise ValueError(_NONE_CHOSEN)
    found = own_conflicts_thd(tx, form.chosen, visit.areas)
    if not found:
        raise ValueError(Phrase("The chosen conflicts are settled already."))
    if form.keep == "terminal":
        check_agreement(found)
    people = _named_thd(tx, dict.fromkeys(one.pin for one in found))
    if form.keep == "stored":
        return ConfirmationQuestion(
            title=Phrase("Keep what is stored?"),
            text=sentences(
                [
                    counted_phrase(
                        "%(num)s conflict is settled: what is stored stays. It is about: "
                        "%(people)s.",
                        "%(num)s conflicts are settled: what is stored stays. They are about: "
                        "%(people)s.",
                        len(found),
                        people=people,
                    ),
                    Phrase(
                        "Templates and photos that a terminal sent for somebody else are deleted "
                        "here."
                    ),
                ]
            ),
            button=Phrase("Keep what is stored"),
            back=_BACK,
        )
    texts = [
        counted_phrase(
            "%(num)s conflict is settled: the values of the terminal replace what is stored. It "
            "is about: %(people)s.",
            "%(num)s conflicts are settled: the values of the terminals replace what is stored. "
            "They are about: %(people)s.",
            len(found),
            people=people,
        ),
        Phrase(
            "Where the name is another one, the stored templates and photos are replaced by those "
            "of the terminal, too."
        ),
    ]
    raised = dict.fromkeys(one.pin for one in found if _right(one) is not None)
    if raised:
        texts.append(
            Phrase(
                "These people get a right at terminals by this, and may change settings, people "
                "and records there: %(people)s.",
                people=_named_thd(tx, raised),
            )
        )
    return ConfirmationQuestion(
        title=Phrase("Take the terminals' values?"),
        text=sentences(texts),
        button=Phrase("Take the terminals' values"),
        back=_BACK,
    )


def _right(conflict: Conflict) -> Privilege | None:
    """Return the right at terminals that the terminal of a conflict states; None without one."""
    if "privilege" not in conflict.fields:
        return None
    right = Privilege(int(str((conflict.said or {}).get("privilege") or 0)))
    return None if right == Privilege.USER else right


def _named_thd(tx: Transaction, pins: Collection[str]) -> str:
    """Name people, the first ones of many."""
    first = [*pins][:_NAMED]
    names = tx[PeopleStore].names(first)
    listed = ", ".join(names.get(pin) or pin for pin in first)
    return with_more(listed, len(pins) - _NAMED) if len(pins) > _NAMED else listed
