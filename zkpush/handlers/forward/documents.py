"""Documents that a receiver has made of events, so that corrections find them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import delete, select

from ...interfaces import IStore
from ...persist.databases import insert
from .schema import forward_documents

if TYPE_CHECKING:
    from ...persist.transaction import Transaction


class DocumentStore:
    """Names of documents by forwarder and event."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def name(self, forwarder_id: int, event_id: str) -> str | None:
        """Return the name of the document of an event; None if it is not known."""
        table = forward_documents
        found: str | None = self._connection.execute(
            select(table.c.name).where(
                table.c.forwarder_id == forwarder_id, table.c.event_id == event_id
            )
        ).scalar_one_or_none()
        return found

    def keep(self, forwarder_id: int, event_id: str, name: str) -> None:
        """Store the name of the document of an event."""
        statement = insert(self._connection, forward_documents).values(
            forwarder_id=forwarder_id, event_id=event_id, name=name
        )
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[forward_documents.c.forwarder_id, forward_documents.c.event_id],
                set_={"name": statement.excluded.name},
            )
        )

    def events(self, forwarder_id: int, after: str, limit: int) -> list[str]:
        """List the events with a document, by their ids, after one of them."""
        event = forward_documents.c.event_id
        query = select(event).where(forward_documents.c.forwarder_id == forwarder_id, event > after)
        return list(self._connection.execute(query.order_by(event).limit(limit)).scalars())

    def forget(self, forwarder_id: int, event_id: str) -> None:
        """Remove the name of the document of an event."""
        table = forward_documents
        self._connection.execute(
            delete(table).where(table.c.forwarder_id == forwarder_id, table.c.event_id == event_id)
        )


@attrs.frozen
class StoredDocuments:
    """The `ReceiverDocuments` of one forwarder."""

    store: IStore
    forwarder_id: int

    async def name(self, event_id: str) -> str | None:
        """Return the name of the document of an event; None if it is not known."""
        return await self.store.read(lambda tx: tx[DocumentStore].name(self.forwarder_id, event_id))

    async def keep(self, event_id: str, name: str) -> None:
        """Store the name of the document of an event."""
        await self.store.write(lambda tx: tx[DocumentStore].keep(self.forwarder_id, event_id, name))

    async def forget(self, event_id: str) -> None:
        """Remove the name of the document of an event."""
        await self.store.write(lambda tx: tx[DocumentStore].forget(self.forwarder_id, event_id))
