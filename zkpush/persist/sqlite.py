"""The store on SQLite, as a plugin."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorFromThreads
from twisted.plugin import IPlugin
from zope.interface import implementer

from ..interfaces import IStoreFactory
from .databases import open_sqlite, parse_url
from .store import Store


@implementer(IPlugin, IStoreFactory)
class SQLiteStores:
    """Opens `sqlite:///path` and, in memory, `sqlite://`."""

    schemes = ("sqlite",)

    def open(self, url: str, reactor: IReactorFromThreads) -> Store:
        """Make a store that is not started yet; `ValueError` if the URL is not right."""
        parse_url(url)
        return Store(lambda: open_sqlite(url), reactor)
