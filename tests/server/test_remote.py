"""Remote attendance: a terminal asks for a user who is not on it (14)."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
import pytest_twisted
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from zkpush.handlers.people.arrivals import BRING
from zkpush.persist.audit import AuditStore

from ..rig import Response, Rig

ON = {"enabled": True}
TEMPLATE = base64.b64encode(b"a finger of nobody").decode()
OTHER = base64.b64encode(b"another finger of nobody").decode()
ASK = "cdata?SN=T2&table=RemoteAtt&PIN=7"
PASSWORD = "pass-4711"
PEOPLE = (
    f"USER PIN=7\tName=Ann\tPri=14\tPasswd={PASSWORD}\tCard=[15CD5B07]\tGrp=2\t"
    "TZ=0001000200000000\tVerify=4\tViceCard=987\n"
    f"FP PIN=7\tFID=5\tSize={len(TEMPLATE)}\tValid=1\tTMP={TEMPLATE}\n"
    f"FP PIN=7\tFID=0\tSize={len(OTHER)}\tValid=3\tTMP={OTHER}\n"
    "USER PIN=8\n"
)
ANN = (
    f"DATA UPDATE USERINFO PIN=7\tName=Ann\tPasswd={PASSWORD}\tCard=123456789\tGrp=2\t"
    "TZ=0001000200000000\tPri=14\n"
    f"DATA UPDATE FINGERTMP PIN=7\tFID=0\tSize={len(OTHER)}\tValid=3\tTMP={OTHER}\n"
    f"DATA UPDATE FINGERTMP PIN=7\tFID=5\tSize={len(TEMPLATE)}\tValid=1\tTMP={TEMPLATE}\n"
).encode()


@pytest.fixture
def log() -> Iterator[list[LogEvent]]:
    """What is logged during the test."""
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


async def serving(make_rig, **settings: object) -> Rig:
    """A daemon with two terminals, one of which has told of people."""
    rig = await make_rig(remote_attendance={**ON, **settings})
    await rig.exchange("T1")
    await rig.exchange("T2")
    assert (await rig.post("cdata?SN=T1&table=OPERLOG", PEOPLE.encode())).body == b"OK: 4"
    return rig


async def audited(rig: Rig) -> list[tuple[object, ...]]:
    """The audit log, without the people whom the terminals brought."""
    items = await rig.items("/audit")
    return [
        (item["actor"], item["action"], item["subject"], item["detail"])
        for item in items
        if item["action"] != BRING
    ]


def refused(response: Response, status: int, words: str) -> None:
    """Check that a reply is a refusal that no terminal takes for anything else."""
    assert response.status == status, response.raw
    assert words in response.body.decode()
    for never in (b"OK", b"DATA", PASSWORD.encode(), TEMPLATE.encode()):
        assert never not in response.raw


@pytest.mark.parametrize(
    "path", [ASK, "CDATA.aspx?sn=T2&TABLE=remoteatt&pin=7", "cdata?SN=T2&Table=REMOTEATT&Pin=7"]
)
@pytest_twisted.ensureDeferred
async def test_a_terminal_gets_the_user_and_the_fingerprints(make_rig, path: str) -> None:
    """The reply is the form of section 14: its fields in its order, each line with its LF."""
    rig = await serving(make_rig)
    response = await rig.get(path)
    assert (response.status, response.body) == (200, ANN)
    assert response.header(b"Content-Type") == b"text/plain"
    assert await audited(rig) == [
        ("device T2", "remote attendance", await rig.person("7"), "2 fingerprints"),
    ]


@pytest_twisted.ensureDeferred
async def test_what_is_not_known_of_a_user_is_what_the_protocol_has_by_default(make_rig) -> None:
    """All seven fields are there for a user of whom nothing but the ID is known."""
    rig = await serving(make_rig)
    assert (await rig.get("cdata?SN=T2&table=RemoteAtt&PIN=8")).body == (
        b"DATA UPDATE USERINFO PIN=8\tName=\tPasswd=\tCard=\tGrp=1\tTZ=0000000000000000\tPri=0\n"
    )


@pytest_twisted.ensureDeferred
async def test_names_are_in_the_encoding_of_the_terminal_that_asks(make_rig) -> None:
    """A Chinese terminal is sent GB2312, another one UTF-8."""
    rig = await serving(make_rig)
    await rig.post("cdata?SN=T1&table=OPERLOG", "USER PIN=9\tName=王小明".encode())
    await rig.exchange("T3", language="83")
    for sn, encoding in (("T2", "utf-8"), ("T3", "gb2312")):
        body = (await rig.get(f"cdata?SN={sn}&table=RemoteAtt&PIN=9")).body
        assert "\tName=王小明\t".encode(encoding) in body


@pytest_twisted.ensureDeferred
async def test_a_name_never_becomes_a_second_line(make_rig) -> None:
    """A line end that old firmware left within a name is a space in the reply."""
    rig = await serving(make_rig)
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=9\tName=A\rDATA DELETE USERINFO PIN=1")
    body = (await rig.get("cdata?SN=T2&table=RemoteAtt&PIN=9")).body
    assert body.count(b"\n") == 1
    assert b"\r" not in body


@pytest_twisted.ensureDeferred
async def test_fingerprints_are_of_the_algorithm_version_of_the_terminal(make_rig) -> None:
    """Each finger is there once; templates of other versions and types are left out."""
    rig = await serving(make_rig)
    await rig.get("getrequest?SN=T2&INFO=Ver%202.0.12,1,2,0,192.0.2.9,10,7,15,0,111")
    for sn, version in (("T9", "9"), ("T10", "10")):
        await rig.exchange(sn)
        await rig.get(f"getrequest?SN={sn}&INFO=Ver%202.0.12,1,2,0,192.0.2.9,{version},7,15,0,111")
        await rig.post(f"cdata?SN={sn}&table=OPERLOG", b"USER PIN=7")
        template = base64.b64encode(f"of {sn}, of version {version}".encode()).decode()
        for finger in (1, 5) if sn == "T10" else (1, 2, 5):
            line = f"FP PIN=7\tFID={finger}\tValid=1\tTMP={template}"
            await rig.post(f"cdata?SN={sn}&table=OPERLOG", line.encode())
    others = (
        f"FACE PIN=7\tFID=3\tTMP={OTHER}\nBIODATA Pin=7\tNo=4\tType=1\tMajorVer=12\tTmp={OTHER}"
    )
    assert (await rig.post("cdata?SN=T1&table=OPERLOG", others.encode())).body == b"OK: 2"
    _, *lines = (await rig.get(ASK)).body.decode().splitlines()
    own = base64.b64encode(b"of T10, of version 10").decode()
    fingers = [(line.split("\t")[1], line.split("\t")[4]) for line in lines]
    assert fingers == [("FID=0", f"TMP={OTHER}"), ("FID=1", f"TMP={own}"), ("FID=5", f"TMP={own}")]


@pytest_twisted.ensureDeferred
async def test_it_is_off_unless_it_is_configured(rig: Rig) -> None:
    """By default no terminal is given anybody."""
    await rig.exchange("T2")
    await rig.post("cdata?SN=T2&table=OPERLOG", PEOPLE.encode())
    refused(await rig.get(ASK), 403, "switched off")
    assert await audited(rig) == []


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("SN=T2&table=RemoteAtt", 400, "PIN= is missing"),
        ("SN=T2&table=RemoteAtt&PIN=", 400, "PIN= is missing"),
        ("SN=T2&table=RemoteAtt&PIN=%09", 400, "not the ID of a user"),
        ("SN=T2&table=RemoteAtt&PIN=7&PIN=8", 400, "two values"),
        ("SN=T2&table=RemoteAtt&PIN=7%0a", 400, "not the ID of a user"),
        ("SN=T2&table=RemoteAtt&PIN=99", 404, "no user with this ID"),
        ("SN=T2&table=RemoteAtt&PIN=%25", 404, "no user with this ID"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_answered_is_refused(
    make_rig, query: str, status: int, words: str
) -> None:
    """A missing, bad or unknown user ID has its own refusal."""
    rig = await serving(make_rig)
    refused(await rig.get(f"cdata?{query}"), status, words)


@pytest_twisted.ensureDeferred
async def test_asking_for_nobody_is_recorded(make_rig) -> None:
    """Who tries user IDs is seen in the audit log."""
    rig = await serving(make_rig)
    await rig.get("cdata?SN=T2&table=RemoteAtt&PIN=99")
    detail = "refused: there is no such user"
    person = await rig.person("99")
    assert await audited(rig) == [("device T2", "remote attendance", person, detail)]


@pytest_twisted.ensureDeferred
async def test_only_an_approved_terminal_that_made_the_exchange_is_answered(make_rig) -> None:
    """Pending and blocked terminals are refused; a new one is asked for the exchange first."""
    rig = await make_rig(admission="approve", remote_attendance=ON)
    refused(await rig.get(ASK), 403, "waits for approval")
    await rig.api("PATCH", "/devices/T2", {"state": "approved"})
    assert (await rig.get(ASK)).body == b"UNKNOWN DEVICE"
    await rig.exchange("T2")
    await rig.post("cdata?SN=T2&table=OPERLOG", PEOPLE.encode())
    assert (await rig.get(ASK)).body == ANN
    await rig.api("PATCH", "/devices/T2", {"state": "blocked"})
    refused(await rig.get(ASK), 403, "blocked")
    given = [actor for actor, action, *_ in await audited(rig) if action == "remote attendance"]
    assert given == ["device T2"]


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_asks_too_often_is_refused(make_rig) -> None:
    """The tokens of a terminal come back with time, and no other terminal waits for them."""
    rig = await serving(make_rig, per_minute=2)
    for _ in range(2):
        assert (await rig.get(ASK)).body == ANN
    for _ in range(3):
        refused(await rig.get(ASK), 429, "too many")
    assert (await rig.get(ASK.replace("T2", "T1"))).body == ANN
    rig.clock.advance(29)
    refused(await rig.get(ASK), 429, "too many")
    rig.clock.advance(1)
    assert (await rig.get(ASK)).body == ANN
    refused(await rig.get(ASK), 429, "too many")
    rig.clock.advance(3600)
    assert [(await rig.get(ASK)).status for _ in range(3)] == [200, 200, 429]


@pytest_twisted.ensureDeferred
async def test_refusals_for_asking_too_often_are_summed_up(make_rig) -> None:
    """A terminal that asks without end does not fill the audit log."""
    rig = await serving(make_rig, per_minute=1)
    await rig.get(ASK)
    for _ in range(6):
        rig.clock.advance(10)
        for _ in range(5):
            await rig.get(ASK)
    rig.clock.advance(20)
    records = await audited(rig)
    assert [detail for *_, detail in records].count("2 fingerprints") == 2
    reason = "remote attendance was asked for too often"
    assert [record for record in records if record[1] == "refused"] == [
        ("device T2", "refused", reason, "5 times in 0 seconds, from 192.0.2.7"),
        ("device T2", "refused", reason, "24 times in 40 seconds, from 192.0.2.7"),
    ]


@pytest_twisted.ensureDeferred
async def test_an_unknown_user_costs_a_token(make_rig) -> None:
    """User IDs cannot be tried faster than users are given."""
    rig = await serving(make_rig, per_minute=1)
    await rig.get("cdata?SN=T2&table=RemoteAtt&PIN=99")
    refused(await rig.get(ASK), 429, "too many")


@pytest_twisted.ensureDeferred
async def test_nobody_is_given_away_unrecorded(make_rig, monkeypatch) -> None:
    """Without the record in the audit log, there is no answer."""
    rig = await serving(make_rig)

    def fail(*_: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(AuditStore, "add", fail)
        refused(await rig.get(ASK), 500, "failed")
    assert (await rig.get(ASK)).body == ANN
    await rig.store.stop()
    refused(await rig.get(ASK), 503, "cannot store")


@pytest_twisted.ensureDeferred
async def test_what_is_given_is_not_logged(make_rig, log: list[LogEvent]) -> None:
    """The log says who was given to which terminal, and nothing of what is secret."""
    rig = await serving(make_rig)
    assert (await rig.get(ASK)).body == ANN
    text = "\n".join(f"{formatEvent(event)} {event}" for event in log)
    assert "Terminal T2 was given user 7 for remote attendance" in text
    for secret in (PASSWORD, TEMPLATE, OTHER):
        assert secret not in text
