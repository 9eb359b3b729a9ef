"""The kind `sql`: rows in a table of another database, each once, and updated by corrections."""

from __future__ import annotations

import pathlib
import socket
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import msgspec
import psycopg
import pytest
import pytest_twisted
from sqlalchemy import make_url
from twisted.internet import reactor

from zkpush.handlers.forward.kinds.foreign import DatabaseLost, PostgreSQLDatabase
from zkpush.handlers.forward.kinds.hosts import HostUnreachable, permitted_thd
from zkpush.handlers.forward.kinds.sqltable import (
    SQL,
    SQLSettings,
    check_database,
    database_of,
    statement_of,
)
from zkpush.values.forwarding import (
    Delivered,
    ForwardBatch,
    ForwardedEvent,
    ForwarderTarget,
    Outcome,
    RefusedBatch,
    RetryLater,
)

from ..postgres import Databases, OwnServer
from ..rig import Rig
from .receivers import add, punch, shown, turns
from .test_rules import lines

TABLE = (
    "CREATE TABLE punches (event_id VARCHAR(40) PRIMARY KEY, pin VARCHAR(20) NOT NULL, "
    "device VARCHAR(20), punched_at TIMESTAMP, status SMALLINT CHECK (status <> 9))"
)


class Other:
    """A database of another program."""

    def __init__(self, url: str, connect: Callable[[], Any], password: str = "") -> None:
        self.url = url
        self.settings = {"url": url, "table": "punches", "allow_private": True}
        if password:
            self.settings["password"] = password
        self._connect = connect

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement; its rows."""
        connection = self._connect()
        try:
            cursor = connection.execute(statement)
            rows = [tuple(row) for row in cursor.fetchall()] if cursor.description else []
            connection.commit()
            return rows
        finally:
            connection.close()

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """The rows of the table, with times as texts."""
        found = self.run(
            "SELECT event_id, pin, device, CAST(punched_at AS VARCHAR), status FROM punches "
            "ORDER BY event_id"
        )
        return [tuple(row) for row in found]


def postgresql(url: str) -> Other:
    """A PostgreSQL database, whose URL is without a password."""
    parsed = make_url(url)
    without = parsed._replace(password=None).render_as_string()
    return Other(without, lambda: psycopg.connect(url), str(parsed.password or ""))


@pytest.fixture(params=["sqlite", "postgresql"])
def other(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Other]:
    """A database with a table for punches."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("payroll") / "payroll.sqlite"
        found = Other(f"sqlite:///{path}", lambda: sqlite3.connect(path))
        found.run(TABLE)
        yield found
        return
    databases: Databases = request.getfixturevalue("postgres")
    name = databases.make()
    found = postgresql(databases.url(name))
    found.run(TABLE)
    yield found
    databases.drop(name)


def event(number: int, **data: object) -> ForwardedEvent:
    """A punch."""
    values = {
        "pin": str(number),
        "device": "T1",
        "time": f"2026-03-01T13:00:{number:02}",
        "status": 0,
        **data,
    }
    return ForwardedEvent(
        id=f"rec_{number}",
        type="attendance",
        timestamp="2026-03-01T12:00:00.000Z",
        data={name: value for name, value in values.items() if value is not None},
    )


def row(number: int, status: int | None = 0) -> tuple[Any, ...]:
    """The row of a punch."""
    return (f"rec_{number}", str(number), "T1", f"2026-03-01 13:00:{number:02}", status)


Deliver = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def deliver(other: Other) -> Iterator[Deliver]:
    """Deliver events on a connection that stays, unless settings are given."""
    kind, open_ = SQL(), {}

    async def run(*events: ForwardedEvent, **settings: Any) -> Outcome:
        given = {**other.settings, **settings}
        value = msgspec.convert(given, SQLSettings)
        kind.check(value)
        if str(given) not in open_:
            target = ForwarderTarget(
                name="hr", settings=value, secrets=list, clock=reactor, wall=lambda: 0.0
            )
            open_[str(given)] = kind.open(target)
        batch = ForwardBatch(id="msg_1", made_at=0, events=events)
        outcome: Outcome = await open_[str(given)].deliver(batch)
        return outcome

    yield run
    for one in open_.values():
        one.close()


@pytest_twisted.ensureDeferred
async def test_punches_become_rows(rig: Rig, other: Other) -> None:
    """Within a second, through the engine, and a test writes nothing."""
    await rig.exchange()
    await add(rig, kind="sql", settings=other.settings)
    tested = (await rig.api("POST", "/forwarders/1/test")).json
    assert tested["words"] == "The table has these columns. Nothing was written."
    assert other.rows == []
    await punch(rig, [7, 8])
    await turns(rig, 2)
    assert other.rows == [
        ("rec_1", "7", "T1", "2026-03-01 13:00:00", 0),
        ("rec_2", "8", "T1", "2026-03-01 13:00:00", 0),
    ]
    assert (await shown(rig))["delivered"] == 2


@pytest_twisted.ensureDeferred
async def test_a_repetition_adds_no_row_and_a_correction_updates_it(
    deliver: Deliver, other: Other
) -> None:
    """By the id of the event; also twice in one batch."""
    assert await deliver(event(1), event(2)) == Delivered("Written")
    assert await deliver(event(1), event(2), event(2)) == Delivered("Written")
    assert other.rows == [row(1), row(2)]
    await deliver(event(2, status=1), event(3, status=None))
    assert other.rows == [row(1), row(2, 1), row(3, None)]
    await deliver(event(1), id_prefix="b-")
    assert [one[0] for one in other.rows] == ["b-rec_1", "rec_1", "rec_2", "rec_3"]


@pytest_twisted.ensureDeferred
async def test_a_row_that_the_table_does_not_take_holds_up_no_other(
    deliver: Deliver, other: Other
) -> None:
    """It is parked with the reason; if every row is refused, the mapping is wrong, and all stay."""
    outcome = await deliver(event(1), event(2, status=9), event(3, pin=None), event(4))
    assert isinstance(outcome, Delivered)
    assert {*outcome.parked} == {"rec_2", "rec_3"}
    assert all(one.startswith("Row refused: ") for one in outcome.parked.values())
    assert other.rows == [row(1), row(4)]
    outcome = await deliver(event(5, status=9), event(6, status=9))
    assert isinstance(outcome, RefusedBatch)
    assert outcome.reason.startswith("Every row refused: ")
    assert isinstance(await deliver(event(5, status=9)), RefusedBatch)
    assert await deliver(event(7)) == Delivered("Written")


@pytest.mark.parametrize(
    "changed",
    [
        {"table": "nowhere"},
        {"columns": {"event_id": "event_id", "badge": "pin"}},
        {"columns": {"pin": "event_id", "device": "device"}},  # pin is not unique
    ],
    ids=["table", "column", "unique"],
)
@pytest_twisted.ensureDeferred
async def test_a_wrong_mapping_is_refused_in_words(
    deliver: Deliver, other: Other, changed: dict[str, Any]
) -> None:
    """By a test as well as by a delivery; nothing is parked."""
    sample = ForwardedEvent(id="test_1", type="test", timestamp="2026-03-01T12:00:00Z", data={})
    for one in (sample, event(1)):
        outcome = await deliver(one, **changed)
        assert isinstance(outcome, RefusedBatch)
        named = {"nowhere", "badge", "conflict"}
        assert any(word in outcome.reason.lower() for word in named), outcome
    assert other.rows == []


@pytest_twisted.ensureDeferred
async def test_names_are_quoted(deliver: Deliver, other: Other) -> None:
    """A reserved word, capitals and a space are names like others."""
    other.run('CREATE TABLE "Order" ("User Id" VARCHAR(9), "select" VARCHAR(40) UNIQUE)')
    columns = {"User Id": "pin", "select": "event_id"}
    assert await deliver(event(1), table="Order", columns=columns) == Delivered("Written")
    assert other.run('SELECT * FROM "Order"') == [("1", "rec_1")]


@pytest_twisted.ensureDeferred
async def test_values_are_never_sql(deliver: Deliver, other: Other) -> None:
    """Whatever a terminal sends as a user ID."""
    pin = "'); DROP --%s?"
    await deliver(event(1, pin=pin))
    assert other.rows[0][1] == pin
    outcome = await deliver(event(2), event(3, pin="a\0b" * 20))
    if other.url.startswith("postgresql"):
        assert isinstance(outcome, Delivered)
        assert {*outcome.parked} == {"rec_3"}


@pytest_twisted.ensureDeferred
async def test_an_outage_loses_nothing(own_postgres: OwnServer) -> None:
    """Rows follow when the server is back, on a new connection; an idle one may be cut."""
    there = postgresql(own_postgres.url)
    there.run(TABLE)
    settings = msgspec.convert(there.settings, SQLSettings)
    target = ForwarderTarget(
        name="hr", settings=settings, secrets=list, clock=reactor, wall=lambda: 0.0
    )
    delivery = SQL().open(target)

    async def deliver(number: int) -> Outcome:
        batch = ForwardBatch(id="msg_1", made_at=0, events=[event(number)])
        outcome: Outcome = await delivery.deliver(batch)
        return outcome

    assert await deliver(1) == Delivered("Written")
    there.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'zkpush'"
    )
    assert await deliver(2) == Delivered("Written")
    own_postgres.stop()
    outcome = await deliver(3)
    assert isinstance(outcome, RetryLater)
    assert outcome.reason.startswith("Not written: ")
    own_postgres.start()
    assert await deliver(3) == Delivered("Written")
    assert there.rows == [row(1), row(2), row(3)]
    delivery.close()


@pytest_twisted.ensureDeferred
async def test_a_sqlite_file_must_exist_elsewhere(
    rig: Rig, tmp_path: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It is not made, and is not in the data directory; a locked one is tried again."""
    missing = tmp_path_factory.mktemp("payroll") / "payroll.sqlite"
    (tmp_path / "inside.sqlite").touch()
    for number, (path, words) in enumerate(
        [(missing, "There is no file"), (tmp_path / "inside.sqlite", "is in the data directory")], 1
    ):
        settings = {"url": f"sqlite:///{path}", "table": "punches"}
        await add(rig, name=f"hr{number}", kind="sql", settings=settings)
        tested = (await rig.api("POST", f"/forwarders/{number}/test")).json
        assert tested["outcome"] == "later"
        assert words in tested["words"]
    assert not missing.exists()


@pytest_twisted.ensureDeferred
async def test_the_password_is_never_shown(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """Neither by the API, nor in the audit log, nor in what a driver says."""
    settings = {
        "url": "postgresql://hr@db.example.com/hr",
        "table": "punches",
        "password": "hunter2",
    }
    made = await add(rig, kind="sql", settings=settings)
    assert made["settings"]["password"] is None
    assert made["url"] == "postgresql://hr@db.example.com/hr"
    assert "hunter2" not in str(await rig.items("/audit")) + str(await rig.items("/forwarders"))
    database = PostgreSQLDatabase(
        host="/run",
        port=1,
        user="hr",
        password="hunter2",
        database="hr",
        ssl={},
        allow_private=True,
    )
    fault = database.fault(psycopg.OperationalError('password "hunter2" is wrong\nsecond line'))
    assert str(fault) == 'password "…" is wrong'
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "::1", "localhost"])
def test_a_private_database_needs_a_permission(host: str) -> None:
    """As for webhooks; and the metadata services of clouds are never connected to."""
    with pytest.raises(HostUnreachable, match="private network"):
        permitted_thd(host, 5432, allow_private=False)
    assert permitted_thd(host, 5432, allow_private=True)
    with pytest.raises(HostUnreachable, match="metadata"):
        permitted_thd("169.254.169.254", 5432, allow_private=True)


def test_the_checked_address_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver does not resolve the name again."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        peers: list[object] = []

        def hang_up() -> None:
            connection, peer = listening.accept()
            peers.append(peer)
            connection.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **named: answer)
        database = PostgreSQLDatabase(
            host="db.invalid",
            port=port,
            user="hr",
            password="",
            database="hr",
            ssl={"sslmode": "disable"},
            allow_private=True,
        )
        with pytest.raises(DatabaseLost):
            database.connect()
        thread.join(30)
    assert len(peers) == 1


GOOD = {"url": "postgresql://hr@db.example.com/hr", "table": "hr.punches"}


def test_an_unencrypted_connection_needs_a_permission() -> None:
    """Without one, TLS is required."""
    settings = msgspec.convert(GOOD, SQLSettings)
    SQL().check(settings)
    target = ForwarderTarget(
        name="hr", settings=settings, secrets=list, clock=reactor, wall=lambda: 0.0
    )
    database = database_of(target)
    assert isinstance(database, PostgreSQLDatabase)
    assert database.ssl == {"sslmode": "require"}
    assert (
        check_database(msgspec.convert({**GOOD, "allow_private": True}, SQLSettings)).port is None
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"url": "mysql://hr@db/hr"}, "url: It is such as postgresql://"),
        ({"url": "postgresql://hr@/hr"}, "url: It is such as postgresql://"),
        ({"url": "postgresql://hr@db"}, "url: It is such as postgresql://"),
        ({"url": "sqlite:///payroll.sqlite"}, "url: It is such as postgresql://"),
        ({"url": "sqlite:////a?mode=memory"}, "url: It is such as postgresql://"),
        ({"url": "nothing"}, "url: It is such as postgresql://"),
        ({"url": "postgresql://hr:pw@db/hr"}, "url: Leave out the password"),
        ({"url": "postgresql://hr@db/hr?options=-c"}, "url: Only sslmode, sslrootcert and host"),
        ({"url": "postgresql://hr@db/hr?host=10.0.0.1"}, "url: host= is the folder of a socket"),
        ({"url": "postgresql://hr@/hr?host=/run"}, "url: A socket is on this machine"),
        ({"url": "postgresql://hr@db/hr?sslmode=prefer"}, "url: This sslmode needs allow_private"),
        ({"table": "a.b.c"}, "table: It is a name of"),
        ({"table": 'p"; DROP TABLE x'}, "table: It is a name of"),
        ({"columns": {}}, "columns: There are 1 to 50 columns"),
        ({"columns": {"a)": "event_id"}}, "columns: 'a)' is not a name"),
        ({"columns": {"a": "event_id", "b": "name"}}, "columns: There is no value 'name'"),
        ({"columns": {"a": "pin"}}, "columns: One column, and only one"),
        ({"columns": {"a": "event_id", "b": "event_id"}}, "columns: One column, and only one"),
        ({"id_prefix": "a'"}, "id_prefix: It consists of"),
    ],
)
def test_mistakes_in_settings_are_explained(changed: dict[str, Any], words: str) -> None:
    """Before anything is stored, and without a password."""
    settings = msgspec.convert({**GOOD, **changed}, SQLSettings)
    with pytest.raises(ValueError, match="^" + words.replace("(", "").split("'")[0]) as raised:
        SQL().check(settings)
    assert str(raised.value).startswith(words)
    assert "pw" not in str(raised.value)


def test_the_statement_has_names_and_parameters_only() -> None:
    """A table of one column is only added to."""
    settings = msgspec.convert({**GOOD, "columns": {"a": "event_id"}}, SQLSettings)
    assert statement_of(settings, "?") == (
        'INSERT INTO "hr"."punches" ("a") VALUES (?) ON CONFLICT ("a") DO NOTHING'
    )


@pytest_twisted.ensureDeferred
async def test_rows_are_updated_and_removed(rig: Rig, other: Other) -> None:
    """A correction has the identity of the row that it is about."""
    columns = {"event_id": "event_id", "pin": "pin", "device": "direction"}
    rules = {"since": "2026-01-01", "directions": {}, "minimum_gap_seconds": 60}
    await rig.exchange()
    await add(rig, kind="sql", settings={**other.settings, "columns": columns}, rules=rules)
    await lines(rig, "1,2026-03-01 08:00:00,255,1", "1,2026-03-01 12:00:00,255,1")
    await lines(rig, "2,2026-03-01 11:00:00,1,1")
    await turns(rig, 2)
    await lines(rig, "1,2026-03-01 10:00:00,255,1", "2,2026-03-01 10:59:30,1,1")
    await turns(rig, 2)
    assert [row[:3] for row in other.rows] == [
        ("rec_1", "1", "in"),
        ("rec_2", "1", "in"),
        ("rec_4", "1", "out"),
        ("rec_5", "2", "out"),
    ]
    assert (await shown(rig))["dead"] == 0
