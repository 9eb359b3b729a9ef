"""Authors of the fields of users: on every database."""

from __future__ import annotations

import pytest
import pytest_twisted
import sqlalchemy

from zkpush.handlers.attendance.store import erase_person
from zkpush.handlers.people import schema
from zkpush.handlers.people.contradictions import ConflictStore
from zkpush.handlers.people.model import PersonStatement
from zkpush.handlers.people.news import keyed
from zkpush.handlers.people.persons import PersonStore
from zkpush.handlers.people.removals import RemovalStore
from zkpush.handlers.people.store import PeopleStore
from zkpush.persist.devices import DeviceStore
from zkpush.persist.erasing import PersonErasure
from zkpush.persist.transaction import Transaction

from .contract import EVERYTHING, NOW, in_file, in_memory, on_postgresql, say, with_store
from .test_people import name, put, user


def conflicts(tx):
    """A query for the open conflicts: who says what about whom."""
    return [(one.pin, one.device, one.said) for one in tx[ConflictStore].page(EVERYTHING)]


def changes(pin: str):
    """A query for the changes of a user."""
    return lambda tx: [
        (one.field, one.old, one.new, one.author)
        for one in tx[PersonStore].changes(pin, EVERYTHING)
    ]


def authors(pin: str):
    """A query for the authors of the fields of a user."""
    return lambda tx: tx[PersonStore].authors(pin)


def make_author_tests(factory):
    """The tests of authors; `factory` makes an empty store, from pytest's request."""

    class AuthorTests(with_store(factory)):
        @pytest_twisted.ensureDeferred
        async def test_another_name_under_the_same_pin_overwrites_nothing(
            self, store, device, other
        ) -> None:
            """It is a conflict with both sides, until the terminal agrees."""
            await store.write(say(device, "USER PIN=5\tName=Ann\tCard=77"))
            await store.write(say(other, "USER PIN=5\tName=Bob\tCard=78", now=NOW + 1))
            found = await store.read(user("5"))
            assert (found.name, found.card, found.device) == ("Ann", "77", "T1")
            assert await store.read(conflicts) == [("5", "T2", {"name": "Bob", "card": "78"})]
            await store.write(say(other, "USER PIN=5\tName=Ann\tCard=78", now=NOW + 2))
            assert await store.read(conflicts) == [("5", "T2", {"card": "78"})]
            await store.write(say(other, "USER PIN=5\tName=Ann\tCard=77", now=NOW + 3))
            assert await store.read(conflicts) == []

        @pytest_twisted.ensureDeferred
        async def test_a_terminal_changes_its_own_word(self, store, device, other) -> None:
            """And the word of another one that it agreed with: it becomes the author."""
            await store.write(say(device, "USER PIN=5\tName=Ann\tGrp=1"))
            await store.write(say(device, "USER PIN=5\tName=Anna\tGrp=1", now=NOW + 1))
            await store.write(say(other, "USER PIN=5\tName=Anna\tCard=7", now=NOW + 2))
            await store.write(say(other, "USER PIN=5\tName=Ánna Lee\tCard=7", now=NOW + 3))
            assert await store.read(name("5")) == "Ánna Lee"
            assert await store.read(conflicts) == []
            said = await store.read(authors("5"))
            assert {field: said[field] for field in ("name", "group", "card")} == {
                "name": "device T2",
                "group": "device T1",
                "card": "device T2",
            }
            assert await store.read(changes("5")) == [
                ("name", "Ann", "Anna", "device T1"),
                ("card", None, "7", "device T2"),
                ("name", "Anna", "Ánna Lee", "device T2"),
            ]

        @pytest_twisted.ensureDeferred
        async def test_nothing_of_another_person_is_taken(self, store, device, other) -> None:
            """Not even for empty fields: the conflict has all that differs."""
            await store.write(say(device, "USER PIN=5\tName=Ann"))
            eve = "USER PIN=5\tName=Eve\tCard=78\tPasswd=12\tPri=0\tGrp=1\tVerify=-1\tNew=x"
            await store.write(say(other, eve, now=NOW + 1))
            assert await store.read(changes("5")) == []
            assert (await store.read(user("5"))).extra is None
            said = {"name": "Eve", "card": "78", "password": "12"}
            assert await store.read(conflicts) == [("5", "T2", said)]
            await store.write(say(other, eve + "\tViceCard=9", now=NOW + 2))
            assert await store.read(changes("5")) == []
            assert await store.read(conflicts) == [("5", "T2", {**said, "vice_card": "9"})]

        @pytest_twisted.ensureDeferred
        async def test_without_a_name_the_card_tells_people_apart(
            self, store, device, other
        ) -> None:
            """The name of somebody with another card is not taken."""
            await store.write(say(device, "USER PIN=5\tCard=77"))
            await store.write(say(other, "USER PIN=5\tName=Eve\tCard=78", now=NOW + 1))
            assert await store.read(name("5")) is None
            assert await store.read(conflicts) == [("5", "T2", {"name": "Eve", "card": "78"})]

        @pytest_twisted.ensureDeferred
        async def test_only_the_terminal_that_a_name_is_from_replaces_it(
            self, store, device, other
        ) -> None:
            """Another one that was sent the person, and gets somebody else, has a conflict."""
            await store.write(say(device, "USER PIN=5\tName=Raúl Ferrer"))
            sent = PersonStatement(("5",), {"pin": "5", "name": "Raúl Ferrer"}, b"")
            await store.write(
                lambda tx: tx[PersonStore].keep(other.id, [sent], NOW + 1, written_at=NOW)
            )
            await store.write(say(other, "USER PIN=5\tName=周芳\tCard=78", now=NOW + 2))
            assert await store.read(changes("5")) == []
            assert await store.read(conflicts) == [("5", "T2", {"name": "周芳", "card": "78"})]
            await store.write(say(device, "USER PIN=5\tName=Ada Lee", now=NOW + 3))
            assert await store.read(name("5")) == "Ada Lee"

        @pytest_twisted.ensureDeferred
        async def test_an_operator_overrules_terminals(self, store, device, other) -> None:
            """Their word is a conflict from then on, also if they had agreed."""
            await store.write(say(device, "USER PIN=5\tName=Ann"))
            await store.write(put("5", {"name": "Anne"}, NOW + 1))
            await store.write(say(device, "USER PIN=5\tName=Anne", now=NOW + 2))
            await store.write(say(device, "USER PIN=5\tName=Ann B", now=NOW + 3))
            assert await store.read(name("5")) == "Anne"
            assert await store.read(conflicts) == [("5", "T1", {"name": "Ann B"})]
            await store.write(put("5", {"name": "Ann B"}, NOW + 4))
            assert await store.read(conflicts) == []
            assert await store.read(changes("5")) == [
                ("name", "Ann", "Anne", "token office"),
                ("name", "Anne", "Ann B", "token office"),
            ]

        @pytest_twisted.ensureDeferred
        async def test_no_terminal_raises_a_privilege(self, store, device, other) -> None:
            """Neither the author nor another one; it is a proposal. The author may lower it."""
            await store.write(say(device, "USER PIN=5\tName=Ann\tPri=2"))
            await store.write(say(device, "USER PIN=5\tName=Ann\tPri=14", now=NOW + 1))
            await store.write(say(other, "USER PIN=5\tPri=14", now=NOW + 1))
            assert (await store.read(user("5"))).privilege == 2
            assert await store.read(conflicts) == [
                ("5", "T1", {"privilege": 14}),
                ("5", "T2", {"privilege": 14}),
            ]
            await store.write(say(device, "USER PIN=5\tName=Ann\tPri=0", now=NOW + 2))
            assert (await store.read(user("5"))).privilege == 0

        @pytest_twisted.ensureDeferred
        async def test_a_new_person_is_in_the_area_of_the_terminal(
            self, store, device, other
        ) -> None:
            """And stays in it when another terminal reports the same person."""
            await store.write(lambda tx: tx[DeviceStore].change(other.id, {"area": "North"}))
            await store.write(say(device, "USER PIN=1\tName=Ann"))
            await store.write(say(other, "USER PIN=1\tName=Ann\nFP PIN=2\tFID=1\tTMP=AAAA"))
            found = await store.read(lambda tx: tx[PersonStore].areas(["1", "2"]))
            assert found == {"1": ["default"], "2": ["North"]}

        @pytest_twisted.ensureDeferred
        async def test_a_removed_person_is_not_revived(self, store, device, other) -> None:
            """By none of what a terminal still has; an operator adds the person again."""
            everything = "USER PIN=5\tName=Ann\nFP PIN=5\tFID=1\tTMP=AAAA\n"
            more = "USERPIC PIN=5\tContent=AAAA\nUSER PIN=6\tName=Bob\n"
            await store.write(say(device, everything))
            assert await store.write(lambda tx: tx[PersonStore].remove("5", "token x", NOW + 1))
            await store.write(say(other, everything + more, now=NOW + 2))
            people = await store.read(lambda tx: tx[PeopleStore].users(EVERYTHING))
            assert [one.pin for one in people] == ["6"]
            assert await store.read(lambda tx: tx[PeopleStore].templates("5")) == []
            still = await store.read(lambda tx: tx[RemovalStore].still_there())
            assert [(one.pin, one.device) for one in still] == [("5", "T1"), ("5", "T2")]
            assert await store.write(put("5", {"name": "Ann"}, NOW + 3))
            assert await store.read(lambda tx: tx[RemovalStore].still_there()) == []
            await store.write(say(other, "USER PIN=5\tName=Ann\tCard=9", now=NOW + 4))
            assert (await store.read(user("5"))).card == "9"

        @pytest_twisted.ensureDeferred
        async def test_a_person_added_again_gets_what_terminals_still_have(
            self, store, device, other
        ) -> None:
            """Once they upload it again, although they say nothing new."""
            body = "USER PIN=5\tName=Ann\tCard=7\nFP PIN=5\tFID=1\tTMP=AAAA\n"
            await store.write(say(device, body))
            await store.write(lambda tx: tx[PersonStore].remove("5", "token x", NOW + 1))
            await store.write(say(other, body, now=NOW + 2))
            await store.write(put("5", {"name": "Ann", "group": 3}, NOW + 3))
            assert await store.read(lambda tx: tx[PeopleStore].templates("5")) == []
            await store.write(say(device, body, now=NOW + 4))
            (found,) = await store.read(lambda tx: tx[PeopleStore].templates("5"))
            assert found.device == "T1"
            person = await store.read(user("5"))
            assert (person.name, person.card, person.group) == ("Ann", "7", 3)

        @pytest_twisted.ensureDeferred
        async def test_an_erased_person_leaves_nothing_behind(self, store, device) -> None:
            """No table of the database has the user ID afterwards, in any column."""
            await store.write(say(device, "USER PIN=50077\tName=Ann\nFP PIN=50077\tTMP=AAAA\n"))
            await store.write(put("50077", {"name": "Anne"}, NOW + 1))
            await store.write(say(device, "USER PIN=50077\tName=Ann B\n", now=NOW + 2))
            assert "50077" in await store.read(contents)

            def erase(tx: Transaction) -> None:
                tx[PersonStore].remove("50077", "token x", NOW + 3, erased=True)
                whole = PersonErasure(tx=tx, pin="50077", now=NOW + 3, with_attendance=True)
                erase_person(whole)

            await store.write(erase)
            assert "50077" not in await store.read(contents)
            await store.write(say(device, "USER PIN=50077\tName=Ann C\n", now=NOW + 4))
            assert await store.read(lambda tx: tx[PeopleStore].users(EVERYTHING)) == []

        @pytest_twisted.ensureDeferred
        async def test_a_field_that_an_operator_has_emptied_stays_empty(
            self, store, device, other
        ) -> None:
            """A terminal that states it has a conflict; values stated by silence are none."""
            await store.write(say(device, "USER PIN=5\tName=Ann\tCard=77\tVerify=4"))
            await store.write(put("5", {"card": None, "verify": None}, NOW + 1))
            await store.write(say(other, "USER PIN=5\tName=Ann\tCard=78", now=NOW + 2))
            await store.write(say(device, "USER PIN=5\tName=Anna\tCard=77", now=NOW + 3))
            found = await store.read(user("5"))
            assert (found.name, found.card, found.verify) == ("Anna", None, None)
            assert await store.read(conflicts) == [
                ("5", "T2", {"card": "78"}),
                ("5", "T1", {"card": "77"}),
            ]

        @pytest_twisted.ensureDeferred
        async def test_what_terminals_have_for_an_empty_number_contradicts_nobody(
            self, store, device
        ) -> None:
            """Neither of a new person, whose empty fields say nothing, nor of an emptied one."""
            empty = {"name": "Ann", "privilege": None, "group": None, "card": None}
            await store.write(put("5", empty, NOW))
            await store.write(put("6", {"name": "Bob", "privilege": 6, "group": 3}, NOW))
            await store.write(put("6", {"privilege": None, "group": None}, NOW + 1))
            assert await store.read(authors("5")) == {"name": "token office"}
            lines = (f"USER PIN={pin}\tPri=0\tGrp=1\n" for pin in "56")
            await store.write(say(device, "".join(lines), now=NOW + 2))
            assert await store.read(conflicts) == []
            emptied = await store.read(user("6"))
            assert (emptied.privilege, emptied.group) == (None, None)
            await store.write(say(device, "USER PIN=6\tPri=14\tGrp=2", now=NOW + 3))
            assert await store.read(conflicts) == [("6", "T1", {"privilege": 14, "group": 2})]

        @pytest_twisted.ensureDeferred
        async def test_a_known_person_without_a_privilege_gets_none_from_a_terminal(
            self, store, device, other
        ) -> None:
            """The privilege of a new person is taken."""
            await store.write(put("5", {"name": "Ann"}, NOW))
            await store.write(say(other, "USER PIN=6\tName=Bob"))
            await store.write(say(device, "USER PIN=5\tPri=14\nUSER PIN=7\tPri=14", now=NOW + 1))
            await store.write(say(other, "USER PIN=6\tName=Bob\tPri=14", now=NOW + 1))
            people = await store.read(lambda tx: tx[PeopleStore].users(EVERYTHING))
            privileges = {one.pin: one.privilege for one in people}
            assert privileges == {"5": None, "6": None, "7": 14}
            assert await store.read(conflicts) == [
                ("5", "T1", {"privilege": 14}),
                ("6", "T2", {"privilege": 14}),
            ]

        @pytest_twisted.ensureDeferred
        async def test_a_damaged_value_stays_as_it_is_stored(self, store, device, other) -> None:
            """Until its author or an operator states it anew."""
            password = sqlalchemy.select(schema.users.c.password)
            await store.write(say(device, "USER PIN=5\tName=Ann\tPasswd=12"))
            broken = sqlalchemy.update(schema.users).values(password=b"broken")
            await store.write(lambda tx: tx.connection.execute(broken))
            await store.write(say(other, "USER PIN=5\tCard=9\tPasswd=13", now=NOW + 1))
            await store.write(put("5", {"name": "Anne"}, NOW + 2))
            raw = await store.read(lambda tx: tx.connection.execute(password).scalar_one())
            assert bytes(raw) == b"broken"
            found = await store.read(user("5"))
            assert (found.name, found.card, found.damaged) == ("Anne", "9", ("password",))
            await store.write(say(device, "USER PIN=5\tName=Anne\tPasswd=14", now=NOW + 3))
            assert (await store.read(user("5"))).password == "14"

        @pytest_twisted.ensureDeferred
        async def test_damaged_words_and_conflicts_fail_no_upload(
            self, store, device, other
        ) -> None:
            """What the terminal says next replaces them."""
            await store.write(say(device, "USER PIN=5\tName=Ann\tCard=7"))
            await store.write(say(other, "USER PIN=5\tName=Bob\tCard=8"))

            def damage(tx) -> None:
                for table, column in ((schema.person_words, "word"), (schema.conflicts, "said")):
                    tx.connection.execute(sqlalchemy.update(table).values({column: b"broken"}))

            await store.write(damage)
            assert await store.read(conflicts) == [("5", "T2", None)]
            await store.write(say(other, "USER PIN=5\tName=Rob\tCard=8", now=NOW + 1))
            assert await store.read(conflicts) == [("5", "T2", {"name": "Rob", "card": "8"})]
            assert await store.read(name("5")) == "Ann"

        @pytest_twisted.ensureDeferred
        async def test_many_conflicts_take_a_few_statements(self, store, device, other) -> None:
            """A terminal that contradicts everybody costs as many as one that contradicts ten."""

            def body(people: int, name: str) -> str:
                return "".join(f"USER PIN={pin}\tName={name}\n" for pin in range(people))

            await store.write(say(device, body(400, "Ann")))
            counts = []
            for turn, people in enumerate((10, 400)):
                for said in ("Bob", "Rob", "Ann"):
                    unit = counted(say(other, body(people, said), now=NOW + turn + 1))
                    counts.append(await store.write(unit))
            assert counts[3:] == counts[:3]
            assert await store.read(conflicts) == []

        @pytest.mark.long
        @pytest_twisted.ensureDeferred
        async def test_a_removal_does_not_limit_the_length_of_uploads(self, store, device) -> None:
            """More people than a statement has parameters."""
            await store.write(lambda tx: tx[PersonStore].remove("5", "token x", NOW))
            said = [PersonStatement((str(pin),), {}, b"") for pin in range(66_000)]
            left, new = await store.write(
                lambda tx: tx[PersonStore].admit(device.id, keyed(said), NOW)
            )
            assert len(left) == len(new) == len(said) - 1

    return AuthorTests


def counted(unit):
    """A unit that returns the number of statements that another one executes by SQLAlchemy."""

    def counting(tx) -> int:
        statements: list[str] = []

        def count(connection, cursor, statement, *_) -> None:
            statements.append(statement)

        sqlalchemy.event.listen(tx.connection, "before_cursor_execute", count)
        try:
            unit(tx)
        finally:
            sqlalchemy.event.remove(tx.connection, "before_cursor_execute", count)
        return len(statements)

    return counting


def contents(tx) -> str:
    """All rows of the tables of people, as text."""
    tables = [value for value in vars(schema).values() if isinstance(value, sqlalchemy.Table)]
    assert schema.person_words in tables
    rows = [tx.connection.execute(table.select()).all() for table in tables]
    return repr(rows)


class TestSQLiteInMemory(make_author_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_author_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_author_tests(on_postgresql)):
    """PostgreSQL."""
