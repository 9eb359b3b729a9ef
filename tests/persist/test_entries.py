"""What terminals hold beside people, in the store: on every database."""

from __future__ import annotations

import pytest_twisted

from zkpush.handlers.entries.model import Entry
from zkpush.handlers.entries.store import EntryStore
from zkpush.model import Page

from .contract import (
    EVERYTHING,
    NOW,
    in_file,
    in_memory,
    on_postgresql,
    say,
    with_store,
)


def entries(tx) -> list[Entry]:
    """A query for all entries."""
    return tx[EntryStore].page(EVERYTHING, None, None)


def make_entry_tests(factory):
    """The tests of entries; `factory` makes an empty store, from pytest's request."""

    class EntryTests(with_store(factory)):
        @pytest_twisted.ensureDeferred
        async def test_what_is_said_of_an_entry_comes_back(self, store, device) -> None:
            """What is not said is left out; what the protocol does not know is kept apart."""
            body = (
                "WORKCODE PIN=3\tCODE=5\tNAME=Malen - Tür\n"
                "SMS MSG=Hello\tTAG=253\tUID=1\tMIN=60\tStartTime=2026-01-05 08:00:00\n"
                "USER_SMS PIN=7\tUID=1\n"
                "Blacklist IDNum=110101199001011237\n"
                "WORKCODE CODE=6\tNAME=\tNew=x\n"
            )
            await store.write(say(device, body))
            found = await store.read(entries)
            assert {(one.device, one.updated_at) for one in found} == {("T1", NOW)}
            assert sorted((one.table, sorted(one.fields.items())) for one in found) == [
                ("Blacklist", [("id_number", "110101199001011237")]),
                (
                    "SMS",
                    [
                        ("message", "Hello"),
                        ("minutes", 60),
                        ("number", "1"),
                        ("start_time", "2026-01-05 08:00:00"),
                        ("tag", 253),
                    ],
                ),
                ("USER_SMS", [("number", "1"), ("pin", "7")]),
                ("WORKCODE", [("code", "5"), ("index", "3"), ("name", "Malen - Tür")]),
                ("WORKCODE", [("code", "6"), ("name", "")]),
            ]
            assert [one.extra for one in found if one.extra] == [{"New": "x"}]

        @pytest_twisted.ensureDeferred
        async def test_an_entry_is_replaced_by_what_its_terminal_says_later(
            self, store, device
        ) -> None:
            """As a whole; the same again changes nothing, and what came earlier neither."""

            async def kept():
                (found,) = await store.read(entries)
                return found.fields, found.updated_at

            paint = ({"code": "5", "index": "3", "name": "Paint"}, NOW)
            await store.write(say(device, "WORKCODE PIN=3\tCODE=5\tNAME=Paint"))
            assert await kept() == paint
            await store.write(say(device, "WORKCODE PIN=3\tCODE=5\tNAME=Paint", now=NOW + 1))
            assert await kept() == paint
            await store.write(say(device, "WORKCODE PIN=3\tCODE=5\tNAME=Old", now=NOW - 1))
            assert await kept() == paint
            await store.write(say(device, "WORKCODE CODE=5\tNAME=Draw", now=NOW + 2))
            assert await kept() == ({"code": "5", "name": "Draw"}, NOW + 2)
            await store.write(say(device, "WORKCODE PIN=3\tCODE=5\tNAME=Paint", now=NOW + 3))
            assert await kept() == (paint[0], NOW + 3)

        @pytest_twisted.ensureDeferred
        async def test_of_two_in_one_body_the_later_is_kept(self, store, device) -> None:
            """As a terminal says them one after the other."""
            await store.write(say(device, "WORKCODE CODE=5\tNAME=A\nWORKCODE CODE=5\tNAME=B\n"))
            (found,) = await store.read(entries)
            assert found.fields["name"] == "B"

        @pytest_twisted.ensureDeferred
        async def test_each_terminal_holds_its_own_entries(self, store, device, other) -> None:
            """What one says changes nothing of another, nor of another table."""
            await store.write(say(device, "WORKCODE CODE=5\tNAME=A\n"))
            await store.write(say(other, "WORKCODE CODE=5\tNAME=B\n", now=NOW + 1))
            await store.write(say(device, "Blacklist IDNum=5\tName=C\n", now=NOW + 2))
            await store.write(say(device, "WHITELIST IDNum=5\tName=D\n", now=NOW + 2))
            found = await store.read(entries)
            assert sorted((one.device, one.table, one.fields["name"]) for one in found) == [
                ("T1", "Blacklist", "C"),
                ("T1", "WHITELIST", "D"),
                ("T1", "WORKCODE", "A"),
                ("T2", "WORKCODE", "B"),
            ]

        @pytest_twisted.ensureDeferred
        async def test_every_part_of_a_key_tells_entries_apart(self, store, device) -> None:
            """A message is for each of its users; keys do not run into each other."""
            pairs = [("1", "1"), ("1", "2"), ("2", "1"), ("12", "1"), ("1", "21")]
            body = "".join(f"USER_SMS PIN={pin}\tUID={number}\n" for pin, number in pairs)
            for _ in range(2):
                await store.write(say(device, body))
            found = await store.read(entries)
            assert sorted((one.fields["pin"], one.fields["number"]) for one in found) == sorted(
                pairs
            )

        @pytest_twisted.ensureDeferred
        async def test_entries_are_listed_in_parts(self, store, device, other) -> None:
            """By id, each part after the one before; of one terminal, or of one table."""
            for one, line in (
                (device, "WORKCODE CODE=3"),
                (device, "Blacklist IDNum=1"),
                (other, "WORKCODE CODE=2"),
            ):
                await store.write(say(one, line))

            async def shown(part=EVERYTHING, sn=None, table=None):
                found = await store.read(lambda tx: tx[EntryStore].page(part, sn, table))
                return [(one.device, one.table) for one in found]

            everything = [("T1", "WORKCODE"), ("T1", "Blacklist"), ("T2", "WORKCODE")]
            ids = [one.id for one in await store.read(entries)]
            assert await shown() == everything
            assert await shown(Page(2)) == everything[:2]
            assert await shown(Page(2, after=ids[1])) == everything[2:]
            assert await shown(sn="T1") == everything[:2]
            assert await shown(table="WORKCODE") == [everything[0], everything[2]]
            assert await shown(sn="T2", table="Blacklist") == []
            assert await shown(sn="T9") == []

    return EntryTests


class TestSQLiteInMemory(make_entry_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_entry_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_entry_tests(on_postgresql)):
    """PostgreSQL."""
