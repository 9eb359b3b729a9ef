"""The audit log names people by pseudonyms only, also in rows from before."""

from __future__ import annotations

import json
import pathlib

import pytest
import pytest_twisted

from zkpush.persist.audit import AuditStore

from ..cli.program import misused
from ..keys import KEY
from ..persist.conftest import opened
from ..persist.contract import EVERYTHING
from ..rig import Rig
from ..server.files import add, order
from .tampering import OLD, Tampering, before_the_chain, check

NEEDLES = ("471108154", "Zephyrine", "Quill", "987654321")


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_rows_from_before_are_kept_without_names_and_chained(
    empty_url: str, data: pathlib.Path
) -> None:
    """An upgrade marks them, replaces people by pseudonyms, and purges what it replaced."""
    before_the_chain(empty_url)
    run = misused("--data", str(data), "database", "upgrade", "--database", empty_url)
    assert run.returncode == 0, run.stderr
    assert f"{len(OLD) + 1} rows verified" in check(data, empty_url)
    store = opened(empty_url, KEY)
    rows = await store.read(lambda tx: tx[AuditStore].page(EVERYTHING))
    person = await store.read(lambda tx: tx[AuditStore].person("471108154"))
    named = await store.read(lambda tx: tx[AuditStore].page(EVERYTHING, pin="471108154"))
    await store.stop()
    assert [(row.actor, row.action) for row in rows[:-1]] == [row[:2] for row in OLD]
    assert [row.id for row in named] == [1, 3, 4]
    assert rows[0].subject == rows[2].subject == person
    assert rows[1].subject == "all users"
    assert rows[4].detail == OLD[4][3]
    assert rows[7].detail == OLD[7][3]
    assert rows[-1].action == "begin chain"
    assert f"rows up to {len(OLD)}" in rows[-1].detail
    told = json.dumps([(row.subject, row.detail) for row in rows])
    assert not any(needle in told for needle in NEEDLES)
    if empty_url.startswith("sqlite"):
        path = pathlib.Path(empty_url.partition(":///")[2])
        for file in (path, *path.parent.glob(f"{path.name}-wal")):
            assert not any(needle.encode() in file.read_bytes() for needle in NEEDLES), file
    Tampering(empty_url).run("UPDATE audit SET detail = 'x' WHERE id = 2")
    assert "row 2 was changed" in check(data, empty_url, status=1)


COMMANDS = (
    ("DATA UPDATE USERINFO", {"PIN": "471108154", "Name": "Zephyrine", "Card": "987654321"}),
    ("DATA UPDATE FINGERTMP", {"PIN": "471108154", "FID": "1", "Valid": "1", "TMP": "AAAA"}),
    ("DATA UPDATE BIODATA", {"Pin": "471108154", "Type": "1", "Tmp": "AAAA"}),
    ("DATA DELETE USERINFO", {"PIN": "471108154"}),
    ("DATA QUERY USERINFO", {"PIN": "471108154"}),
    ("DATA UPDATE IDCARD", {"PIN": "471108154", "IDNum": "987654321", "Name": "Zephyrine"}),
    ("DATA UPDATE Blacklist", {"IDNum": "987654321", "Name": "Zephyrine"}),
    (
        "DATA UPDATE SMS",
        {
            "MSG": "Zephyrine Quill",
            "TAG": "254",
            "UID": "1",
            "MIN": "1",
            "StartTime": "2026-01-01 00:00:00",
        },
    ),
    ("DATA UPDATE USER_SMS", {"PIN": "471108154", "UID": "1"}),
    ("ENROLL_FP", {"PIN": "471108154", "FID": "1"}),
    ("ENROLL_BIO", {"TYPE": "2", "PIN": "471108154", "CardNo": "987654321"}),
    ("GetFile", {"path": "/photo/20260101-471108154.jpg"}),
)


@pytest_twisted.ensureDeferred
async def test_the_audit_log_names_nobody(make_rig) -> None:
    """User ID, name, card, document and photo are in no row, whatever is done with a person."""
    rig: Rig = await make_rig(remote_attendance={"enabled": True})
    await rig.exchange(pushver="3.0.1")
    body = "USER PIN=471108154\tName=Zephyrine\tPasswd=x\tCard=987654321\n"
    body += "FP PIN=471108154\tFID=1\tTMP=AAAA\n"
    assert (await rig.post("cdata?SN=T1&table=OPERLOG", body.encode())).status == 200
    queued = 0
    for name, params in COMMANDS:
        command = {"command": name, "params": params}
        made = await rig.api("POST", "/devices/T1/commands", command)
        queued += made.status == 202
    assert queued >= 10
    await add(rig, b"picture", "Zephyrine Quill.jpg")
    await rig.api("DELETE", "/files/1")
    for path in ("users", "users/471108154", "users/471108154/templates", "users/471108154/photos"):
        assert (await rig.api("GET", f"/{path}")).status == 200
    await rig.get("cdata?SN=T1&table=RemoteAtt&PIN=471108154")
    rows = await rig.store.read(
        lambda tx: [
            tuple(row)
            for row in tx.connection.exec_driver_sql(
                "SELECT actor, action, subject, detail FROM audit"
            )
        ]
    )
    assert {row[1] for row in rows} >= {"queue command", "add file", "read passwords"}
    told = json.dumps(rows)
    assert not [needle for needle in NEEDLES if needle in told]
    assert told.count("person:") >= 8


@pytest_twisted.ensureDeferred
async def test_a_person_is_found_in_the_audit_log_as_long_as_they_are_known(rig: Rig) -> None:
    """The listing resolves a pseudonym to the user ID; afterwards only the pseudonym stays."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=7\tName=Ann\nUSER PIN=8\n")
    await order(rig, "DATA QUERY USERINFO", PIN="7")
    await order(rig, "DATA QUERY USERINFO", PIN="8")
    await order(rig, "DATA QUERY USERINFO", PIN="99")
    pins = [item["pins"] for item in await rig.items("/audit")]
    assert pins == [["7", "8"], ["7"], ["8"], []]
    brought, found = await rig.items("/audit?pin=7")
    assert (found["id"], found["pins"]) == (2, ["7"])
    assert await rig.person("7") in str(found["detail"])
    await rig.store.write(lambda tx: tx.connection.exec_driver_sql("DELETE FROM users"))
    gone = await rig.items("/audit?pin=7")
    assert gone == [{**brought, "pins": []}, {**found, "pins": []}]
