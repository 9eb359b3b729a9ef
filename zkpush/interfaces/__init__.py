"""What the floors agree on: the interfaces that plugins implement and that services use.

Plugins are found with `twisted.plugin.getPlugins` in the `twisted.plugins` drop-in folder. Ours
and everyone else's have the same rights.
"""

from __future__ import annotations

from .nouns import (
    IAttendance,
    IAttendancePhotos,
    IAudit,
    ICommands,
    ICommKeys,
    IDevices,
    IEntries,
    IEvents,
    IFiles,
    IInbox,
    ILeases,
    ILog,
    IPeople,
    IPictures,
    IRejects,
    ISessions,
    IStamps,
    ITokens,
    IVault,
    NotUnsealed,
    StoreError,
    WrongKey,
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
    ITransaction,
)

__all__ = [
    "IAdmissionPolicy",
    "IAttendance",
    "IAttendancePhotos",
    "IAudit",
    "IBringsTables",
    "ICipherSuite",
    "ICommKeys",
    "ICommands",
    "IDevices",
    "IEntries",
    "IEvents",
    "IFiles",
    "IInbox",
    "ILeases",
    "ILog",
    "IMaintainedStoreFactory",
    "INamesPictures",
    "IPeople",
    "IPictures",
    "IPluginConnection",
    "IRecordHandler",
    "IRejects",
    "ISessions",
    "IStamps",
    "IStore",
    "IStoreFactory",
    "ITokens",
    "ITransaction",
    "IVault",
    "IVerifier",
    "NotUnsealed",
    "StoreError",
    "WrongKey",
]
