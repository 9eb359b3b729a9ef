"""Declarations of record types: how a line looks on the wire, and what its values are called.

Importing this module loads no database and no Twisted. A `Table` is read by the server and
by the tests of the plugin (its `examples`).
"""

from __future__ import annotations

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
