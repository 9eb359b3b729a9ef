"""Routes of a capability: `routes(services)` of an `api` part returns a list of `Route`.

An `ApiList` makes the route of a list, with pages, both orders, CSV and NDJSON. Paths begin with
the name of the plugin.
"""

from __future__ import annotations

from ..manage.listing import DeviceQuery, Listing, ListQuery
from ..manage.lists import ApiList
from ..manage.routes import Route
from ..manage.services import Services
from ..model import Caller, Page
from ..protocol.fields import Scope

__all__ = [
    "ApiList",
    "Caller",
    "DeviceQuery",
    "ListQuery",
    "Listing",
    "Page",
    "Route",
    "Scope",
    "Services",
]
