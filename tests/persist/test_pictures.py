"""Pictures in the store: on every database."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.persist.pictures import PictureStore

from .contract import in_file, in_memory, on_postgresql, with_store

FACE = b"\xff\xd8\xffface\x00\r\n\x1a" + bytes(range(256))


def make_picture_tests(factory):
    """The tests of pictures; `factory` makes an empty store, from pytest's request."""

    class PictureTests(with_store(factory)):
        @pytest.mark.parametrize("content", [FACE, b"", FACE * 20_000], ids=["one", "none", "5 MB"])
        @pytest_twisted.ensureDeferred
        async def test_a_picture_is_found_by_what_it_is(self, store, content) -> None:
            """Its name is the index of its bytes, and they come back as they were."""
            digest = await store.write(lambda tx: tx[PictureStore].keep(content))
            assert digest == (await store.read(lambda tx: tx.vault.index(content))).hex()
            assert await store.read(lambda tx: tx[PictureStore].get(digest)) == content

        @pytest_twisted.ensureDeferred
        async def test_a_unit_finds_the_picture_that_it_keeps(self, store) -> None:
            """At once, and once, however often it is kept."""

            def unit(tx):
                digests = [tx[PictureStore].keep(content) for content in (FACE, b"2", FACE)]
                return [tx[PictureStore].get(digest) for digest in digests]

            for _ in range(2):
                assert await store.write(unit) == [FACE, b"2", FACE]

        @pytest_twisted.ensureDeferred
        async def test_a_picture_that_is_not_here_is_looked_for_in_vain(self, store) -> None:
            """That is the caller's mistake, or a loss: it is no picture without bytes."""
            await store.write(lambda tx: tx[PictureStore].keep(FACE))
            with pytest.raises(LookupError, match="0000"):
                await store.read(lambda tx: tx[PictureStore].get("0" * 64))
            with pytest.raises(LookupError, match="0000"):
                await store.write(lambda tx: tx[PictureStore].get("0" * 64))

        @pytest_twisted.ensureDeferred
        async def test_a_picture_of_a_unit_that_failed_can_be_kept_again(self, store) -> None:
            """Whether it stayed or not, it is there when a unit succeeds."""
            fails = True

            def unit(tx):
                digest = tx[PictureStore].keep(FACE)
                if fails:
                    raise RuntimeError("poison")
                return digest

            with pytest.raises(RuntimeError, match="poison"):
                await store.write(unit)
            fails = False
            digest = await store.write(unit)
            assert await store.read(lambda tx: tx[PictureStore].get(digest)) == FACE

    return PictureTests


class TestSQLiteInMemory(make_picture_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_picture_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_picture_tests(on_postgresql)):
    """PostgreSQL."""


@pytest.mark.parametrize("factory", [in_memory, on_postgresql])
@pytest_twisted.ensureDeferred
async def test_without_a_file_pictures_are_in_the_database(factory, request, tmp_path) -> None:
    """Once each; and what a unit kept that failed is gone with it."""
    store = factory(request)
    store.start()
    for _ in range(2):
        await store.write(lambda tx: tx[PictureStore].keep(FACE))

    def poison(tx):
        tx[PictureStore].keep(b"poison")
        raise RuntimeError("poison")

    with pytest.raises(RuntimeError):
        await store.write(poison)

    def rows(tx):
        kept = tx.connection.exec_driver_sql("SELECT digest, content FROM pictures").all()
        return [
            (tx[PictureStore].get(digest), FACE[4:] in bytes(content)) for digest, content in kept
        ]

    assert await store.read(rows) == [(FACE, False)]
    await store.stop()
    assert [*tmp_path.iterdir()] == []
