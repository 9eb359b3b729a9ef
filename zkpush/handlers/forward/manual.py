"""The kinds of forwarders with their settings, for the help and the manual.

The installed kinds are loaded when a function is called, so that other words stay quick.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_type_hints

import msgspec
from msgspec import Meta

from ...declarations import parts
from ...discovery import sound_plugins
from ...interfaces import IForwarder
from ...model import CORRECTED
from ...names import ENGINE_EVENTS


def kinds() -> list[IForwarder]:
    """Return the installed kinds by name."""
    return sorted(sound_plugins(IForwarder), key=lambda one: one.name)


def event_kinds() -> list[str]:
    """Return the kinds of events that can be forwarded."""
    found = {*ENGINE_EVENTS}
    for module in parts("handler"):
        found.update(getattr(module, "EVENTS", ()))
    for module in parts("api"):
        if (records := getattr(module, "RECORDS", None)) is not None:
            found |= records.kinds
    return sorted(found - {CORRECTED})  # corrections come with the records they correct


def secret_settings(kind: IForwarder) -> frozenset[str]:
    """Return the names of the settings that are never shown."""
    hints = get_type_hints(kind.settings, include_extras=True)
    return frozenset(
        name
        for name, hint in hints.items()
        for meta in getattr(hint, "__metadata__", ())
        if isinstance(meta, Meta) and (meta.extra or {}).get("secret")
    )


def in_brief() -> Iterator[str]:
    """Describe each kind in a sentence, with its settings; `*` marks required ones."""
    for kind in kinds():
        fields = msgspec.structs.fields(kind.settings)
        settings = ", ".join(f"{one.name}{'*' if one.required else ''}" for one in fields)
        yield f"{kind.name}: {kind.summary}. Settings: {settings}."
