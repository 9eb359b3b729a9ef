"""Interfaces of the store: units of work, and the plugins that open databases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from zope.interface import Attribute, Interface

from ..problems import ServerProblem
from ..protocol.rejects import Reject
from ..values.setaside import InboxItem, SealedItems, SealedRejects
from ..values.storage import DatabaseClaim, StoragePlace

if TYPE_CHECKING:
    from ..persist.transaction import Transaction

T = TypeVar("T")


class IBringsTables(Interface):
    """A record handler with database tables of its own."""

    def prepare(tx: Transaction) -> None:
        """Create or upgrade its tables; called at every start.

        Runs on the writer's thread, in a unit of work, before any terminal is served.
        """


class IPluginConnection(Interface):
    """Transactions of one plugin, on the plugin's thread; nothing else shares them."""

    def run_thd(unit: Callable[[Transaction], T]) -> T:
        """Run a unit of work and commit it; re-raise its exception.

        An exception, or a unit that ends the transaction itself, rolls everything back, except for
        data that the unit committed itself. `OutOfReach` if the database is at fault rather than
        the unit.
        """

    def abort_thd() -> None:
        """End the running transaction, from any thread, because it blocks others.

        The unit continues, and its later statements fail.
        """

    def close_thd() -> None:
        """Close the connection; the next transaction opens a new one."""


class INamesPictures(IBringsTables):
    """A record handler whose tables refer to pictures (`PictureStore.keep`).

    Pictures without references are removed. A key that is the whole value of a text or bytes column
    is found without this interface; one inside JSON, or stored elsewhere, is not.
    """

    name: str = Attribute("The name of the plugin; nothing is removed while it is missing")

    def pictures_named(tx: Transaction, keys: frozenset[str]) -> Iterable[str]:
        """Return the keys among `keys` that its rows refer to, as the unit of work sees them.

        If it raises, nothing is removed. It may be called on a thread, beside other units of work.
        """


class IStore(Interface):
    """Storage of all data of the server."""

    unprepared: Sequence[IBringsTables] = Attribute("Handlers whose tables could not be made")

    def start(
        brings: Sequence[IBringsTables] = (), claim: DatabaseClaim | None = None
    ) -> tuple[str, str] | None:
        """Open the database and migrate it, then prepare the tables of handlers; blocks.

        Called before the reactor runs. A database other than that of the claim is left unchanged.
        `StoreError` says what to do then, and for any other failure. A handler that fails, or does
        not return in time, is reported and listed in `unprepared`; the others are used.

        Returns the identity of the database, and its location for messages; None if the database
        does not outlive the process.
        """

    def connection() -> IPluginConnection:
        """Make a connection for the transactions of one plugin; it connects on first use."""

    def stop() -> Awaitable[None]:
        """Commit all submitted units, then close."""

    def write(unit: Callable[[Transaction], T], risky: bool = False) -> Deferred[T]:
        """Run a unit of work and commit it; the result is returned once it is on disk.

        Units run on the writer's thread, in order of submission, and are committed in groups. A
        unit that raises is rolled back alone, and its exception is re-raised. `StoreError` if the
        store is not open, the database cannot commit, or the connection was lost before it
        confirmed. A unit may be run several times; only the last run counts.

        A `risky` unit runs untrusted code, which might commit a part of it prematurely. It shares a
        commit with other risky units only, and must be idempotent.
        """

    def read(query: Callable[[Transaction], T]) -> Awaitable[T]:
        """Run a query that sees everything committed before, on a thread of its own.

        It sees one snapshot of the database, however much it reads.
        """

    def seal_rejects(
        device_id: int,
        rejects: Sequence[Reject],
        now: int,
        attempts: int = 0,
        address: str | None = None,
    ) -> SealedRejects | None:
        """Encrypt rejects for `RejectStore.add_sealed`, on any thread; None if there are none.

        `attempts` is the number of earlier attempts to read them again, and `address` where they
        came from.
        """

    def collect_pictures(
        shard: str, before: int, hooks: Sequence[INamesPictures]
    ) -> Awaitable[Sequence[str]]:
        """Remove pictures without references, and partial files of killed writes; return names.

        Only those whose key begins with `shard` (two hex digits), and that were last kept before
        the instant `before` (ms). `hooks` are the plugins that refer to pictures.
        """

    def missing_picture_plugins(present: Collection[str]) -> Awaitable[list[str]]:
        """Return the names of plugins that have referred to pictures and are not present."""

    def places() -> Sequence[StoragePlace]:
        """Return the files and folders of the database on this machine, for health checks."""

    def problems() -> Sequence[ServerProblem]:
        """Return the damaged values that this process has found, as problems of the server."""

    def seal_items(items: Sequence[InboxItem]) -> SealedItems | None:
        """Encrypt items for `InboxStore.add`, on any thread; None if there are none."""

    def counts() -> Mapping[str, int]:
        """Return the number of committed `units` of work, and of their `commits`.

        Also the number of `pending` and of `failed` units, if the store knows them.
        """


class IStoreFactory(Interface):
    """A plugin that opens stores for some database URLs."""

    schemes: Sequence[str] = Attribute("The URL schemes it takes, such as 'sqlite'")

    def open(url: str, key: bytes, reactor: IReactorFromThreads) -> IStore:
        """Make a store that is not started yet; `ValueError` for an invalid URL.

        `key` is the site key, 32 bytes, which encrypts secrets at rest.
        """


class IMaintainedStoreFactory(IStoreFactory):
    """A store plugin whose databases `zkpush database` can maintain."""

    def open_database(url: str, key: bytes, *, alone: bool, existing: bool) -> object:
        """Open the database, a `zkpush.persist.databases.Database`; `StoreError` if it is in use.

        With `alone`, exclude other users; with `existing`, never create a database.
        """
