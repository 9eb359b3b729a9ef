"""A database from before secrets were sealed: now they are, and nothing plain is left of them."""

from __future__ import annotations

import hashlib
import json
import pathlib

import msgspec
import pytest
import pytest_twisted
from alembic import command
from alembic.config import Config
from sqlalchemy import column, insert, table, text
from twisted.internet import reactor
from twisted.logger import capturedLogs

import zkpush.persist
from zkpush.handlers.attendance.photos import AttendancePhotoStore
from zkpush.handlers.entries.store import EntryStore
from zkpush.handlers.logs.store import IdCardStore
from zkpush.handlers.people.store import PeopleStore
from zkpush.handlers.people.tables import BIODATA, FP
from zkpush.interfaces import StoreError, WrongKey
from zkpush.persist.commands import CommandStore
from zkpush.persist.devices import DeviceStore
from zkpush.persist.events import EventStore
from zkpush.persist.files import FileStore
from zkpush.persist.rejects import RejectStore
from zkpush.persist.store import Store
from zkpush.values.commands import CommandState

from ..keys import OTHER_KEY
from .conftest import open_database
from .contract import EVERYTHING, NOW, batches, say

MARKERS = [f"marker-{word}" for word in ("password", "template", "picture", "line", "option")]
PASSWORD, TEMPLATE, PICTURE, LINE, OPTION = (marker.encode() for marker in MARKERS)
USER_LINE = f"USER PIN=7\tName=Ann\tPasswd={MARKERS[0]}\n"
FACE = b"\xff\xd8\xff" + PICTURE * 10_000


def sha(content: bytes) -> bytes:
    """What told contents apart."""
    return hashlib.sha256(content).digest()


def rows() -> dict[str, list[dict[str, object]]]:
    """What was in the tables, plain."""
    (users,) = batches(USER_LINE)
    (said,) = users.rows
    photo = {"device_id": 1, "picture": sha(FACE).hex()}
    own = {"device_id": 1, "updated_at": 1}
    return {
        "devices": [
            {
                "id": 1,
                "sn": "T1",
                "state": "approved",
                "timezone": "UTC",
                "session": "ready",
                "created_at": 1,
                "options": json.dumps({"ComPwd": MARKERS[4]}),
                "attributes": json.dumps({"key": MARKERS[4]}),
            }
        ],
        "users": [{**own, "pin": "7", "name": "Ann", "password": MARKERS[0], "raw": LINE}],
        "templates": [
            {
                **own,
                "form": FP.name,
                **{field.name: 0 for field in BIODATA.fields if field.name != "format"},
                "pin": "7",
                "type": 1,
                "template": TEMPLATE,
                "extra": json.dumps({"More": MARKERS[3]}),
            }
        ],
        "person_photos": [
            {
                **own,
                "kind": "USERPIC",
                "picture": sha(FACE).hex(),
                "pin": "7",
                "number": 0,
                "index": 0,
                "type": 0,
                "raw": LINE,
            }
        ],
        "attendance_photos": [
            {**photo, "received_at": 1, "name": "1.jpg", "size": len(FACE), "raw": LINE}
        ],
        "idcards": [
            {
                "device_id": 1,
                "received_at": 1,
                "identity": sha(b"card"),
                "pin": "7",
                "fingerprint_1": MARKERS[1],
                "photo": MARKERS[2],
            }
        ],
        "rejects": [
            {
                "device_id": 1,
                "table_name": "FP",
                "reason": MARKERS[3],
                "raw": LINE,
                "digest": sha(b"FP\0" + LINE),
                "received_at": 1,
            }
        ],
        "entries": [
            {**own, "table_name": "SMS", "key": '["1"]', "fields": json.dumps({"x": MARKERS[3]})}
        ],
        "files": [
            {
                "name": "f",
                "size": len(FACE),
                "md5": hashlib.md5(FACE).hexdigest(),  # noqa: S324
                "content": sha(FACE).hex(),
                "created_at": 1,
            }
        ],
        "commands": [
            {
                "id": "c1",
                "device_id": 1,
                "command": "PutFile",
                "state": "done",
                "attempts": 1,
                "created_at": 1,
                "params": json.dumps({"Passwd": MARKERS[0]}),
                "asked": json.dumps({"Passwd": MARKERS[0]}),
                "text": f"PutFile file/1/x {MARKERS[0]}",
                "result": json.dumps({"Content": MARKERS[3]}),
            }
        ],
        "versions": [
            {"table_name": "users", "key": '["7"]', "digest": sha(msgspec.json.encode(said))}
        ],
        "holdings": [
            {
                "table_name": "users",
                "key": '["7"]',
                "device_id": 1,
                "digest": sha(msgspec.json.encode(said)),
                "at": 1,
            }
        ],
    }


@pytest.fixture
def old_url(empty_url: str, tmp_path: pathlib.Path) -> str:
    """A database of revision 0004, with secrets; and one row more, which was deleted."""
    config = Config()
    scripts = pathlib.Path(zkpush.persist.__file__).parent / "migrations"
    config.set_main_option("script_location", str(scripts))
    database = open_database(empty_url)
    with database.migrating() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        for name, kept in rows().items():
            for row in kept:
                connection.execute(insert(table(name, *map(column, row))), row)
        if database.pictures is None:
            picture = {"digest": sha(FACE).hex(), "content": FACE}
            connection.execute(insert(table("pictures", *map(column, picture))), picture)
    with database.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO users (pin, raw) VALUES ('8', :raw)"), {"raw": LINE * 500}
        )
    with database.engine.begin() as connection:
        connection.execute(text("DELETE FROM users WHERE pin = '8'"))
    if database.pictures is not None:
        digest = sha(FACE).hex()
        place = database.pictures / digest[:2] / digest
        place.parent.mkdir(parents=True)
        place.write_bytes(FACE)
        place.with_name(f"{digest}.77.part").write_bytes(FACE[:1000])
    database.close()
    return empty_url


def found_in(folder: pathlib.Path) -> set[tuple[str, str]]:
    """Which markers are in which files, but in backups."""
    return {
        (path.name, marker)
        for path in folder.rglob("*")
        if path.is_file() and ".before-" not in path.name
        for marker in MARKERS
        if marker.encode() in path.read_bytes()
    }


@pytest_twisted.ensureDeferred
async def test_secrets_of_an_old_database_are_sealed(old_url: str, tmp_path) -> None:
    """Everything reads as before, what was known is no news, and nothing plain is left."""
    if old_url.startswith("sqlite"):
        assert {marker for _, marker in found_in(tmp_path)} == set(MARKERS)
    store = Store(lambda: open_database(old_url), reactor)
    with capturedLogs() as logged:
        store.start()

    def read(tx):
        (photo,) = tx[AttendancePhotoStore].page(EVERYTHING, None, None)
        (file,) = tx[FileStore].page(EVERYTHING)
        (reject,) = tx[RejectStore].page(EVERYTHING, None)
        (card,) = tx[IdCardStore].page(EVERYTHING, None)
        (user,) = tx[PeopleStore].users(EVERYTHING)
        (template,) = tx[PeopleStore].templates("7")
        (picture,) = tx[PeopleStore].photos("7")
        (entry,) = tx[EntryStore].page(EVERYTHING, None, None)
        device = tx[DeviceStore].get(1)
        order = tx[CommandStore].get("c1")
        tables = tx.connection.exec_driver_sql("SELECT file_id, file_digest FROM commands").one()
        assert order.state is CommandState.DONE
        assert order.params == order.asked == {"Passwd": MARKERS[0]}
        assert order.text == f"PutFile file/1/x {MARKERS[0]}"
        assert order.result == {"Content": MARKERS[3]}
        assert tuple(tables) == (None, None)  # it has ended
        assert device.options == {"ComPwd": MARKERS[4]}
        assert device.attributes == {"key": MARKERS[4]}
        assert (user.password, user.templates) == (MARKERS[0], {1: 1})
        assert template.template == TEMPLATE
        assert template.extra == {"More": MARKERS[3]}
        assert picture.content == tx[AttendancePhotoStore].content(photo.id) == FACE
        assert (file.md5, tx[FileStore].content(file)) == (hashlib.md5(FACE).hexdigest(), FACE)  # noqa: S324
        assert (reject.reason, reject.raw) == (MARKERS[3], LINE)
        assert (card.fingerprint_1, card.photo) == (MARKERS[1], MARKERS[2])
        assert entry.extra == {"x": MARKERS[3]}
        return device, [photo.picture, file.content]

    device, digests = await store.read(read)
    assert len(set(digests)) == 1
    assert sha(FACE).hex() not in digests

    def again(tx):
        before = tx[EventStore].last()
        say(device, USER_LINE, now=NOW)(tx)
        tx.flush()
        return tx[EventStore].last() - before

    assert await store.write(again) == 0
    await store.stop()
    if old_url.startswith("sqlite"):
        assert found_in(tmp_path) == set()
        (backup,) = tmp_path.glob("*.before-*")
        assert PASSWORD in backup.read_bytes()
        assert PICTURE * 2 not in backup.read_bytes()
        assert backup.stat().st_mode & 0o777 == 0o600
        assert str(backup) in [event.get("backup") for event in logged]
    again_ = Store(lambda: open_database(old_url, OTHER_KEY), reactor)
    with pytest.raises(WrongKey):
        again_.start()


@pytest_twisted.ensureDeferred
async def test_a_purge_that_did_not_happen_is_made_good(
    old_url: str, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies after the commit leaves it to the next one."""

    def die(*_: object) -> None:
        raise StoreError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr("zkpush.persist.migrate.purge_thd", die)
        with pytest.raises(StoreError, match="killed here"):
            Store(lambda: open_database(old_url), reactor).start()
    if old_url.startswith("sqlite"):
        assert found_in(tmp_path)
    store = Store(lambda: open_database(old_url), reactor)
    store.start()
    assert found_in(tmp_path) == set()
    noted = "SELECT count(*) FROM unfinished"
    assert await store.read(lambda tx: tx.connection.exec_driver_sql(noted).scalar()) == 0
    await store.stop()
