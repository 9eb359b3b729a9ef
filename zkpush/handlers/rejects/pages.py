"""Pages of rejects: what was not understood and why, and reading it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import urlencode

import attrs
import msgspec
from msgspec import Meta

from ...manage.console.forms import NOTHING_ENTERED, FormEntry, FormMistakes
from ...manage.console.pages import (
    ConsoleForm,
    ConsolePage,
    ConsoleRoute,
    NavGroup,
    NavPlace,
    Redirect,
    View,
)
from ...manage.console.phrases import Phrase
from ...manage.console.terminalchoice import (
    Terminals,
    filtered_terminal_thd,
    terminal_options_thd,
)
from ...manage.console.visits import Visit
from ...manage.services import Services
from ...model import Page
from ...persist.rejects import NO_TABLES, RejectStore
from ...persist.transaction import Transaction
from ...protocol import secrecy
from ...protocol.fields import Scope
from ...protocol.reasons import REASONS
from ...protocol.rejects import REQUEST
from ...protocol.replies import TABLE as ANSWERS
from ...protocol.text import visible
from ...protocol.verification import POST_VERIFY_DATA
from ...values.setaside import RejectSelection, StoredReject
from .lines import ReadLine, fault_of, lines_of, named_thd, read_line
from .naming import in_words
from .owning import REJECT
from .reading import RejectReader

PER_PAGE = 50
"""Rejects on a page of the list."""
MOST_BYTES = 4096
"""Bytes of a reject that its page shows."""
NO_REJECT = Phrase("There is no such data any more. It may have been read in the meantime.")
NO_TERMINAL = Phrase("There is no such terminal.")
OF_NO_TABLE: Mapping[str, Phrase] = {
    ANSWERS: Phrase("Answer to a command"),
    POST_VERIFY_DATA: Phrase("Question about a person at the door"),
    REQUEST: Phrase("Whole request"),
}
"""What rejects are that belong to no table."""
_Text = Annotated[str, Meta(max_length=200)]


class RejectSearch(msgspec.Struct, frozen=True):
    """Filter of the list."""

    device: _Text = ""
    table: _Text = ""
    before: int | None = None


class ReadAgainForm(msgspec.Struct, frozen=True):
    """Rejects to read again; all of them by default."""

    device: _Text = ""
    table: _Text = ""


class DeleteRejectForm(msgspec.Struct, frozen=True):
    """The confirmation that data will be lost."""

    sure: bool = False


@attrs.frozen
class ShownReject:
    """A reject as the page shows it."""

    stored: StoredReject
    what: Phrase | None
    """What it is, in words; None for records of a table."""
    table: str | None
    """Name of the table that the terminal sent; None for what belongs to no table."""
    reason: str
    """Why it was not understood, without what the visitor may not see."""


class RejectPages:
    """The pages of rejects."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._tables = services.tables
        self._secret_access = services.secret_access
        self._reader = services.offers[RejectReader]

    def routes(self) -> list[ConsoleRoute]:
        """Return the pages and forms."""
        return [
            ConsolePage(
                path="/rejects",
                title=Phrase("Not understood"),
                run=self.list,
                query=RejectSearch,
                nav=NavPlace(NavGroup.SERVER, 20, "reject"),
                limited=(),
            ),
            ConsolePage(
                path="/rejects/<int:reject_id>",
                title=Phrase("Not understood"),
                run=self.show,
                limited=(REJECT,),
            ),
            ConsoleForm(path="/rejects/retry", fields=ReadAgainForm, run=self.retry, limited=()),
            ConsoleForm(
                path="/rejects/<int:reject_id>/delete",
                scope=Scope.DANGEROUS,
                fields=DeleteRejectForm,
                run=self.delete,
                again=self.show,
                limited=(REJECT,),
            ),
        ]

    async def list(self, visit: Visit, query: RejectSearch) -> View:
        """List rejects, the newest first."""
        part = Page(PER_PAGE + 1, before=query.before, newest_first=True, areas=visit.areas)
        wrong: dict[str, str] = {}

        def find(tx: Transaction) -> tuple[list[StoredReject], Mapping[str, int], Terminals]:
            device = filtered_terminal_thd(tx, query.device, visit.areas, wrong)
            selection, store = RejectSelection(device, query.table or None), tx[RejectStore]
            return (
                store.page(part, selection=selection),
                store.counts(visit.areas),
                terminal_options_thd(tx, areas=visit.areas),
            )

        found, counts, terminals = await self._store.read(find)
        shown = found[:PER_PAGE]
        kept = {name: text for name in ("device", "table") if (text := getattr(query, name))}
        more = {**kept, "before": shown[-1].id} if len(found) > PER_PAGE else None
        return View(
            template="rejects.html",
            values={
                "rejects": [self._shown(one, visit) for one in shown],
                "query": query,
                "entry": FormEntry({"device": [query.device]}, (), wrong),
                "terminals": terminals,
                "all": Phrase("All"),
                "tables": [("", Phrase("All")), *((name, name) for name in sorted(counts))],
                "kept": [*kept.items()],
                "next_query": None if more is None else urlencode(more),
                "first_query": None if query.before is None else urlencode(kept),
            },
        )

    async def show(self, visit: Visit, reject_id: int, entry: FormEntry = NOTHING_ENTERED) -> View:
        """Show a reject, with its bytes to those who may see them."""
        found = await self._store.read(lambda tx: tx[RejectStore].get(reject_id))
        if found is None:
            raise LookupError(NO_REJECT)
        sees_bytes = secrecy.may_see(secrecy.reject_secret(found.table), visit.scopes)
        raw = found.raw if sees_bytes else None
        if raw:
            await self._secret_access.note(
                visit.caller, "what was not understood", f"reject {reject_id}"
            )
        text = (raw or b"")[:MOST_BYTES].decode("utf-8", "backslashreplace")
        lines = await self._lines(visit, found) if sees_bytes else []
        return View(
            template="reject.html",
            values={
                "entry": entry,
                "one": self._shown(found, visit),
                "sees_bytes": sees_bytes,
                "origin": found.origin if sees_bytes else None,
                "text": visible(text, "\n\t"),
                "lines": lines,
                "is_cut": found.size > MOST_BYTES,
                "most_bytes": MOST_BYTES,
            },
        )

    async def _lines(self, visit: Visit, reject: StoredReject) -> Sequence[ReadLine]:
        """Return the lines of punches of a reject, with people and the fault of each."""
        raw = lines_of(reject)
        if not raw:
            return []
        read = [read_line(one) for one in raw]
        named = await self._store.read(lambda tx: named_thd(tx, read, visit.areas, visit.zone))
        reasons = await self._reader.reasons(reject, raw)
        return [
            attrs.evolve(
                one,
                reason=None
                if reason is None
                else fault_of(one, self._in_words(reject, reason, visit)),
            )
            for one, reason in zip(named, reasons, strict=True)
        ]

    async def retry(self, visit: Visit, form: ReadAgainForm) -> Redirect:
        """Read rejects again."""
        selection = RejectSelection(form.device or None, form.table or None)
        try:
            counts = await self._reader.retry(selection, visit.caller)
        except LookupError:
            raise LookupError(NO_TERMINAL) from None
        kept = {name: text for name in ("device", "table") if (text := getattr(form, name))}
        notice = Phrase(
            "Read again. Understood now: %(read)s. Still not understood: %(kept)s.",
            read=counts.read,
            kept=counts.kept,
        )
        return Redirect(to=f"/rejects?{urlencode(kept)}" if kept else "/rejects", notice=notice)

    async def delete(self, visit: Visit, form: DeleteRejectForm, reject_id: int) -> Redirect:
        """Delete a reject."""
        if not form.sure:
            raise FormMistakes(sure=Phrase("Tick the box to delete it."))
        if not await self._reader.delete(reject_id, visit.caller):
            raise LookupError(NO_REJECT)
        return Redirect(to="/rejects", notice=Phrase("Deleted."))

    def _shown(self, reject: StoredReject, visit: Visit) -> ShownReject:
        reason = self._in_words(reject, reject.reason, visit)
        if reject.table in NO_TABLES:
            return ShownReject(reject, OF_NO_TABLE[reject.table], None, reason)
        return ShownReject(reject, None, reject.table, reason)

    def _in_words(self, reject: StoredReject, reason: str, visit: Visit) -> str:
        table = self._tables.get(reject.table)
        text = secrecy.shown_reason(reject.table, table, reason, visit.scopes)
        return in_words(REASONS.phrase(text))


def pages(services: Services) -> list[ConsoleRoute]:
    """The pages of rejects."""
    return RejectPages(services).routes()
