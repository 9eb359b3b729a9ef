"""What was set aside can be read again: by an operator, and by itself when something changes."""

from __future__ import annotations

import base64

import pytest
import pytest_twisted
from zope.interface import implementer

from zkpush import installed
from zkpush.device.handlers import HandlerSet
from zkpush.handlers.attendance.handler import AttendanceHandler
from zkpush.interfaces import IRecordHandler
from zkpush.persist.events import EventStore
from zkpush.protocol.fields import Scope
from zkpush.protocol.rejects import Reject

from ..rig import Rig
from .setting_aside import ALL_EVENTS, ATTLOG, OPERLOG, VISITOR, keep, look

GOOD = b"7\t2026-01-05 08:00:00\t0\t1"


@implementer(IRecordHandler)
class VisitorHandler:
    """Remembers its rows, or fails."""

    name = "visitors"
    tables = (VISITOR,)
    changes_device = False

    def __init__(self) -> None:
        self.rows: list[object] = []
        self.fails = False

    def persist(self, tx, device, batch, now):
        if self.fails:
            raise ValueError(batch)
        self.rows += [row[0] for row in batch.rows]

    def stored(self, device, batch):
        """Do nothing."""


async def retry(rig: Rig, **body: str) -> dict[str, int]:
    """`POST rejects/retry`."""
    response = await rig.api("POST", "/rejects/retry", body)
    assert response.status == 200, response.raw
    return response.json


@pytest_twisted.ensureDeferred
async def test_rejects_that_can_be_read_now_become_records_and_are_gone(rig: Rig) -> None:
    """With the time they were received at; the problem is cleared, and what is not read stays."""
    bad = Reject("ATTLOG", "old reason", b"8\tnot-a-time\t0\t1")
    await keep(rig, Reject("ATTLOG", "old reason", GOOD), bad)
    rig.clock.advance(3600)
    assert await retry(rig) == {"read": 1, "kept": 1, "records": 1}
    (record,) = await rig.items("/attendance")
    assert (record["pin"], record["received_at"]) == ("7", "2026-03-01T12:00:00.000Z")
    (reject,) = await rig.items("/rejects")
    assert base64.b64decode(reject["raw"]) == bad.raw
    assert reject["attempts"] == 1
    assert reject["tried_at"] == "2026-03-01T13:00:00.000Z"
    assert reject["reason"].startswith("Time: ")
    (problem,) = await rig.items("/problems?device=T1")
    assert problem["detail"].startswith("1 upload ")
    assert await retry(rig) == {"read": 0, "kept": 1, "records": 0}
    assert (await rig.items("/rejects"))[0]["attempts"] == 2


@pytest_twisted.ensureDeferred
async def test_the_problem_is_cleared_when_all_rejects_are_read(rig: Rig) -> None:
    """In the list of problems, with the terminal, and as an event."""
    await keep(rig, Reject("ATTLOG", "old reason", GOOD))
    assert len(await rig.items("/problems?device=T1")) == 1
    assert (await retry(rig, device="T1"))["read"] == 1
    assert await rig.items("/problems?device=T1") == []
    assert (await rig.api("GET", "/devices/T1")).json["problems"] == []
    told = await rig.store.read(
        lambda tx: [
            one.data["what"] for one in tx[EventStore].page(ALL_EVENTS) if one.kind == "problem"
        ]
    )
    assert told == ["raised", "cleared"]


@pytest_twisted.ensureDeferred
async def test_a_record_that_is_stored_already_is_not_stored_twice(rig: Rig) -> None:
    """The terminal has sent it again meanwhile."""
    await keep(rig, Reject("ATTLOG", "old reason", GOOD))
    await rig.post(ATTLOG, GOOD)
    assert (await retry(rig))["read"] == 1
    assert len(await rig.items("/attendance")) == 1


@pytest_twisted.ensureDeferred
async def test_rejects_are_chosen_by_terminal_and_table(rig: Rig) -> None:
    """Others are not read; an unknown terminal is an error."""
    await keep(rig, Reject("ATTLOG", "old", GOOD), Reject("USER", "old", b"USER PIN=5\tName=Ann"))
    assert (await retry(rig, device="T1", table="USER"))["read"] == 1
    assert [one["table"] for one in await rig.items("/rejects")] == ["ATTLOG"]
    assert [one["pin"] for one in await rig.items("/users")] == ["5"]
    missing = await rig.api("POST", "/rejects/retry", {"device": "NOPE"})
    assert (missing.status, missing.json["detail"]) == (404, "There is no terminal NOPE.")
    wrong = await rig.api("POST", "/rejects/retry", {"devices": ["T1"]})
    assert wrong.status == 400


@pytest_twisted.ensureDeferred
async def test_reading_again_needs_the_scope_write_and_is_audited(rig: Rig) -> None:
    """It changes what is stored."""
    await keep(rig, Reject("ATTLOG", "old reason", GOOD))
    headers = [f"Authorization: Bearer {await rig.token('reader', Scope.READ)}"]
    refused = await rig.api("POST", "/rejects/retry", {}, headers=headers)
    assert refused.status == 403
    await retry(rig, device="T1")
    acts = [(one["action"], one["subject"]) for one in await rig.items("/audit")]
    assert ("retry rejects", "terminal T1") in acts


@pytest_twisted.ensureDeferred
async def test_rejects_are_listed_the_newest_first(rig: Rig) -> None:
    """Part by part, and by table."""
    names = ("A", "B", "C")
    await keep(rig, *(Reject(name, "no handler takes this table", b"x") for name in names))
    first = (await rig.api("GET", "/rejects?limit=2")).json
    rest = (await rig.api("GET", f"/rejects?limit=2&after={first['next']}")).json
    assert [one["table"] for one in first["items"] + rest["items"]] == ["C", "B", "A"]
    assert rest["next"] is None
    assert [one["table"] for one in await rig.items("/rejects?table=B&device=T1")] == ["B"]
    assert await rig.items("/rejects?table=ATTLOG") == []


@pytest_twisted.ensureDeferred
async def test_a_long_body_is_read_in_small_units(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uploads can be stored between them; the reject goes with the last one."""
    lines = [b"%d\t2026-01-05 08:00:00\t0\t1" % number for number in range(5000)]
    body = b"\n".join(lines)
    await keep(rig, Reject("ATTLOG", "old reason", body))
    sizes = []
    persist = AttendanceHandler.persist

    def counted(self, tx, device, batch, now):
        sizes.append(len(batch.rows))
        persist(self, tx, device, batch, now)

    monkeypatch.setattr(AttendanceHandler, "persist", counted)
    assert await retry(rig) == {"read": 1, "kept": 0, "records": 5000}
    assert (sum(sizes), max(sizes) < 500) == (5000, True)
    assert await rig.items("/rejects") == []


@pytest_twisted.ensureDeferred
async def test_a_body_that_is_read_in_part_stays_whole(rig: Rig) -> None:
    """Its records are stored, and reading it again does not store them twice."""
    body = GOOD + b"\n8\tnot-a-time\t0\t1\n9\tnor-this\t0\t1\n"
    await keep(rig, Reject("ATTLOG", "old reason", body))
    for _ in range(2):
        assert await retry(rig) == {"read": 0, "kept": 1, "records": 1}
        (reject,) = await rig.items("/rejects")
        assert base64.b64decode(reject["raw"]) == body
    first, second = reject["reason"].split("; and also: ")
    assert first.startswith("Time: 'not-a-time' is")
    assert second.startswith("Time: 'nor-this' is")
    assert len(await rig.items("/attendance")) == 1


@pytest_twisted.ensureDeferred
async def test_rejects_are_read_by_themselves_after_an_upgrade(rig: Rig) -> None:
    """What an earlier version has kept is tried once by this one, and not again and again."""
    await keep(rig, Reject("ATTLOG", "old", GOOD), Reject("ATTLOG", "old", b"8\tnot-a-time"))
    await look(rig)
    assert [one["pin"] for one in await rig.items("/attendance")] == ["7"]
    await look(rig)
    (reject,) = await rig.items("/rejects")
    assert reject["attempts"] == 1


@pytest_twisted.ensureDeferred
async def test_rejects_are_read_by_themselves_when_a_setting_of_the_terminal_changes(
    rig: Rig,
) -> None:
    """Another zone is another reader; the same one set again is none."""
    await keep(rig, Reject("ATTLOG", "old", b"8\tnot-a-time"))
    for zone, attempts in (("Europe/Berlin", 1), ("Europe/Berlin", 1), ("Asia/Kolkata", 2)):
        await rig.api("PATCH", "/devices/T1", {"timezone": zone})
        await look(rig)
        assert (await rig.items("/rejects"))[0]["attempts"] == attempts


@pytest_twisted.ensureDeferred
async def test_rejects_are_read_by_themselves_when_a_plugin_is_installed(
    make_rig, tmp_path
) -> None:
    """Its lines come to it through its inbox, with the problem cleared."""
    database = f"sqlite:///{tmp_path / 'db.sqlite'}"
    before = await make_rig(database=database)
    await before.exchange()
    assert (await before.post(OPERLOG, b"VISITOR Id=1\nVISITOR Id=2\n")).body == b"OK: 0"
    await before.stop()
    handler = VisitorHandler()
    after = await make_rig(database=database, plugins=[handler])
    await look(after)
    await after.settle()
    assert handler.rows == ["1", "2"]
    assert await after.items("/rejects") == []
    assert await after.items("/problems") == []


@pytest_twisted.ensureDeferred
async def test_a_reject_stays_when_an_inline_handler_fails_at_it(
    make_rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read once the handler works."""
    monkeypatch.setattr(installed, "HandlerSet", lambda found, _: HandlerSet(found, ["visitors"]))
    handler = VisitorHandler()
    rig = await make_rig(plugins=[handler])
    handler.fails = True
    await keep(rig, Reject("VISITOR", "old", b"VISITOR Id=1"))
    assert (await retry(rig))["kept"] == 1
    (reject,) = await rig.items("/rejects")
    assert reject["reason"] == "the handler visitors failed (ValueError)"
    handler.fails = False
    assert (await retry(rig))["read"] == 1
    assert handler.rows == ["1"]


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("table", ["options", "OPTIONS", "INFO"])
async def test_what_a_terminal_was_like_replaces_nothing_it_has_said_since(
    rig: Rig, table: str
) -> None:
    """Options and update information are not read again; they stay for people to look at."""
    old = {"INFO": b"Ver 1.0,1,2,3"}.get(table, b"~DeviceName=Old,FaceFunOn=1")
    await keep(rig, Reject(table, "old reason", old))
    await rig.post("cdata?SN=T1&table=options", b"~DeviceName=New")
    await rig.get("getrequest?SN=T1&INFO=Ver%202.0,7,8,9")
    before = (await rig.api("GET", "/devices/T1")).json
    assert before["options"]["~DeviceName"] == "New"
    assert await retry(rig) == {"read": 0, "kept": 1, "records": 0}
    after = (await rig.api("GET", "/devices/T1")).json
    for name in ("options", "firmware", "counts"):
        assert after[name] == before[name]


@pytest_twisted.ensureDeferred
async def test_options_that_are_too_many_are_not_lost_by_reading_them_again(rig: Rig) -> None:
    """They are still too many."""
    await rig.exchange()
    for first in range(0, 1100, 100):
        some = ",".join(f"Option{number}=1" for number in range(first, first + 100))
        await rig.post("cdata?SN=T1&table=options", some.encode())
    (kept,) = {one["raw"] for one in await rig.items("/rejects")}
    await retry(rig)
    assert [one["raw"] for one in await rig.items("/rejects")] == [kept]


@pytest_twisted.ensureDeferred
async def test_an_unreadable_answer_is_shown_to_those_who_may_see_answers(rig: Rig) -> None:
    """It may be the output of SHELL; `biometrics` shows other rejects, and not this one."""
    await rig.exchange()
    await rig.post(ATTLOG, b"1452\tnot-a-time\t0\t1\n")
    await rig.post("devicecmd?SN=T1", b"ID=1&Return=word-4711&CMD=Shell\nContent=word-4712")
    shown = {}
    for scope in (Scope.BIOMETRICS, Scope.DANGEROUS):
        token = await rig.token(scope.value, Scope.READ, scope)
        headers = [f"Authorization: Bearer {token}"]
        reply = await rig.api("GET", "/rejects", headers=headers)
        assert "word-47" not in reply.raw.decode() or scope is Scope.DANGEROUS
        shown[scope] = {one["table"]: one for one in reply.json["items"]}
        for one in reply.json["items"]:
            alone = (await rig.api("GET", f"/rejects/{one['id']}", headers=headers)).json
            assert (alone["raw"], alone["reason"]) == (one["raw"], one["reason"])
    by_biometrics, by_dangerous = shown[Scope.BIOMETRICS], shown[Scope.DANGEROUS]
    assert by_biometrics["ATTLOG"]["raw"] is not None
    assert by_dangerous["ATTLOG"]["raw"] is None
    assert by_biometrics["devicecmd"]["raw"] is None
    assert "scope `dangerous`" in by_biometrics["devicecmd"]["reason"]
    assert b"word-4712" in base64.b64decode(by_dangerous["devicecmd"]["raw"])


@pytest_twisted.ensureDeferred
async def test_a_reject_that_nobody_can_read_is_deleted(rig: Rig) -> None:
    """With its problem, by a caller who may destroy things; the audit log says who did it."""
    unknown = Reject("A", "no handler takes this table", b"x")
    await keep(rig, unknown, Reject("B", "no handler takes this table", b"word-4711"))
    newest, oldest = await rig.items("/rejects")
    headers = [f"Authorization: Bearer {await rig.token('writer', Scope.READ, Scope.WRITE)}"]
    path = f"/rejects/{newest['id']}"
    assert (await rig.api("DELETE", path, headers=headers)).status == 403
    assert (await rig.api("DELETE", path)).status == 204
    assert (await rig.api("DELETE", path)).status == 404
    assert await rig.items("/rejects") == [oldest]
    (problem,) = await rig.items("/problems?device=T1")
    assert problem["detail"].startswith("1 upload that was not understood is kept, of the table A,")
    (act,) = [one for one in await rig.items("/audit") if one["action"] == "delete reject"]
    assert act["subject"] == "terminal T1"
    assert act["detail"].startswith(f"reject {newest['id']}, 9 bytes; ")
    assert (await rig.api("DELETE", f"/rejects/{oldest['id']}")).status == 204
    assert await rig.items("/problems?device=T1") == []
    assert (await rig.api("GET", "/devices/T1")).json["problems"] == []
