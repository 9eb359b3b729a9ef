"""Commands that a terminal could only refuse, and the words of those that it refused."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.handlers.jobs.runner import JobRunner

from ..rig import Rig
from .files import add, fetch, order
from .test_effects import TEMPLATE, answered, sent, shown

PERIOD = {"StartTime": "2026-02-02 00:00:00", "EndTime": "2026-02-01 00:00:00"}


async def refused(rig: Rig, name: str, **params: str) -> str:
    """The reason for which a command is not queued."""
    request = {"command": name, "params": params}
    reply = await rig.api("POST", "/devices/T1/commands", request)
    assert reply.status == 400, reply.raw
    assert (await rig.api("GET", "/devices/T1/commands")).json["items"] == []
    return reply.json["detail"]


@pytest.mark.parametrize(
    ("name", "params", "named"),
    [
        ("DATA UPDATE FINGERTMP", {"PIN": "7", "FID": "1", "TMP": TEMPLATE, "Size": "5"}, "Size"),
        ("DATA UPDATE FINGERTMP", {"PIN": "7", "FID": "1", "TMP": ""}, "TMP"),
        ("DATA UPDATE USERINFO", {"PIN": "7", "Card": "12AB"}, "Card"),
        ("DATA QUERY ATTLOG", PERIOD, "EndTime"),
        ("GetFile", {"path": ""}, "path"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_value_that_can_only_fail_is_refused(
    rig: Rig, name: str, params: dict[str, str], named: str
) -> None:
    """The reason names the parameter, and nothing is queued."""
    await rig.exchange()
    assert named in await refused(rig, name, **params)


FACE = {"PIN": "7", "FID": "0", "TMP": TEMPLATE}
BIODATA = {"Pin": "7", "Type": "9", "Tmp": TEMPLATE}


@pytest.mark.parametrize(
    ("option", "name", "params", "words"),
    [
        ("FaceFunOn=0", "DATA UPDATE FACE", FACE, "near-infrared faces"),
        ("VisilightFun=0", "DATA UPDATE BIODATA", BIODATA, "visible light faces"),
        ("VisilightFun=0", "ENROLL_BIO", {"PIN": "7", "TYPE": "9"}, "visible light faces"),
        ("FingerFunOn=0", "ENROLL_FP", {"PIN": "7", "FID": "1"}, "fingerprints"),
        ("~PIN2Width=5", "DATA UPDATE USERINFO", {"PIN": "123456"}, "PIN has 6 characters"),
        ("~PIN2Width=5", "ENROLL_MF", {"PIN": "123456"}, "at most 5"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_a_terminal_has_not_is_refused(
    rig: Rig, option: str, name: str, params: dict[str, str], words: str
) -> None:
    """The options that it pushed decide; other terminals get the command, also from a job."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    await rig.post("cdata?SN=T1&table=options", option.encode())
    assert words in await refused(rig, name, **params)
    body = {"command": name, "params": params, "devices": ["T1", "T2"]}
    job = (await rig.api("POST", "/commands", body)).json
    (runner,) = (one for one in rig.daemon.jobs if isinstance(one, JobRunner))
    await runner.work()
    job = (await rig.api("GET", f"/jobs/{job['id']}")).json
    assert (job["counts"]["refused"], job["counts"]["queued"]) == (1, 1)
    assert words in job["failed"][0]["meaning"]


@pytest_twisted.ensureDeferred
async def test_what_is_too_long_for_a_terminal_can_be_deleted(rig: Rig) -> None:
    """A width that was reported later does not keep people on the terminal."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=options", b"~PIN2Width=5,FaceFunOn=0")
    for name in ("DATA DELETE USERINFO", "DATA QUERY USERINFO", "DATA DELETE FACE"):
        await order(rig, name, PIN="123456")


@pytest.mark.parametrize(
    ("name", "params", "code", "meaning"),
    [
        ("ENROLL_MF", {"PIN": "7"}, -3, "Access error"),
        ("ENROLL_MF", {"PIN": "7"}, 5, "Left by timeout"),
        ("ENROLL_BIO", {"PIN": "7", "TYPE": "9"}, 2, "The user is enrolled already"),
        ("ENROLL_BIO", {"PIN": "7", "TYPE": "9"}, -3, "Reading or writing is incorrect"),
        ("ENROLL_FP", {"PIN": "7", "FID": "1"}, 2, "Fingerprints of the user already exist"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_codes_of_enrolments_have_their_own_words(
    rig: Rig, name: str, params: dict[str, str], code: int, meaning: str
) -> None:
    """A face that is enrolled already is no fingerprint (12.6, Appendix 1)."""
    await rig.exchange()
    command = await sent(rig, name, **params)
    await answered(rig, f"ID={command}&Return={code}&CMD={name}".encode())
    ended = await shown(rig, command)
    assert (ended["state"], ended["meaning"]) == ("failed", meaning)


@pytest_twisted.ensureDeferred
async def test_urls_in_commands_begin_with_the_public_url(make_rig) -> None:
    """For terminals that take only whole URLs; a URL that names a host stays."""
    rig = await make_rig(commands={"public_url": "http://192.0.2.5:8081/"})
    await rig.exchange()
    file = await add(rig, b"firmware", "a.tgz")
    begin = "http://192.0.2.5:8081/iclock/file/"
    await order(rig, "UPGRADE", file=file["id"], form=2)
    line = (await rig.get("getrequest?SN=T1")).body.decode()
    assert f",url={begin}" in line
    for name, expected in (
        (str(file["path"]), begin),
        (
            f"http://elsewhere.example/iclock/{file['path']}",
            "http://elsewhere.example/iclock/file/",
        ),
    ):
        await order(rig, "PutFile", url=name)
        line = (await rig.get("getrequest?SN=T1")).body.decode()
        assert f":PutFile {expected}" in line
    path = line.partition("PutFile http://elsewhere.example/iclock/")[2].split()[0]
    assert (await fetch(rig, path)).body == b"firmware"
