"""Fixture: a process of tests compiles each SQL statement once, for all of its databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

MOST_STATEMENTS = 2000
"""Number of compiled statements kept."""


@pytest.fixture(autouse=True, scope="session")
def statements_are_compiled_once() -> Iterator[None]:
    """Share compiled statements between engines of one dialect.

    An engine has a cache of its own, with its dialect in the keys. A new daemon in each test would
    therefore compile all its statements again, which takes a sixth of the time of such a test.
    """
    compiled: LRUCache[Any, Any] = LRUCache(MOST_STATEMENTS)
    create = sqlalchemy.create_engine

    def create_engine(*arguments: Any, **options: Any) -> sqlalchemy.Engine:
        engine = create(*arguments, **options)
        engine.update_execution_options(compiled_cache=compiled)
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlalchemy, "create_engine", create_engine)
        for dialect in (PGDialect_psycopg, SQLiteDialect_pysqlite):
            patch.setattr(dialect, "__eq__", lambda one, other: type(one) is type(other))
            patch.setattr(dialect, "__hash__", lambda one: hash(type(one)))
        yield
