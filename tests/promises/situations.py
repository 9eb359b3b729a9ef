"""Situations in which the records of a terminal do not arrive, or its commands are stuck."""

from __future__ import annotations

import datetime

from zkpush.handlers.commands.jobs import QueueWatch

from ..rig import Rig, talk
from ..server.test_tokens_of_sessions import token, upload

ATTLOG = "cdata?SN=T1&table=ATTLOG&Stamp=9999"
POLL = "getrequest?SN=T1"
ADDRESS = "192.0.2.7"
HELLO_OF_TLS = bytes.fromhex("1603010200010001fc0303") + bytes(100)
OTHER_SERVER = b"token=0123456789abcdef0123456789abcdef"


async def working(rig: Rig) -> None:
    """A terminal that works."""
    await rig.exchange()
    await rig.post(ATTLOG, b"7\t2026-01-05 08:00:00\t0\t1\n")
    await rig.get(POLL)


async def punching(rig: Rig, ahead: int) -> None:
    """A terminal whose clock is so many seconds ahead, and its punches in real time."""
    await rig.exchange()
    for minute in range(4):
        rig.clock.advance(60)
        now = datetime.datetime.fromtimestamp(rig.clock.wall_seconds() + ahead, datetime.UTC)
        await rig.post(ATTLOG, f"{minute}\t{now:%Y-%m-%d %H:%M:%S}\t0\t1\n".encode())
    rig.clock.advance(60)
    await rig.get(POLL)
    await rig.registry.follow()


async def wrong_zone(rig: Rig) -> None:
    """The clock is that of another zone than the one that is set."""
    await punching(rig, -8 * 3600)


async def wrong_clock(rig: Rig) -> None:
    """The clock is wrong by no number of hours; the terminal has missed some polls."""
    await punching(rig, 37 * 60)
    rig.clock.advance(120)


async def refused(rig: Rig) -> None:
    """The terminal is in another network than it may be."""
    await working(rig)
    await rig.api("PATCH", "/devices/T1", {"networks": ["198.51.100.0/24"]})
    await rig.post(ATTLOG, b"7\t2026-01-05 08:00:01\t0\t1\n")


async def pending(rig: Rig) -> None:
    """Nobody has approved it."""
    await rig.get(POLL)


async def blocked(rig: Rig) -> None:
    """An operator has blocked it, and it has gone silent since."""
    await working(rig)
    await rig.api("PATCH", "/devices/T1", {"state": "blocked"})
    await rig.get(POLL)
    rig.clock.advance(1800)


async def access_control(rig: Rig) -> None:
    """Its menu says A&C PUSH."""
    await rig.exchange(DeviceType="acc", pushver="3.1.2")
    await rig.post("registry?SN=T1", b"DeviceType=acc,~DeviceName=Gate")
    await rig.post("cdata?SN=T1&table=rtlog", b"time=2026-01-05 08:00:00\tpin=7\tevent=0\r\n")


async def https_on_the_plain_port(rig: Rig) -> None:
    """Its menu says HTTPS."""
    await working(rig)
    rig.clock.advance(7200)
    await talk(rig.terminals, HELLO_OF_TLS, ADDRESS)
    await rig.registry.follow()


async def unknown_path(rig: Rig) -> None:
    """It sends to a path that the protocol does not have."""
    await working(rig)
    await rig.post("attendance/upload?SN=T1", b"7,2026-01-05 08:00:01")


async def asks(rig: Rig, target: str, address: str = ADDRESS) -> int:
    """Any request; the status of its reply."""
    head = f"GET {target} HTTP/1.1\r\nHost: server\r\n\r\n"
    return (await talk(rig.terminals, head.encode(), address)).status


async def other_prefix(rig: Rig) -> None:
    """A proxy in front adds a prefix to its paths."""
    await working(rig)
    await asks(rig, f"/zk/iclock/{POLL}")


async def other_path_without_token(rig: Rig) -> None:
    """It has returned its token before, and a request for another path does not."""
    given = token(await rig.exchange())
    await upload(rig, b"token=" + given)
    assert await asks(rig, f"/foo/{POLL}") == 200


async def other_path_of_new_terminal(rig: Rig) -> None:
    """It has never reached a path of this server."""
    assert await asks(rig, "/iclok/cdata?SN=T1&options=all") == 404


async def new_terminal_of_closed_server(rig: Rig) -> None:
    """The server takes no unknown terminals."""
    assert await asks(rig, "/iclock/cdata?SN=T1&options=all") == 403


async def rejects(rig: Rig) -> None:
    """It writes times that nobody can read."""
    await rig.exchange()
    await rig.post(ATTLOG, b"1452\tnot-a-time\t0\t1\n")


async def foreign_token(rig: Rig) -> None:
    """It returns the cookie of the server that it used before."""
    await working(rig)
    head = b"GET /iclock/%b HTTP/1.1\r\nHost: server\r\nCookie: %b\r\n\r\n"
    await talk(rig.terminals, head % (POLL.encode(), OTHER_SERVER), ADDRESS)


async def foreign_cookie(rig: Rig) -> None:
    """A load balancer in front sets a cookie, which it returns."""
    await working(rig)
    head = b"GET /iclock/%b HTTP/1.1\r\nHost: server\r\nCookie: SERVERID=s2\r\n\r\n"
    await talk(rig.terminals, head % POLL.encode(), ADDRESS)


async def foreign_cookies_in_turns(rig: Rig) -> None:
    """It returns the cookie of a load balancer, and then that of another server."""
    await foreign_cookie(rig)
    head = b"GET /iclock/%b HTTP/1.1\r\nHost: server\r\nCookie: %b\r\n\r\n"
    await talk(rig.terminals, head % (POLL.encode(), OTHER_SERVER), ADDRESS)


async def garbage(rig: Rig) -> None:
    """Lines without the columns of a record."""
    await rig.exchange()
    await rig.post(ATTLOG, b"garbage\nmore garbage\n")


async def https_of_one_of_several(rig: Rig) -> None:
    """Two terminals at an address are silent, and TLS comes from there."""
    for sn in ("A1", "T1"):
        await rig.exchange(sn)
    rig.clock.advance(7200)
    await talk(rig.terminals, HELLO_OF_TLS, ADDRESS)
    await rig.registry.follow()


async def unknown_method(rig: Rig) -> None:
    """Something in front changes the method."""
    await working(rig)
    head = b"PUT /iclock/%b HTTP/1.1\r\nHost: server\r\nContent-Length: 0\r\n\r\n"
    await talk(rig.terminals, head % ATTLOG.encode(), ADDRESS)


async def was_in_access_control(rig: Rig) -> None:
    """Its menu said A&C PUSH yesterday, and says T&A PUSH now."""
    await access_control(rig)
    rig.clock.advance(25 * 3600)
    await rig.exchange(DeviceType="att")
    await working(rig)
    rig.clock.advance(10)
    await rig.registry.follow()


async def look_at_queues(rig: Rig) -> None:
    """What a job does every few seconds."""
    (job,) = (job for job in rig.daemon.jobs if isinstance(job, QueueWatch))
    await job.look()


async def unfetched_queue(rig: Rig) -> None:
    """It uploads, and fetches no commands."""
    await working(rig)
    await rig.api("POST", "/devices/T1/commands", {"command": "INFO"})
    rig.clock.advance(1200)
    await rig.post(ATTLOG, b"7\t2026-01-05 08:00:01\t0\t1\n")
    await look_at_queues(rig)


async def unanswered_queue(rig: Rig) -> None:
    """It fetches a command again and again, and never answers."""
    await working(rig)
    await rig.api("POST", "/devices/T1/commands", {"command": "INFO"})
    for _ in range(2):
        assert b":INFO" in (await rig.get(POLL)).body
        rig.clock.advance(600)
    await rig.get(POLL)
    await look_at_queues(rig)


async def pending_in_access_control(rig: Rig) -> None:
    """Nobody has approved it, and its menu says A&C PUSH."""
    await rig.exchange(DeviceType="acc", pushver="3.1.2")


async def https_behind_one_address(rig: Rig) -> None:
    """A new terminal speaks TLS from the address of terminals that were switched off."""
    for sn in ("A1", "A2"):
        await rig.exchange(sn)
    rig.clock.advance(7200)
    await rig.api("PUT", "/devices/T1", {"state": "approved"})
    await talk(rig.terminals, HELLO_OF_TLS, ADDRESS)
    await rig.registry.follow()


async def with_token(rig: Rig, given: bytes | None) -> None:
    """It returns the token of its session once, and another one or none afterwards."""
    await upload(rig, b"token=" + token(await rig.exchange()))
    rig.clock.advance(60)
    await upload(rig, given or b"")


async def other_token(rig: Rig) -> None:
    """It returns a token that is not that of its session."""
    await with_token(rig, OTHER_SERVER)


async def no_token(rig: Rig) -> None:
    """It returns no token any more."""
    await with_token(rig, None)


async def unknown_table(rig: Rig) -> None:
    """It uploads a table that nobody knows."""
    await working(rig)
    await rig.post("cdata?SN=T1&table=FOOLOG", b"a\tb\n")
