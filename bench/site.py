"""The database of a large site, written by SQL: terminals, people, and the punches of a year."""

from __future__ import annotations

import pathlib
import sqlite3
import time

TERMINALS = 1000
PEOPLE = 10_000
PUNCHES_A_DAY = 33_333
AREAS = 20
DOORS = 10
"""Terminals that a person uses; so many people share them."""
UNLISTED = 49_000
"""Records that are in no list by person yet: one fewer than are listed at a time, or nearly."""
_FIRST_KEY = 1000
"""Key of the first terminal."""
_SEALED = ("options", "attributes")
"""What opens in the row of its own terminal only."""
_PERIOD = 600_000
"""Length of a period of `arrivals`, in milliseconds."""

_NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers LIMIT ?) "
_PIN = "CAST(n * 7919 % {people} + 1 AS TEXT)"
_DOOR = "{first} + (n * 7919 % {people}) % {groups} * {doors} + n / {people} % {doors}"
_INSTANT = "{begin} + CAST(n * {step} AS INTEGER)"


def fill_site(data: pathlib.Path, punches: int, people: int = PEOPLE) -> None:
    """Fill a database that has one terminal; the last punch has just happened."""
    connection = sqlite3.connect(data / "zkpush.sqlite", isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-400000")
    connection.execute("BEGIN")
    _add_terminals(connection)
    _add_people(connection, people)
    _add_punches(connection, punches, people)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _add_terminals(connection: sqlite3.Connection) -> None:
    """Copy the terminal that there is."""
    found = connection.execute("SELECT * FROM devices LIMIT 1")
    names = [column[0] for column in found.description if column[0] not in _SEALED]
    values = dict(zip((column[0] for column in found.description), found.fetchone(), strict=True))
    for area in range(AREAS):
        connection.execute("INSERT INTO areas (name) VALUES (?)", [f"Building {area}"])
    for number in range(TERMINALS):
        row = {
            **values,
            "id": _FIRST_KEY + number,
            "sn": f"OLD{number}",
            "alias": f"Door {number}",
            "area": f"Building {number % AREAS}",
        }
        connection.execute(
            f"INSERT INTO devices ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            [row[name] for name in names],
        )


def _add_people(connection: sqlite3.Connection, people: int) -> None:
    """Add people, each in an area and on the terminals of the person."""
    connection.execute(
        _NUMBERS + "INSERT INTO users (device_id, updated_at, pin, name, privilege, card) "
        "SELECT ?, 0, CAST(n + 1 AS TEXT), 'Person ' || n, 0, CAST(5000000 + n AS TEXT) "
        "FROM numbers",
        [people, _FIRST_KEY],
    )
    connection.execute(
        _NUMBERS + "INSERT INTO person_areas (pin, area) "
        f"SELECT CAST(n + 1 AS TEXT), 'Building ' || (n % {AREAS}) FROM numbers",
        [people],
    )
    connection.execute(
        _NUMBERS + "INSERT INTO holdings (table_name, key, device_id, digest, at) "
        f"SELECT 'users', '[\"' || (n / {DOORS} + 1) || '\"]', "
        f"{_FIRST_KEY} + n / {DOORS} % {TERMINALS // DOORS} * {DOORS} + n % {DOORS}, x'01', 0 "
        "FROM numbers",
        [people * DOORS],
    )


def _add_punches(connection: sqlite3.Connection, count: int, people: int) -> None:
    """Add punches in the order of their time, as their terminals send them."""
    now = int(time.time())
    step = 86_400 / PUNCHES_A_DAY
    names = {
        "people": people,
        "first": _FIRST_KEY,
        "doors": DOORS,
        "groups": TERMINALS // DOORS,
        "begin": now - int(count * step),
        "step": step,
    }
    pin, door, instant = (text.format(**names) for text in (_PIN, _DOOR, _INSTANT))
    connection.execute(
        _NUMBERS + "INSERT INTO attendance "
        "(device_id, utc, received_at, pin, time, status, verify, work_code) "
        f"SELECT {door}, {instant}, ({instant}) * 1000, {pin}, datetime({instant}, 'unixepoch'), "
        "n % 2, 1, '0' FROM numbers",
        [count],
    )
    last = count - UNLISTED
    connection.execute(
        "INSERT INTO punches_of_people SELECT pin, id FROM attendance WHERE id <= ? "
        "ORDER BY pin, id",
        [last],
    )
    connection.execute(
        "INSERT INTO punches_of_terminals SELECT device_id, id FROM attendance WHERE id <= ? "
        "ORDER BY device_id, id",
        [last],
    )
    connection.execute("INSERT INTO punches_listed (id, last_id) VALUES (1, ?)", [last])
    connection.execute(
        f"INSERT INTO arrivals SELECT received_at / {_PERIOD}, min(id) FROM attendance GROUP BY 1"
    )
