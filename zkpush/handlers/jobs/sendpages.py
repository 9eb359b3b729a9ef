"""The form to send a command of the catalogue to terminals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import attrs
import msgspec
from msgspec import Meta

from ...manage.console.areachoice import unknown_area
from ...manage.console.days import wall_time
from ...manage.console.forms import NOTHING_ENTERED, FormEntry, FormMistakes
from ...manage.console.pages import (
    ConfirmationQuestion,
    ConsoleForm,
    ConsolePage,
    ConsoleRoute,
    Redirect,
    View,
)
from ...manage.console.phrases import UNTRANSLATED, Phrase, words_of
from ...manage.console.terminalchoice import (
    MOST_NAMED,
    TypedSerials,
    names_of_terminals_thd,
    terminal_options_thd,
    typed_terminals_thd,
)
from ...manage.console.visits import Visit
from ...manage.errors import NotConfirmed
from ...manage.services import Services
from ...model import DEFAULT_AREA, DeviceState
from ...persist.devices import DeviceStore
from ...persist.targets import TargetStore
from ...persist.transaction import Transaction
from ...phrases import listed_phrases, with_more
from ...protocol.commands import mistake_in, without_field
from ...protocol.fields import MOST_PRIORITY, SMALL, Command, Field, Kind, Scope
from .endpoints import JobEndpoints, endpoints_of
from .questions import question_before
from .requests import JobDeletionQuery, JobRequest

MOST_HOURS = 24 * 365
NO_COMMAND = Phrase("There is no such command in the catalogue.")
NOT_ALLOWED = Phrase("Your account may not send this command.")
NO_TARGET = Phrase("Choose a terminal, or type names or serial numbers.")
TICK = Phrase("Tick the box to send it.")
NEEDED = Phrase("This is needed.")
ONE_NEEDED = Phrase("One of the marked fields is needed.")
_Text = Annotated[str, Meta(max_length=200)]


class SendQuery(msgspec.Struct, frozen=True):
    """The chosen command and terminal, if any."""

    command: _Text = ""
    device: TypedSerials = ""
    """Serial numbers, separated by spaces."""


class ChosenForm(msgspec.Struct, frozen=True):
    """Terminals that were chosen in a list."""

    device: list[_Text] = []
    shown: TypedSerials = ""
    """Serial numbers of all that the list shows, from the button that takes these."""
    what: Literal["command", "file"] = "command"
    """What they get, from the button."""


class TargetForm(msgspec.Struct, frozen=True, kw_only=True):
    """The terminals that get a command, and the tick for a dangerous one."""

    target: Literal["device", "area", "all"] = "device"
    device: _Text = ""
    devices: TypedSerials = ""
    """Further terminals by name or serial number, with commas between them."""
    area: _Text = ""
    sure: bool = False

    @property
    def named(self) -> str:
        """The terminals that were chosen and typed in, with commas between them."""
        return ", ".join(filter(None, (self.device, self.devices)))


class SendForm(TargetForm, frozen=True, kw_only=True):
    """A command, its terminals and its delivery."""

    command: _Text
    params: dict[str, str] = {}
    hours: Annotated[int, Meta(ge=1, le=MOST_HOURS)] | None = None
    priority: Annotated[int, Meta(ge=0, le=MOST_PRIORITY)] | None = None
    wave: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    confirm: Annotated[int, Meta(ge=0)] | None = None
    """Number of people to delete on the terminals, if these are many."""


class SendPages:
    """The choice of a command, and its form."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._catalogue = services.queue.catalogue
        self._jobs: JobEndpoints = endpoints_of(services)

    def routes(self) -> list[ConsoleRoute]:
        """Return the page and the form."""
        return [
            ConsolePage(
                path="/jobs/new",
                title=Phrase("Send a command"),
                scope=Scope.WRITE,
                run=self.show,
                query=SendQuery,
                limited=(),
            ),
            ConsoleForm(
                path="/jobs/new",
                fields=SendForm,
                run=self.send,
                again=self.again,
                question=self.ask,
                limited=(),
            ),
            ConsoleForm(path="/jobs/chosen", fields=ChosenForm, run=self.choose, limited=()),
        ]

    async def show(self, visit: Visit, query: SendQuery) -> View:
        """Show the commands, or the form of one."""
        if not query.command:
            found = [one for one in self._catalogue if visit.allows(one.scope)]
            return View(
                template="choose.html",
                values={
                    "ordinary": [one for one in found if not _is_dangerous(one)],
                    "dangerous_ones": [one for one in found if _is_dangerous(one)],
                    "device": query.device,
                },
            )
        return await self._form(visit, query.command, query.device, NOTHING_ENTERED)

    async def choose(self, visit: Visit, form: ChosenForm) -> Redirect:
        """Choose a command or a file for terminals of a list."""
        chosen = form.shown.split() or form.device
        if not chosen:
            raise ValueError(NO_TARGET)
        if form.what == "file":
            return Redirect(to=f"/files?{urlencode({'device': ' '.join(chosen)})}")
        return Redirect(to=_form_path("", chosen))

    async def ask(self, visit: Visit, form: SendForm) -> ConfirmationQuestion | None:
        """Ask before terminals restart, or something is deleted on them."""
        entry = self._entry(visit, form.command)
        targets = await self._store.read(lambda tx: targets_thd(tx, form, visit.areas))
        names = await self._store.read(lambda tx: target_names_thd(tx, form, visit.areas))
        question = question_before(
            entry,
            names=names,
            is_one=form.target == "device" and len(targets.serials) <= 1,
            is_ticked=_is_dangerous(entry),
            back=_form_path(form.command, targets.serials),
        )
        if question is not None:
            await self._check(visit, form)
        return question

    async def again(self, visit: Visit, entry: FormEntry) -> View:
        """Show the form with its mistakes."""
        return await self._form(visit, str(entry.value("command")), "", entry)

    async def send(self, visit: Visit, form: SendForm) -> Redirect:
        """Check the command, and send it as a job."""
        entry, params, serials = await self._check(visit, form)
        request = JobRequest(
            command=entry.name,
            params=params,
            devices=serials if form.target == "device" else None,
            area=form.area if form.target == "area" else None,
            all=form.target == "all",
            expires_in=None if form.hours is None else form.hours * 3600,
            priority=form.priority,
            wave=form.wave,
        )
        confirmed = JobDeletionQuery(form.confirm)
        try:
            job = await self._jobs.add(request, confirmed, None, visit.caller)
        except NotConfirmed as error:
            raise FormMistakes(
                confirm=Phrase(
                    "%(effect)s. If that is meant, enter %(number)s.",
                    effect=error.effect,
                    number=error.number,
                )
            ) from None
        return Redirect(to=f"/jobs/{job.id}")

    async def _check(
        self, visit: Visit, form: SendForm
    ) -> tuple[Command, dict[str, str], list[str]]:
        """Return the command, its parameters and the serial numbers of chosen terminals.

        `FormMistakes` if something is wrong.
        """
        entry = self._entry(visit, form.command)
        times = {one.wire for one in entry.parameters if one.kind is Kind.TIME}
        params = {
            name: wall_time(text) if name in times else text for name, text in form.params.items()
        }
        wrong: dict[str, str] = _mistakes(entry, params)
        targets = await self._store.read(lambda tx: targets_thd(tx, form, visit.areas))
        wrong |= targets.wrong
        if Scope.DANGEROUS in entry.scopes(params) and not form.sure:
            wrong["sure"] = TICK
        if wrong:
            raise FormMistakes(**wrong)
        return entry, params, targets.serials

    async def _form(self, visit: Visit, name: str, device: str, entry: FormEntry) -> View:
        command = self._entry(visit, name)
        options = await self._store.read(lambda tx: target_options_thd(tx, device, visit.areas))
        labels = {one.wire: one.label or one.meaning for one in command.parameters}
        return View(
            template="send.html",
            title=Phrase.made(command.meaning, {}),
            values={
                "entry": entry,
                "command": command,
                "inputs": [_input(command, one) for one in command.parameters],
                "one_of": command.one_of,
                **options,
                "is_dangerous": _is_dangerous(command),
                "rules": [
                    (labels[one.parameter], one)
                    for one in command.scope_rules
                    if one.scope is Scope.DANGEROUS
                ],
                "most_priority": MOST_PRIORITY,
            },
        )

    def _entry(self, visit: Visit, name: str) -> Command:
        found = [one for one in self._catalogue if one.name == name]
        if not found:
            raise LookupError(NO_COMMAND)
        if not visit.allows(found[0].scope):
            raise LookupError(NOT_ALLOWED)
        return found[0]


def _form_path(command: str, serials: Sequence[str]) -> str:
    given = {"command": command, "device": " ".join(serials)}
    return f"/jobs/new?{urlencode({name: text for name, text in given.items() if text})}"


@attrs.frozen
class Targets:
    """The terminals of a form."""

    serials: list[str] = attrs.field(factory=list)
    """Serial numbers of those that were chosen or typed in."""
    wrong: Mapping[str, str] = attrs.field(factory=dict)
    """Mistakes by field."""


def targets_thd(tx: Transaction, form: TargetForm, areas: frozenset[str] | None) -> Targets:
    """Return the terminals that a form names, or what is wrong.

    `areas` are those of a limited account.
    """
    if form.target == "area":
        if not form.area:
            return Targets(wrong={"area": NEEDED})
        known = _areas_thd(tx, areas)
        wrong = {} if form.area in known else {"area": unknown_area(form.area, known)}
        return Targets(wrong=wrong)
    if form.target == "all":
        return Targets()
    if not form.named:
        return Targets(wrong={"device": NO_TARGET})
    try:
        return Targets(typed_terminals_thd(tx, form.named, areas))
    except ValueError as error:
        return Targets(wrong={"devices": words_of(error)})


def _areas_thd(tx: Transaction, areas: frozenset[str] | None) -> list[str]:
    """Return the areas that have terminals; `areas` are those of a limited account."""
    known = {area or DEFAULT_AREA for area in tx[TargetStore].area_counts()}
    return sorted(known if areas is None else known & areas)


def target_names_thd(tx: Transaction, form: TargetForm, areas: frozenset[str] | None) -> str:
    """Return the first `MOST_NAMED` terminals by name or serial number, and how many more follow.

    `areas` are those of a limited account.
    """
    if form.target == "device":
        found = [*tx[TargetStore].named(targets_thd(tx, form, areas).serials, areas).values()]
    else:
        found = tx[TargetStore].approved(form.area if form.target == "area" else None, areas)
    first = tx[DeviceStore].with_keys([one.id for one in found[:MOST_NAMED]])
    names = listed_phrases(sorted(one.alias or one.sn for one in first))
    return with_more(names, len(found) - MOST_NAMED) if len(found) > MOST_NAMED else names


def _is_dangerous(command: Command) -> bool:
    return command.scope is Scope.DANGEROUS


def target_options_thd(
    tx: Transaction, device: str, areas: frozenset[str] | None = None
) -> dict[str, Any]:
    """Return the terminals, unless they are many, and the areas to choose from.

    `device` are the serial numbers that are chosen already, separated by spaces; `areas` are those
    of a limited account.
    """
    found = terminal_options_thd(tx, DeviceState.APPROVED, areas)
    shown = _areas_thd(tx, areas)
    is_listed = device in {sn for sn, _ in found or ()}
    return {
        "device": device if is_listed else "",
        "typed": "" if is_listed else names_of_terminals_thd(tx, device.split(), areas),
        "terminals": [("", Phrase("Choose a terminal")), *found] if found else [],
        "areas": [("", "\N{EN DASH}"), *((area, area) for area in shown)],
    }


def _mistakes(command: Command, params: Mapping[str, str]) -> dict[str, str]:
    """Return the mistakes of parameters, by the names of their inputs."""
    wrong: dict[str, str] = {}
    for field in command.parameters:
        text = params.get(field.wire)
        if text is None:
            if field.required:
                wrong[f"params.{field.wire}"] = NEEDED
            continue
        mistake = mistake_in(field, text)
        if mistake is not None:
            wrong[f"params.{field.wire}"] = without_field(mistake)
    if command.one_of and not any(name in params for name in command.one_of):
        wrong |= {f"params.{name}": ONE_NEEDED for name in command.one_of}
    return wrong


def _input(command: Command, field: Field) -> Mapping[str, Any]:
    """Describe the input of a parameter."""
    coded: Sequence[tuple[str, str]] = [*field.coded_values().items()]
    return {
        "field": field,
        "name": f"params.{field.wire}",
        "label": field.label or field.meaning,
        "options": [("", ""), *coded] if coded else [],
        "is_time": field.kind is Kind.TIME,
        "is_data": field.name in UNTRANSLATED,
        "hints": [] if coded else _hints(field),
        "is_secret": field.secret is not None and field.kind is not Kind.BASE64,
        "is_needed": field.required,
    }


def _hints(field: Field) -> list[str]:
    """Return what is said about a value that is typed."""
    hints: list[str] = [field.meaning] if field.label is not None and not field.form else []
    least, most = field.minimum, field.maximum
    if field.form:
        hints.append(field.form)
    elif least is not None and most not in (None, SMALL):
        hints.append(Phrase("a number from %(least)s to %(most)s", least=least, most=most))
    elif field.kind is Kind.INTEGER:
        hints.append(Phrase("a number"))
    elif field.kind not in (Kind.TEXT, Kind.TIME):
        hints.append(field.kind.title)
    return hints
