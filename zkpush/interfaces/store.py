"""The store: units of work, and what opens it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from zope.interface import Attribute, Interface

from ..model import DatabaseClaim, InboxItem, SealedItems, SealedRejects, StoragePlace
from ..problems import ServerProblem
from ..protocol.rejects import Reject

if TYPE_CHECKING:
    from ..persist.transaction import Transaction

T = TypeVar("T")


class IBringsTables(Interface):
    """A record handler that keeps what it takes in tables of its own."""

    def prepare(tx: Transaction) -> None:
        """Make its tables in the database, or bring them up to date; at every start.

        On the writer's thread, in a unit of work, before any terminal is served.
        """


class IPluginConnection(Interface):
    """Transactions of a plugin, which nothing else shares; on the plugin's thread."""

    def run_thd(unit: Callable[[Transaction], T]) -> T:
        """Run a unit of work and commit it. Raises what it raises, and if it ends the transaction.

        Nothing is committed then, but what the unit has committed itself. `OutOfReach` if the
        database seems to be at fault, and not the unit.
        """

    def abort_thd() -> None:
        """End the transaction that runs, from any thread: it holds up others. The unit goes on,
        and what it does from then on fails."""

    def close_thd() -> None:
        """Close the connection; the next transaction makes another one."""


class INamesPictures(IBringsTables):
    """A record handler whose tables name pictures (`PictureStore.keep`) that are to stay.

    Pictures that nothing names are removed. A key that stands alone in a column of text or bytes is
    found without this; one that stands in JSON, or in another place, is not.
    """

    name: str = Attribute("The name of the plugin; nothing is removed while it is missing")

    def pictures_named(tx: Transaction, keys: frozenset[str]) -> Iterable[str]:
        """Those of some keys that its rows name, as the unit of work sees them.

        If it raises, nothing is removed. It may be called on a thread, beside other units of work.
        """


class IStore(Interface):
    """Where everything is kept."""

    unprepared: Sequence[IBringsTables] = Attribute("Handlers whose tables could not be made")

    def start(
        brings: Sequence[IBringsTables] = (), claim: DatabaseClaim | None = None
    ) -> tuple[str, str] | None:
        """Open the database and migrate it, before the reactor runs; then let handlers do so.

        A database that is not the one of the claim is left as it is. `StoreError` says what to do
        then, and if anything else fails. A handler that fails, or does
        not return in time, is reported and in `unprepared`; the rest go on.

        Returns the identity of the database, and where it is, for messages; None if it does not
        outlive the process.
        """

    def connection() -> IPluginConnection:
        """A connection for the transactions of one plugin; it is made when it is needed."""

    def stop() -> Awaitable[None]:
        """Commit all units that were handed in, then close."""

    def write(unit: Callable[[Transaction], T], risky: bool = False) -> Deferred[T]:
        """Run a unit of work and commit it; comes back when it is on disk.

        Units run on the writer's thread, in the order they were handed in, and are committed
        together with others. A unit that raises is rolled back alone, and its error comes back.
        `StoreError` if the database cannot commit, or was lost before it said whether it did. A
        unit may be run several times, and only the last time counts.

        A `risky` unit attempts code that is not trusted, which might commit a part of it before
        its time. It shares a commit with others of its kind only, and doing all of it twice must
        be the same as doing it once.
        """

    def read(query: Callable[[Transaction], T]) -> Awaitable[T]:
        """Run a query that sees all that was committed before, on a thread of its own.

        It sees one state of the database, however much it reads.
        """

    def seal_rejects(
        device_id: int, rejects: Sequence[Reject], now: int, attempts: int = 0
    ) -> SealedRejects | None:
        """Seal rejects for `RejectStore.add_sealed`, on whichever thread; None for none of them.

        `attempts` is how often they were read again before.
        """

    def collect_pictures(
        shard: str, before: int, hooks: Sequence[INamesPictures]
    ) -> Awaitable[Sequence[str]]:
        """Remove the pictures that nothing names, and parts of killed writes; returns which.

        Those whose key begins with `shard` (two hex digits), and that were kept before an instant
        (ms). `hooks` are the plugins that name pictures.
        """

    def missing_picture_plugins(present: Collection[str]) -> Awaitable[list[str]]:
        """The names of plugins that have named pictures and are not present."""

    def places() -> Sequence[StoragePlace]:
        """The files and folders of this machine that the database is kept in, for health checks."""

    def problems() -> Sequence[ServerProblem]:
        """The damaged values that this process has met, as problems of the server."""

    def seal_items(items: Sequence[InboxItem]) -> SealedItems | None:
        """Seal items for `InboxStore.add`, on whichever thread; None for none of them."""

    def counts() -> Mapping[str, int]:
        """How many `units` of work were committed, and the `commits` that they took.

        Also how many are `pending`, and how many the store has refused (`failed`), if it knows.
        """


class IStoreFactory(Interface):
    """A plugin that opens stores for some database URLs."""

    schemes: Sequence[str] = Attribute("The URL schemes it takes, such as 'sqlite'")

    def open(url: str, key: bytes, reactor: IReactorFromThreads) -> IStore:
        """Make a store that is not started yet; `ValueError` if the URL is not right.

        `key` is the site key, 32 bytes, that seals secrets at rest.
        """


class IMaintainedStoreFactory(IStoreFactory):
    """A plugin whose stores `zkpush database` can work on, too."""

    def open_database(url: str, key: bytes, *, alone: bool, existing: bool) -> object:
        """Open the database, a `zkpush.persist.databases.Database`; `StoreError` if it is in use.

        With `alone`, nobody else may use it meanwhile; with `existing`, none is made.
        """
