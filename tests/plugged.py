"""Plugins of other packages, which a test adds to the installed ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from zkpush import installed
from zkpush.discovery import sound_plugins


def plug_in(
    monkeypatch: pytest.MonkeyPatch, interface: type[Any], plugin: object
) -> Callable[..., list[Any]]:
    """Let the daemons of a test find a plugin beside those that are installed.

    Returns the function that finds them, for other modules that the test looks at.
    """

    def found(kind: type[Any], given: Iterable[object] | None = None) -> list[Any]:
        plugins = sound_plugins(kind, given)
        return [*plugins, plugin] if given is None and kind is interface else plugins

    monkeypatch.setattr(installed, "sound_plugins", found)
    return found
