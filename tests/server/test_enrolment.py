"""Remote enrolment: one call, its progress in words, and what arrives (12.6)."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.handlers.people.enrolment import FINGERS, Enrolment
from zkpush.protocol.fields import Scope

from ..rig import Rig

PERSON = {"name": "Ann", "card": "77"}


async def enrol(rig: Rig, what: str, pin: str = "7", **more: object):
    """Ask for an enrolment at T1."""
    return await rig.api("POST", f"/users/{pin}/enrol", {"device": "T1", "what": what, **more})


async def lines(rig: Rig) -> list[str]:
    """The command lines that the next poll gets, without IDs."""
    body = (await rig.get("getrequest?SN=T1")).body.decode()
    return [line.split(":", 2)[2] for line in body.splitlines() if line.startswith("C:")]


async def options(rig: Rig, text: str) -> None:
    """Let the terminal push options."""
    answer = await rig.post("cdata?SN=T1&table=options", text.encode())
    assert answer.status == 200


@pytest_twisted.ensureDeferred
async def test_a_finger_is_enrolled_and_watched(rig: Rig) -> None:
    """The person is sent there, then asked; the answer and the template show as they come."""
    await rig.exchange()
    await rig.api("PUT", "/users/7", PERSON)
    made = await enrol(rig, "right index finger")
    assert (made.status, made.json["state"], made.json["what"]) == (
        202,
        "waiting",
        "right index finger",
    )
    path = f"/users/7/enrol/{made.json['id']}"
    put, ask = await lines(rig) + await lines(rig)
    assert put.startswith("DATA UPDATE USERINFO PIN=7\t")
    assert ask == "ENROLL_FP PIN=7\tFID=6"
    assert (await rig.api("GET", path)).json["state"] == "asking"
    (first,) = [
        one["id"]
        for one in await rig.items("/devices/T1/commands")
        if one["command"] == "DATA UPDATE USERINFO"
    ]
    await rig.post("devicecmd?SN=T1", f"ID={first}&Return=0&CMD=DATA\n".encode())
    upload = b"FP PIN=7\tFID=5\tSize=4\tValid=1\tTMP=b25l\n"
    await rig.post("cdata?SN=T1&table=OPERLOG", upload)
    assert (await rig.api("GET", path)).json["state"] == "asking"
    await rig.post("devicecmd?SN=T1", f"ID={made.json['id']}&Return=0&CMD=ENROLL_FP\n".encode())
    shown = (await rig.api("GET", path)).json
    assert (shown["state"], shown["over"], shown["templates"]) == ("enrolled", False, [])
    await rig.post("cdata?SN=T1&table=OPERLOG", upload.replace(b"FID=5", b"FID=6"))
    shown = (await rig.api("GET", path)).json
    assert (shown["state"], shown["over"]) == ("received", True)
    (template,) = shown["templates"]
    assert (template["type"], template["number"]) == (1, 6)


@pytest_twisted.ensureDeferred
async def test_a_person_who_is_there_is_asked_only(rig: Rig) -> None:
    """A terminal that stated the person gets no further command than the enrolment."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=7\tName=Ann\n")
    assert (await enrol(rig, "finger 0", overwrite=True)).status == 202
    assert await lines(rig) == ["ENROLL_FP PIN=7\tFID=0\tOVERWRITE=1"]


@pytest.mark.parametrize(
    ("pushed", "what", "line"),
    [
        ("VisilightFun=1,FaceFunOn=1", "face", "ENROLL_BIO TYPE=9\tPIN=7"),
        ("VisilightFun=0,FaceFunOn=1", "face", "ENROLL_BIO TYPE=2\tPIN=7"),
        ("FaceFunOn=1", "face", "ENROLL_BIO TYPE=2\tPIN=7"),
        ("", "face", "ENROLL_BIO TYPE=9\tPIN=7"),
        ("PvFunOn=1", "palm", "ENROLL_BIO TYPE=8\tPIN=7"),
        ("MultiBioDataSupport=0:1:0:0:0:0:0:0:1:0:0", "palm", "ENROLL_BIO TYPE=8\tPIN=7"),
        ("RFCardOn=1", "card", "ENROLL_MF PIN=7"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_type_is_one_that_the_terminal_has(
    rig: Rig, pushed: str, what: str, line: str
) -> None:
    """A face or palm is enrolled with the reader that the terminal reports."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=7\tName=Ann\n")
    if pushed:
        await options(rig, pushed)
    made = await enrol(rig, what)
    assert made.status == 202, made.raw
    (asked,) = await lines(rig)
    assert (asked.split()[0], set(asked.split()[1:])) == (line.split()[0], set(line.split()[1:]))


@pytest.mark.parametrize(
    ("pushed", "what", "status", "words"),
    [
        ("VisilightFun=0,FaceFunOn=0,FingerFunOn=1", "face", 400, "It can enrol: fingerprint."),
        ("FingerFunOn=0", "left thumb", 400, "cannot enrol a left thumb, by"),
        ("RFCardOn=0", "card", 400, "does not support cards"),
        ("~PIN2Width=0", "finger", 400, "Say which finger: left little, "),
        ("~PIN2Width=0", "finger 99", 400, "or `finger N`, from 0, the left little finger, to 9."),
        ("~PIN2Width=0", "fase", 400, "There is no enrolment 'fase'. Did you mean"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_a_terminal_cannot_enrol_is_refused(
    rig: Rig, pushed: str, what: str, status: int, words: str
) -> None:
    """The error says what is missing, and what there is; nothing is queued."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=7\tName=Ann\n")
    await options(rig, pushed)
    refused = await enrol(rig, what)
    assert (refused.status, words in refused.json["detail"]) == (status, True), refused.raw
    assert await lines(rig) == []


@pytest_twisted.ensureDeferred
async def test_strangers_are_named(rig: Rig) -> None:
    """Unknown people, terminals and enrolments are 404; a blocked terminal is 409."""
    await rig.exchange()
    assert "zkpush users put 7" in (await enrol(rig, "face")).json["detail"]
    await rig.api("PUT", "/users/7", PERSON)
    unknown = await rig.api("POST", "/users/7/enrol", {"device": "T9", "what": "face"})
    assert (unknown.status, unknown.json["detail"]) == (404, "There is no terminal T9.")
    assert (await rig.api("GET", "/users/7/enrol/none")).status == 404
    made = await enrol(rig, "face")
    assert (await rig.api("GET", f"/users/8/enrol/{made.json['id']}")).status == 404
    await rig.api("PATCH", "/devices/T1", {"state": "blocked"})
    refused = await enrol(rig, "face")
    assert (refused.status, "is blocked" in refused.json["detail"]) == (409, True)
    reader = await rig.token("reader", Scope.READ)
    headers = [f"Authorization: Bearer {reader}"]
    body = {"device": "T1", "what": "face"}
    assert (await rig.api("POST", "/users/7/enrol", body, headers=headers)).status == 403


@pytest_twisted.ensureDeferred
async def test_failures_are_told_in_words(rig: Rig) -> None:
    """A refusal has the meaning of its code; a terminal that stays away, the reason."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=7\tName=Ann\n")
    made = await enrol(rig, "left thumb")
    await lines(rig)
    await rig.post("devicecmd?SN=T1", f"ID={made.json['id']}&Return=5&CMD=ENROLL_FP\n".encode())
    shown = (await rig.api("GET", f"/users/7/enrol/{made.json['id']}")).json
    assert (shown["state"], shown["over"]) == ("failed", True)
    assert "already exist in the fingerprint database" in shown["meaning"]
    late = await enrol(rig, "left thumb", expires_in=5)
    rig.clock.advance(600)
    assert await lines(rig) == []
    shown = (await rig.api("GET", f"/users/7/enrol/{late.json['id']}")).json
    assert shown["state"] == "failed"
    assert "did not fetch it in time" in shown["meaning"]
    offline = await enrol(rig, "left thumb")
    rig.clock.advance(30)
    shown = (await rig.api("GET", f"/users/7/enrol/{offline.json['id']}")).json
    assert shown["state"] == "waiting"


@pytest_twisted.ensureDeferred
async def test_a_card_arrives_or_contradicts(rig: Rig) -> None:
    """The terminal's new card is stored; where an operator has set one, it is a conflict."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=7\tName=Ann\tCard=77\n")
    made = await enrol(rig, "card")
    await lines(rig)
    await rig.post("devicecmd?SN=T1", f"ID={made.json['id']}&Return=0&CMD=ENROLL_MF\n".encode())
    assert (await rig.api("GET", f"/users/7/enrol/{made.json['id']}")).json["state"] == "enrolled"
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=7\tName=Ann\tCard=78\n")
    shown = (await rig.api("GET", f"/users/7/enrol/{made.json['id']}")).json
    assert (shown["state"], shown["templates"][0]["type_meaning"]) == ("received", "Card")
    await rig.api("PUT", "/users/7", {"card": "80"})
    again = await enrol(rig, "card")
    await lines(rig)
    await rig.post("devicecmd?SN=T1", f"ID={again.json['id']}&Return=0&CMD=ENROLL_MF\n".encode())
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=7\tName=Ann\tCard=81\n")
    shown = (await rig.api("GET", f"/users/7/enrol/{again.json['id']}")).json
    assert (shown["state"], shown["over"]) == ("received", True)
    assert f"settle conflict {shown['conflict']}" in shown["meaning"]


def test_words_of_enrolments() -> None:
    """Each finger has one number, and words are read whatever their case and hyphens."""
    numbers = [Enrolment.parse(f"{finger} finger").number for finger in FINGERS]
    assert numbers == list(range(10))
    assert Enrolment.parse("finger 4") == Enrolment.parse("LEFT-Thumb")
    assert Enrolment.parse("near-infrared face").types == (2,)
    with pytest.raises(ValueError, match="which finger: left thumb, right thumb; or"):
        Enrolment.parse("Thumb")
