"""A server without templates keeps none, under whatever name it comes."""

from __future__ import annotations

import base64

import pytest
import pytest_twisted

TEMPLATE = base64.b64encode(bytes(range(256)) * 4).decode()
SHORT = "c2hvcnQ="
OPERLOG = "cdata?SN=T1&table=OPERLOG&Stamp=1"
CASES = [
    ("USER", f"USER PIN=1\tName=Ann\tTMP={SHORT}", "/users"),
    ("USER, in lower case", f"USER PIN=1\tName=Ann\ttmp={SHORT}", "/users"),
    ("USER, twice", f"USER PIN=1\tName=Ann\tTMP=\ttmp={SHORT}", "/users"),
    ("USER, by another name", f"USER PIN=1\tName=Ann\tFaceFeature={TEMPLATE}", "/users"),
    ("WORKCODE", f"WORKCODE PIN=1\tCODE=1\tName2=Ann\tTMP={SHORT}", "/entries"),
    ("ERRORLOG", f"ERRORLOG ErrCode=1\tErrMsg=Ann\tTmp={SHORT}", "/errors"),
    ("OPLOG", f"OPLOG 4\tAnn\t2026-03-01 08:00:00\t0\t0\t0\t0\t{TEMPLATE}", "/operations"),
    ("a line with bytes", f"USER PIN=1\tName=Ann\xff\tTMP={SHORT}", "/users"),
    ("a reject", f"USER PIN=1\tPIN=2\tName=Ann\tTMP={SHORT}", "/rejects"),
    ("a long reject", f"USER PIN=1\tPIN=2\tName=Ann\tx={TEMPLATE}", "/rejects"),
]


@pytest.mark.parametrize(("line", "path"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
@pytest_twisted.ensureDeferred
async def test_an_unknown_column_that_may_be_a_template_is_dropped(
    make_rig, line: str, path: str
) -> None:
    """The record, or that there was one, stays; what may be a template is nowhere."""
    rig = await make_rig(privacy={"templates": False})
    await rig.exchange()
    assert (await rig.post(OPERLOG, line.encode("latin-1"))).status == 200
    response = await rig.api("GET", path)
    assert len(response.json["items"]) == 1

    def lines(tx) -> list[object]:
        """The exact lines that are kept beside records."""
        tables = ("users", "errors", "operations")
        queries = [f"SELECT raw FROM {table} WHERE raw IS NOT NULL" for table in tables]  # noqa: S608
        return [row for query in queries for row in tx.connection.exec_driver_sql(query)]

    assert await rig.store.read(lines) == []
    for kept in (SHORT, TEMPLATE):
        assert kept.encode() not in response.raw
        assert base64.b64encode(kept.encode()) not in response.raw
    if path == "/rejects":
        assert response.json["items"][0]["raw"] == ""


@pytest_twisted.ensureDeferred
async def test_other_unknown_columns_are_kept(make_rig) -> None:
    """A short value of another name is no template."""
    rig = await make_rig(privacy={"templates": False})
    await rig.exchange()
    await rig.post(OPERLOG, b"USER PIN=1\tName=Ann\tDept=Sales\tTMP=c2hvcnQ=\n")
    await rig.post("cdata?SN=T1&table=options", f"TMP=c2hvcnQ=,Dept=Sales,F={TEMPLATE}".encode())
    (user,) = await rig.items("/users?secrets=true")
    assert user["extra"] == {"Dept": "Sales"}
    assert (await rig.api("GET", "/devices/T1")).json["options"] == {"Dept": "Sales"}
