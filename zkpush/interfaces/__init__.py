"""Interfaces that plugins implement and services use.

Plugins are found in the `twisted.plugins` folder, as with `twisted.plugin.getPlugins`. Those
of zkpush and of other packages have the same rights.
"""

from __future__ import annotations

from .errors import NotUnsealed, OutOfReach, StoreError, WrongKey
from .families import ITerminalFamily
from .forwarders import (
    ICollectingForwarder,
    IDelivery,
    IForwarder,
    IPlacedForwarder,
    ISelectiveForwarder,
)
from .plugins import (
    IAdmissionPolicy,
    ICipherSuite,
    IRecordHandler,
    IVerifier,
)
from .store import (
    IBringsTables,
    IMaintainedStoreFactory,
    INamesPictures,
    IPluginConnection,
    IStore,
    IStoreFactory,
)

__all__ = [
    "IAdmissionPolicy",
    "IBringsTables",
    "ICipherSuite",
    "ICollectingForwarder",
    "IDelivery",
    "IForwarder",
    "IMaintainedStoreFactory",
    "INamesPictures",
    "IPlacedForwarder",
    "IPluginConnection",
    "IRecordHandler",
    "ISelectiveForwarder",
    "IStore",
    "IStoreFactory",
    "ITerminalFamily",
    "IVerifier",
    "NotUnsealed",
    "OutOfReach",
    "StoreError",
    "WrongKey",
]
