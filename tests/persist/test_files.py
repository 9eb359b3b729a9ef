"""Files in the store: on every database."""

from __future__ import annotations

import hashlib

import pytest
import pytest_twisted

from zkpush.endings import EndReason
from zkpush.interfaces import NotUnsealed, StoreError
from zkpush.model import Page
from zkpush.persist.commands import CommandStore
from zkpush.persist.files import FileStore
from zkpush.values.commands import CommandFile, CommandState, NewCommand

from .contract import EVERYTHING, NOW, in_file, in_memory, on_postgresql, with_store

CONTENT = bytes(range(256)) * 4000 + b"end"


def add(content: bytes = CONTENT, name: str = "a.bin", origin: str | None = None):
    """A unit that keeps a file."""
    return lambda tx: tx[FileStore].add(name, content, origin, NOW)


def order(command_id: str, file: CommandFile | None) -> NewCommand:
    """A command whose terminal is to fetch a file."""
    return NewCommand(
        id=command_id, command="PutFile", params={}, asked={}, text="PutFile", file=file
    )


def make_file_tests(factory):
    """The tests of files; `factory` makes an empty store, from pytest's request."""

    class FileTests(with_store(factory)):
        @pytest_twisted.ensureDeferred
        async def test_a_file_is_found_with_what_it_holds(self, store) -> None:
            """With its size and MD5, by its id, and in the list."""
            file = await store.write(add(name="../é\u202e", origin="T1 abc"))
            assert (file.name, file.size, file.origin) == ("../é\u202e", len(CONTENT), "T1 abc")
            assert file.md5 == hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
            assert await store.read(lambda tx: tx[FileStore].get(file.id)) == file
            assert await store.read(lambda tx: tx[FileStore].page(EVERYTHING)) == [file]
            assert await store.read(lambda tx: tx[FileStore].content(file)) == CONTENT

        @pytest.mark.parametrize(
            ("offset", "length"),
            [(0, 1), (0, 100_000), (777, 3), (len(CONTENT) - 3, 3), (len(CONTENT), 0), (0, 0)],
        )
        @pytest_twisted.ensureDeferred
        async def test_part_of_a_file_is_a_slice(self, store, offset: int, length: int) -> None:
            """The bytes from a place on, as many as were asked for."""
            file = await store.write(add())
            part = await store.read(lambda tx: tx[FileStore].part(file, offset, length))
            assert part == CONTENT[offset : offset + length]

        @pytest_twisted.ensureDeferred
        async def test_a_part_behind_the_end_is_none(self, store) -> None:
            """A file that is shorter than it was is not taken for a whole one."""
            file = await store.write(add())
            with pytest.raises(LookupError, match="shorter"):
                await store.read(lambda tx: tx[FileStore].part(file, len(CONTENT) - 1, 2))

        @pytest_twisted.ensureDeferred
        async def test_a_removed_file_takes_nothing_from_others(self, store) -> None:
            """Another one with the same content still has it."""
            first, second = [await store.write(add(name=name)) for name in "ab"]
            assert first.id != second.id
            assert await store.write(lambda tx: tx[FileStore].remove(first.id))
            assert not await store.write(lambda tx: tx[FileStore].remove(first.id))
            assert await store.read(lambda tx: tx[FileStore].get(first.id)) is None
            assert await store.read(lambda tx: tx[FileStore].content(second)) == CONTENT

        @pytest.mark.parametrize("file_id", [0, -1, 7, 2**63 - 1, 2**63, 10**40])
        @pytest_twisted.ensureDeferred
        async def test_an_id_of_no_file_finds_none(self, store, file_id: int) -> None:
            """Nor does one that no database can hold."""
            assert await store.read(lambda tx: tx[FileStore].get(file_id)) is None
            assert not await store.write(lambda tx: tx[FileStore].remove(file_id))

        @pytest_twisted.ensureDeferred
        async def test_files_are_listed_in_parts(self, store) -> None:
            """By id."""
            for name in "abc":
                await store.write(add(name=name))
            first = await store.read(lambda tx: tx[FileStore].page(Page(2)))
            rest = await store.read(lambda tx: tx[FileStore].page(Page(2, first[-1].id)))
            assert [file.name for file in (*first, *rest)] == ["a", "b", "c"]

        @pytest_twisted.ensureDeferred
        async def test_open_commands_are_found_by_their_files(self, store, device, other) -> None:
            """By the digest of the secret and by the file; not those that have ended."""

            def unit(tx) -> None:
                for number, (terminal, file) in enumerate(
                    [
                        (device, CommandFile(1, b"a")),
                        (other, CommandFile(1, b"b")),
                        (device, None),
                    ]
                ):
                    tx[CommandStore].add(terminal.id, order(f"c{number}", file), NOW)
                tx[CommandStore].lease([tx[CommandStore].get("c1")], NOW, NOW)

            await store.write(unit)

            def found():
                def read(tx):
                    named = [
                        tx[CommandStore].with_file(digest) for digest in (b"a", b"b", b"", b"%")
                    ]
                    return (
                        [command and (command.id, command.file) for command in named],
                        [tx[CommandStore].fetches(file_id) for file_id in (1, 2)],
                    )

                return store.read(read)

            assert await found() == (
                [("c0", CommandFile(1, b"a")), ("c1", CommandFile(1, b"b")), None, None],
                [True, False],
            )

            def over(tx):
                for command_id in ("c0", "c1", "c2"):
                    command = tx[CommandStore].get(command_id)
                    tx[CommandStore].end(command, CommandState.EXPIRED, EndReason.TOO_OLD, NOW)

            await store.write(over)
            assert await found() == ([None] * 4, [False, False])

        @pytest.mark.parametrize("end", ["answer", "end"])
        @pytest_twisted.ensureDeferred
        async def test_a_file_ends_with_the_command_it_was_made_for(
            self, store, device, end: str
        ) -> None:
            """It is in no list; a file that the command only names stays."""

            def unit(tx) -> list[int]:
                made = tx[FileStore].add("made", CONTENT, None, NOW, "c1")
                named = tx[FileStore].add("named", CONTENT, None, NOW)
                for command_id, file in (("c1", made), ("c2", named)):
                    command = order(command_id, CommandFile(file.id, command_id.encode()))
                    tx[CommandStore].lease(
                        [tx[CommandStore].add(device.id, command, NOW)], NOW, NOW
                    )
                return [made.id, named.id]

            made, named = await store.write(unit)
            assert [
                file.id for file in await store.read(lambda tx: tx[FileStore].page(EVERYTHING))
            ] == [named]

            def over(tx) -> None:
                for command in map(tx[CommandStore].get, ("c1", "c2")):
                    if end == "answer":
                        failed = (CommandState.FAILED, EndReason.FAILED, -1, None)
                        assert tx[CommandStore].answer(command, *failed, NOW) is not None
                    else:
                        expired = (CommandState.EXPIRED, EndReason.TOO_OLD)
                        assert tx[CommandStore].end(command, *expired, NOW) is not None

            await store.write(over)
            assert await store.read(lambda tx: tx[FileStore].get(made)) is None
            assert (await store.read(lambda tx: tx[FileStore].get(named))).name == "named"

    return FileTests


class TestSQLiteInMemory(make_file_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_file_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_file_tests(on_postgresql)):
    """PostgreSQL."""


@pytest_twisted.ensureDeferred
async def test_what_is_not_on_disk_is_said_to_be_missing(request, tmp_path) -> None:
    """A lost file is no failure of the database; one that cannot be read is."""
    store = in_file(request)
    store.start()
    file = await store.write(add())
    (place,) = (path for path in tmp_path.rglob("*-pictures/*/*") if path.is_file())
    place.write_bytes(place.read_bytes()[:-1])
    with pytest.raises(NotUnsealed, match="cut"):
        await store.read(lambda tx: tx[FileStore].part(file, 0, len(CONTENT)))
    place.unlink()
    with pytest.raises(LookupError, match="is not in"):
        await store.read(lambda tx: tx[FileStore].part(file, 0, 1))
    place.mkdir()
    with pytest.raises(StoreError, match="cannot read"):
        await store.read(lambda tx: tx[FileStore].part(file, 0, 1))
    await store.stop()
