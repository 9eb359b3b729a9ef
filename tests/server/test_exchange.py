"""The initialization exchange (5), end to end."""

from __future__ import annotations

import pytest_twisted

from zkpush.protocol.handshake import UNKNOWN_DEVICE

from ..rig import Rig

EVERYTHING = "TransData " + "\t".join(
    [
        "AttLog",
        "OpLog",
        "AttPhoto",
        "EnrollFP",
        "EnrollUser",
        "ChgUser",
        "ChgFP",
        "FACE",
        "UserPic",
        "WORKCODE",
        "BioPhoto",
    ]
)
REPLY = f"""\
GET OPTION FROM: T1
ATTLOGStamp=0
OPERLOGStamp=0
ATTPHOTOStamp=0
BIODATAStamp=0
IDCARDStamp=0
ERRORLOGStamp=0
ErrorDelay=30
Delay=10
TransTimes=00:00;14:00
TransInterval=1
TransFlag={EVERYTHING}
TimeZone=0
Realtime=1
Encrypt=0
ServerVer=2.4.1
PushProtVer=2.4.1
PushOptionsFlag=1
PushOptions="""


def told(reply: bytes) -> dict[str, str]:
    """The options of a reply."""
    pairs = (line.partition("=") for line in reply.decode().splitlines())
    return {key: value for key, _, value in pairs}


@pytest_twisted.ensureDeferred
async def test_the_reply_has_every_option_in_the_order_of_the_spec(rig: Rig) -> None:
    """A new terminal is told every option, in the spec's order, each line ended by LF."""
    response = await rig.exchange()
    assert response.status == 200
    assert response.body.decode().startswith(REPLY)
    assert response.body.endswith(b"\n")


@pytest_twisted.ensureDeferred
async def test_the_last_stamp_of_an_upload_comes_back(rig: Rig) -> None:
    """A terminal is told the last stamp it uploaded, so that it goes on from there."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=8211", b"1\t2026-01-05 08:00:00\t0\t1\n")
    assert told((await rig.exchange()).body)["ATTLOGStamp"] == "8211"


@pytest_twisted.ensureDeferred
async def test_old_firmware_is_told_its_stamps_by_their_old_names(rig: Rig) -> None:
    """Firmware that names no version sends OpStamp-like names and reads them back."""
    await rig.exchange(pushver=None)
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=77", b"1\t2026-01-05 08:00:00\t0\t1\n")
    options = told((await rig.exchange(pushver=None)).body)
    assert (options["Stamp"], options["OpStamp"], options["PhotoStamp"]) == ("77", "0", "0")
    assert options["ATTLOGStamp"] == "77"


@pytest_twisted.ensureDeferred
async def test_a_stamp_cannot_add_a_line_to_the_reply(rig: Rig) -> None:
    """A stamp that would not be one value is not remembered."""
    await rig.exchange()
    line = b"1\t2026-01-05 08:00:00\t0\t1\n"
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1%0ATransFlag=0000000000", line)
    options = told((await rig.exchange()).body)
    assert options["ATTLOGStamp"] == "0"
    assert options["TransFlag"] == EVERYTHING


@pytest_twisted.ensureDeferred
async def test_nothing_is_served_before_the_exchange(rig: Rig) -> None:
    """Polls and uploads of a terminal without exchange make it begin with one; nothing is kept."""
    poll = await rig.get("getrequest?SN=T1")
    upload = await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", b"1\t2026-01-05 08:00:00\t0\t1\n")
    for response in (poll, upload):
        assert (response.status, response.body) == (200, UNKNOWN_DEVICE)
    assert await rig.items("/attendance") == []
    await rig.exchange()
    assert (await rig.get("getrequest?SN=T1")).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_the_lower_version_is_used(rig: Rig) -> None:
    """Both sides use the lower version; a missing or unreadable one counts as 2.2.14."""
    for sn, pushver in (("A", "2.3.0"), ("B", "3.1.6S"), ("C", None), ("D", "rubbish")):
        await rig.exchange(sn, pushver=pushver)
    versions = {item["sn"]: item["protocol_version"] for item in await rig.items("/devices")}
    assert versions == {"A": "2.3.0", "B": "2.4.1", "C": "2.2.14", "D": "2.2.14"}


@pytest_twisted.ensureDeferred
async def test_arguments_that_the_protocol_does_not_define_are_kept(rig: Rig) -> None:
    """DeviceType is understood; other arguments become attributes of the terminal."""
    await rig.exchange(DeviceType="pid", PushOptionsFlag="1")
    (device,) = await rig.items("/devices")
    assert device["device_type"] == "pid"
    assert device["attributes"] == {"PushOptionsFlag": "1"}


@pytest_twisted.ensureDeferred
async def test_one_terminal_can_be_told_otherwise(rig: Rig) -> None:
    """A setting of one terminal makes it, and no other, read its options again."""
    await rig.exchange("T1")
    await rig.exchange("T2")
    changed = await rig.api("PATCH", "/devices/T1", {"settings": {"TransFlag": "digits"}})
    assert changed.status == 200
    assert (await rig.get("getrequest?SN=T1")).body == b"UNKNOWN DEVICE"
    assert (await rig.get("getrequest?SN=T2")).body == b"OK"
    line = b"1\t2026-01-05 08:00:00\t0\t1\n"
    assert (await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", line)).body == b"OK: 1"
    assert told((await rig.exchange("T1")).body)["TransFlag"] == "111110111111"
    assert (await rig.get("getrequest?SN=T1")).body == b"OK"

    await rig.api("PATCH", "/devices/T1", {"settings": {"Delay": 5}})
    await rig.api("PATCH", "/devices/T1", {"settings": {"transflag": None}})
    options = told((await rig.exchange("T1")).body)
    assert (options["TransFlag"], options["Delay"]) == (EVERYTHING, "5")


@pytest_twisted.ensureDeferred
async def test_terminals_read_the_offset_again_when_it_changes(rig: Rig) -> None:
    """At the end of winter time a terminal of that zone makes the exchange again."""
    await rig.exchange()
    await rig.api("PATCH", "/devices/T1", {"timezone": "Europe/Madrid"})
    assert told((await rig.exchange()).body)["TimeZone"] == "1"
    rig.clock.advance(60)
    assert (await rig.get("getrequest?SN=T1")).body == b"OK"

    rig.clock.advance(28 * 86_400 - rig.clock.seconds() + 1_772_366_400)  # 29 March, 12:00 UTC
    await rig.store.write(lambda tx: None)
    assert (await rig.get("getrequest?SN=T1")).body == b"UNKNOWN DEVICE"
    assert told((await rig.exchange()).body)["TimeZone"] == "2"


@pytest_twisted.ensureDeferred
async def test_another_pushcommkey_is_refused_until_it_is_approved(rig: Rig) -> None:
    """A terminal keeps its secret; one that comes with another is refused, and people see it."""
    secret, other = "4a9594af164f2b9779b59e8554b5df26", "00000000000000000000000000000000"
    assert (await rig.exchange(pushcommkey=secret)).status == 200
    await rig.pin(secret)
    for key in (other, None):
        refused = await rig.exchange(pushcommkey=key)
        assert refused.status == 403
    (device,) = await rig.items("/devices")
    assert [problem["code"] for problem in device["problems"]] == ["pushcommkey changed"]
    assert (await rig.exchange(pushcommkey=secret)).status == 200

    assert (await rig.exchange(pushcommkey=other)).status == 403
    approved = await rig.pin(other)
    assert approved.json["problems"] == []
    assert (await rig.exchange(pushcommkey=other)).status == 200
    assert (await rig.exchange(pushcommkey=secret)).status == 403


@pytest_twisted.ensureDeferred
async def test_a_restarted_daemon_goes_on_without_an_exchange(make_rig, tmp_path) -> None:
    """The session is in the store: another daemon on it serves the next poll at once."""
    database = f"sqlite:///{tmp_path / 'kept.sqlite'}"
    before = await make_rig(database=database)
    await before.exchange()
    await before.stop()
    after = await make_rig(database=database)
    assert (await after.get("getrequest?SN=T1")).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_the_wish_for_everything_survives_uploads_until_it_is_told(rig: Rig) -> None:
    """A terminal that uploads between the wish and its next exchange is still told 0, once."""
    await rig.exchange()
    line = b"1\t2026-01-05 08:00:00\t0\t1\n"
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=5", line)
    assert (await rig.api("POST", "/devices/T1/resend", {"table": "ATTLOG"})).status == 202
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=6", line)
    assert told((await rig.exchange()).body)["ATTLOGStamp"] == "0"
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=7", line)
    assert told((await rig.exchange()).body)["ATTLOGStamp"] == "7"
