"""Error codes of the error log (spec 11.16, Appendix 9)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

_MEANINGS: Mapping[str, str] = {
    "00000000": "Succeed",
    "D01E0001": "Face detection failed",
    "D01E0002": "Face occlusion",
    "D01E0003": "Lack of clarity",
    "D01E0004": "Face angle is too big",
    "D01E0005": "Live detection failed",
    "D01E0006": "Extraction template failed",
}
_GENERATORS: Mapping[str, str] = {"D": "Device", "S": "Software"}
_MODULES: Mapping[tuple[str, str], str] = {
    ("D", "01"): "PUSH communication module",
    ("D", "02"): "Template processing module",
    ("D", "03"): "Hardware interaction module",
    ("D", "04"): "PULL communication module",
    ("D", "05"): "Offline communication module",
    ("D", "06"): "Data transfer module",
    ("D", "07"): "Licensing service module",
}
"""Modules by generator; the specification leaves the software's modules undefined."""
_TYPES: Mapping[str, str] = {"E": "Error"}


class ErrorCode(msgspec.Struct, frozen=True):
    """A code such as `D01E0001`: generator, module, type and value.

    Any text is a code: its parts are taken by position, and parts without a meaning are kept.
    Letters are case-insensitive.
    """

    text: str
    """The code as it was sent."""

    @property
    def generator(self) -> str:
        """The first character: `D` for the device, `S` for the software."""
        return self.text[:1]

    @property
    def module(self) -> str:
        """Characters 2 and 3, which number the modules of the generator."""
        return self.text[1:3]

    @property
    def type(self) -> str:
        """The fourth character: `E` for an error."""
        return self.text[3:4]

    @property
    def value(self) -> str:
        """The rest after the fourth character, an integer; Appendix 9 does not state its base."""
        return self.text[4:]

    @property
    def meaning(self) -> str:
        """The whole code in words."""
        return _MEANINGS.get(self.text.upper(), f"Error code {self.text} (unknown)")

    @property
    def words(self) -> dict[str, str]:
        """The meaning of each part by its name; the value unchanged."""
        code = self.text.upper()
        return {
            "generator": _GENERATORS.get(code[:1], f"Generator {self.generator} (unknown)"),
            "module": _MODULES.get((code[:1], code[1:3]), f"Module {self.module} (unknown)"),
            "type": _TYPES.get(code[3:4], f"Type {self.type} (unknown)"),
            "value": self.value,
        }
