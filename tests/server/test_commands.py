"""The way of a command: queued, sent, answered, once (12, 13)."""

from __future__ import annotations

import re

import pytest
import pytest_twisted

from zkpush.persist.commands import CommandStore
from zkpush.persist.devices import DeviceStore
from zkpush.values.commands import NewCommand

from ..rig import NOON, Rig

POLL = "getrequest?SN=T1"
LEASE_SECONDS = 300


async def queue(rig: Rig, command: str = "INFO", sn: str = "T1") -> str:
    """Queue a command by the API; its CmdID."""
    response = await rig.api("POST", f"/devices/{sn}/commands", {"command": command})
    assert response.status == 202, response.raw
    return response.json["id"]


async def state(rig: Rig, command_id: str) -> str:
    """What has become of a command."""
    return (await rig.api("GET", f"/commands/{command_id}")).json["state"]


@pytest.mark.parametrize("command", ["INFO", "CHECK", "LOG", "REBOOT"])
@pytest_twisted.ensureDeferred
async def test_a_command_goes_out_once_and_its_answer_ends_it(rig: Rig, command: str) -> None:
    """A queued command is one line of the next poll; answered, it is done, and not sent again."""
    await rig.exchange()
    command_id = await queue(rig, command)
    assert re.fullmatch(r"[a-z0-9]{1,16}", command_id)
    assert (await rig.get(POLL)).body == f"C:{command_id}:{command}\n".encode()
    assert (await rig.get(POLL)).body == b"OK"
    assert await state(rig, command_id) == "sent"
    answer = f"ID={command_id}&Return=0&CMD={command}\n".encode()
    assert (await rig.post("devicecmd?SN=T1", answer)).body == b"OK"
    shown = (await rig.api("GET", f"/commands/{command_id}")).json
    assert (shown["state"], shown["return_code"], shown["meaning"]) == ("done", 0, "Successful")
    assert shown["sent_at"] == shown["finished_at"] == "2026-03-01T12:00:00.000Z"
    assert (await rig.get(POLL)).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_commands_keep_their_order_and_reboot_ends_a_batch(rig: Rig) -> None:
    """Commands go out in the order they were queued; nothing follows REBOOT or CHECK in a poll."""
    await rig.exchange()
    names = ["INFO", "LOG", "REBOOT", "INFO", "CHECK", "LOG"]
    for name in names:
        await queue(rig, name)
    batches = [(await rig.get(POLL)).body for _ in range(4)]
    assert [re.findall(rb"C:[a-z0-9]+:(.*)\n", batch) for batch in batches] == [
        [b"INFO", b"LOG", b"REBOOT"],
        [b"INFO", b"CHECK"],
        [b"LOG"],
        [],
    ]
    assert batches[3] == b"OK"


@pytest_twisted.ensureDeferred
async def test_a_batch_is_bounded_by_count_and_by_bytes(make_rig) -> None:
    """A poll gets no more commands, and no more bytes, than configured."""
    rig = await make_rig(commands={"batch_count": 3, "batch_bytes": 256})
    await rig.exchange()
    for _ in range(8):
        await queue(rig, "LOG")
    sizes = [(await rig.get(POLL)).body.count(b"\n") for _ in range(4)]
    assert sizes == [3, 3, 2, 0]


@pytest_twisted.ensureDeferred
async def test_a_command_that_is_not_answered_is_sent_again_with_its_id(rig: Rig) -> None:
    """When the lease runs out, the same line goes out again; a late first answer still ends it."""
    await rig.exchange()
    command_id = await queue(rig, "LOG")
    line = f"C:{command_id}:LOG\n".encode()
    assert (await rig.get(POLL)).body == line
    rig.clock.advance(LEASE_SECONDS - 1)
    assert (await rig.get(POLL)).body == b"OK"
    rig.clock.advance(1)
    assert (await rig.get(POLL)).body == line
    await rig.post("devicecmd?SN=T1", f"ID={command_id}&Return=0&CMD=LOG".encode())
    rig.clock.advance(LEASE_SECONDS)
    assert (await rig.get(POLL)).body == b"OK"
    assert (await rig.api("GET", f"/commands/{command_id}")).json["attempts"] == 2


@pytest_twisted.ensureDeferred
async def test_a_command_that_is_never_answered_expires(make_rig) -> None:
    """After the configured attempts a command is given up, and its lease is over."""
    rig = await make_rig(commands={"attempts": 2, "lease_seconds": 10})
    await rig.exchange()
    command_id = await queue(rig, "LOG")
    for _ in range(2):
        assert (await rig.get(POLL)).body != b"OK"
        rig.clock.advance(10)
    assert (await rig.get(POLL)).body == b"OK"
    assert await state(rig, command_id) == "expired"


@pytest_twisted.ensureDeferred
async def test_an_error_code_fails_a_command(rig: Rig) -> None:
    """A negative return code is a failure, with its meaning in words (Appendix 1)."""
    await rig.exchange()
    command_id = await queue(rig, "INFO")
    await rig.get(POLL)
    await rig.post("devicecmd?SN=T1", f"ID={command_id}&Return=-1002&CMD=INFO".encode())
    shown = (await rig.api("GET", f"/commands/{command_id}")).json
    assert (shown["state"], shown["meaning"]) == ("failed", "Not supported by the equipment")


@pytest_twisted.ensureDeferred
async def test_doubled_late_and_foreign_answers_change_nothing(rig: Rig) -> None:
    """Only the first answer of the right terminal counts; all are acknowledged."""
    await rig.exchange("T1")
    await rig.exchange("T2")
    command_id = await queue(rig, "LOG")
    await rig.get(POLL)
    answer = f"ID={command_id}&Return=%d&CMD=LOG\n"
    assert (await rig.post("devicecmd?SN=T2", (answer % -1).encode())).body == b"OK"
    assert await state(rig, command_id) == "sent"
    await rig.post("devicecmd?SN=T1", (answer % 0).encode())
    assert (await rig.post("devicecmd?SN=T1", (answer % -3).encode())).body == b"OK"
    assert await state(rig, command_id) == "done"
    assert (await rig.post("devicecmd?SN=T1", b"ID=never&Return=0&CMD=LOG")).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_the_answer_to_info_updates_the_terminal(rig: Rig) -> None:
    """The options that follow INFO are kept with the terminal and with the command (12.4.3)."""
    await rig.exchange()
    command_id = await queue(rig, "INFO")
    await rig.get(POLL)
    answer = f"ID={command_id}&Return=0&CMD=INFO\n~DeviceName=A&B\nUserCount=12\nEmpty=\n"
    await rig.post("devicecmd?SN=T1", answer.encode())
    expected = {"~DeviceName": "A&B", "UserCount": "12", "Empty": ""}
    assert (await rig.api("GET", "/devices/T1")).json["options"] == expected
    assert (await rig.api("GET", f"/commands/{command_id}")).json["result"] == expected


@pytest_twisted.ensureDeferred
async def test_several_answers_in_one_body_are_all_taken(rig: Rig) -> None:
    """Answers joined by LF each end their command; one that cannot be read is kept."""
    await rig.exchange()
    ids = [await queue(rig, "LOG") for _ in range(3)]
    await rig.get(POLL)
    lines = [f"ID={command_id}&Return=0&CMD=LOG" for command_id in ids]
    lines[1] = f"ID={ids[1]}&Return=soon&CMD=LOG"
    assert (await rig.post("devicecmd?SN=T1", "\n".join(lines).encode())).body == b"OK"
    assert [await state(rig, command_id) for command_id in ids] == ["done", "sent", "done"]
    (reject,) = await rig.items("/rejects")
    assert reject["table"] == "devicecmd"


@pytest_twisted.ensureDeferred
async def test_a_cancelled_command_is_not_sent(rig: Rig) -> None:
    """A command can be cancelled until it is ended; after that it cannot."""
    await rig.exchange()
    command_id = await queue(rig, "LOG")
    assert (await rig.api("DELETE", f"/commands/{command_id}")).status == 204
    assert (await rig.get(POLL)).body == b"OK"
    assert await state(rig, command_id) == "cancelled"
    assert (await rig.api("DELETE", f"/commands/{command_id}")).status == 409
    assert (await rig.api("DELETE", "/commands/unknown")).status == 404


@pytest_twisted.ensureDeferred
async def test_commands_survive_a_restart(make_rig, tmp_path) -> None:
    """Queued and sent commands are where they were when another daemon takes over."""
    database = f"sqlite:///{tmp_path / 'kept.sqlite'}"
    before = await make_rig(database=database)
    await before.exchange()
    sent = await queue(before, "LOG")
    await before.get(POLL)
    queued = await queue(before, "INFO")
    await before.stop()
    after = await make_rig(database=database)
    assert (await after.get(POLL)).body == f"C:{queued}:INFO\n".encode()
    after.clock.advance(LEASE_SECONDS)
    assert f"C:{sent}:LOG\n".encode() in (await after.get(POLL)).body


@pytest_twisted.ensureDeferred
async def test_a_poll_with_nothing_to_do_touches_no_database(rig: Rig) -> None:
    """Hundreds of idle polls write nothing and ask nothing."""
    await rig.exchange()
    await rig.get(POLL)
    rig.store.read = None  # any query would fail now
    units = rig.store.writer.units
    for _ in range(200):
        assert (await rig.get(POLL)).body == b"OK"
    assert rig.store.writer.units == units


@pytest_twisted.ensureDeferred
async def test_a_command_that_the_protocol_does_not_have_is_refused(rig: Rig) -> None:
    """Unknown commands and parameters are refused where they are made, by name."""
    await rig.exchange()
    unknown = await rig.api("POST", "/devices/T1/commands", {"command": "FLY"})
    assert unknown.status == 400
    assert "FLY" in unknown.json["detail"]
    assert "INFO" in unknown.json["detail"]
    extra = await rig.api(
        "POST", "/devices/T1/commands", {"command": "LOG", "params": {"PIN": "1\nC:1:REBOOT"}}
    )
    assert extra.status == 400
    assert "PIN" in extra.json["detail"]
    nobody = await rig.api("POST", "/devices/T9/commands", {"command": "LOG"})
    assert nobody.status == 404
    assert (await rig.get(POLL)).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_a_stored_command_that_is_not_known_holds_up_no_other(rig: Rig) -> None:
    """What a later version queued goes out as that wrote it, alone, and then what is behind it."""
    await rig.exchange()
    (device,) = await rig.store.read(lambda tx: tx[DeviceStore].changed_since(0)[0])
    later = NewCommand(id="new1", command="FLY", params={"To": "x"}, asked={}, text="FLY To=x")
    await rig.store.write(lambda tx: tx[CommandStore].add(device.id, later, NOON * 1000))
    command_id = await queue(rig, "LOG")
    assert (await rig.get(POLL)).body == b"C:new1:FLY To=x\n"
    assert (await rig.get(POLL)).body == f"C:{command_id}:LOG\n".encode()
    await rig.post("devicecmd?SN=T1", b"ID=new1&Return=-1002&CMD=FLY")
    assert await state(rig, "new1") == "failed"


@pytest_twisted.ensureDeferred
async def test_a_terminal_can_be_made_to_send_everything_again(rig: Rig) -> None:
    """Resending forgets the stamp and queues CHECK, after which the exchange asks for all."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=500", b"1\t2026-01-05 08:00:00\t0\t1\n")
    response = await rig.api("POST", "/devices/T1/resend", {"table": "ATTLOG"})
    assert response.json["command"] == "CHECK"
    assert (await rig.get(POLL)).body.endswith(b":CHECK\n")
    assert b"ATTLOGStamp=0\n" in (await rig.exchange()).body
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=500", b"1\t2026-01-05 08:00:00\t0\t1\n")
    assert b"ATTLOGStamp=500\n" in (await rig.exchange()).body  # the same stamp is stored again
    wrong = await rig.api("POST", "/devices/T1/resend", {"table": "PAYROLL"})
    assert wrong.status == 400
    assert "ATTLOG" in wrong.json["detail"]
