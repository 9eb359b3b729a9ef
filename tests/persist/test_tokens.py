"""Tokens in the store: on every database."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
import pytest_twisted

from zkpush.interfaces import StoreError
from zkpush.model import Page
from zkpush.persist.tokens import TokenStore
from zkpush.values.tokens import NewToken

from .contract import EVERYTHING, NOW, in_file, in_memory, on_postgresql, with_store


def new(name: str, *scopes: str, expires_at: int | None = None) -> NewToken:
    """A token to keep, of which nobody has the secret."""
    return NewToken(
        name=name,
        digest=hashlib.sha256(name.encode()).digest(),
        scopes=frozenset(scopes or ("read",)),
        created_by="token admin",
        expires_at=expires_at,
    )


def make_token_tests(factory):
    """The tests of tokens; `factory` makes an empty store, from pytest's request."""

    class TokenTests(with_store(factory)):
        @pytest_twisted.ensureDeferred
        async def test_a_token_is_found_by_its_digest(self, store) -> None:
            """With its scopes, and who made it when."""
            asked = new("hr", "read", "write", expires_at=NOW + 1)
            kept = await store.write(lambda tx: tx[TokenStore].add(asked, NOW))
            assert (kept.name, kept.digest, kept.scopes) == ("hr", asked.digest, asked.scopes)
            assert (kept.created_at, kept.created_by) == (NOW, "token admin")
            assert (kept.expires_at, kept.last_used_at) == (NOW + 1, None)
            assert await store.read(lambda tx: tx[TokenStore].find(asked.digest)) == kept
            assert await store.read(lambda tx: tx[TokenStore].find(b"another")) is None
            assert await store.read(lambda tx: tx[TokenStore].all()) == [kept]

        @pytest_twisted.ensureDeferred
        async def test_a_name_is_there_once(self, store) -> None:
            """The first one stays as it is."""
            first = await store.write(lambda tx: tx[TokenStore].add(new("hr"), NOW))
            again = msgspec.structs.replace(new("other"), name="hr")
            assert await store.write(lambda tx: tx[TokenStore].add(again, NOW)) is None
            assert await store.read(lambda tx: tx[TokenStore].all()) == [first]

        @pytest_twisted.ensureDeferred
        async def test_a_digest_is_there_once(self, store) -> None:
            """Two tokens are never the same."""
            await store.write(lambda tx: tx[TokenStore].add(new("hr"), NOW))
            again = msgspec.structs.replace(new("hr"), name="other")
            with pytest.raises(StoreError):
                await store.write(lambda tx: tx[TokenStore].add(again, NOW))

        @pytest_twisted.ensureDeferred
        async def test_tokens_are_listed_in_parts(self, store) -> None:
            """In the order they were made."""

            def unit(tx):
                for name in ("c", "a", "b"):
                    tx[TokenStore].add(new(name), NOW)

            await store.write(unit)
            first = await store.read(lambda tx: tx[TokenStore].page(Page(2)))
            rest = await store.read(lambda tx: tx[TokenStore].page(Page(2, first[-1].id)))
            assert [token.name for token in [*first, *rest]] == ["c", "a", "b"]

        @pytest_twisted.ensureDeferred
        async def test_a_revoked_token_is_gone(self, store) -> None:
            """Its name can be given again; what is not there cannot be removed."""
            await store.write(lambda tx: tx[TokenStore].add(new("hr"), NOW))
            assert await store.write(lambda tx: tx[TokenStore].remove("hr")) is True
            assert await store.write(lambda tx: tx[TokenStore].remove("hr")) is False
            assert await store.read(lambda tx: tx[TokenStore].page(EVERYTHING)) == []
            assert await store.write(lambda tx: tx[TokenStore].add(new("hr"), NOW)) is not None

        @pytest_twisted.ensureDeferred
        async def test_when_a_token_was_used_never_goes_back(self, store) -> None:
            """Nodes write it later than it was; those that are gone are no mistake."""

            def unit(tx):
                return [tx[TokenStore].add(new(name), NOW).id for name in ("a", "b")]

            a, b = await store.write(unit)
            await store.write(lambda tx: tx[TokenStore].used({b: NOW + 5, a: NOW + 7, 99: NOW}))
            await store.write(lambda tx: tx[TokenStore].used({a: NOW + 6, b: NOW + 8}))
            found = await store.read(lambda tx: tx[TokenStore].all())
            assert {token.id: token.last_used_at for token in found} == {a: NOW + 7, b: NOW + 8}

    return TokenTests


class TestSQLiteInMemory(make_token_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_token_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_token_tests(on_postgresql)):
    """PostgreSQL."""
