"""The API of the audit log."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ..interfaces import IStore
from ..model import Caller, Page
from ..persist.audit import AuditStore
from ..persist.transaction import Transaction
from ..protocol.fields import Scope
from ..values.audit import AuditRecord
from .limits import WholeSite
from .listing import DeviceQuery
from .lists import ApiList
from .routes import Route
from .times import instant, instant_of, time_argument


class AuditQuery(DeviceQuery, frozen=True):
    """Filter for records of the audit log."""

    since: Annotated[str | None, time_argument("ISO 8601; from this instant on")] = None
    until: Annotated[str | None, time_argument("ISO 8601; before this instant")] = None
    actor: Annotated[str | None, Meta(description="Actor, as in the records")] = None
    action: Annotated[str | None, Meta(description="Action, as in the records")] = None
    pin: Annotated[str | None, Meta(description="User ID of a person that the records name")] = None


class AuditView(msgspec.Struct, frozen=True, kw_only=True):
    """An action in the audit log; records never change."""

    id: int
    recorded_at: str
    actor: Annotated[
        str,
        Meta(description="Actor: `token`, `device` or `address` with its name; or `others`"),
    ]
    action: Annotated[str, Meta(description="Action, such as `queue command`, or `refused`")]
    subject: Annotated[str, Meta(description="Object of the action; for `refused`, the reason")]
    detail: Annotated[
        str | None, Meta(description="Details and the origin of the request; no secrets")
    ]
    pins: Annotated[
        list[str],
        Meta(
            description="User IDs of the people that subject and detail name as `person:…`, as "
            "long as the server knows them"
        ),
    ]


class AuditEndpoints:
    """The route of the audit log."""

    def __init__(self, store: IStore) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        """The route of the audit log."""
        return [
            ApiList[AuditRecord](
                path="/audit",
                summary="The audit log, in the order it was written",
                view=AuditView,
                query=AuditQuery,
                scope=Scope.ADMIN,
                filter=_filter,
                find_thd=_find_thd,
                show=_view,
                whole_site=WholeSite("The audit log is of the whole site."),
            ).route(self._store)
        ]


def _filter(query: AuditQuery) -> tuple[int | None, int | None, AuditQuery]:
    return _milliseconds("since", query.since), _milliseconds("until", query.until), query


def _find_thd(
    tx: Transaction, part: Page, wanted: tuple[int | None, int | None, AuditQuery]
) -> list[AuditRecord]:
    since, until, query = wanted
    return tx[AuditStore].page(
        part, since, until, query.actor, query.action, query.pin, device=query.device
    )


def _milliseconds(name: str, text: str | None) -> int | None:
    seconds = instant_of(name, text)
    return None if seconds is None else seconds * 1000


def _view(one: AuditRecord, caller: Caller) -> AuditView:
    return AuditView(
        id=one.id,
        recorded_at=instant(one.at),
        actor=one.actor,
        action=one.action,
        subject=one.subject,
        detail=one.detail,
        pins=one.pins,
    )
