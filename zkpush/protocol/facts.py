"""What options say of a terminal under several names: one merged truth (wire facts, section 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping

_FIRMWARE = ("FWVersion", "FirmVer")
_COUNTS = {
    "UserCount": "users",
    "FPCount": "fingerprints",
    "TransactionCount": "attendance",
    "FaceCount": "faces",
}
"""Counts by their names in the update information (9)."""
VERSIONS = {
    1: ("FPVersion", "ZKFPVersion"),
    2: ("FaceVersion",),
    7: ("FvVersion",),
    8: ("PvVersion",),
}
"""Options that name the template version of one biometric type (Appendix 10), the best first."""
_CAPACITIES = {
    "MaxAttLogCount": ("attendance", 10_000),
    "MaxUserCount": ("users", 100),
    "MaxFingerCount": ("fingerprints", 100),
    "MaxFaceCount": ("faces", 1),
    "MaxUserPhotoCount": ("user_photos", 1),
    "MaxAttPhotoCount": ("attendance_photos", 1),
    "MaxBioPhotoCount": ("comparison_photos", 1),
}
"""Options that name a capacity, and what a unit of each is worth on real terminals."""
_MOST_UNITS = 1000
"""A larger value is the capacity itself."""
_FUNCTIONS = {
    "fingerprint": ("FingerFunOn",),
    "face": ("FaceFunOn",),
    "user_photo": ("UserPhotoFunOn", "PhotoFunOn"),
    "comparison_photo": ("BioPhotoFun",),
    "visible_light": ("VisilightFun",),
    "finger_vein": ("FvFunOn",),
    "palm": ("PvFunOn",),
    "card": ("RFCardOn", "CardFun"),
    "mask": ("MaskDetectionFunOn",),
    "temperature": ("IRTempDetectionFunOn",),
}
"""Options that say whether a terminal has a function, the best first."""
_REPORTED = ("fingerprint", "face", "user_photo", "comparison_photo", "visible_light")
"""The functions in the update information (9), a digit each."""
_COUNT = re.compile(r"[0-9]{1,9}\Z", re.ASCII)


def plain_names(options: Mapping[str, str]) -> dict[str, str]:
    """Options by their names in lower case, without the `~` that some models write before them."""
    return {name.lower().removeprefix("~"): value for name, value in options.items()}


def first(options: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    """The first of some options that has a value; `options` are by their `plain_names`."""
    return next((value for name in names if (value := options.get(name.lower(), "").strip())), None)


def firmware_of(options: Mapping[str, str]) -> str | None:
    """The firmware that options name; None if they do not."""
    return first(plain_names(options), _FIRMWARE)


def counts_of(options: Mapping[str, str]) -> dict[str, int]:
    """The counts that options name."""
    said = plain_names(options)
    return {
        name: int(said[wire.lower()])
        for wire, name in _COUNTS.items()
        if _COUNT.match(said.get(wire.lower(), ""))
    }


def capacities_of(options: Mapping[str, str]) -> dict[str, int]:
    """How much a terminal can hold, as far as its options say; named as its counts are."""
    said = plain_names(options)
    found = {}
    for wire, (name, unit) in _CAPACITIES.items():
        text = said.get(wire.lower(), "").strip()
        if _COUNT.match(text) and int(text):
            found[name] = int(text) * (unit if int(text) <= _MOST_UNITS else 1)
    return found


def functions_of(
    options: Mapping[str, str], attributes: Mapping[str, str]
) -> dict[str, bool | None]:
    """Which functions a terminal has; None where neither its options nor its polls say.

    `attributes` have the update information (9) under `functions`.
    """
    said = plain_names(options)
    reported = dict(zip(_REPORTED, attributes.get("functions", ""), strict=False))
    return {
        name: _YES_OR_NO.get(first(said, wires) or reported.get(name, ""))
        for name, wires in _FUNCTIONS.items()
    }


_YES_OR_NO = {"1": True, "0": False}
