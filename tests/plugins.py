"""Fixture: a process of tests looks for installed plugins once."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import pytest

import twisted.plugins
from zkpush import discovery, installed


@pytest.fixture(autouse=True, scope="session")
def plugins_are_found_once() -> Iterator[None]:
    """Each daemon looks into all folders of plugins eight times, which takes a third of its start.

    They are looked into again where their list has changed.
    """

    def once(find: Any) -> Any:
        known = functools.cache(lambda _folders, *asked: [*find(*asked)])
        return lambda *asked: [*known(tuple(twisted.plugins.__path__), *asked)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discovery, "getPlugins", once(discovery.getPlugins))
        patch.setattr(installed, "failed_modules", once(installed.failed_modules))
        yield
