"""Pages of commands: the list, and one command with its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

import attrs
import msgspec
from msgspec import Meta

from ...manage.commandlimits import outside_thd, people_of
from ...manage.commandviews import note_commands, shown_values
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
)
from ...manage.console.phrases import Phrase
from ...manage.console.terminalchoice import (
    Terminals,
    filtered_terminal_thd,
    terminal_options_thd,
)
from ...manage.console.visits import Visit
from ...manage.limits import COMMAND
from ...manage.services import Services
from ...model import Page
from ...persist.commandrows import reason_phrase
from ...persist.commands import CommandStore
from ...persist.transaction import Transaction
from ...values.commands import OPEN_STATES, CommandState, QueuedCommand
from ..people.store import PeopleStore
from .model import CommandFilter
from .store import CommandList

PER_PAGE = 40
"""Commands on a page of the list."""
MOST_PEOPLE = 3
"""People of a command whom the list names."""
MOST_SHOWN = 2000
"""Characters of a parameter or result that are shown."""
STATES: Mapping[CommandState, tuple[Phrase, str]] = {
    CommandState.QUEUED: (Phrase("waits for the terminal"), "calm"),
    CommandState.SENT: (Phrase("sent, not answered yet"), "calm"),
    CommandState.DONE: (Phrase("done"), "good"),
    CommandState.FAILED: (Phrase("failed"), "bad"),
    CommandState.EXPIRED: (Phrase("given up"), "bad"),
    CommandState.CANCELLED: (Phrase("cancelled"), "calm"),
    CommandState.UNKNOWN: (Phrase("not known whether done"), "warn"),
}
"""States in words, each with the kind of its badge."""
NO_COMMAND = Phrase("There is no such command any more.")
NOT_SHOWN = Phrase("not shown")
OUTSIDE = Phrase(
    "not shown: about people who are, or may be, outside your areas, or queued while the terminal "
    "was in another area"
)
"""Words in place of hidden values."""
ENDED = Phrase("The command has ended already.")
CANCEL = ConfirmationQuestion(
    title=Phrase("Cancel this command?"),
    text=Phrase("If the terminal has not fetched it yet, it is never carried out."),
    button=Phrase("Cancel it"),
    back="/commands/<command_id>",
)
OPEN = "open"
"""Filter of the commands that have not ended."""
_Text = Annotated[str, Meta(max_length=200)]


class CommandSearch(msgspec.Struct, frozen=True):
    """Filter of the list."""

    device: _Text = ""
    state: _Text = ""
    """A state, or `OPEN`."""
    command: _Text = ""
    job: _Text = ""
    before: int | None = None


class CancelCommandForm(msgspec.Struct, frozen=True):
    """A form that is one button."""


@attrs.frozen
class ShownCommand:
    """A command as pages show it, without its secrets."""

    stored: QueuedCommand
    meaning: str | None
    """Meaning of the command; None for one that is not in the catalogue."""
    words: Phrase
    """The state in words."""
    kind: str
    """Kind of the badge."""
    reason: str | None
    """Why it ended; None while it is open."""
    answer: str | None
    """Meaning of the return code; None without one."""
    people: Sequence[tuple[str, str | None]] = ()
    """User IDs and names of the people it is about, as far as the account may know them."""

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.stored.state in OPEN_STATES


class CommandPages:
    """The pages of commands."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store
        self._catalogue = services.queue.catalogue

    def routes(self) -> list[ConsoleRoute]:
        """Return the pages, the form and the live part."""
        return [
            ConsolePage(
                path="/commands",
                title=Phrase("Commands"),
                run=self.list,
                query=CommandSearch,
                nav=NavPlace(NavGroup.SITE, 30, "command"),
                limited=(),
            ),
            ConsolePage(
                path="/commands/<command_id>",
                title=Phrase("Command"),
                run=self.show,
                limited=(COMMAND,),
            ),
            LivePart(
                name="commands-state", run=self.state_part, kinds=("command",), limited=(COMMAND,)
            ),
            ConsoleForm(
                path="/commands/<command_id>/cancel",
                fields=CancelCommandForm,
                run=self.cancel,
                again=self.show,
                question=CANCEL,
                limited=(COMMAND,),
            ),
        ]

    async def list(self, visit: Visit, query: CommandSearch) -> View:
        """List commands, the newest first."""
        state = None if query.state in ("", OPEN) else CommandState(query.state)
        part = Page(PER_PAGE + 1, before=query.before, newest_first=True, areas=visit.areas)
        wrong: dict[str, str] = {}

        def find(tx: Transaction) -> tuple[list[tuple[int, ShownCommand]], Terminals]:
            wanted = CommandFilter(
                filtered_terminal_thd(tx, query.device, visit.areas, wrong),
                state,
                query.command or None,
                query.job or None,
                is_open=query.state == OPEN,
            )
            listed = tx[CommandList].page(part, wanted)
            people = self._people_thd(tx, visit, [one for _, one in listed])
            shown = [
                (place, attrs.evolve(self._shown(one), people=people[one.id]))
                for place, one in listed
            ]
            return shown, terminal_options_thd(tx, areas=visit.areas)

        found, terminals = await self._store.read(find)
        shown_ones = found[:PER_PAGE]
        texts = {
            "device": query.device,
            "state": query.state,
            "command": query.command,
            "job": query.job,
        }
        kept = {name: str(text) for name, text in texts.items() if text}
        more = {**kept, "before": shown_ones[-1][0]} if len(found) > PER_PAGE else None
        return View(
            template="commands.html",
            values={
                "commands": [one for _, one in shown_ones],
                "query": query,
                "entry": FormEntry({"device": [query.device]}, (), wrong),
                "terminals": terminals,
                "all": Phrase("All"),
                "states": [
                    ("", Phrase("All")),
                    (OPEN, Phrase("open")),
                    *((one.value, STATES[one][0]) for one in STATES),
                ],
                "names": [
                    ("", Phrase("All")),
                    *((one.name, Phrase.made(one.meaning, {})) for one in self._catalogue),
                ],
                "is_filtered": bool(kept),
                "next_query": None if more is None else urlencode(more),
                "first_query": None if query.before is None else urlencode(kept),
            },
        )

    async def show(self, visit: Visit, command_id: str, entry: FormEntry = NOTHING_ENTERED) -> View:
        """Show a command, with its secrets only to those who may see them."""
        values = await self._of(command_id)
        command: QueuedCommand = values["one"].stored
        is_outside = bool(
            await self._store.read(
                lambda tx: outside_thd(tx, self._catalogue, [command], visit.areas)
            )
        )
        await note_commands(
            self._services.secret_access,
            self._catalogue,
            visit.caller,
            f"command {command.id}",
            [] if is_outside else [command],
        )
        params, result = shown_values(self._catalogue, command, visit.scopes, is_outside=is_outside)
        catalogued = self._catalogue.get(command.command, command.family)
        fields = {} if catalogued is None else {one.wire: one for one in catalogued.parameters}
        return View(
            template="command.html",
            title=Phrase(
                "Command to %(device)s", device=visit.named(command.device) or command.device
            ),
            live=[f"commands-state:{command.id}"],
            values={
                **values,
                "entry": entry,
                "hidden": OUTSIDE if is_outside else NOT_SHOWN,
                "params": [
                    (
                        name,
                        fields[name].label or fields[name].meaning if name in fields else None,
                        None if value is None else value[:MOST_SHOWN],
                        fields[name].coded_values().get(value)
                        if value and name in fields
                        else None,
                    )
                    for name, value in params.items()
                ],
                "result": [
                    (name, None if value is None else value[:MOST_SHOWN])
                    for name, value in (result or {}).items()
                ],
            },
        )

    async def state_part(self, visit: Visit, argument: str | None) -> View:
        """Show the state of a command."""
        return View(template="_state.html", values=await self._of(argument or ""))

    async def cancel(self, visit: Visit, form: CancelCommandForm, command_id: str) -> Redirect:
        """Cancel a command."""
        if await self._services.queue.cancel(command_id, visit.caller) is None:
            await self._of(command_id)
            raise FormMistakes(ENDED)
        return Redirect(to=f"/commands/{command_id}", notice=Phrase("Cancelled."))

    async def _of(self, command_id: str) -> dict[str, Any]:
        def find(tx: Transaction) -> QueuedCommand:
            found = tx[CommandStore].get(command_id)
            if found is None:
                raise LookupError(NO_COMMAND)
            return found

        return {"one": self._shown(await self._store.read(find))}

    def _people_thd(
        self, tx: Transaction, visit: Visit, commands: Sequence[QueuedCommand]
    ) -> Mapping[str, Sequence[tuple[str, str | None]]]:
        """Return the people that commands are about, by command; `MOST_PEOPLE` of each."""
        outside = outside_thd(tx, self._catalogue, commands, visit.areas)
        pins = {
            one.id: ()
            if one.id in outside
            else sorted(people_of(self._catalogue.get(one.command, one.family), one))[:MOST_PEOPLE]
            for one in commands
        }
        names = tx[PeopleStore].names({pin for some in pins.values() for pin in some})
        return {key: [(pin, names.get(pin)) for pin in some] for key, some in pins.items()}

    def _shown(self, command: QueuedCommand) -> ShownCommand:
        entry = self._catalogue.get(command.command, command.family)
        code = command.return_code
        families = self._services.registry.families
        family = families.named(command.family)
        words, kind = STATES[command.state]
        return ShownCommand(
            command,
            None if entry is None else entry.meaning,
            words,
            kind,
            reason_phrase(command),
            None if code is None else family.outcome(command.command, code).meaning,
        )


def pages(services: Services) -> Sequence[ConsoleRoute]:
    """The pages of commands."""
    return CommandPages(services).routes()
