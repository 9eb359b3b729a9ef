"""What capabilities add to a running daemon: each is asked for it after those that it requires.

A capability of zkpush that fails stops the start. One of another package is left out, with those
that require it, as if it could not be imported; `GET plugins` and the log say so.
"""

from __future__ import annotations

from .capabilities import Capabilities
from .capability import CapabilityError, ICapability, is_own
from .claims import Claims, check_prefix
from .containment import PluginError, PluginHealth, contained
from .manage.services import Addition, Contribution, Contributions, Services


def contributions_of(
    known: Capabilities, services: Services, health: PluginHealth
) -> Contributions:
    """Collect what all capabilities add, in order.

    `ValueError` or `CapabilityError` if one of ours fails, or if two claim the same.
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
        claims.add("metric", (each.name for each in addition.contribution.figures), one.name)
        added.add(addition, services)
    added.check()
    return added


def _ask(one: ICapability, services: Services) -> Addition:
    """Ask the parts of a capability; what it offers is there for its own routes."""
    part, api = one.part("services"), one.part("api")
    contribution = Contribution() if part is None else part.contribute(services)
    for offered in contribution.offers:
        services.offers.add(one.name, offered)
    make_routes = getattr(api, "routes", None)
    routes = [] if make_routes is None else [*make_routes(services)]
    return Addition(one.name, contribution, routes, getattr(api, "RECORDS", None))


def _check_names(addition: Addition) -> None:
    """`CapabilityError` if the names of a plugin do not begin with its own."""
    name = addition.name
    check_prefix("route", (route.path for route in addition.routes), name, "/")
    check_prefix("metric", (f.name for f in addition.contribution.figures), name, "zkpush_")
