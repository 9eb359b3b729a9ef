"""Stores: plugins that open the databases of some URLs.

A store runs units of work on a `Transaction`. This part of the face is not stable yet: a store
depends on the tables of zkpush, and follows each version.
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
from ..model import DatabaseClaim, StoragePlace
from ..persist.transaction import Transaction

__all__ = [
    "DatabaseClaim",
    "IMaintainedStoreFactory",
    "IPluginConnection",
    "IStore",
    "IStoreFactory",
    "NotUnsealed",
    "OutOfReach",
    "StoragePlace",
    "StoreError",
    "Transaction",
    "WrongKey",
]
