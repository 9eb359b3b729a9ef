"""The tables of attendance (11.2, 11.3, 11.7, 11.8)."""

from __future__ import annotations

from ...protocol.tables import ATTLOG, ATTPHOTO

TABLES = (ATTLOG, ATTPHOTO)
