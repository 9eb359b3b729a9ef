"""The tables of users, templates and photos of users (11.5, 11.9 to 11.13, 11.15)."""

from __future__ import annotations

from ...protocol.tables import BIOPHOTO, TEMPLATE_TABLES, USER, USERPIC

TABLES = (USER, *TEMPLATE_TABLES, USERPIC, BIOPHOTO)
