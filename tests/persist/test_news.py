"""What is news of a template or a photo, and what only sounds like it: on every database.

An older statement never overwrites a newer one, whichever terminal makes it, and when.
"""

from __future__ import annotations

import base64

import pytest
import pytest_twisted

from zkpush.handlers.people.store import PeopleStore
from zkpush.model import Page

from .contract import (
    NOW,
    SECOND,
    add_terminal,
    in_file,
    in_memory,
    on_postgresql,
    say,
    with_store,
)


def armoured(value: str) -> str:
    """A text as a template or a picture."""
    return base64.b64encode(value.encode()).decode()


KINDS = {
    "templates": (
        lambda value: f"FP PIN=1\tFID=6\tTMP={armoured(value)}\n",
        lambda tx: base64.b64decode(tx[PeopleStore].templates("1")[0].template).decode(),
    ),
    "photos": (
        lambda value: f"BIOPHOTO PIN=1\tType=9\tContent={armoured(value)}\n",
        lambda tx: tx[PeopleStore].photos("1")[0].content.decode(),
    ),
}
"""How each kind is said, and a query for what is kept."""

SEQUENCES = {
    "the newest of two terminals wins": [
        ("T1", "a", 0, "a"),
        ("T2", "b", 1, "b"),
        ("T1", "c", 2, "c"),
    ],
    "a terminal that says again what it said takes nothing back": [
        ("T1", "a", 0, "a"),
        ("T2", "b", 1, "b"),
        ("T1", "a", 2, "b"),
        ("T1", "a", 3, "b"),
        ("T2", "b", 4, "b"),
    ],
    "what any terminal said before is no news from one that never spoke": [
        ("T1", "a", 0, "a"),
        ("T1", "b", 1, "b"),
        ("T2", "a", 2, "b"),
        ("T3", "b", 3, "b"),
        ("T3", "a", 4, "a"),
    ],
    "what was never said is news from one that never spoke": [
        ("T1", "a", 0, "a"),
        ("T2", "b", 1, "b"),
        ("T3", "c", 2, "c"),
    ],
    "a terminal that changes back to what it said earlier has news": [
        ("T1", "a", 0, "a"),
        ("T1", "b", 1, "b"),
        ("T1", "a", 2, "a"),
        ("T2", "c", 3, "c"),
        ("T1", "b", 4, "b"),
    ],
    "a terminal takes over what another said, and changes it back": [
        ("T1", "a", 0, "a"),
        ("T2", "b", 1, "b"),
        ("T1", "b", 2, "b"),
        ("T1", "a", 3, "a"),
        ("T2", "b", 4, "a"),
    ],
    "what came earlier does not overwrite, though it is written later": [
        ("T1", "a", 10, "a"),
        ("T2", "b", 9, "a"),
        ("T1", "c", 8, "a"),
        ("T2", "b", 11, "a"),
        ("T1", "c", 11, "c"),
    ],
    "of two at the same time the one that is written later wins": [
        ("T1", "a", 5, "a"),
        ("T2", "b", 5, "b"),
        ("T1", "c", 5, "c"),
    ],
}
"""Who says what, how many seconds later, and what is kept then."""


def make_news_tests(factory):
    """The tests of news; `factory` makes an empty store, from pytest's request."""

    class NewsTests(with_store(factory)):
        @pytest_twisted.async_yield_fixture
        async def terminals(self, store):
            """Terminals that have all stated the user."""
            found = {sn: await add_terminal(store, sn) for sn in ("T1", "T2", "T3")}
            for device in found.values():
                await store.write(say(device, "USER PIN=1", now=NOW - SECOND))
            yield found

        @pytest.mark.parametrize("kind", KINDS)
        @pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
        @pytest_twisted.ensureDeferred
        async def test_the_newest_is_kept(self, store, terminals, kind, sequence) -> None:
            """After each statement, what is kept of the person is what it should be."""
            line, kept = KINDS[kind]
            for sn, value, later, expected in sequence:
                now = NOW + later * SECOND
                await store.write(say(terminals[sn], line(value), now=now))
                assert await store.read(kept) == expected, (sn, value, later)

        @pytest.mark.parametrize("kind", KINDS)
        @pytest_twisted.ensureDeferred
        async def test_what_a_body_said_before_its_last_word_was_said(
            self, store, terminals, kind
        ) -> None:
            """Of two statements of one body the later wins, and the earlier is no news any more."""
            line, kept = KINDS[kind]
            await store.write(say(terminals["T1"], line("a") + line("b")))
            assert await store.read(kept) == "b"
            await store.write(say(terminals["T2"], line("a"), now=NOW + SECOND))
            assert await store.read(kept) == "b"
            await store.write(say(terminals["T1"], line("a") + line("b"), now=NOW + 2 * SECOND))
            assert await store.read(kept) == "b"
            await store.write(say(terminals["T1"], line("b") + line("a"), now=NOW + 3 * SECOND))
            assert await store.read(kept) == "a"

        @pytest.mark.parametrize("kind", KINDS)
        @pytest_twisted.ensureDeferred
        async def test_what_is_no_news_leaves_no_trace(self, store, terminals, kind) -> None:
            """Who said it last, and when, are those of the last news."""
            line, _ = KINDS[kind]
            query = {
                "templates": lambda tx: tx[PeopleStore].templates("1"),
                "photos": lambda tx: tx[PeopleStore].photos("1"),
            }[kind]
            await store.write(say(terminals["T1"], line("a")))
            before = await store.read(query)
            assert [(one.device, one.updated_at) for one in before] == [("T1", NOW)]
            for sn in ("T1", "T2", "T1"):
                await store.write(say(terminals[sn], line("a"), now=NOW + SECOND))
            assert await store.read(query) == before
            await store.write(say(terminals["T2"], line("b"), now=NOW + 2 * SECOND))
            (after,) = await store.read(query)
            assert (after.device, after.updated_at) == ("T2", NOW + 2 * SECOND)
            assert after.id == before[0].id

        @pytest_twisted.ensureDeferred
        async def test_news_of_one_person_is_none_of_another(self, store, terminals) -> None:
            """The same name is said of each user, and the same template of each finger."""
            await store.write(
                say(terminals["T1"], "USER PIN=1\tName=Ann\nFP PIN=1\tFID=1\tTMP=AAAA")
            )
            await store.write(
                say(terminals["T2"], "USER PIN=2\tName=Ann\nFP PIN=1\tFID=2\tTMP=AAAA")
            )
            found = await store.read(lambda tx: tx[PeopleStore].users(Page(9)))
            assert [(one.pin, one.name) for one in found] == [("1", "Ann"), ("2", "Ann")]
            found = await store.read(lambda tx: tx[PeopleStore].templates("1"))
            assert [one.number for one in found] == [1, 2]

    return NewsTests


class TestSQLiteInMemory(make_news_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_news_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_news_tests(on_postgresql)):
    """PostgreSQL."""
