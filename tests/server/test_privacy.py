"""A server without templates: it takes them, and keeps nothing of them."""

from __future__ import annotations

import base64
import gzip
import pathlib

import pytest
import pytest_twisted

from ..rig import Rig

MARKER = b"a template that nobody keeps"
TEMPLATE = base64.b64encode(MARKER).decode()
LINES = [
    f"FP PIN=1\tFID=1\tTMP={TEMPLATE}",
    f"FACE PIN=1\tFID=1\tTMP={TEMPLATE}",
    f"FVEIN Pin=1\tFID=1\tTmp={TEMPLATE}",
    f"BIODATA Pin=1\tNo=0\tIndex=0\tType=9\tTmp={TEMPLATE}",
    f"BIOPHOTO PIN=1\tType=9\tContent={TEMPLATE}",
]
OPERLOG = "cdata?SN=T1&table=OPERLOG&Stamp=7"
PASSED = [
    ("DATA UPDATE USERINFO", {"PIN": "1"}),
    ("DATA UPDATE IDCARD", {"PIN": "1", "Name": "Ann"}),
    ("DATA DELETE FINGERTMP", {"PIN": "1"}),
    ("PutFile", {"Action": "SyncData", "TableName": "USERINFO"}),
]
REFUSED = [
    ("DATA UPDATE FINGERTMP", {"PIN": "1", "FID": "1", "TMP": TEMPLATE}),
    ("DATA UPDATE FACE", {"PIN": "1", "FID": "1", "TMP": TEMPLATE}),
    ("DATA UPDATE FVEIN", {"Pin": "1", "FID": "1", "Index": "0", "Tmp": TEMPLATE}),
    ("DATA UPDATE BIODATA", {"Pin": "1", "Type": "9", "Tmp": TEMPLATE}),
    ("DATA UPDATE BIOPHOTO", {"PIN": "1", "Type": "9", "Content": TEMPLATE}),
    ("DATA UPDATE IDCARD", {"PIN": "1", "FPTemplate1": TEMPLATE}),
    ("DATA QUERY FINGERTMP", {"PIN": "1"}),
    ("DATA QUERY BIODATA", {"Type": "9"}),
    ("PutFile", {"Action": "SyncData", "TableName": "FINGERTMP"}),
    ("PutFile", {"Action": "AppendData"}),
]


@pytest.fixture
def database(tmp_path: pathlib.Path) -> str:
    """A database whose files can be searched."""
    return f"sqlite:///{tmp_path / 'store.sqlite'}"


@pytest_twisted.async_yield_fixture
async def private(make_rig, database: str):
    """A server without templates, which knows a terminal."""
    rig = await make_rig(privacy={"templates": False}, database=database)
    await rig.exchange()
    yield rig


def count(rig: Rig, table: str):
    """How many rows a table has."""
    query = f"SELECT count(*) FROM {table}"  # noqa: S608
    return rig.store.read(lambda tx: tx.connection.exec_driver_sql(query).scalar())


@pytest_twisted.ensureDeferred
async def test_templates_are_acknowledged_and_not_stored(private: Rig) -> None:
    """They count as taken, so that the terminal does not send them for ever; people are kept."""
    kept = ["USER PIN=2\tName=Ann", f"USERPIC PIN=2\tContent={TEMPLATE}"]
    body = "".join(f"{line}\n" for line in [*LINES, *kept])
    response = await private.post(OPERLOG, body.encode())
    assert response.body == b"OK: 7"
    for table in ("templates", "rejects"):
        assert await count(private, table) == 0
    assert await count(private, "person_photos") == 1
    assert [user["pin"] for user in await private.items("/users")] == ["2"]
    assert b"OPERLOGStamp=7\n" in (await private.exchange()).body
    packed = gzip.compress(body.encode())
    response = await private.post(f"{OPERLOG}&ContentType=tgz", packed)
    assert await count(private, "templates") == 0


@pytest_twisted.ensureDeferred
async def test_an_identity_card_is_kept_without_fingerprints(private: Rig) -> None:
    """Also where some of its bytes are no text, for which the whole line is kept otherwise."""
    lines = f"IDCARD PIN=1\tName=Ann\tFPTemplate1={TEMPLATE}\tFPTemplate2={TEMPLATE}\n".encode()
    lines += f"IDCARD PIN=2\tFPTemplate1={TEMPLATE}\tName=".encode() + b"\xff\n"
    assert (await private.post(OPERLOG, lines)).body == b"OK: 2"
    one, other = await private.items("/idcards")
    assert (one["name"], one["fingerprint_1"], one["fingerprint_2"]) == ("Ann", None, None)
    assert (other["pin"], other["fingerprint_1"]) == ("2", None)
    raw = "SELECT count(*) FROM idcards WHERE raw IS NOT NULL OR fingerprint_1 IS NOT NULL"
    assert await private.store.read(lambda tx: tx.connection.exec_driver_sql(raw).scalar()) == 0


@pytest_twisted.ensureDeferred
async def test_what_may_be_a_template_is_kept_without_its_bytes(private: Rig) -> None:
    """Of what was not understood, the reason stays, each once; of all else, the bytes do, too."""
    lines = [
        f"FP PIN=1\tFID=x\tTMP={TEMPLATE}",
        f"FP PIN=1\tFID=1\tFID=1\tTMP={TEMPLATE}",
        f"NEWTMP PIN=1\tTMP={TEMPLATE}",
        "OPLOG rubbish",
    ]
    body = "".join(f"{line}\n" for line in lines).encode()
    for _ in range(2):
        await private.post(OPERLOG, body)
    await private.post("cdata?SN=T1&table=templatev99&Stamp=1", MARKER)
    rejects = (await private.items("/rejects"))[::-1]  # the first one first
    tables = [reject["table"] for reject in rejects]
    assert tables == ["FP", "FP", "OPERLOG", "OPLOG", "templatev99"]
    raws = [base64.b64decode(reject["raw"]) for reject in rejects]
    assert raws == [b"", b"", b"", b"OPLOG rubbish", b""]
    assert all(reject["reason"] for reject in rejects)


@pytest.mark.parametrize(("name", "params"), REFUSED)
@pytest_twisted.ensureDeferred
async def test_commands_with_templates_are_refused(private: Rig, name: str, params) -> None:
    """Those that bring them to a terminal, and those that bring them here; with the reason."""
    asked = {"command": name, "params": params}
    response = await private.api("POST", "/devices/T1/commands", asked)
    assert response.status == 400
    assert "templates are switched off" in response.json["detail"]
    assert await count(private, "commands") == 0


@pytest_twisted.ensureDeferred
async def test_other_commands_are_queued(private: Rig) -> None:
    """People go to terminals as ever."""
    await private.post(OPERLOG, b"USER PIN=1\tName=Ann\n")
    for name, params in PASSED:
        asked = {"command": name, "params": params}
        response = await private.api("POST", "/devices/T1/commands", asked)
        assert response.status == 202, response.raw


@pytest_twisted.ensureDeferred
async def test_terminals_are_not_asked_for_templates(private: Rig) -> None:
    """Whatever is set for one of them."""
    told = (await private.exchange()).body.decode()
    (flag,) = (line for line in told.splitlines() if line.startswith("TransFlag="))
    assert "EnrollUser" in flag
    for word in ("EnrollFP", "ChgFP", "FACE", "BioPhoto", "FPImag"):
        assert word not in flag
    assert "MultiBioDataSupport=0:0:0:0:0:0:0:0:0:0\n" in told
    assert "MultiBioPhotoSupport=0:0:0:0:0:0:0:0:0:0\n" in told
    settings = {
        "TransFlag": "TransData AttLog\tEnrollFP\tFPImag",
        "MultiBioDataSupport": "0" + ":1" * 9,
    }
    response = await private.api("PATCH", "/devices/T1", {"settings": settings})
    assert response.status == 200
    told = (await private.exchange()).body.decode()
    assert "TransFlag=TransData AttLog\n" in told
    assert "MultiBioDataSupport=0:0:0:0:0:0:0:0:0:0\n" in told


@pytest_twisted.ensureDeferred
async def test_nothing_of_a_template_is_on_disk(private: Rig, tmp_path: pathlib.Path) -> None:
    """Not even sealed: the files are as large as without."""
    large = base64.b64encode(MARKER * 10_000).decode()
    before = sum(path.stat().st_size for path in tmp_path.rglob("*"))
    for number in range(5):
        line = f"BIOPHOTO PIN={number}\tType=9\tContent={large}\nFP PIN={number}\tTMP={large}\n"
        assert (await private.post(OPERLOG, line.encode())).body == b"OK: 2"
    assert sum(path.stat().st_size for path in tmp_path.rglob("*")) - before < len(large)


@pytest_twisted.ensureDeferred
async def test_a_server_keeps_templates_unless_it_is_told_not_to(rig: Rig) -> None:
    """By default all of it is stored, and sent."""
    await rig.exchange()
    body = "".join(f"{line}\n" for line in LINES)
    assert (await rig.post(OPERLOG, body.encode())).body == b"OK: 5"
    assert (await count(rig, "templates"), await count(rig, "person_photos")) == (4, 1)
    name, params = REFUSED[0]
    asked = {"command": name, "params": params}
    assert (await rig.api("POST", "/devices/T1/commands", asked)).status == 202
