"""Rows of a plugin stay when it is uninstalled, until an operator drops them."""

from __future__ import annotations

import pathlib
import sqlite3

import pytest
import pytest_twisted

from zkpush import maintenance
from zkpush.plugin.capability import Capability
from zkpush.testing import Rig

EXAMPLE = pathlib.Path(__file__).parent.parent.parent / "examples" / "visitors"
VISITORS = Capability("visitors", "visitors", "Visitors")
LINE = b"PIN=7\tHost=12\tArrived=2026-03-01 08:00:00"
FIRST_VERSION = """
CREATE TABLE visitors (device TEXT, pin TEXT, arrived TEXT, host TEXT, company TEXT,
    PRIMARY KEY (device, pin, arrived));
INSERT INTO visitors VALUES ('R1', '3', '2026-02-01 09:00:00', '12', NULL);
"""


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package of the example can be imported."""
    monkeypatch.syspath_prepend(EXAMPLE)


def tables(file: pathlib.Path) -> set[str]:
    """The tables of a database."""
    connection = sqlite3.connect(file)
    try:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    finally:
        connection.close()


def url_of(folder: pathlib.Path) -> str:
    """The database of a daemon."""
    return f"sqlite:///{folder / 'zkpush.sqlite'}"


async def visited(folder: pathlib.Path) -> None:
    """Run a daemon with the plugin, and store a visitor."""
    rig = await Rig(folder, database=url_of(folder), plugins=[VISITORS]).start()
    try:
        await rig.exchange("R1")
        await rig.post("cdata?SN=R1&table=VISITOR&Stamp=1", LINE)
        await rig.settle()
        assert len(await rig.items("/visitors")) == 1
    finally:
        await rig.stop()


@pytest_twisted.ensureDeferred
async def test_rows_of_an_uninstalled_plugin_stay_and_are_shown(tmp_path: pathlib.Path) -> None:
    """It is listed as missing; installed again, it has its rows."""
    await visited(tmp_path)
    rig = await Rig(tmp_path, database=url_of(tmp_path)).start()
    try:
        missing = [one for one in await rig.items("/plugins") if one["state"] == "missing"]
        assert [(one["kind"], one["name"]) for one in missing] == [("capability", "visitors")]
    finally:
        await rig.stop()
    rig = await Rig(tmp_path, database=url_of(tmp_path), plugins=[VISITORS]).start()
    try:
        assert [one["pin"] for one in await rig.items("/visitors")] == ["7"]
        assert all(one["state"] == "ok" for one in await rig.items("/plugins"))
    finally:
        await rig.stop()


@pytest_twisted.ensureDeferred
async def test_an_operator_drops_the_rows_of_a_plugin(tmp_path: pathlib.Path) -> None:
    """Its tables are gone, it is no longer missing, and the audit log says so."""
    await visited(tmp_path)
    file = tmp_path / "zkpush.sqlite"
    before = tables(file)
    assert maintenance.drop(tmp_path, None, url_of(tmp_path), "visitors") == ["visitors"]
    gone = {name for name in before - tables(file) if not name.startswith("sqlite_")}
    assert gone == {"visitors", "version_visitors"}
    rig = await Rig(tmp_path, database=url_of(tmp_path)).start()
    try:
        assert [one for one in await rig.items("/plugins") if one["state"] == "missing"] == []
        (row,) = (one for one in await rig.items("/audit") if one["action"] == "drop plugin")
        assert (row["actor"], row["subject"]) == ("operator", "visitors")
    finally:
        await rig.stop()


@pytest_twisted.ensureDeferred
async def test_only_a_plugin_with_tables_can_be_dropped(tmp_path: pathlib.Path) -> None:
    """The error names those that have some; tables of zkpush are never dropped."""
    await visited(tmp_path)
    for name in ("person", "devices", "tours"):
        with pytest.raises(ValueError, match=f"no plugin '{name}' has .*: visitors$"):
            maintenance.drop(tmp_path, None, url_of(tmp_path), name)
    with pytest.raises(ValueError, match="people is installed; uninstall its package first"):
        maintenance.drop(tmp_path, None, url_of(tmp_path), "people")


@pytest_twisted.ensureDeferred
async def test_rows_of_the_first_version_of_a_plugin_are_migrated(tmp_path: pathlib.Path) -> None:
    """A table that was made before the plugin had migrations is taken over with its rows."""
    await (rig := await Rig(tmp_path, database=url_of(tmp_path)).start()).stop()
    connection = sqlite3.connect(tmp_path / "zkpush.sqlite")
    connection.executescript(FIRST_VERSION)
    connection.close()
    rig = await Rig(tmp_path, database=url_of(tmp_path), plugins=[VISITORS]).start()
    try:
        assert [(one["id"], one["pin"]) for one in await rig.items("/visitors")] == [(1, "3")]
    finally:
        await rig.stop()
