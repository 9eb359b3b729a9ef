"""Collection of the contributions of capabilities to a daemon, in the order of requirements.

A failing capability of zkpush stops the start. A failing one of another package is left out, with
the capabilities that require it, as if it could not be imported; `GET plugins` and the log report
it.
"""

from __future__ import annotations

from .capabilities import Capabilities
from .capability import CapabilityError, ICapability, is_own
from .claims import Claims, check_prefix
from .containment import PluginError, PluginHealth, contained
from .manage.console.pages import ConsoleAddition, ConsoleForm, ConsolePage, LivePart
from .manage.services import Addition, Contribution, Contributions, Services


def contributions_of(
    known: Capabilities, services: Services, health: PluginHealth
) -> Contributions:
    """Collect the contributions of all capabilities, in order.

    Raises `ValueError` or `CapabilityError` if a capability of zkpush fails, or if two claim the
    same name.
    """
    added, claims = Contributions(), Claims()
    failed: set[str] = set()
    for one in known.all:
        if not failed.isdisjoint(one.requires):
            failed.add(one.name)
            continue
        if is_own(one):
            addition = _ask(one, services)
        else:
            try:
                with contained(
                    f"capability {one.name}",
                    "adding to the daemon",
                    passes=(CapabilityError,),
                    health=health,
                ):
                    addition = _ask(one, services)
            except PluginError:
                failed.add(one.name)
                continue
            _check_names(addition)
        claims.add("route", (route.claim for route in addition.routes), one.name)
        claims.add("page", (each.claim for each in _pages(addition)), one.name)
        claims.add("live part", _live_names(addition), one.name)
        claims.add("metric", (each.name for each in addition.contribution.figures), one.name)
        added.add(addition, services)
    added.check()
    return added


def _ask(one: ICapability, services: Services) -> Addition:
    """Collect the contribution of one capability; its own routes can use what it offers."""
    part, api = one.part("services"), one.part("api")
    contribution = Contribution() if part is None else part.contribute(services)
    for offered in contribution.offers:
        services.offers.add(one.name, offered)
    records = getattr(api, "RECORDS", None)
    if records is not None:
        services.offers.add(one.name, records)
    make_routes = getattr(api, "routes", None)
    routes = [] if make_routes is None else [*make_routes(services)]
    make_pages = getattr(one.part("pages"), "pages", None)
    pages = ConsoleAddition(
        one.name, one.package, [] if make_pages is None else [*make_pages(services)]
    )
    return Addition(one.name, contribution, routes, records, pages)


def _pages(addition: Addition) -> list[ConsolePage | ConsoleForm]:
    return [each for each in addition.console.routes if isinstance(each, ConsolePage | ConsoleForm)]


def _live_names(addition: Addition) -> list[str]:
    return [each.name for each in addition.console.routes if isinstance(each, LivePart)]


def _check_names(addition: Addition) -> None:
    """Raise `CapabilityError` if the names of a plugin do not begin with its own name."""
    name = addition.name
    check_prefix("route", (route.path for route in addition.routes), name, "/")
    check_prefix("page", (page.path for page in _pages(addition)), name, "/")
    check_prefix("live part", _live_names(addition), name)
    check_prefix("metric", (f.name for f in addition.contribution.figures), name, "zkpush_")
