"""API of rejects: list, show with all bytes, retry, delete."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta

from ...interfaces import IStore
from ...manage.arguments import Mistakes, no_such
from ...manage.errors import ApiError, not_found
from ...manage.limits import of_device
from ...manage.listing import DeviceQuery, Order
from ...manage.lists import ApiList, Shown
from ...manage.readings import SecretAccessLog
from ...manage.recordlists import devices_of
from ...manage.recordviews import Damaged
from ...manage.routes import Route
from ...manage.services import Services
from ...manage.times import instant, instant_or_none
from ...model import Caller, Page
from ...persist.rejects import NO_TABLES, RejectStore
from ...persist.transaction import Transaction
from ...protocol import secrecy
from ...protocol.fields import Scope
from ...protocol.secrecy import Scopes, may_see
from ...protocol.tableset import TableSet
from ...values.setaside import RejectSelection, StoredReject
from .owning import NO_REJECT, REJECT
from .reading import RejectReader, RetryCounts

OfTable = Annotated[str | None, Meta(description="A table such as ATTLOG (punches)")]


class RejectQuery(DeviceQuery, frozen=True):
    """Filter of rejects."""

    table: OfTable = None
    order: Order = "desc"


class RetryBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rejects to read again; all of them by default."""

    device: Annotated[str | None, Meta(description="Serial number of a terminal")] = None
    table: OfTable = None


class RetryView(msgspec.Struct, frozen=True):
    """Result of reading rejects again."""

    read: Annotated[int, Meta(description="Rejects that were decoded and removed")]
    kept: Annotated[int, Meta(description="Rejects that still cannot be decoded")]
    records: Annotated[
        int, Meta(description="Records that were read; those stored before are not stored twice")
    ]


class OriginView(msgspec.Struct, frozen=True):
    """The request that contained a reject."""

    method: str
    path: str
    query: str
    content_type: str | None
    content_encoding: str | None


class RejectView(msgspec.Struct, frozen=True):
    """Uploaded data that could not be decoded."""

    id: int
    device: str
    table: str
    reason: Annotated[
        str,
        Meta(
            description="Without the scope `biometrics` (`dangerous` for answers to commands), the "
            "field at most, and nothing sent"
        ),
    ]
    raw: Annotated[
        bytes | None,
        Meta(
            description="Its bytes, in base64; null without the scope `biometrics` (`dangerous` "
            "for answers to commands), and in a list where they are more than 4,096"
        ),
    ]
    size: Annotated[int, Meta(description="Size in bytes")]
    received_at: Annotated[str, Meta(description="When it came first")]
    attempts: Annotated[int, Meta(description="Number of unsuccessful retries")]
    tried_at: Annotated[str | None, Meta(description="Time of the last retry")]
    origin: Annotated[
        OriginView | None,
        Meta(
            description="The request that brought it, where it is a whole body of which nothing "
            "was understood; null without the scope that its bytes need"
        ),
    ]
    times: Annotated[int, Meta(description="How often the terminal sent the same bytes")]
    last_received_at: Annotated[str, Meta(description="When it came last")]
    address: Annotated[
        str | None, Meta(description="Address from which it came last; null if that is not known")
    ]
    damaged: Damaged = UNSET


class RejectEndpoints:
    """Handlers of the routes of rejects."""

    def __init__(
        self, store: IStore, readings: SecretAccessLog, reader: RejectReader, tables: TableSet
    ) -> None:
        """`tables` are the tables of the server."""
        self._tables = tables
        self._store = store
        self._readings = readings
        self._reader = reader

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            ApiList[StoredReject](
                path="/rejects",
                summary="Uploads that were not understood, newest first; bytes need the "
                "scope `biometrics`, bytes of answers to commands `dangerous`",
                view=RejectView,
                query=RejectQuery,
                find_thd=_find_thd,
                show=lambda reject, caller: _view(reject, caller.scopes, self._tables),
                note=self._note,
                known={"table": self._no_table_thd},
                owner=of_device,
            ).route(self._store),
            Route(
                "GET",
                "/rejects/<int:id>",
                Scope.READ,
                self.reject,
                "One upload that was not understood, with all its bytes",
                returns=RejectView,
                takes=("caller",),
                limited=(REJECT,),
            ),
            Route(
                "DELETE",
                "/rejects/<int:id>",
                Scope.DANGEROUS,
                self.delete,
                "Delete an upload that was not understood; its data is lost",
                status=HTTPStatus.NO_CONTENT,
                takes=("caller",),
                limited=(REJECT,),
            ),
            Route(
                "POST",
                "/rejects/retry",
                Scope.WRITE,
                self.retry,
                "Read what was not understood again, after a change of the server or of a "
                "terminal's settings; replies when all are read",
                body=RetryBody,
                returns=RetryView,
                takes=("caller",),
                limited=(),
            ),
        ]

    async def _note(self, shown: Shown[StoredReject]) -> None:
        """Record that bytes of rejects were shown to a caller."""
        if any(item.raw for item in shown.items):
            await self._readings.note(
                shown.caller, "what was not understood", devices_of(shown.query)
            )

    async def reject(self, id: int, caller: Caller) -> RejectView:
        """Show a reject."""
        found = await self._store.read(lambda tx: tx[RejectStore].get(id))
        if found is None:
            raise _no_reject(id)
        item = _view(found, caller.scopes, self._tables)
        if item.raw:
            await self._readings.note(caller, "what was not understood", f"reject {id}")
        return item

    async def delete(self, id: int, caller: Caller) -> None:
        """Delete a reject."""
        if not await self._reader.delete(id, caller):
            raise _no_reject(id)

    async def retry(self, body: RetryBody, caller: Caller) -> RetryView:
        """Retry rejects."""
        table = body.table
        if table is not None:
            mistake = await self._store.read(lambda tx: self._no_table_thd(tx, table))
            if mistake is not None:
                raise Mistakes([f"table: {mistake}"])
        counts: RetryCounts = await self._reader.retry(
            RejectSelection(body.device, body.table), caller
        )
        return RetryView(counts.read, counts.kept, counts.records)

    def _no_table_thd(self, tx: Transaction, name: str) -> str | None:
        """Return why no reject can be of a table; a terminal may send names unknown here."""
        if tx[RejectStore].is_table(name):
            return None
        return no_such("table", name, [*(table.name for table in self._tables), *NO_TABLES])


def _find_thd(tx: Transaction, part: Page, query: RejectQuery) -> list[StoredReject]:
    return tx[RejectStore].page(part, selection=RejectSelection(query.device, query.table))


def _no_reject(id: int) -> ApiError:
    return not_found(NO_REJECT.format(id=id))


def _view(reject: StoredReject, scopes: Scopes, tables: TableSet) -> RejectView:
    is_seen = may_see(secrecy.reject_secret(reject.table), scopes)
    return RejectView(
        reject.id,
        reject.device,
        reject.table,
        secrecy.shown_reason(reject.table, tables.get(reject.table), reject.reason, scopes),
        reject.raw if is_seen else None,
        reject.size,
        instant(reject.received_at),
        reject.attempts,
        instant_or_none(reject.tried_at),
        OriginView(*msgspec.structs.astuple(reject.origin)) if is_seen and reject.origin else None,
        reject.times,
        instant(reject.last_at),
        reject.address,
        reject.damaged or UNSET,
    )


def routes(services: Services) -> list[Route]:
    """Return the routes of rejects."""
    reader = services.offers[RejectReader]
    return RejectEndpoints(services.store, services.secret_access, reader, services.tables).routes()
