"""Code numbers of the protocol, with their meanings (the appendices)."""

from __future__ import annotations

from collections.abc import Mapping

RETURN_CODES: Mapping[int, str] = {
    0: "Successful",
    -1: "The parameter is incorrect",
    -2: "The transmitted user photo data does not match the given size",
    -3: "Reading or writing is incorrect",
    -9: "The transmitted template data does not match the given size",
    -10: "The user specified by PIN does not exist in the equipment",
    -11: "The fingerprint template format is illegal",
    -12: "The fingerprint template is illegal",
    -1001: "Limited capacity",
    -1002: "Not supported by the equipment",
    -1003: "Command execution timeout",
    -1004: "The data and equipment configuration are inconsistent",
    -1005: "The equipment is busy",
    -1006: "The data is too long",
    -1007: "Memory error",
    -1008: "Failed to get server data",
}
"""What a terminal returns for a command (Appendix 1)."""
