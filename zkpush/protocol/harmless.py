"""Public options of terminals, beside those that section 8 defines.

Terminals push dozens of options and answer INFO (spec 12.4.3) with hundreds, including passwords
and keys. So the public options are declared here, and all others are secret. Names are without the
`~` that some models prepend.
"""

from __future__ import annotations

_IDENTITY = (
    "DeviceName",
    "SerialNumber",
    "OEMVendor",
    "ProductTime",
    "Platform",
    "MachineType",
    "DeviceType",
    "FirmVer",
    "FWVersion",
    "PushVersion",
    "PushVer",
    "Language",
    "MAC",
    "IPAddress",
    "NetMask",
    "GATEIPAddress",
    "TZ",
    "TZAdj",
    "VOLUME",
    "DtFmt",
)
_CAPACITIES = (
    "MaxUserCount",
    "MaxAttLogCount",
    "MaxFingerCount",
    "MaxFaceCount",
    "MaxFvCount",
    "MaxPvCount",
    "MaxUserPhotoCount",
    "MaxAttPhotoCount",
    "MaxBioPhotoCount",
    "PIN2Width",
    "LockCount",
    "ReaderCount",
    "AuxInCount",
    "AuxOutCount",
)
_COUNTS = (
    "UserCount",
    "AdminCount",
    "TransactionCount",
    "FPCount",
    "FaceCount",
    "FvCount",
    "PvCount",
    "UserPhotoCount",
    "BioPhotoCount",
    "AttPhotoCount",
    "OpLogCount",
)
_ALGORITHMS = ("ZKFPVersion", "FPVersion", "FaceVersion", "FvVersion", "PvVersion")
_FUNCTIONS = (
    "FvFunOn",
    "PvFunOn",
    "PhotoFunOn",
    "UserPhotoFunOn",
    "BioPhotoFun",
    "BioDataFun",
    "VisilightFun",
    "CameraOpen",
    "RFCardOn",
    "CardFun",
    "IsOnlyRFMachine",
    "IsSupportReader",
    "ReaderFunOn",
    "SupAuthrizeFunOn",
    "IRTempDetectionFunOn",
    "IRTempUnitTrans",
    "MaskDetectionFunOn",
    "SubcontractingUpgradeFunOn",
    "SupportPing",
    "QRCodeDecryptType",
)

HARMLESS_OPTIONS = (*_IDENTITY, *_CAPACITIES, *_COUNTS, *_ALGORITHMS, *_FUNCTIONS)
