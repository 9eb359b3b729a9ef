"""Pages of terminals: the list, one terminal, and its approval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Literal
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from ...device.administration import TerminalAdministration
from ...manage.console.areachoice import area_choice_thd, chosen_area_thd
from ...manage.console.forms import NOTHING_ENTERED, FormEntry
from ...manage.console.mending import shown_problems
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
from ...manage.console.visits import Visit
from ...manage.console.zonechoice import chosen_zone, zone_options
from ...manage.limits import TERMINAL
from ...manage.services import Services
from ...manage.views import ProblemView
from ...model import DEFAULT_AREA, Device, DeviceState, Page
from ...persist.commandhistory import CommandHistory
from ...persist.commkeys import CommKeyStore
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...problems import ProblemCode, ServerProblem
from ...protocol.codes import language_of
from ...protocol.facts import capacities_of
from ...protocol.fields import Scope
from ...values.keys import OfferedKey
from .actionpages import NO_TERMINAL, ActionPages, PressedButton
from .condition import OFFLINE, ONLINE, seen_terminal, seen_terminals
from .endpages import EndPages
from .firstpages import CHANGES, MOST_WAITING, FirstTerminalPages
from .punching import EndPunch, end_punches_thd
from .searching import terminal_search
from .settingpages import SettingPages

PER_PAGE = 30
"""Terminals on a page of the list, which stays under 50 KB in each language."""
STATES: Sequence[tuple[str, Phrase]] = (
    ("", Phrase("all")),
    ("approved", Phrase("approved")),
    ("online", ONLINE),
    ("offline", OFFLINE),
    ("pending", Phrase("waiting for approval")),
    ("blocked", Phrase("blocked")),
    ("problems", Phrase("with problems")),
)
EVERY = 10.0
"""Seconds after which connections are looked at again."""
Others = Mapping[str, Sequence[ServerProblem]]
"""Problems that are not stored with their terminals, by serial number."""
_Text = Annotated[str, Meta(max_length=200)]


class TerminalSearch(msgspec.Struct, frozen=True):
    """Filter of the list."""

    q: _Text = ""
    state: Literal["", "approved", "online", "offline", "pending", "blocked", "problems"] = ""
    after: int = 0


class ApproveForm(msgspec.Struct, frozen=True):
    """The approval of a terminal."""

    timezone: str
    alias: _Text = ""
    area: _Text = ""
    """Name of the area; empty to leave it as it is."""
    comm_key: str = ""


class TerminalForm(msgspec.Struct, frozen=True):
    """Name and zone of a terminal."""

    alias: _Text = ""
    timezone: str = ""


class TerminalPages:
    """The pages of terminals."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store
        self._registry = services.registry
        self._administration = TerminalAdministration(services.store, services.registry)

    def routes(self) -> list[ConsoleRoute]:
        """Return the pages, forms and live parts."""
        parts = {
            f"terminals-{name}": partial(self._part, template=f"_{name}.html")
            for name in ("state", "facts")
        }
        return [
            ConsolePage(
                path="/terminals",
                title=Phrase("Terminals"),
                run=self.list,
                query=TerminalSearch,
                nav=NavPlace(NavGroup.DAILY, 20, "terminal"),
                limited=(),
            ),
            ConsolePage(
                path="/terminals/<sn>", title=Phrase("Terminal"), run=self.show, limited=(TERMINAL,)
            ),
            *(
                LivePart(name=name, run=run, kinds=CHANGES, every=EVERY, limited=(TERMINAL,))
                for name, run in parts.items()
            ),
            ConsolePage(
                path="/terminals/<sn>/approve",
                title=Phrase("Approve a terminal"),
                scope=Scope.WRITE,
                run=self.approval,
                limited=(TERMINAL,),
            ),
            ConsoleForm(
                path="/terminals/<sn>/approve",
                fields=ApproveForm,
                run=self.approve,
                again=self.approval,
                limited=(TERMINAL,),
            ),
            ConsoleForm(
                path="/terminals/<sn>",
                fields=TerminalForm,
                run=self.change,
                again=self.show,
                limited=(TERMINAL,),
            ),
            ConsoleForm(
                path="/terminals/<sn>/block",
                fields=PressedButton,
                run=self.block,
                question=ConfirmationQuestion(
                    title=Phrase("Block this terminal?"),
                    text=Phrase(
                        "It is refused from now on, keeps its punches, and sends them when it is "
                        "approved again."
                    ),
                    button=Phrase("Block"),
                    back="/terminals/<sn>",
                ),
                limited=(TERMINAL,),
            ),
        ]

    async def list(self, visit: Visit, query: TerminalSearch) -> View:
        """List terminals, those that wait for approval first."""
        state = query.state if query.state not in ("", "problems") else None
        window = self._registry.online_window()
        by_presence = query.state in ("online", "offline")
        if by_presence:
            state = DeviceState.APPROVED.value

        def find(tx: Transaction) -> tuple[list[Device], list[Device], dict[int, int], Others]:
            store = tx[DeviceStore]
            others = self._services.problems.about_thd(tx)
            found = store.search(
                Page(PER_PAGE + 1, query.after, areas=visit.areas),
                query.q,
                state,
                with_problems=query.state == "problems",
                troubled=others.keys(),
                window=window if by_presence else None,
                is_online=query.state == "online",
            )
            waiting = store.search(
                Page(MOST_WAITING, areas=visit.areas), state=DeviceState.PENDING.value
            )
            return found, waiting, tx[CommandHistory].pending(), others

        found, waiting, commands, others = await self._store.read(find)
        more = len(found) > PER_PAGE
        shown = found[:PER_PAGE]
        asked = {"q": query.q, "state": query.state}
        kept = {name: text for name, text in asked.items() if text}
        return View(
            template="terminals.html",
            values={
                "found": seen_terminals(self._registry, shown, window),
                "waiting": seen_terminals(self._registry, waiting if not kept else (), window),
                "commands": commands,
                "problems": {
                    one.id: number
                    for one in shown
                    if (number := len(one.problems) + len(others.get(one.sn, ())))
                },
                "default_area": DEFAULT_AREA,
                "sends": [one.sn for one in shown if one.state is DeviceState.APPROVED]
                if visit.allows(Scope.WRITE)
                else [],
                "states": STATES,
                "query": query,
                "is_filtered": bool(kept),
                "next_query": urlencode({**kept, "after": shown[-1].id}) if more else None,
                "first_query": urlencode(kept) if query.after else None,
            },
        )

    # One terminal.

    async def show(self, visit: Visit, sn: str, entry: FormEntry = NOTHING_ENTERED) -> View:
        """Show a terminal."""
        values = await self._of(visit, sn)
        return View(
            template="terminal.html",
            title=values["one"].name,  # type: ignore[attr-defined]
            values={**values, "entry": entry, "zones": zone_options()},
            live=[f"terminals-state:{sn}", f"terminals-facts:{sn}"],
        )

    async def _part(self, visit: Visit, argument: str | None, template: str) -> View:
        """Show the state and the problems of a terminal, or what it has stated about itself."""
        return View(template=template, values=await self._of(visit, argument or ""))

    async def _of(self, visit: Visit, sn: str) -> Mapping[str, object]:
        def find(tx: Transaction) -> tuple[Device, Sequence[OfferedKey], int, Sequence[EndPunch]]:
            device = _found(tx, sn)
            open_commands = tx[CommandHistory].pending().get(device.id, 0)
            ends = end_punches_thd(tx, device, visit.zone)
            return device, tx[CommKeyStore].of(device.id), open_commands, ends

        window = self._registry.online_window()
        device, keys, commands, ends = await self._store.read(find)
        others = [one for one in await self._services.problems.of_server() if one.sn == sn]
        language = None if device.language is None else language_of(device.language).meaning
        return {
            "one": seen_terminal(self._registry, device, window),
            "device": device,
            "sn": sn,
            "keys": keys,
            "commands": commands,
            "ends": ends,
            "skew": device.clock_skew_seconds,
            "clock_wrong": ProblemCode.CLOCK_WRONG,
            "is_approved": device.state is DeviceState.APPROVED,
            "problems": shown_problems(
                [*ProblemView.of_device(device), *map(ProblemView.of_server, others)]
            ),
            "area": device.area or DEFAULT_AREA,
            "version": self._registry.version(device),
            "language_meaning": language,
            "capacities": capacities_of(device.options),
            "is_encrypted": window.holds(device) and device.encrypts,
        }

    async def approval(self, visit: Visit, sn: str, entry: FormEntry = NOTHING_ENTERED) -> View:
        """Show what is known of a terminal, and the choices of its approval."""
        values = await self._of(visit, sn)
        device: Device = values["device"]  # type: ignore[assignment]
        zone = device.timezone or (visit.zone.key if visit.zone.key != "UTC" else "")
        keys: Sequence[OfferedKey] = values["keys"]  # type: ignore[assignment]
        areas = await self._store.read(lambda tx: area_choice_thd(tx, visit.areas))
        return View(
            template="approve.html",
            title=Phrase("Approve %(name)s", name=values["one"].name),  # type: ignore[attr-defined]
            values={
                **values,
                "entry": entry,
                "zones": zone_options(),
                "zone": zone,
                "areas": areas,
                "choices": [key for key in keys if key.fingerprint is not None],
                "may_pin": visit.allows(Scope.ADMIN),
            },
        )

    async def approve(self, visit: Visit, form: ApproveForm, sn: str) -> Redirect:
        """Approve a terminal."""
        values: dict[str, object] = {
            "state": DeviceState.APPROVED,
            "timezone": chosen_zone("timezone", form.timezone),
        }
        if form.alias:
            values["alias"] = form.alias
        if form.area:
            choose_thd = partial(chosen_area_thd, name=form.area, areas=visit.areas)
            values["area"] = await self._store.read(choose_thd)
        if form.comm_key:
            values["comm_key"] = form.comm_key
        device = await self._change(visit, sn, values)
        name = device.alias or sn
        return Redirect(
            to=f"/terminals/{sn}",
            notice=Phrase("%(name)s is approved. It connects again by itself.", name=name),
        )

    async def change(self, visit: Visit, form: TerminalForm, sn: str) -> Redirect:
        """Name a terminal, and set its zone."""
        zone = None if not form.timezone else chosen_zone("timezone", form.timezone)
        await self._change(visit, sn, {"alias": form.alias or None, "timezone": zone})
        return Redirect(to=f"/terminals/{sn}", notice=Phrase("Saved."))

    async def block(self, visit: Visit, form: PressedButton, sn: str) -> Redirect:
        """Refuse a terminal from now on."""
        await self._change(visit, sn, {"state": DeviceState.BLOCKED})
        notice = Phrase("%(name)s is blocked: it is refused from now on.", name=sn)
        return Redirect(to=f"/terminals/{sn}", notice=notice)

    async def _change(self, visit: Visit, sn: str, values: Mapping[str, object]) -> Device:
        try:
            device = await self._administration.change(sn, values, visit.caller)
        except LookupError:
            raise LookupError(NO_TERMINAL) from None
        if values.get("timezone") is not None:
            await self._services.zones.follow()
        return device


def _found(tx: Transaction, sn: str) -> Device:
    device = tx[DeviceStore].find(sn)
    if device is None:
        raise LookupError(NO_TERMINAL)
    return device


def pages(services: Services) -> list[ConsoleRoute]:
    """The pages of terminals."""
    return [
        terminal_search(services),
        *TerminalPages(services).routes(),
        *FirstTerminalPages(services).routes(),
        *ActionPages(services).routes(),
        *SettingPages(services).routes(),
        *EndPages(services).routes(),
    ]
