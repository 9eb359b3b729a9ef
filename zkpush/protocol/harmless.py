"""Options of terminals that are no secret, beside those that section 8 defines.

Terminals push dozens of options and answer INFO (12.4.3) with hundreds, among them passwords and
keys of their own. So the harmless ones are declared here, and every other one is a secret. A name
stands here without the `~` that some models write before it.
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
