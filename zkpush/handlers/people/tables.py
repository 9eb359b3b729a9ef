"""Tables of users, templates and photos (11.5, 11.9 to 11.13, 11.15), and commands."""

from __future__ import annotations

from .commands import COMMANDS
from .records import BIODATA, BIOPHOTO, FACE, FP, FVEIN, TEMPLATE_TABLES, USER, USERPIC
from .remotetables import REMOTE_ATTENDANCE, REMOTE_USER

__all__ = [
    "BIODATA",
    "BIOPHOTO",
    "COMMANDS",
    "FACE",
    "FP",
    "FVEIN",
    "REMOTE_ATTENDANCE",
    "REMOTE_USER",
    "TABLES",
    "TEMPLATE_TABLES",
    "USER",
    "USERPIC",
]

TABLES = (USER, *TEMPLATE_TABLES, USERPIC, BIOPHOTO)
