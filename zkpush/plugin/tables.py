"""Declarations of record types: the format of a line, and the names of its values.

Importing this module loads no database and no Twisted. The server reads a `Table`, and so do the
tests of the plugin (its `examples`).
"""

from __future__ import annotations

from ..protocol.codes.code import Code
from ..protocol.fields import (
    Acknowledge,
    Command,
    Field,
    Form,
    Kind,
    Layout,
    Scope,
    ScopeRule,
    Table,
    Writing,
)

__all__ = [
    "Acknowledge",
    "Code",
    "Command",
    "Field",
    "Form",
    "Kind",
    "Layout",
    "Scope",
    "ScopeRule",
    "Table",
    "Writing",
]
