"""The order of people by user ID: numbers by their value, then other texts; on every database."""

from __future__ import annotations

from zlib import crc32

import pytest
import pytest_twisted

from zkpush.handlers.people.model import PeopleFilter
from zkpush.handlers.people.ordering import key_of_pin
from zkpush.handlers.people.persons import PersonStore
from zkpush.handlers.people.store import PeopleStore

from .contract import in_file, on_postgresql, with_store

EVERYBODY = PeopleFilter()
NUMBERS = ["0", "1", "02", "2", "10", "11", "100", "999999999", "10000000000"]
ORDERED = [*NUMBERS, "b", "é", "1a", "A2", "A10"]


def test_the_key_of_a_user_id_sorts_as_people_read_it() -> None:
    """Leading zeros count only between equal numbers."""
    assert sorted({*ORDERED}, key=lambda pin: (key_of_pin(pin), pin)) == ORDERED
    assert key_of_pin("007") == key_of_pin("7")
    assert key_of_pin("9" * 24) > key_of_pin("1" * 24) > key_of_pin("9" * 23)


def make_order_tests(factory):
    """The tests of the order; `factory` makes an empty store, from pytest's request."""

    class OrderTests(with_store(factory)):
        @pytest.mark.parametrize("limit", [1, 3, 100])
        @pytest_twisted.ensureDeferred
        async def test_people_are_listed_by_number(self, store, limit: int) -> None:
            """The order of adding makes no difference; no part repeats or leaves out a person."""

            def unit(tx) -> None:
                for pin in sorted(ORDERED, key=lambda pin: crc32(pin.encode())):
                    tx[PersonStore].put(pin, {"name": f"Name {pin}"}, "token t", 5)

            await store.write(unit)
            found: list[str] = []
            for _ in range(len(ORDERED) // limit + 1):
                after = found[-1] if found else None
                found += await store.read(
                    lambda tx, after=after: [
                        one.pin for one in tx[PeopleStore].in_order(limit, EVERYBODY, after)
                    ]
                )
            assert found == ORDERED

        @pytest_twisted.ensureDeferred
        async def test_names_are_found_without_case_and_accents(self, store) -> None:
            """Whichever side has them; each unit of work knows the present names."""

            def rename(name: str):
                return lambda tx: tx[PersonStore].put("7", {"name": name}, "token t", 5)

            def found(text: str):
                wanted = PeopleFilter(text=text, name=text)
                return lambda tx: [one.pin for one in tx[PeopleStore].in_order(9, wanted)]

            await store.write(rename("María Prieto Ñandú"))
            for text in ("maria prieto", "PRIETO MARI\u0301", "nandu", "ÑANDÚ"):
                assert await store.read(found(text)) == ["7"]
            await store.write(rename("Zoe"))
            assert await store.read(found("maria")) == []
            assert await store.read(found("zoë")) == ["7"]

    return OrderTests


class TestSQLiteFile(make_order_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_order_tests(on_postgresql)):
    """PostgreSQL."""
