"""`GET plugins`: installed plugins, their state, and their pending uploads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ..device.plugininbox import RECORD_HANDLER, PluginInbox
from ..discovery import PluginInfo
from ..interfaces import IStore
from ..model import Page
from ..persist.inbox import InboxStore
from ..persist.lineages import lineages
from ..persist.transaction import Transaction
from ..pluginkinds import CAPABILITIES
from ..values.setaside import InboxState
from .limits import WholeSite
from .listing import ListQuery, part_of_items
from .lists import ApiList
from .routes import Route
from .times import instant_or_none

State = Literal["ok", "failing", "missing"]


class PluginView(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin of zkpush or of another package."""

    name: str
    kind: Annotated[
        str,
        Meta(
            description="`capability`, `record handler`, `admission policy`, `verifier`, "
            "`cipher suite` or `store`"
        ),
    ]
    package: Annotated[str | None, Meta(description="Its distribution or module")]
    version: str | None
    brings: Annotated[
        list[str], Meta(description="Names that a capability adds, such as tables and routes")
    ]
    state: Annotated[
        State,
        Meta(
            description="`missing`: not installed, but lines are kept for it; `failing`: its last "
            "call failed"
        ),
    ]
    inline: Annotated[
        bool, Meta(description="Whether it stores its lines in the transaction of the upload")
    ]
    waiting: Annotated[int, Meta(description="Number of pending parts of uploads")]
    isolated: Annotated[
        int, Meta(description="Number of those that failed often and no longer block later ones")
    ]
    oldest_at: Annotated[str | None, Meta(description="Arrival of the oldest of those")]
    last_error: Annotated[str | None, Meta(description="Class name of its last exception")]


class PluginEndpoints:
    """The route of plugins."""

    def __init__(self, store: IStore, plugins: Sequence[PluginInfo], inbox: PluginInbox) -> None:
        self._store = store
        self._plugins = plugins
        self.inbox = inbox

    def routes(self) -> list[Route]:
        """The route."""
        return [
            ApiList[tuple[int, PluginView]](
                path="/plugins",
                summary="Plugins with their state and the number of pending parts of uploads; "
                "missing ones last",
                view=PluginView,
                find_thd=self._find_thd,
                show=lambda found, caller: found[1],
                key=itemgetter(0),
                whole_site=WholeSite("Plugins serve all areas."),
            ).route(self._store)
        ]

    def _find_thd(
        self, tx: Transaction, part: Page, query: ListQuery
    ) -> Sequence[tuple[int, PluginView]]:
        states = {state.plugin: state for state in tx[InboxStore].states()}
        views = [self._view(one, states) for one in self._plugins]
        there = {one.name for one in self._plugins if one.kind == RECORD_HANDLER}
        gone = [_missing(state) for name, state in states.items() if name not in there]
        installed = {one.name for one in self._plugins}
        left = [_left(name) for name in lineages(tx.connection) if name not in installed]
        return part_of_items([*views, *gone, *left], part)

    def _view(self, plugin: PluginInfo, states: Mapping[str, InboxState]) -> PluginView:
        state = states.get(plugin.name) if plugin.kind == RECORD_HANDLER else None
        error = self.inbox.failure(plugin.kind, plugin.name)
        if error is None and state is not None:
            error = state.error
        return PluginView(
            name=plugin.name,
            kind=plugin.kind,
            package=plugin.package,
            version=plugin.version,
            brings=[*plugin.brings],
            state="ok" if error is None else "failing",
            inline=plugin.kind == RECORD_HANDLER and not self.inbox.is_later(plugin.name),
            last_error=error,
            waiting=0 if state is None else state.waiting,
            isolated=0 if state is None else state.isolated,
            oldest_at=instant_or_none(None if state is None else state.oldest_at),
        )


def _missing(state: InboxState) -> PluginView:
    return PluginView(
        name=state.plugin,
        kind=RECORD_HANDLER,
        package=None,
        version=None,
        brings=[],
        state="missing",
        inline=False,
        last_error=state.error,
        waiting=state.waiting,
        isolated=state.isolated,
        oldest_at=instant_or_none(state.oldest_at),
    )


def _left(name: str) -> PluginView:
    """Make the view of a plugin that is not installed, and whose tables are still there."""
    return PluginView(
        name=name,
        kind=CAPABILITIES.title,
        package=None,
        version=None,
        brings=[],
        state="missing",
        inline=False,
        last_error=None,
        waiting=0,
        isolated=0,
        oldest_at=None,
    )
