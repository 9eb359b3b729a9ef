"""Templates in the store, whichever table they came in: on every database."""

from __future__ import annotations

import base64

import msgspec
import pytest
import pytest_twisted

from zkpush.handlers.people.store import PeopleStore
from zkpush.model import Page

from .contract import (
    EVERYTHING,
    NOW,
    SECOND,
    in_file,
    in_memory,
    on_postgresql,
    say,
    shown,
    with_store,
)

FINGERPRINT, FACE, FINGER_VEIN, VISIBLE_LIGHT_FACE = 1, 2, 7, 9


def armoured(content: bytes) -> str:
    """A template as it is sent."""
    return base64.b64encode(content).decode()


def of_one(tx):
    """A query for the templates of user 1."""
    return tx[PeopleStore].templates("1")


def content(template) -> bytes:
    """What the base64 of a template stands for."""
    return base64.b64decode(template.template)


def make_template_tests(factory):
    """The tests of templates; `factory` makes an empty store, from pytest's request."""

    class TemplateTests(with_store(factory)):
        @pytest_twisted.ensureDeferred
        async def test_every_field_of_a_template_comes_back(self, store, device) -> None:
            """In the unified form, with the table it came in, who said it and when."""
            line = (
                "BIODATA Pin=1\tNo=3\tIndex=2\tValid=1\tDuress=1\tType=9\tMajorVer=58\tMinorVer=12"
                "\tFormat=ZK\tTmp=AAEC/w==\tNew=x"
            )
            await store.write(say(device, line))
            (found,) = await store.read(of_one)
            assert shown(found) == {
                "id": found.id,
                "device": "T1",
                "updated_at": NOW,
                "form": "BIODATA",
                "pin": "1",
                "number": 3,
                "index": 2,
                "valid": 1,
                "duress": 1,
                "type": VISIBLE_LIGHT_FACE,
                "major_version": 58,
                "minor_version": 12,
                "format": "ZK",
                "template": b"AAEC/w==",
                "extra": {"New": "x"},
            }

        @pytest_twisted.ensureDeferred
        async def test_a_template_is_kept_once_for_each_key(self, store, device) -> None:
            """User, type, number, index and both versions make the key; the newest replaces."""
            plain = {"Pin": 1, "Type": 9, "No": 0, "Index": 0, "MajorVer": 5, "MinorVer": 1}
            keys = [plain]
            for wire in plain:
                keys.append({**plain, wire: 7})
            for later, template in enumerate((b"first", b"second")):
                body = "".join(
                    "BIODATA "
                    + "\t".join(f"{wire}={value}" for wire, value in key.items())
                    + f"\tTmp={armoured(template)}\n"
                    for key in keys
                )
                await store.write(say(device, body, now=NOW + later))
                found = [
                    *await store.read(of_one),
                    *await store.read(lambda tx: tx[PeopleStore].templates("7")),
                ]
                names = ("pin", "type", "number", "index", "major_version", "minor_version")
                assert sorted(
                    tuple(getattr(one, name) for name in names) for one in found
                ) == sorted((str(key["Pin"]), *list(key.values())[1:]) for key in keys)
                assert {content(one) for one in found} == {template}

        @pytest.mark.parametrize(
            ("line", "type_", "number", "index"),
            [
                ("FP PIN=1\tFID=6\tSize=4\tValid=1\tTMP=AAAA", FINGERPRINT, 6, 0),
                ("FACE PIN=1\tFID=6\tSIZE=4\tVALID=1\tTMP=AAAA", FACE, 0, 6),
                ("FVEIN Pin=1\tFID=6\tIndex=2\tSize=4\tValid=1\tTmp=AAAA", FINGER_VEIN, 6, 2),
            ],
        )
        @pytest_twisted.ensureDeferred
        async def test_templates_of_old_tables_have_the_unified_form(
            self, store, device, line, type_, number, index
        ) -> None:
            """With the type of their table; `FID` is the finger, or the index of a face."""
            await store.write(say(device, line))
            (found,) = await store.read(of_one)
            assert (found.type, found.number, found.index) == (type_, number, index)
            assert found.form == line.split()[0]
            assert (found.valid, found.duress) == (1, 0)
            assert (found.major_version, found.minor_version) == (0, 0)
            assert found.template == b"AAAA"

        @pytest.mark.parametrize(
            ("knows", "versions"),
            [
                (
                    {"options": {"MultiBioVersion": "0:10.3:7.0:0:0:0:0:3.0:0:0"}},
                    {FINGERPRINT: (10, 3), FACE: (7, 0), FINGER_VEIN: (3, 0)},
                ),
                (
                    {"attributes": {"fingerprint_version": "10", "face_version": "7"}},
                    {FINGERPRINT: (10, 0), FACE: (7, 0), FINGER_VEIN: (0, 0)},
                ),
                ({}, {FINGERPRINT: (0, 0), FACE: (0, 0), FINGER_VEIN: (0, 0)}),
            ],
            ids=["pushed options", "update information", "nothing"],
        )
        @pytest_twisted.ensureDeferred
        async def test_the_algorithm_is_the_one_that_the_terminal_reports(
            self, store, device, knows, versions
        ) -> None:
            """Old tables have no version: it is in the options (8), or else in INFO (9)."""
            body = (
                "FP PIN=1\tTMP=AAAA\nFACE PIN=1\tTMP=AAAA\nFVEIN Pin=1\tTmp=AAAA\n"
                "BIODATA Pin=1\tType=9\tMajorVer=58\tMinorVer=12\tTmp=AAAA\n"
            )
            await store.write(say(msgspec.structs.replace(device, **knows), body))
            found = await store.read(of_one)
            assert {one.type: (one.major_version, one.minor_version) for one in found} == {
                **versions,
                VISIBLE_LIGHT_FACE: (58, 12),
            }

        @pytest_twisted.ensureDeferred
        async def test_a_template_is_one_in_whichever_table_it_came(
            self, store, device, other
        ) -> None:
            """A fingerprint of an old terminal and the unified one of a new one share their key."""
            await store.write(say(other, "USER PIN=1"))
            old = msgspec.structs.replace(device, options={"MultiBioVersion": "0:10.0"})
            await store.write(say(old, "FP PIN=1\tFID=6\tTMP=AAAA"))
            unified = "BIODATA Pin=1\tNo=6\tType=1\tMajorVer=10\tMinorVer=0\tTmp=BBBB"
            await store.write(say(other, unified, now=NOW + 1))
            (found,) = await store.read(of_one)
            assert (found.form, found.template) == ("BIODATA", b"BBBB")

        @pytest_twisted.ensureDeferred
        async def test_a_template_is_not_there_twice_because_its_version_came_late(
            self, store, device, other
        ) -> None:
            """The one without a version gives way to the one with it, and does not come back."""
            for each in (device, other):
                await store.write(say(each, "USER PIN=1"))
            knows = {"options": {"MultiBioVersion": "0:10.3"}}

            async def kept():
                found = await store.read(of_one)
                return [(one.major_version, one.minor_version) for one in found]

            line = "FP PIN=1\tFID=6\tTMP=AAAA"
            await store.write(say(device, line))
            assert await kept() == [(0, 0)]
            await store.write(say(msgspec.structs.replace(device, **knows), line, now=NOW + 1))
            assert await kept() == [(10, 3)]
            await store.write(say(other, line, now=NOW + 2))
            assert await kept() == [(10, 3)]
            await store.write(say(other, "FP PIN=1\tFID=6\tTMP=BBBB", now=NOW + 3))
            assert sorted(await kept()) == [(0, 0), (10, 3)]

        @pytest.mark.parametrize(("said", "valid", "duress"), [(0, 0, 0), (1, 1, 0), (3, 1, 1)])
        @pytest_twisted.ensureDeferred
        async def test_a_fingerprint_under_duress_is_valid(
            self, store, device, said, valid, duress
        ) -> None:
            """`Valid=3` says both (12.1.1.3)."""
            await store.write(say(device, f"FP PIN=1\tFID=6\tValid={said}\tTMP=AAAA"))
            (found,) = await store.read(of_one)
            assert (found.valid, found.duress) == (valid, duress)

        @pytest_twisted.ensureDeferred
        async def test_the_random_bytes_of_a_face_are_no_news(self, store, device, other) -> None:
            """16 bytes before the template are others each time; what follows them counts."""

            def face(random: int, template: bytes, valid: int = 1) -> str:
                content = bytes([random]) * 16 + template
                return f"FACE PIN=1\tFID=0\tVALID={valid}\tTMP={armoured(content)}"

            async def kept():
                (found,) = await store.read(of_one)
                return content(found), found.device

            for each in (device, other):
                await store.write(say(each, "USER PIN=1"))
            await store.write(say(device, face(1, b"old")))
            await store.write(say(other, face(2, b"new"), now=NOW + SECOND))
            newest = (b"\x02" * 16 + b"new", "T2")
            assert await kept() == newest
            for later, random in ((2, 3), (3, 1)):
                await store.write(say(device, face(random, b"old"), now=NOW + later * SECOND))
                await store.write(say(other, face(random, b"new"), now=NOW + later * SECOND))
                assert await kept() == newest
            await store.write(say(device, face(1, b"older"), now=NOW + 4 * SECOND))
            assert await kept() == (b"\x01" * 16 + b"older", "T1")
            await store.write(say(other, face(2, b"new", valid=0), now=NOW + 5 * SECOND))
            (found,) = await store.read(of_one)
            assert (content(found), found.valid) == (b"\x02" * 16 + b"new", 0)

        @pytest.mark.parametrize(
            "line",
            [
                "FP PIN=1\tFID=6\tTMP=AAAA",
                "FACE PIN=1\tTMP=AAAA",
                "FVEIN Pin=1\tTmp=AAAA",
                "BIODATA Pin=1\tType=9\tTmp=AAAA",
            ],
        )
        @pytest_twisted.ensureDeferred
        async def test_a_template_of_an_unknown_user_makes_the_user(
            self, store, device, other, line
        ) -> None:
            """Nothing is known of it but the template, until a terminal says more."""
            await store.write(say(device, line))
            (found,) = await store.read(lambda tx: tx[PeopleStore].users(Page(9)))
            assert (found.pin, found.name, found.updated_at) == ("1", None, None)
            assert sum(found.templates.values()) == 1
            # Also by a clock that is behind: there is nothing yet that could be newer.
            await store.write(say(other, "USER PIN=1\tName=Ann", now=NOW - SECOND))
            (found,) = await store.read(lambda tx: tx[PeopleStore].users(Page(9)))
            assert (found.name, found.device) == ("Ann", "T2")

        @pytest_twisted.ensureDeferred
        async def test_a_template_leaves_a_known_user_as_it_is(self, store, device, other) -> None:
            """But for the count of templates."""
            await store.write(say(device, "USER PIN=1\tName=Ann"))
            await store.write(say(other, "USER PIN=1"))
            (before,) = await store.read(lambda tx: tx[PeopleStore].users(Page(9)))
            await store.write(say(other, "FP PIN=1\tFID=6\tTMP=AAAA", now=NOW + SECOND))
            (after,) = await store.read(lambda tx: tx[PeopleStore].users(Page(9)))
            assert after == msgspec.structs.replace(before, templates={FINGERPRINT: 1})

        @pytest_twisted.ensureDeferred
        async def test_more_templates_than_one_query_looks_up_are_kept(
            self, store, device, other
        ) -> None:
            """1,200 in one body: all are news once, and none of what is not is."""

            def hands(template: bytes) -> str:
                return "".join(
                    f"FP PIN={pin}\tFID={finger}\tTMP={armoured(template + b'%d' % pin)}\n"
                    for pin in range(120)
                    for finger in range(10)
                )

            def all_of_them(tx):
                users = [found.pin for found in tx[PeopleStore].users(EVERYTHING)]
                return {
                    (found.pin, found.number): content(found)
                    for pin in users
                    for found in tx[PeopleStore].templates(pin)
                }

            def expected(template: bytes):
                return {
                    (str(pin), finger): template + b"%d" % pin
                    for pin in range(120)
                    for finger in range(10)
                }

            stated = "".join(f"USER PIN={pin}\n" for pin in range(120))
            for each in (device, other):
                await store.write(say(each, stated))
            await store.write(say(device, hands(b"a")))
            assert await store.read(all_of_them) == expected(b"a")
            found = await store.read(lambda tx: tx[PeopleStore].users(EVERYTHING))
            assert [one.templates for one in found] == [{FINGERPRINT: 10}] * 120
            await store.write(say(other, hands(b"b"), now=NOW + SECOND))
            await store.write(say(device, hands(b"a"), now=NOW + 2 * SECOND))
            assert await store.read(all_of_them) == expected(b"b")

    return TemplateTests


class TestSQLiteInMemory(make_template_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_template_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_template_tests(on_postgresql)):
    """PostgreSQL."""
