"""Facts about a terminal, merged from options with several names (wire facts, section 4)."""

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
"""Names in the API of count options (spec 9)."""
VERSIONS = {
    1: ("FPVersion", "ZKFPVersion"),
    2: ("FaceVersion",),
    7: ("FvVersion",),
    8: ("PvVersion",),
}
"""Options with the template version of a biometric type (Appendix 10), in order of preference."""
_CAPACITIES = {
    "MaxAttLogCount": ("attendance", 10_000),
    "MaxUserCount": ("users", 100),
    "MaxFingerCount": ("fingerprints", 100),
    "MaxFaceCount": ("faces", 1),
    "MaxUserPhotoCount": ("user_photos", 1),
    "MaxAttPhotoCount": ("attendance_photos", 1),
    "MaxBioPhotoCount": ("comparison_photos", 1),
}
"""Capacity options, with the API name and the unit that real terminals use."""
FUNCTION_OF_TYPE = {
    1: "fingerprint",
    2: "face",
    7: "finger_vein",
    8: "palm",
    9: "visible_light",
}
"""Functions that biometric types need (Appendix 10)."""
_PIN_WIDTH = ("PIN2Width",)
_LETTERS = ("IsABCPinEnable", "HasSupportABCPin")
"""Options that report user IDs with letters, in order of preference."""
_MOST_UNITS = 1000
"""A larger value is an absolute capacity."""
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
"""Options that report a function, in order of preference."""
_REPORTED = ("fingerprint", "face", "user_photo", "comparison_photo", "visible_light")
"""Functions in the update information (spec 9), one digit each."""
_COUNT = re.compile(r"[0-9]{1,9}\Z", re.ASCII)


def plain_names(options: Mapping[str, str]) -> dict[str, str]:
    """Options by lower-case name, without the `~` that some models prepend."""
    return {name.lower().removeprefix("~"): value for name, value in options.items()}


def first(options: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    """The first non-empty option of `names`; `options` are by their `plain_names`."""
    return next((value for name in names if (value := options.get(name.lower(), "").strip())), None)


def firmware_of(options: Mapping[str, str]) -> str | None:
    """The firmware version in the options; None if absent."""
    return first(plain_names(options), _FIRMWARE)


def counts_of(options: Mapping[str, str]) -> dict[str, int]:
    """The counts in the options."""
    said = plain_names(options)
    return {
        name: int(said[wire.lower()])
        for wire, name in _COUNTS.items()
        if _COUNT.match(said.get(wire.lower(), ""))
    }


def capacities_of(options: Mapping[str, str]) -> dict[str, int]:
    """Capacities of a terminal as its options report them; keys as in its counts."""
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
    """The functions of a terminal; None where neither its options nor its polls report one.

    `attributes` hold the update information (spec 9) under `functions`.
    """
    said = plain_names(options)
    reported = dict(zip(_REPORTED, attributes.get("functions", ""), strict=False))
    return {
        name: _YES_OR_NO.get(first(said, wires) or reported.get(name, ""))
        for name, wires in _FUNCTIONS.items()
    }


def pin_width_of(options: Mapping[str, str]) -> int | None:
    """The maximum length of a user ID in characters; None if the options do not state it."""
    text = first(plain_names(options), _PIN_WIDTH)
    return int(text) if text is not None and _COUNT.match(text) and int(text) else None


def takes_letters_of(options: Mapping[str, str]) -> bool | None:
    """Whether user IDs may have letters; None if the options do not state it."""
    return _YES_OR_NO.get(first(plain_names(options), _LETTERS) or "")


_YES_OR_NO = {"1": True, "0": False}
