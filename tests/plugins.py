"""Fixtures: a process of tests looks for installed plugins, and for absent modules, once."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import twisted.plugins
from zkpush import capability, discovery, handlers, installed


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


@pytest.fixture(autouse=True, scope="session")
def parts_that_are_absent_are_sought_once() -> Iterator[None]:
    """A daemon asks a hundred times for parts that the nouns do not have.

    Each search goes through all finders of modules, with that of pytest, which takes half of the
    start of a daemon. The folders of our own nouns do not change during the tests.
    """
    absent: set[str] = set()

    def import_module(name: str) -> Any:
        if name in absent and name not in sys.modules:
            raise ModuleNotFoundError(name, name=name)
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name == name and name.startswith(f"{handlers.__name__}."):
                absent.add(name)
            raise

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(capability, "import_module", import_module)
        yield
