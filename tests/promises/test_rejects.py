"""Nothing is set aside unseen: rejects are listed, are a problem, and can be read again."""

from __future__ import annotations

import base64

import pytest
import pytest_twisted
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from sqlalchemy import update
from zope.interface import implementer

from zkpush import installed
from zkpush.device.handlers import HandlerSet
from zkpush.handlers.attendance.handler import AttendanceHandler
from zkpush.handlers.rejects.jobs import COUNTED_EVERY, EVERY, RejectRetry
from zkpush.interfaces import IRecordHandler
from zkpush.model import Page
from zkpush.persist.devices import DeviceStore
from zkpush.persist.events import EventStore
from zkpush.persist.rejects import RejectStore
from zkpush.persist.rejectwords import MOST_CAUSES
from zkpush.persist.schema import rejects
from zkpush.protocol.fields import Field, Layout, Scope, Table
from zkpush.protocol.rejects import Reject

from ..rig import NOON, Rig

ATTLOG = "cdata?SN=T1&table=ATTLOG&Stamp=9999"
OPERLOG = "cdata?SN=T1&table=OPERLOG&Stamp=1"
GOOD = b"7\t2026-01-05 08:00:00\t0\t1"
_ALL_EVENTS = Page(1000)
VISITOR = Table(
    name="VISITOR",
    section="-",
    meaning="Lines for a handler of a package",
    layout=Layout.KEYED,
    keyword="VISITOR",
    key=("id",),
    fields=(Field(wire="Id", name="id", required=True, meaning="Any number"),),
)


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


async def keep(rig: Rig, *rejects: Reject) -> None:
    """Rejects as an earlier version of the program has kept them."""
    await rig.exchange()

    def unit(tx) -> None:
        tx[RejectStore].add(tx[DeviceStore].find("T1").id, rejects, NOON * 1000)

    await rig.store.write(unit)


async def look(rig: Rig) -> None:
    """What the background job does at the start of the daemon, and once a minute."""
    (job,) = (job for job in rig.daemon.jobs if isinstance(job, RejectRetry))
    await job.look()


async def retry(rig: Rig, **body: str) -> dict[str, int]:
    """`POST rejects/retry`."""
    response = await rig.api("POST", "/rejects/retry", body)
    assert response.status == 200, response.raw
    return response.json


@pytest_twisted.ensureDeferred
async def test_an_attendance_line_with_a_bad_time_is_a_problem_of_its_terminal(rig: Rig) -> None:
    """It has the count, the first reason without what was sent, and what to do about it."""
    await rig.exchange()
    assert (await rig.post(ATTLOG, b"1452\tnot-a-time\t0\t1\n")).body == b"OK: 0"
    (problem,) = await rig.items("/problems?device=T1")
    assert problem["code"] == "rejects"
    assert problem["detail"].startswith("1 reject is kept, of ATTLOG: its time cannot be read.")
    assert "not-a-time" not in problem["detail"]
    assert "zkpush rejects list --device T1" in problem["advice"]
    (told,) = await rig.store.read(
        lambda tx: [one for one in tx[EventStore].page(_ALL_EVENTS) if one.kind == "problem"]
    )
    assert (told.data["what"], told.data["code"]) == ("raised", "rejects")


@pytest_twisted.ensureDeferred
async def test_the_count_follows_within_seconds(rig: Rig) -> None:
    """A job that only counts runs often, and looks at the terminals if there are new rejects."""
    await rig.exchange()
    for number in range(3):
        await rig.post(ATTLOG, b"%d\tnot-a-time\t0\t1\n" % number)
    (job,) = (job for job in rig.daemon.jobs if isinstance(job, RejectRetry))
    await job.count()
    (problem,) = (await rig.api("GET", "/devices/T1")).json["problems"]
    assert problem["detail"].startswith("3 rejects are kept, all of ATTLOG: its time ")
    assert COUNTED_EVERY < EVERY


@pytest_twisted.ensureDeferred
async def test_problems_and_doctor_show_the_present_count(rig: Rig) -> None:
    """Also before the job has counted, and after rejects were deleted."""
    await rig.exchange()
    for number in range(3):
        await rig.post(ATTLOG, b"%d\tnot-a-time\t0\t1\n" % number)

    async def shown() -> set[str]:
        listed = [one["detail"] for one in await rig.items("/problems?device=T1")]
        checks = (await rig.api("GET", "/devices/T1/doctor")).json["checks"]
        return {*listed, *(one["detail"] for one in checks if one["name"] == "rejects")}

    (detail,) = await shown()
    assert detail.startswith("3 rejects are kept")
    for reject in await rig.items("/rejects"):
        await rig.api("DELETE", f"/rejects/{reject['id']}")
    assert await shown() == {"Everything that it sent was understood."}


@pytest_twisted.ensureDeferred
async def test_the_problem_counts_later_rejects(rig: Rig) -> None:
    """The background job brings the count up to date."""
    await rig.exchange()
    for number in range(3):
        await rig.post(ATTLOG, b"%d\tnot-a-time\t0\t1\n" % number)
    await look(rig)
    (problem,) = (await rig.api("GET", "/devices/T1")).json["problems"]
    assert problem["detail"].startswith("3 rejects are kept, all of ATTLOG: its time ")


@pytest_twisted.ensureDeferred
async def test_a_second_cause_of_rejects_is_named_in_the_problem(rig: Rig) -> None:
    """Each cause has its number, the newest first, and a new one is an event."""
    await rig.exchange()
    for number in range(2):
        await rig.post(ATTLOG, b"%d\tnot-a-time\t0\t1\n" % number)
    await look(rig)
    for length in (1000, 2000, 3000):
        body = b"LZO1" + length.to_bytes(4, "little") + b"\x11\x22\x33"
        assert (await rig.post(ATTLOG, body)).status == 200
    await look(rig)
    (problem,) = await rig.items("/problems?device=T1")
    detail = problem["detail"]
    assert detail.startswith(
        "5 rejects are kept, the newest first: 3 of ATTLOG: LZO1: an encoded body"
    )
    assert detail.endswith("; 2 of ATTLOG: its time cannot be read.")
    events = await rig.store.read(lambda tx: tx[EventStore].of_kind("problem", 0))
    assert events[-1].data["detail"] == detail
    assert events[-1].data["was"].startswith("2 rejects are kept, all of ATTLOG: ")


@pytest_twisted.ensureDeferred
async def test_the_problem_names_a_few_causes_of_rejects(rig: Rig) -> None:
    """The newest ones; rejects that were stored without a cause are among them."""
    tables = [f"T{number}" for number in range(MOST_CAUSES + 1)]
    await keep(rig, *(Reject(name, "no handler takes this table", b"x") for name in tables))
    await rig.store.write(lambda tx: tx.connection.execute(update(rejects).values(cause=None)))
    await look(rig)
    (problem,) = await rig.items("/problems?device=T1")
    named = "; ".join(f"1 of the table {one}, which zkpush does not know" for one in tables[:0:-1])
    detail = f"6 rejects are kept, the newest first: {named}; and others."
    assert problem["detail"] == detail


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
    assert problem["detail"].startswith("1 reject ")
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
            one.data["what"] for one in tx[EventStore].page(_ALL_EVENTS) if one.kind == "problem"
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
    assert reject["reason"].startswith("Time: ")
    assert reject["reason"].endswith("(2 times)")
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
    assert problem["detail"].startswith("1 reject is kept, of the table A,")
    (act,) = [one for one in await rig.items("/audit") if one["action"] == "delete reject"]
    assert act["subject"] == "terminal T1"
    assert act["detail"].startswith(f"reject {newest['id']}, 9 bytes; ")
    assert (await rig.api("DELETE", f"/rejects/{oldest['id']}")).status == 204
    assert await rig.items("/problems?device=T1") == []
    assert (await rig.api("GET", "/devices/T1")).json["problems"] == []


async def counted_rejects(rig: Rig) -> dict[str, float]:
    """The values of `zkpush_rejects`."""
    text = (await rig.api("GET", "/metrics", prefix="")).body.decode()
    (family,) = [
        each for each in text_string_to_metric_families(text) if each.name == "zkpush_rejects"
    ]
    return {sample.labels["table"]: sample.value for sample in family.samples}


@pytest_twisted.ensureDeferred
async def test_rejects_are_counted_by_table(rig: Rig) -> None:
    """What a terminal calls a table is no label unless it is one; counts are kept for a while."""
    await keep(
        rig,
        Reject("ATTLOG", "old", b"8\tnot-a-time"),
        Reject("attlog", "old", b"9\tnot-a-time"),
        Reject("word-4711", "no handler takes this table", b"x"),
        Reject("devicecmd", "no ID= in a command reply", b"y"),
    )
    there = {"ATTLOG": 2, "other": 1, "devicecmd": 1}
    assert await counted_rejects(rig) == there
    (first, *_) = await rig.items("/rejects")
    await rig.api("DELETE", f"/rejects/{first['id']}")
    assert await counted_rejects(rig) == there
    rig.clock.advance(10)
    assert await counted_rejects(rig) == {"ATTLOG": 2, "other": 1}


@pytest_twisted.ensureDeferred
async def test_the_encoding_of_a_terminal_decides_how_its_texts_are_read_and_written(
    rig: Rig,
) -> None:
    """Of uploads, of commands, and of rejects, which are read again when it is set."""
    pin = "\u5f20" * 25  # too long as bytes that are no UTF-8
    await rig.exchange()
    line = f"USER PIN={pin}\tName=\u5f20\u4f1f\n".encode("gb18030")
    assert (await rig.post(OPERLOG, line)).body == b"OK: 0"
    assert len(await rig.items("/rejects")) == 1
    changed = await rig.api("PATCH", "/devices/T1", {"encoding": "gb18030"})
    assert changed.json["encoding"] == "gb18030"
    await look(rig)
    assert await rig.items("/rejects") == []
    (user,) = await rig.items("/users")
    assert (user["pin"], user["name"]) == (pin, "\u5f20\u4f1f")
    await rig.post(OPERLOG, "USER PIN=8\tName=\u738b\n".encode("gb18030"))
    assert [one["name"] for one in await rig.items("/users")] == ["\u5f20\u4f1f", "\u738b"]
    command = {"command": "DATA UPDATE USERINFO", "params": {"PIN": "9", "Name": "\u674e"}}
    await rig.api("POST", "/devices/T1/commands", command)
    assert "Name=\u674e".encode("gb18030") in (await rig.get("getrequest?SN=T1")).body
    refused = await rig.api("PATCH", "/devices/T1", {"encoding": "latin"})
    assert refused.status == 400
    assert "encoding: it is one of big5, cp874, " in refused.json["detail"]
    assert (await rig.api("PATCH", "/devices/T1", {"encoding": None})).json["encoding"] is None


async def name_sent(rig: Rig, pin: str, name: str) -> bytes:
    """The poll that sends a name to the terminal."""
    command = {"command": "DATA UPDATE USERINFO", "params": {"PIN": pin, "Name": name}}
    assert (await rig.api("POST", "/devices/T1/commands", command)).status == 202
    return (await rig.get("getrequest?SN=T1")).body


@pytest.mark.parametrize(
    ("language", "promised", "used"), [("83", "gb18030", "utf-8"), ("84", "utf-8", "gb18030")]
)
@pytest_twisted.ensureDeferred
async def test_a_terminal_in_chinese_is_understood_in_its_encoding(
    rig: Rig, language: str, promised: str, used: str
) -> None:
    """Its names are read in either encoding, and it is sent names in the one that it uses."""
    wang, li = "\u738b\u4f1f", "\u674e\u5a1c"
    exchange = "cdata?SN=T1&options=all&pushver=2.4.1"
    await rig.get(f"{exchange}&language={language}")
    await rig.post(OPERLOG, f"USER PIN=1\tName={wang}\n".encode(promised))
    assert f"Name={li}".encode(promised) in await name_sent(rig, "2", li)
    await rig.post(OPERLOG, f"USER PIN=3\tName={li}\n".encode(used))
    assert f"Name={wang}".encode(used) in await name_sent(rig, "4", wang)
    # What it repeats of the names that it was sent before changes nothing.
    await rig.post(OPERLOG, f"USER PIN=5\tName={wang}\n".encode(promised))
    assert f"Name={li}".encode(used) in await name_sent(rig, "6", li)
    names = {one["pin"]: one["name"] for one in await rig.items("/users")}
    assert names == {"1": wang, "3": li, "5": wang}
    # The operator's word ends that, and so does another language.
    await rig.api("PATCH", "/devices/T1", {"encoding": promised})
    assert f"Name={wang}".encode(promised) in await name_sent(rig, "7", wang)
    await rig.api("PATCH", "/devices/T1", {"encoding": None})
    await rig.post(OPERLOG, f"USER PIN=8\tName={li}\n".encode(used))
    assert f"Name={wang}".encode(used) in await name_sent(rig, "9", wang)
    await rig.get(f"{exchange}&language=69")
    await rig.get(f"{exchange}&language={language}")
    assert f"Name={li}".encode(promised) in await name_sent(rig, "10", li)


@pytest.mark.parametrize("language", ["83", "84"])
@pytest_twisted.ensureDeferred
async def test_rejects_are_read_again_when_a_terminal_is_set_to_chinese(
    rig: Rig, language: str
) -> None:
    """The language number decides whether its texts may be GB18030."""
    pin = "\u5f20" * 25  # too long as bytes that are no UTF-8
    await rig.exchange()
    line = f"USER PIN={pin}\tName=\u5f20\u4f1f\n".encode("gb18030")
    assert (await rig.post(OPERLOG, line)).body == b"OK: 0"
    await look(rig)
    assert len(await rig.items("/rejects")) == 1
    await rig.get(f"cdata?SN=T1&options=all&pushver=2.4.1&language={language}")
    await look(rig)
    assert await rig.items("/rejects") == []
    (user,) = await rig.items("/users")
    assert (user["pin"], user["name"]) == (pin, "\u5f20\u4f1f")
