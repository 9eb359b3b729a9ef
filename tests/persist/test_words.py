"""What a database says of a mistake is told without values: on every database."""

from __future__ import annotations

import pytest
import pytest_twisted
from sqlalchemy import literal, select, text
from twisted.logger import LogEvent, globalLogPublisher

from zkpush.interfaces import StoreError
from zkpush.persist.schema import PlainText, tokens

from .contract import in_file, in_memory, on_postgresql, with_store

SECRET = "sec4711ret"


class Refusing(PlainText):
    """A type that takes no value, and quotes it."""

    cache_ok = True

    def process_bind_param(self, value, dialect):
        raise ValueError(f"{value} is nothing")


def token(**values):
    """A row of which all is there."""
    return {"name": "x", "scopes": "[]", "created_at": 1, "created_by": "y", **values}


MISTAKES = {
    "an unknown column": lambda tx: tx.connection.execute(text(f"SELECT {SECRET}")),
    "no SQL": lambda tx: tx.connection.execute(text(f"{SECRET} FROM")),
    "a literal": lambda tx: tx.connection.execute(text(f"SELECT FROM '{SECRET}")),
    "a parameter of no type": lambda tx: tx.connection.execute(
        text("SELECT :a"), {"a": {SECRET: SECRET}}
    ),
    "a parameter that is refused": lambda tx: tx.connection.execute(
        select(literal(SECRET, Refusing()))
    ),
    "nothing where something must be": lambda tx: tx.connection.execute(
        tokens.insert().values(token(created_by=SECRET, digest=None))
    ),
}
OF_POSTGRESQL = {
    "no number": lambda tx: tx.connection.execute(text(f"SELECT CAST('{SECRET}' AS bigint)")),
    "no JSON": lambda tx: tx.connection.execute(text(f"SELECT CAST('{{{SECRET}' AS jsonb)")),
    "no time": lambda tx: tx.connection.execute(text(f"SELECT CAST('{SECRET}' AS timestamp)")),
}


def make_word_tests(factory, mistakes):
    """The tests of what is said; `factory` makes an empty store, from pytest's request."""

    class WordTests(with_store(factory)):
        @pytest.mark.parametrize("name", mistakes)
        @pytest_twisted.ensureDeferred
        async def test_no_value_is_repeated(self, store, name) -> None:
            """Neither in the error that comes back, nor in the log; what was wrong is said."""
            events: list[LogEvent] = []
            globalLogPublisher.addObserver(events.append)
            try:
                with pytest.raises(StoreError) as raised:
                    await store.write(mistakes[name])
            finally:
                globalLogPublisher.removeObserver(events.append)
            said = [str(raised.value), *(str(event.get("error")) for event in events)]
            assert len(said) > 1
            for words in said:
                assert words.startswith("the database refused: ")
                assert len(words) > len("the database refused: ")
                assert SECRET not in words.lower()

    return WordTests


class TestSQLiteInMemory(make_word_tests(in_memory, MISTAKES)):
    """SQLite in memory."""


class TestSQLiteFile(make_word_tests(in_file, MISTAKES)):
    """SQLite in a file."""


class TestPostgreSQL(make_word_tests(on_postgresql, {**MISTAKES, **OF_POSTGRESQL})):
    """PostgreSQL."""
