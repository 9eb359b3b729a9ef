"""Stores: plugins that open the databases of some URLs, and buffered inserts.

A store runs units of work on a `Transaction`. This module is not stable yet: a store depends on the
tables of zkpush, and has to follow each version.

`BufferedRows` is for the store of a noun whose rows come in many small uploads: the rows of a group
of units are written with one statement.
"""

from __future__ import annotations

from ..interfaces import (
    IMaintainedStoreFactory,
    IPluginConnection,
    IStore,
    IStoreFactory,
    NotUnsealed,
    OutOfReach,
    StoreError,
    WrongKey,
)
from ..persist.buffers import BufferedRows
from ..persist.databases import Insert
from ..persist.transaction import Transaction
from ..values.storage import DatabaseClaim, StoragePlace

__all__ = [
    "BufferedRows",
    "DatabaseClaim",
    "IMaintainedStoreFactory",
    "IPluginConnection",
    "IStore",
    "IStoreFactory",
    "Insert",
    "NotUnsealed",
    "OutOfReach",
    "StoragePlace",
    "StoreError",
    "Transaction",
    "WrongKey",
]
