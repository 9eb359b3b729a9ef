"""Fixture: a process of tests compiles each template once, for all of its daemons."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import CodeType

import pytest
from jinja2 import BytecodeCache, Environment, PrefixLoader
from jinja2.bccache import Bucket

from zkpush.manage.console import rendering


class CompiledTemplates(BytecodeCache):
    """What was compiled, by the language and the capabilities of the environment and the source.

    Jinja computes filters of constants while it compiles, so the words of one language would be in
    the templates of another.
    """

    def __init__(self) -> None:
        self._known: dict[object, CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get(_key(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._known[_key(bucket)] = bucket.code


def _key(bucket: Bucket) -> object:
    loader = bucket.environment.loader
    assert isinstance(loader, PrefixLoader)
    language = bucket.environment.globals["language"].code
    return language, *loader.mapping, bucket.key, bucket.checksum


@pytest.fixture(autouse=True, scope="session")
def templates_are_compiled_once() -> Iterator[None]:
    """Share compiled templates between daemons: to compile those of a page takes longer than it."""
    shared = functools.partial(Environment, bytecode_cache=CompiledTemplates())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "Environment", shared)
        yield
