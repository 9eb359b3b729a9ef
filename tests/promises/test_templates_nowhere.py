"""Without templates, none is in any table of the database or in any file, opened or sealed.

The same walk through everything finds all that is kept, so that what it does not find is not there.
"""

from __future__ import annotations

import base64
import pathlib
import sqlite3

import attrs
import pytest
import pytest_twisted
import sqlalchemy
from twisted.internet import reactor
from twisted.internet.task import deferLater
from zope.interface import implementer

from zkpush import installed
from zkpush.device.handlers import HandlerSet
from zkpush.interfaces import IBringsTables, IRecordHandler
from zkpush.maintenance import forget_templates
from zkpush.persist.inbox import InboxStore
from zkpush.persist.pictures import PictureStore, path_of
from zkpush.persist.schema import metadata
from zkpush.persist.sealed import opened
from zkpush.protocol.fields import Field, Kind, Layout, Scope, Table

from ..plugged import plug_in
from ..rig import Rig

OPERLOG = "cdata?SN=T1&table=OPERLOG&Stamp=1"
ID = Field(wire="Id", name="id", required=True, meaning="Any number")
TEXT = Field(wire="Text", name="text", meaning="Any text")
PALM = Table(
    name="PALM",
    section="-",
    meaning="Templates of a plugin",
    layout=Layout.KEYED,
    keyword="PALM",
    key=("id",),
    fields=(
        ID,
        Field(wire="Vein", name="vein", kind=Kind.BASE64, secret=Scope.BIOMETRICS, meaning="-"),
    ),
)
NOTE = Table(
    name="NOTE",
    section="-",
    meaning="Lines of a plugin that declare no template",
    layout=Layout.KEYED,
    keyword="NOTE",
    key=("id",),
    fields=(ID, TEXT),
)
VISITPIC = Table(
    name="VISITPIC",
    section="-",
    meaning="Photos of a plugin",
    layout=Layout.PHOTO,
    fields=(Field(wire="PIN", name="name", required=True, meaning="-"),),
)
LONG_TEXT = "a text that is declared, of more characters than the shortest template has: kept"
JPEG = b"\xff\xd8\xff"
_rows = sqlalchemy.Table(
    "palms", sqlalchemy.MetaData(), sqlalchemy.Column("row", sqlalchemy.LargeBinary)
)


@attrs.define
class Needles:
    """Recognisable texts, as long as templates."""

    kept: list[str] = attrs.field(factory=list)
    templates: list[str] = attrs.field(factory=list)

    def template(self) -> str:
        """The base64 of a new template."""
        return self._new(self.templates, "template")

    def photo(self) -> str:
        """The base64 of a new photo that is kept."""
        return self._new(self.kept, "photo")

    def text(self) -> str:
        """A new text that is declared."""
        self.kept.append(f"{LONG_TEXT} {len(self.kept)}")
        return self.kept[-1]

    def _new(self, known: list[str], what: str) -> str:
        number = len(self.kept) + len(self.templates)
        marker = f"{what} {number:05} " + "of somebody who can never change it " * 3
        known.append(marker)
        return base64.b64encode(JPEG + marker.encode()).decode()


@implementer(IRecordHandler, IBringsTables)
class PalmHandler:
    """Stores what it has, then fails if it is to."""

    name = "palms"
    tables = (PALM, NOTE, VISITPIC)
    changes_device = False

    def __init__(self) -> None:
        self.fails = False
        self.calls = 0

    def prepare(self, tx):
        """Make the table."""
        _rows.create(tx.connection, checkfirst=True)

    def persist(self, tx, device, batch, now):
        """Write the rows as they are."""
        self.calls += 1
        for row in batch.rows:
            tx.connection.execute(_rows.insert().values(row=repr(row).encode()))
        if self.fails:
            raise ValueError("it is to fail")

    def stored(self, device, batch):
        """Nothing follows."""


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> PalmHandler:
    """A handler of another package, for the daemons of the test and for maintenance."""
    handler = PalmHandler()
    found = plug_in(monkeypatch, IRecordHandler, handler)
    monkeypatch.setattr("zkpush.maintenance.sound_plugins", found)
    return handler


def lines_of(needles: Needles, pin: int) -> list[str]:
    """Lines with templates in every place where one may be, of one person."""
    new = needles.template
    return [
        f"FP PIN={pin}\tFID=1\tTMP={new()}",
        f"FACE PIN={pin}\tFID=1\tTMP={new()}",
        f"FVEIN Pin={pin}\tFID=1\tTmp={new()}",
        f"BIODATA Pin={pin}\tNo=0\tIndex=0\tType=9\tTmp={new()}",
        f"BIOPHOTO PIN={pin}\tType=9\tContent={new()}",
        f"IDCARD PIN={pin}\tName=Ann\tFPTemplate1={new()}\tFPTemplate2={new()}",
        f"USERPIC PIN={pin}\tContent={needles.photo()}",
        f"USER PIN={pin}\tName=Ann\tFaceFeature={new()}",
        f"USER PIN=9{pin} Name=Bob TMP={new()}",
        f"WORKCODE PIN={pin}\tCODE={pin}\tTMP={new()}",
        f"OPLOG 4\t14\t2026-01-05 08:00:00\t0\t0\t0\t0\t{new()}",
        f"ERRORLOG ErrCode=1\tTmp={new()}",
        f"PALM Id=1\tVein={new()}",
        f"PALM Id=2\tId=3\tVein={new()}",
        f"NOTE Id=1\tText={needles.text()}\tTMP={new()}",
        f"NOTE Id=2\tText={needles.text()}\tShape={new()}",
        f"NOTE Id=3 TMP={new()} Text={needles.text()}",
        f"NOTE Id=4\tText={needles.text()} TMP={new()}",
        f"NOTE Id=5\tId=6\tTMP={new()}",
        f"FP PIN={new()}\tFID=1\tTMP={new()}",
        f"BIODATA Pin={pin}\tType={new()}\tTmp=x",
        f"NEWTMP PIN={pin}\tTMP={new()}",
        new(),
    ]


async def send(rig: Rig, needles: Needles) -> None:
    """Upload everything, in the body and in the arguments of every request that has any."""
    query = f"cdata?SN=T1&options=all&pushver=2.4.1&Shape={needles.template().rstrip('=')}"
    assert (await rig.get(query)).status == 200
    for body in ("\n".join(lines_of(needles, 1)), *lines_of(needles, 2)):
        assert (await rig.post(OPERLOG, body.encode())).status == 200
    for table in ("FP", "NOBODY"):
        line = f"PIN=3\tFID=1\tTMP={needles.template()}"
        await rig.post(f"cdata?SN=T1&table={table}&Stamp=1", line.encode())
    for table, picture in (("ATTPHOTO", needles.photo()), ("VISITPIC", needles.template())):
        content = base64.b64decode(picture)
        head = b"PIN=20260105080000-1.jpg\nSN=T1\nsize=%d\nCMD=uploadphoto\0" % len(content)
        reply = await rig.post(f"cdata?SN=T1&table={table}&Stamp=1", head + content)
        assert reply.status == 200
    options = f"~DeviceName=x,TMP={needles.template()},Shape={needles.template()}"
    await rig.post("cdata?SN=T1&table=options", options.encode())
    await rig.post("cdata?SN=T1&type=PostVerifyData", f"TMP={needles.template()}".encode())
    asked = {"command": "CHECK", "params": {}}
    queued = (await rig.api("POST", "/devices/T1/commands", asked)).json["id"]
    await rig.get("getrequest?SN=T1")
    answer = f"ID={queued}&Return=0&CMD=CHECK&TMP={needles.template()}"
    await rig.post("devicecmd?SN=T1", answer.encode())
    await rig.post("devicecmd?SN=T1", f"ID=x&Return=TMP{needles.template()}".encode())


def walked(rig: Rig, folder: pathlib.Path):
    """A query for everything that is stored: all values of all tables, opened, and all pictures."""

    def query(tx) -> list[bytes]:
        found: list[bytes] = []
        there = sqlalchemy.MetaData()
        there.reflect(tx.connection)
        for name, table in there.tables.items():
            known = metadata.tables.get(name, table)
            for row in tx.connection.execute(sqlalchemy.select(known)):
                values = opened(tx.vault, known, row._mapping)
                assert "damaged" not in values
                found += [
                    value if isinstance(value, bytes) else str(value).encode()
                    for value in values.values()
                ]
        pictures = [path for path in folder.rglob("*") if len(path.name) == 64]
        for path in pictures:
            assert path_of(path.parent.parent, path.name) == path
            found.append(tx[PictureStore].get(path.name))
        return found

    return rig.store.read(query)


def forms(text: str) -> list[bytes]:
    """A needle as bytes, and what is whole of its base64, wherever that begins."""
    plain = text.encode()
    places = []
    for before in range(3):
        start, end = -(-before // 3) * 4, (before + len(plain)) // 3 * 4
        places.append(base64.b64encode(bytes(before) + plain)[start:end])
    return [plain, *places]


def seen(needles: list[str], found: list[bytes]) -> list[str]:
    """The needles of which the beginning, or more, is in something."""
    return [
        text for text in needles if any(form[:24] in one for form in forms(text) for one in found)
    ]


async def until(reached) -> None:
    """Wait for the plugin's thread."""
    while not await reached():
        await deferLater(reactor, 0.01)


@pytest.mark.long
@pytest.mark.parametrize("fails", [False, True], ids=["succeeding", "failing"])
@pytest.mark.parametrize("inline", [True, False], ids=["inline", "from the inbox"])
@pytest_twisted.ensureDeferred
async def test_no_template_is_in_any_table_or_file(
    make_rig,
    tmp_path: pathlib.Path,
    handler: PalmHandler,
    monkeypatch: pytest.MonkeyPatch,
    inline: bool,
    fails: bool,
) -> None:
    """With a plugin that takes templates: nor in what waits for it, or in its rejects."""
    handler.fails = fails
    names = ["palms"] if inline else []
    monkeypatch.setattr(installed, "HandlerSet", lambda found, _: HandlerSet(found, names))
    rig = await make_rig(
        database=f"sqlite:///{tmp_path / 'db.sqlite'}", privacy={"templates": False}
    )
    needles = Needles()
    await send(rig, needles)
    if inline:  # nothing has waited: it was called before the replies
        assert handler.calls
        assert await _is_empty(rig)
    if fails and not inline:
        await until(
            lambda: rig.store.read(lambda tx: any(one.error for one in tx[InboxStore].states()))
        )
    elif not inline:
        await until(lambda: _is_empty(rig))
    assert handler.calls
    found = await walked(rig, tmp_path)
    assert seen(needles.templates, found) == []
    assert seen(needles.kept, found) == needles.kept
    await rig.stop()
    on_disk = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert seen(needles.templates, on_disk) == []


async def _is_empty(rig: Rig) -> bool:
    return not await rig.store.read(lambda tx: tx[InboxStore].states())


@pytest_twisted.ensureDeferred
async def test_templates_are_forgotten_wherever_they_are(
    make_rig, tmp_path: pathlib.Path, handler: PalmHandler
) -> None:
    """A server that has kept them has none afterwards, nor in what waits for plugins."""
    handler.fails = True
    url = f"sqlite:///{tmp_path / 'db.sqlite'}"
    rig = await make_rig(database=url)
    needles = Needles()
    await send(rig, needles)
    await until(
        lambda: rig.store.read(lambda tx: any(one.error for one in tx[InboxStore].states()))
    )
    waiting = (await rig.store.read(lambda tx: tx[InboxStore].states()))[0].waiting
    found = await walked(rig, tmp_path)
    assert seen(needles.templates, found) == needles.templates
    assert seen(needles.kept, found) == needles.kept
    await rig.stop()
    forget_templates(tmp_path, None, url)
    handler.fails = False
    rig = await make_rig(database=url, privacy={"templates": False})
    assert 0 < (await rig.store.read(lambda tx: tx[InboxStore].states()))[0].waiting <= waiting
    found = await walked(rig, tmp_path)
    assert seen(needles.templates, found) == []
    assert seen(needles.kept, found) == needles.kept
    rig.clock.advance(3600)
    await until(lambda: _is_empty(rig))
    assert seen(needles.kept, await walked(rig, tmp_path)) == needles.kept
    with sqlite3.connect(tmp_path / "db.sqlite") as database:
        rows = [row[0] for row in database.execute("SELECT row FROM palms")]
    assert any(LONG_TEXT.encode() in row for row in rows)
