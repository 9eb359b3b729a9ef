"""Migrations bring a database to the schema that the code declares, and lose nothing."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from collections import defaultdict

import pytest
import pytest_twisted
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.util.exc import CommandError
from sqlalchemy import Connection, UniqueConstraint, inspect
from twisted.internet import reactor

from zkpush.handlers.attendance.model import PunchFilter
from zkpush.handlers.attendance.store import AttendanceStore
from zkpush.handlers.commands.model import CommandFilter
from zkpush.handlers.commands.store import CommandList
from zkpush.handlers.people.store import PeopleStore
from zkpush.interfaces import StoreError
from zkpush.model import Page
from zkpush.persist.commandschedule import CommandSchedule
from zkpush.persist.devices import DeviceStore
from zkpush.persist.leases import LeaseStore
from zkpush.persist.migrate import alembic_scripts, head_revision, migrate_thd
from zkpush.persist.rejects import RejectStore
from zkpush.persist.schema import metadata
from zkpush.persist.stamps import StampStore
from zkpush.persist.store import Store
from zkpush.protocol.times import NO_ZONE
from zkpush.values.commands import CommandState
from zkpush.values.sessions import SessionState

from .conftest import open_database
from .contract import say
from .thawing import thaw

OLD = ("0001", "0002")
EVERYTHING = Page(1000)
SEALED = defaultdict(
    tuple,
    attendance=("extra", "raw", "doubt"),
    devices=("options", "attributes", "offered_comm_key", "timezone", "problems"),
    rejects=("reason", "raw", "digest"),
    commands=("params", "asked", "text", "result"),
)
"""The columns of frozen databases that are sealed now, told apart by a key, or elsewhere; and
those that say whether a zone is known."""


def differences(connection: Connection) -> list[object]:
    """What a database lacks of the schema, and has beyond it."""
    found = compare_metadata(MigrationContext.configure(connection), metadata)
    there = inspect(connection)
    if connection.dialect.name == "sqlite":  # Alembic does not look at its indexes of expressions
        names = "SELECT name FROM sqlite_master WHERE type = 'index'"
        stored = {*connection.exec_driver_sql(names).scalars()}
        declared_ones = {
            str(one.name) for table in metadata.tables.values() for one in table.indexes
        }
        found += sorted(declared_ones - stored)
    for table in metadata.sorted_tables:
        # Alembic does not look at the order of columns in an index, which is what it is good for.
        declared = {
            str(constraint.name): [column.name for column in constraint.columns]
            for constraint in table.constraints
            if isinstance(constraint, UniqueConstraint) and constraint.name
        }
        found += [
            (unique["name"], unique["column_names"])
            for unique in there.get_unique_constraints(table.name)
            if declared.get(str(unique["name"]), unique["column_names"]) != unique["column_names"]
        ]
    return found


@pytest.mark.usefixtures("real_migrations")
def test_the_migrations_and_the_schema_agree(empty_url: str) -> None:
    """A migrated database has every table, column, index and constraint of the schema."""
    database = open_database(empty_url)
    migrate_thd(database)
    with database.engine.connect() as connection:
        assert differences(connection) == []
    database.close()


def test_migrating_again_changes_nothing(tmp_path: pathlib.Path) -> None:
    """A database of this version is left alone."""
    path = tmp_path / "same.sqlite"
    for _ in range(2):
        before = path.read_bytes() if path.exists() else None
        database = open_database(f"sqlite:///{path}")
        migrate_thd(database)
        database.close()
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["same.sqlite"]


def test_a_database_of_a_later_version_is_refused(empty_url: str, tmp_path: pathlib.Path) -> None:
    """An older program does not touch what a newer one made."""
    database = open_database(empty_url)
    migrate_thd(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="later version"):
        migrate_thd(database)
    database.close()
    assert not [*tmp_path.glob("*before*")]


MIGRATE = """
import sys, time
from zkpush.persist.migrate import migrate_thd
from tests.persist.conftest import open_database
print("ready", flush=True)
sys.stdin.readline()
database = open_database(sys.argv[1])
migrate_thd(database)
database.close()
"""


@pytest.mark.long
@pytest.mark.usefixtures("no_cover")
def test_processes_that_start_at_once_migrate_once(empty_url: str) -> None:
    """Each finds a database of this version; none fails, whoever comes first."""
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, empty_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=pathlib.Path(__file__).parents[2],
            text=True,
        )
        for _ in range(4)
    ]
    for process in starting:
        process.stdout.readline()
    for process in starting:
        process.stdin.write("go\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=60)[1] for process in starting]
    assert errors == [""] * len(starting)
    database = open_database(empty_url)
    with database.engine.connect() as connection:
        assert differences(connection) == []
    database.close()


def contents(connection: Connection) -> dict[str, list[dict[str, object]]]:
    """All rows of all tables, by the names of their columns."""
    return {
        table: [
            {name: _bytes(value) for name, value in row._mapping.items()}
            for row in connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608
        ]
        for table in inspect(connection).get_table_names()
        if table != "alembic_version"
    }


def _bytes(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value


@pytest.mark.long
@pytest.mark.parametrize("revision", OLD)
@pytest_twisted.ensureDeferred
async def test_an_old_database_keeps_everything(empty_url: str, revision: str) -> None:
    """All rows of an earlier revision are there after the upgrade, and the store reads them."""
    thaw(empty_url, revision)
    database = open_database(empty_url)
    with database.engine.connect() as connection:
        before = contents(connection)
    store = Store(lambda: database, reactor)
    store.start()
    with database.readers.connect() as connection:
        after = contents(connection)
        assert differences(connection) == []
    offered = {
        (row["id"], key)
        for row in before["devices"]
        for key in (row["comm_key"], row["offered_comm_key"])
        if key is not None
    }
    assert {(row["device_id"], row["fingerprint"]) for row in after["comm_keys"]} == offered
    assert before.keys() >= {"devices", "attendance", "rejects", "commands", "stamps"}
    for table, rows in before.items():
        assert rows
        names = [name for name in rows[0] if name not in SEALED[table]]
        kept = [{name: row[name] for name in names} for row in after[table]]
        assert kept == [{name: row[name] for name in names} for row in rows], table

    def read(tx):
        return (
            tx[DeviceStore].changed_since(0)[0],
            tx[AttendanceStore].page(EVERYTHING),
            tx[RejectStore].page(EVERYTHING, None),
            [
                command
                for _, command in tx[CommandList].page(
                    EVERYTHING, CommandFilter(device="GATE000001")
                )
            ],
            tx[StampStore].of(1),
            tx[CommandSchedule].all_due(),
        )

    devices, records, rejects, commands, stamps, due = await store.read(read)
    gate = next(device for device in devices if device.id == 1)
    assert (gate.alias, gate.session) == ("Main gate – Tür 1", SessionState.READY)  # noqa: RUF001
    assert (gate.settings["Delay"], gate.counts["users"]) == (5, 212)
    assert [problem.code for problem in gate.problems] == ["clock"]
    assert len(devices) == 3
    assert len(records) == 8
    for wanted in (PunchFilter(pin=records[0].pin), PunchFilter(device=records[-1].device)):
        found = await store.read(
            lambda tx, wanted=wanted: tx[AttendanceStore].page(EVERYTHING, wanted)
        )
        assert found == [
            one for one in records if one.pin == wanted.pin or one.device == wanted.device
        ]
    doubts = {(record.device == gate.sn, record.doubt) for record in records}
    assert doubts <= {(True, None), (False, NO_ZONE)}  # the zone of the others was never chosen
    assert records[4].extra == {"ConvTemperature": "x", "Column13": "more"}
    assert [reject.raw for reject in rejects] == [b"7\trubbish\0\xff\xfe", bytes(range(256))]
    later = {CommandState.SENT, CommandState.UNKNOWN}
    assert {command.state for command in commands} == {*CommandState} - later
    assert {command.state for command in commands if command.reason is None} == {
        CommandState.QUEUED
    }
    assert stamps == {"ATTLOG": "9999", "OPERLOG": "2026-03-01 08:00:00"}
    assert due == {1: 0}

    added = await store.write(lambda tx: tx[DeviceStore].change(1, {"alias": "Back gate"}))
    assert added.alias == "Back gate"
    body = "USER PIN=1\tName=Ann\nFP PIN=1\tTMP=AAAA\nOPLOG 0\t0\t2026-03-01 08:00:00\n"
    await store.write(say(added, body))
    found = await store.read(lambda tx: tx[PeopleStore].users(EVERYTHING))
    assert [(user.name, user.templates) for user in found] == [("Ann", {1: 1})]
    await store.stop()


@pytest_twisted.ensureDeferred
async def test_what_many_nodes_share_is_kept(empty_url: str) -> None:
    """Removals of terminals, and leases, which are there since revision 0002."""
    thaw(empty_url, "0002")
    store = Store(lambda: open_database(empty_url), reactor)
    store.start()
    assert await store.read(lambda tx: tx[DeviceStore].removed_since(0)) == ["GONE_1"]
    until = 1_772_366_490_000

    def hold(now):
        return store.write(lambda tx: tx[LeaseStore].hold("time zones", "node-2", until + 1, now))

    assert [await hold(until - 1), await hold(until)] == [False, True]
    await store.stop()


@pytest.mark.parametrize("revision", [*OLD, "0008"])
def test_a_file_that_is_behind_is_backed_up_first(tmp_path: pathlib.Path, revision: str) -> None:
    """Beside itself, for its owner only, with everything that it held, and named for it."""
    url = f"sqlite:///{tmp_path / 'zkpush.sqlite'}"
    thaw(url, revision)
    database = open_database(url)
    with database.readers.connect() as connection:
        before = contents(connection)
    migrate_thd(database)
    with database.readers.connect() as connection:
        after = MigrationContext.configure(connection).get_current_revision()
    database.close()
    (copy,) = tmp_path.glob("zkpush.sqlite.before-*")
    assert copy.name.startswith(f"zkpush.sqlite.before-{after}-20")
    assert copy.name.endswith("Z")
    assert copy.stat().st_mode & 0o777 == 0o600
    kept = open_database(f"sqlite:///{copy}")
    with kept.readers.connect() as connection:
        assert contents(connection) == before
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    kept.close()
    assert before["attendance"]
    assert version == revision
    assert not [*tmp_path.glob(".*")]


def test_a_file_that_cannot_be_backed_up_is_not_upgraded(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If there is no room for the copy, the start fails, and the database is what it was."""
    url = f"sqlite:///{tmp_path / 'zkpush.sqlite'}"
    thaw(url, "0001")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    database = open_database(url)
    with pytest.raises(StoreError, match=r"cannot back up .* No space left"):
        migrate_thd(database)
    with database.readers.connect() as connection:
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    database.close()
    assert version == "0001"
    assert not [*tmp_path.glob("*before*")]
    assert not [*tmp_path.glob(".*")]


def test_an_upgrade_that_fails_leaves_no_copy(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is what it was, and starts that fail again and again do not fill the disk."""
    url = f"sqlite:///{tmp_path / 'zkpush.sqlite'}"
    thaw(url, "0001")

    def fail(config: object, revision: str) -> None:
        raise CommandError("the disk is full")

    monkeypatch.setattr("alembic.command.upgrade", fail)
    database = open_database(url)
    with pytest.raises(StoreError, match="the disk is full"):
        migrate_thd(database)
    database.close()
    assert [file.name for file in tmp_path.iterdir()] == ["zkpush.sqlite"]


def test_a_new_file_is_for_its_owner_only(tmp_path: pathlib.Path) -> None:
    """It holds personal data; nothing is backed up that was not there."""
    path = tmp_path / "zkpush.sqlite"
    database = open_database(f"sqlite:///{path}")
    migrate_thd(database)
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    database.close()
    assert [*tmp_path.iterdir()] == [path]


def test_the_head_is_the_script_with_the_highest_number() -> None:
    """As Alembic finds it, which is not imported where nothing is to be upgraded."""
    assert head_revision() == alembic_scripts()[1].get_current_head()
    check = "import sys, zkpush.persist.store; assert 'alembic' not in sys.modules"
    subprocess.run([sys.executable, "-c", check], check=True)
