"""A simulated terminal and the daemon, request by request."""

from __future__ import annotations

import pytest
import pytest_twisted
from twisted.internet.task import Clock

from zkpush.protocol.codes import Operation
from zkpush.simulator.link import LinkError
from zkpush.simulator.terminal import ExchangeWanted

from ..rig import Rig
from .network import Network
from .script import OPTIONS, Answer, Script

OF_OPTIONS = {
    "~DeviceName": "SIM-100 att",
    "~SerialNumber": "SIM1",
    "FirmVer": "Ver 8.0.4.7-20240115",
    "~OEMVendor": "SIMULATED CO., LTD.",
    "FingerFunOn": "1",
    "FaceFunOn": "1",
    "UserCount": "1",
    "TransactionCount": "0",
    "VisilightFun": "1",
    "MultiBioDataSupport": "0:1:1:0:0:0:0:1:1:1",
    "MultiBioPhotoSupport": "0:0:0:0:0:0:0:0:0:1",
    "MultiBioVersion": "0:10:7:0:0:0:0:3:1:58.12",
    "MaxMultiBioDataCount": "0:10000:3000:0:0:0:0:3000:3000:6000",
    "MaxMultiBioPhotoCount": "0:0:0:0:0:0:0:0:0:6000",
    "MultiBioDataCount": "0:0:0:0:0:0:0:0:0:0",
    "MultiBioPhotoCount": "0:0:0:0:0:0:0:0:0:0",
}


async def command(rig: Rig, name: str) -> str:
    """Queue a command for the terminal; its CmdID."""
    response = await rig.api("POST", "/devices/SIM1/commands", {"command": name})
    assert response.status == 202, response.raw
    return response.json["id"]


async def decide(rig: Rig, **change: object) -> None:
    """Change the terminal as an operator does."""
    response = await rig.api("PATCH", "/devices/SIM1", change)
    assert response.status == 200, response.raw


async def times(rig: Rig) -> list[str]:
    """The stored punches."""
    return [record["time"] for record in await rig.items("/attendance")]


@pytest_twisted.ensureDeferred
async def test_the_exchange_and_the_options_arrive(rig: Rig) -> None:
    """A terminal says what it is, reads what it is told, and pushes its options."""
    terminal = Network(rig.terminals).terminal(rig.clock)
    assert terminal.delay == 10
    await terminal.exchange()
    assert (terminal.told["ServerVer"], terminal.told["ErrorDelay"]) == ("2.4.1", "30")
    (device,) = await rig.items("/devices")
    assert (device["sn"], device["push_version"], device["language"]) == ("SIM1", "2.4.1", "69")
    assert (device["device_type"], device["exchange"]) == ("att", "ready")
    assert device["options"] == OF_OPTIONS
    assert await rig.items("/rejects") == []


@pytest_twisted.ensureDeferred
async def test_options_are_pushed_only_if_they_are_asked_for(make_rig) -> None:
    """With PushOptionsFlag=0 nothing is pushed."""
    rig = await make_rig(options={"PushOptionsFlag": 0})
    await Network(rig.terminals).terminal(rig.clock).exchange()
    (device,) = await rig.items("/devices")
    assert device["options"] == {}


@pytest_twisted.ensureDeferred
async def test_the_update_information_comes_with_a_poll(rig: Rig) -> None:
    """A poll says which firmware it is, and how many users and records there are."""
    terminal = Network(rig.terminals).terminal(rig.clock, users=40)
    await terminal.exchange()
    terminal.punch()
    assert await terminal.poll() is False
    (device,) = await rig.items("/devices")
    assert device["firmware"] == "Ver 8.0.4.7-20240115"
    assert (device["counts"]["users"], device["counts"]["attendance"]) == (40, 1)
    assert terminal.polls == 1


@pytest_twisted.ensureDeferred
async def test_one_user_twice_in_a_second_is_two_records(rig: Rig) -> None:
    """Punches are uploaded, acknowledged and stored; none is taken for another."""
    terminal = Network(rig.terminals).terminal(rig.clock, users=1)
    await terminal.exchange()
    for _ in range(3):
        terminal.punch()
    assert (terminal.waiting, terminal.sent) == (3, 0)
    await terminal.upload()
    assert (terminal.waiting, terminal.sent) == (0, 3)
    assert await times(rig) == [f"2026-03-01T12:00:0{second}" for second in range(3)]
    rig.clock.advance(10)
    terminal.punch()
    await terminal.upload()
    stored = await rig.items("/attendance")
    assert stored[3]["time"] == "2026-03-01T12:00:10"
    for item in stored:
        assert item["pin"] == "1"
        assert item["status"] in (0, 1)
        assert item["verify"] in (1, 4, 15)
    assert await rig.items("/rejects") == []


@pytest_twisted.ensureDeferred
async def test_many_records_go_in_several_uploads() -> None:
    """No upload has more than 500 records; the stamp says how far they go."""
    script = Script()
    terminal = Network(script.site).terminal(Clock())
    await terminal.exchange()
    for _ in range(1001):
        terminal.punch()
    await terminal.upload()
    assert [body.count(b"\n") for name, body in script.asked if name == "upload"] == [500, 500, 1]
    assert [uri.partition(b"Stamp=")[2] for uri in script.uris[1:]] == [b"500", b"1000", b"1001"]


@pytest_twisted.ensureDeferred
async def test_a_refused_upload_keeps_its_records(rig: Rig) -> None:
    """What a blocked terminal cannot send, it sends once it is approved."""
    terminal = Network(rig.terminals).terminal(rig.clock)
    await terminal.exchange()
    await decide(rig, state="blocked")
    terminal.punch()
    for _ in range(2):
        with pytest.raises(LinkError, match=r"403 .*blocked"):
            await terminal.upload()
    assert (terminal.waiting, terminal.sent) == (1, 0)
    assert await times(rig) == []
    await decide(rig, state="approved")
    await terminal.upload()
    assert (terminal.waiting, terminal.sent) == (0, 1)
    assert await times(rig) == ["2026-03-01T12:00:00"]


@pytest_twisted.ensureDeferred
async def test_unknown_device_asks_for_the_exchange(rig: Rig) -> None:
    """A terminal that the server does not know keeps its records, and begins again."""
    terminal = Network(rig.terminals).terminal(rig.clock)
    terminal.punch()
    with pytest.raises(ExchangeWanted):
        await terminal.poll()
    with pytest.raises(ExchangeWanted):
        await terminal.upload()
    assert terminal.waiting == 1
    await terminal.exchange()
    await terminal.upload()
    assert await times(rig) == ["2026-03-01T12:00:00"]


@pytest_twisted.ensureDeferred
async def test_an_exchange_in_between_sends_nothing_twice(rig: Rig) -> None:
    """The stamp that a terminal is told is where it goes on."""
    terminal = Network(rig.terminals).terminal(rig.clock)
    await terminal.exchange()
    terminal.punch()
    await terminal.upload()
    await terminal.exchange()
    assert terminal.told["ATTLOGStamp"] == "1"
    assert terminal.waiting == 0


@pytest.mark.parametrize("name", ["INFO", "CHECK", "LOG", "REBOOT"])
@pytest_twisted.ensureDeferred
async def test_a_command_is_executed_and_answered(rig: Rig, name: str) -> None:
    """Every command that the daemon sends is done at the next poll."""
    terminal = Network(rig.terminals).terminal(rig.clock)
    await terminal.exchange()
    command_id = await command(rig, name)
    assert await terminal.poll() is True
    assert terminal.executed == [name.encode()]
    shown = (await rig.api("GET", f"/commands/{command_id}")).json
    assert (shown["state"], shown["return_code"]) == ("done", 0)
    assert await terminal.poll() is False
    assert terminal.told["ServerVer"] == "2.4.1"


@pytest_twisted.ensureDeferred
async def test_info_is_answered_with_the_options(rig: Rig) -> None:
    """The options follow the answer to INFO, as they are now."""
    terminal = Network(rig.terminals).terminal(rig.clock)
    await terminal.exchange()
    terminal.punch()
    command_id = await command(rig, "INFO")
    await terminal.poll()
    expected = {**OF_OPTIONS, "TransactionCount": "1"}
    assert (await rig.api("GET", f"/commands/{command_id}")).json["result"] == expected
    (device,) = await rig.items("/devices")
    assert device["options"] == expected


@pytest_twisted.ensureDeferred
async def test_log_sends_what_is_new(rig: Rig) -> None:
    """LOG makes a terminal send its records now."""
    terminal = Network(rig.terminals).terminal(rig.clock)
    await terminal.exchange()
    terminal.punch()
    await command(rig, "LOG")
    await terminal.poll()
    assert terminal.waiting == 0
    assert await times(rig) == ["2026-03-01T12:00:00"]


@pytest_twisted.ensureDeferred
async def test_check_after_a_resend_sends_everything_again(rig: Rig) -> None:
    """A stamp of 0 makes a terminal send all it has; the server stores nothing twice."""
    terminal = Network(rig.terminals).terminal(rig.clock)
    await terminal.exchange()
    for _ in range(3):
        terminal.punch()
    await terminal.upload()
    stored = await rig.items("/attendance")
    assert (await rig.api("POST", "/devices/SIM1/resend", {"table": "ATTLOG"})).status == 202
    await terminal.poll()
    assert terminal.executed == [b"CHECK"]
    assert terminal.told["ATTLOGStamp"] == "0"
    assert (terminal.waiting, terminal.sent) == (0, 3)
    assert await rig.items("/attendance") == stored
    await terminal.exchange()
    assert terminal.told["ATTLOGStamp"] == "3"  # the three were sent again


@pytest.mark.parametrize(("stamp", "sizes"), [("0", [2, 2]), ("2", [2])])
@pytest_twisted.ensureDeferred
async def test_check_sends_what_is_behind_the_stamp(stamp: str, sizes: list[int]) -> None:
    """Only a stamp of 0 makes a terminal send its records again."""
    again = OPTIONS.replace(b"ATTLOGStamp=0", b"ATTLOGStamp=" + stamp.encode())
    script = Script(exchange=[OPTIONS, again], getrequest=b"C:1:CHECK\n")
    terminal = Network(script.site).terminal(Clock())
    await terminal.exchange()
    terminal.punch()
    terminal.punch()
    await terminal.upload()
    await terminal.poll()
    assert [body.count(b"\n") for name, body in script.asked if name == "upload"] == sizes


@pytest_twisted.ensureDeferred
async def test_an_unknown_command_is_answered_with_an_error() -> None:
    """What a terminal does not support it says so of (-1002), and goes on to the next."""
    script = Script(getrequest=[b"C:a1:FLY home\nC:a2:DATA UPDATE FOOD A=1\nC:a3:LOG\n", b"OK"])
    terminal = Network(script.site).terminal(Clock())
    await terminal.exchange()
    assert await terminal.poll() is True
    assert await terminal.poll() is False
    assert [body for name, body in script.asked if name == "devicecmd"] == [
        b"ID=a1&Return=-1002&CMD=FLY\n",
        b"ID=a2&Return=-1002&CMD=DATA\n",
        b"ID=a3&Return=0&CMD=LOG\n",
    ]
    assert terminal.executed == [b"FLY home", b"DATA UPDATE FOOD A=1", b"LOG"]


@pytest.mark.parametrize(
    ("zone", "told", "wall_clock"),
    [
        ("UTC", "0", "2026-03-01T12:00:00"),
        ("Asia/Kolkata", "330", "2026-03-01T17:30:00"),
        ("Pacific/Pago_Pago", "-11", "2026-03-01T01:00:00"),
        ("Pacific/Tongatapu", "780", "2026-03-02T01:00:00"),
        ("Etc/GMT-11", "11", "2026-03-01T23:00:00"),
        ("Etc/GMT-12", "720", "2026-03-02T00:00:00"),
        ("Etc/GMT+12", "-720", "2026-03-01T00:00:00"),
        ("America/St_Johns", "-210", "2026-03-01T08:30:00"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_wall_clock_is_that_of_the_zone_that_was_told(
    make_rig, zone: str, told: str, wall_clock: str
) -> None:
    """Hours or minutes, east or west: what the terminal writes is what the server understands."""
    rig = await make_rig(timezone=zone)
    terminal = Network(rig.terminals).terminal(rig.clock)
    await terminal.exchange()
    assert terminal.told["TimeZone"] == told
    terminal.punch()
    await terminal.upload()
    (record,) = await rig.items("/attendance")
    assert (record["time"], record["utc"]) == (wall_clock, "2026-03-01T12:00:00Z")


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"exchange": b"OK"}, "not an option reply"),
        ({"exchange": OPTIONS.rstrip()}, "the last line does not end with LF"),
        ({"exchange": b"GET OPTION FROM: SIM1\nA=\xff\n"}, "can't decode"),
        ({"exchange": 503}, "503 not now"),
        ({"upload": b"No"}, "the upload was not acknowledged: b'No'"),
        ({"upload": 413}, "413 not now"),
        ({"getrequest": b"C:1:LOG"}, "the last command does not end with LF"),
        ({"getrequest": b"hello\n"}, "b'hello' is not a command"),
        ({"getrequest": 500}, "500 not now"),
        ({"getrequest": b"C:1:LOG\n", "devicecmd": 500}, "500 not now"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_an_answer_that_is_none_is_an_error(answers: dict[str, Answer], reason: str) -> None:
    """Whatever a server says that terminals do not understand, is an error that says what it is."""
    terminal = Network(Script(**answers).site).terminal(Clock())

    async def a_day() -> None:
        await terminal.exchange()
        terminal.punch()
        await terminal.upload()
        await terminal.poll()

    with pytest.raises(LinkError) as failed:
        await a_day()
    assert reason in str(failed.value)


@pytest_twisted.ensureDeferred
async def test_an_exchange_is_made_when_the_options_are_taken() -> None:
    """An exchange whose options were refused is not made; it has to be made again."""
    script = Script(exchange=OPTIONS + b"PushOptionsFlag=1\n", upload=[503, b"OK"])
    terminal = Network(script.site).terminal(Clock())
    with pytest.raises(LinkError):
        await terminal.exchange()
    assert terminal.told == {}
    await terminal.exchange()
    assert terminal.told["PushOptionsFlag"] == "1"


@pytest.mark.parametrize("name", ["CHECK", "REBOOT"])
@pytest_twisted.ensureDeferred
async def test_an_exchange_that_a_command_asks_for_is_not_forgotten(name: str) -> None:
    """If the exchange after CHECK or REBOOT fails, the terminal knows that it has to make it."""
    script = Script(exchange=[OPTIONS, 503], getrequest=f"C:1:{name}\n".encode())
    terminal = Network(script.site).terminal(Clock())
    await terminal.exchange()
    with pytest.raises(LinkError):
        await terminal.poll()
    assert terminal.told == {}


@pytest_twisted.ensureDeferred
async def test_equal_operations_of_one_second_have_different_times(rig: Rig) -> None:
    """The server would take them for one; so as many are stored as were made."""
    terminal = Network(rig.terminals).terminal(rig.clock)
    await terminal.exchange()
    for _ in range(3):
        terminal.operate(Operation.CHANGE_SETTINGS, "1", 7)
    terminal.operate(Operation.CHANGE_SETTINGS, "1", 8)
    await terminal.upload()
    assert len(await rig.items("/operations")) == 4
