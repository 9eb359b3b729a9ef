"""The audit log shows what was done to it."""

from __future__ import annotations

import contextlib
import pathlib
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence

import pytest
import pytest_twisted
from twisted.internet.defer import gatherResults

from zkpush.datadir import read_key
from zkpush.maintenance import rotate_key
from zkpush.persist.audit import AuditStore
from zkpush.persist.events import EventStore
from zkpush.persist.migrate import migrate_thd

from ..cli.program import misused
from ..keys import KEY
from ..persist.conftest import open_database, opened
from ..persist.contract import EVERYTHING, NOW
from ..persist.copied import Copied
from .tampering import ROWS, Tampering, before_the_chain, check, head, recorded

Act = Callable[[Tampering], object]
INSERT = "INSERT INTO audit (id, at, actor, action, subject, mac) VALUES (?, ?, 'x', 'x', 'x', ?)"
TABLE: Sequence[tuple[str, Act, str]] = (
    ("actor changed", lambda db: db.run("UPDATE audit SET actor = 'x' WHERE id = 3"), "row 3 was"),
    (
        "action changed",
        lambda db: db.run("UPDATE audit SET action = 'x' WHERE id = 3"),
        "row 3 was",
    ),
    (
        "subject changed",
        lambda db: db.run("UPDATE audit SET subject = '' WHERE id = 1"),
        "row 1 was",
    ),
    (
        "detail removed",
        lambda db: db.run("UPDATE audit SET detail = NULL WHERE id = 1"),
        "row 1 was",
    ),
    ("detail added", lambda db: db.run("UPDATE audit SET detail = 'x' WHERE id = 3"), "row 3 was"),
    ("time changed", lambda db: db.run("UPDATE audit SET at = at + 1 WHERE id = 6"), "row 6 was"),
    ("number changed", lambda db: db.run("UPDATE audit SET id = 9 WHERE id = 6"), "6 to 8 were"),
    ("first removed", lambda db: db.run("DELETE FROM audit WHERE id = 1"), "1 to 1 were removed"),
    ("one removed", lambda db: db.run("DELETE FROM audit WHERE id = 3"), "3 to 3 were removed"),
    ("some removed", lambda db: db.run("DELETE FROM audit WHERE id IN (3, 4)"), "3 to 4 were"),
    ("last removed", lambda db: db.cut_off(1, head=False), "6 to 6, at the end, were removed"),
    ("cut off", lambda db: db.cut_off(3, head=False), "4 to 6, at the end, were removed"),
    ("cut off with head", lambda db: db.cut_off(3, head=True), "head of the chain .* was changed"),
    ("all removed", lambda db: db.run("DELETE FROM audit"), "1 to 6, at the end, were removed"),
    (
        "head removed",
        lambda db: db.run("DELETE FROM audit_head"),
        "head of the chain .* was removed",
    ),
    (
        "all and head removed",
        lambda db: [db.run("DELETE FROM audit"), db.run("DELETE FROM audit_head")],
        "head of the chain .* removed",
    ),
    ("added at the end", lambda db: db.run(INSERT, 7, NOW, b""), "row 7 was"),
    ("added at the start", lambda db: db.run(INSERT, 0, NOW, b""), "row 0 was"),
    ("copied", lambda db: db.run(INSERT, 7, NOW, db.mac(6)), "row 7 was"),
    ("forged with another key", lambda db: db.forge(7), "row 7 was"),
    ("moved", lambda db: db.swap(2, 5), "row 2 was"),
    ("oldest removed as if by retention", lambda db: db.retire(3), "no checkpoint says so"),
)


@pytest_twisted.async_fixture(scope="module")
async def sound(databases: Copied, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with an audit log of which the check says that it is sound."""
    url = databases.make()
    await recorded(url, ROWS - 2)
    data = tmp_path_factory.mktemp("sound")
    (data / "key").write_text(KEY.hex())
    assert f"{ROWS} rows verified" in check(data, url)
    return url


@pytest.fixture
def copy(databases: Copied, sound: str) -> Iterator[str]:
    """A copy of that database."""
    url = databases.copy(sound)
    yield url
    databases.drop(url)


@pytest.mark.parametrize(
    ("act", "words"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_tampering_with_the_audit_log_is_found(
    copy: str, data: pathlib.Path, act: Act, words: str
) -> None:
    """Whatever is done to rows or head, the check fails, and says where and what to do."""
    act(Tampering(copy))
    said = check(data, copy, status=1)
    assert re.search(words, said), said
    assert "Keep a copy of the database as evidence" in said
    assert "rows verified" not in said


@pytest.mark.parametrize(
    ("act", "words"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
@pytest_twisted.ensureDeferred
async def test_a_server_that_goes_on_covers_nothing_up(
    copy: str, data: pathlib.Path, act: Act, words: str
) -> None:
    """After tampering the server goes on recording, and the check still fails."""
    act(Tampering(copy))
    await recorded(copy, 3)
    check(data, copy, status=1)


@pytest_twisted.ensureDeferred
async def test_an_older_copy_of_everything_is_found_by_a_noted_head(
    url: str, data: pathlib.Path
) -> None:
    """Rows and head that are set back together are sound in themselves."""
    await recorded(url, ROWS - 2)
    database = Tampering(url)
    before = database.run("SELECT last_id, last_mac, seal FROM audit_head")[0]
    early = head(data, url)
    await recorded(url, 3)
    noted = head(data, url)
    assert "rows verified" in check(data, url, "--head", early)
    database.run("DELETE FROM audit WHERE id > ?", ROWS)
    database.head(before[0], bytes(before[1]), bytes(before[2]))
    assert f"{ROWS} rows verified" in check(data, url)
    assert "older copy" in check(data, url, "--head", noted, status=1)
    other = f"{early[:-2]}{'00' if early[-2:] != '00' else '11'}"
    assert "not the one that was noted" in check(data, url, "--head", other, status=1)
    assert "ID:MAC" in check(data, url, "--head", "nonsense", status=1)


@pytest_twisted.ensureDeferred
async def test_nodes_that_record_at_once_make_one_chain(url: str, data: pathlib.Path) -> None:
    """The check passes while they still run, and rows stand in the order of their commits."""
    stores = [opened(url, KEY) for _ in range(3)]

    def unit(tx) -> None:
        tx[EventStore].add("news", {}, NOW)
        tx[AuditStore].add("token hr", "act", "x", None, NOW)

    await gatherResults([store.write(unit) for _ in range(20) for store in stores])
    assert "60 rows verified" in check(data, url)
    found = await stores[0].read(lambda tx: tx[AuditStore].page(EVERYTHING))
    assert [row.id for row in found] == [*range(1, 61)]
    for store in stores:
        await store.stop()


@pytest_twisted.ensureDeferred
async def test_a_chain_survives_rotations_of_the_key(url: str, data: pathlib.Path) -> None:
    """Rows of all keys verify; an old row that is changed is found, and old keys sign nothing."""
    await recorded(url)
    for _ in range(2):
        rotate_key(data, None, url, lambda *_: None)
        await recorded(url, key=read_key(data / "key"))
    assert "rows verified" in check(data, url)
    Tampering(url).run("UPDATE audit SET actor = 'x' WHERE id = 2")
    assert "row 2 was changed" in check(data, url, status=1)


def test_a_check_of_an_old_or_missing_database_says_what_to_do(
    empty_url: str, data: pathlib.Path
) -> None:
    """It creates and migrates nothing by itself; `upgrade` does."""
    said = check(data, empty_url, status=1)
    assert "there is no database" in said or "database upgrade" in said
    if empty_url.startswith("sqlite"):
        path = pathlib.Path(empty_url.partition(":///")[2])
        assert not path.exists()
        path.touch()
    upgrade = ("--data", str(data), "database", "upgrade", "--database", empty_url)
    assert "the database is empty" in misused(*upgrade).stderr
    before_the_chain(empty_url)
    assert "zkpush database upgrade" in check(data, empty_url, status=1)
    for words in (r"now; it was at 0010", r"already"):
        run = misused(*upgrade)
        assert run.returncode == 0, run.stderr
        assert re.search(words, run.stdout)
    assert "rows verified" in check(data, empty_url)


def test_a_damaged_file_is_found(tmp_path: pathlib.Path, data: pathlib.Path) -> None:
    """SQLite looks at every page; the check fails, and says what to do."""
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    database = open_database(url)
    migrate_thd(database)
    database.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "store.sqlite")) as database:
        root, size = database.execute(
            "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master "
            "WHERE name = 'pictures'"
        ).fetchone()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (tmp_path / "store.sqlite").open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    said = check(data, url, status=1)
    assert "The database is damaged" in said
