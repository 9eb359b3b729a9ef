"""Counts of punches at a terminal, asked for and answered."""

from __future__ import annotations

from zkpush.handlers.completeness.runner import CompletenessRunner
from zkpush.problems import ProblemCode

from ..rig import Rig
from .test_queue import answer

DAY, NEXT = "2026-03-01", "2026-03-02"
PERIOD = f"StartTime={DAY} 00:00:00\tEndTime={DAY} 23:59:59"
COUNT = f"VERIFY SUM ATTLOG {PERIOD}"
QUERY = f"DATA QUERY ATTLOG {PERIOD}"
A_DAY = 24 * 3600


def runner(rig: Rig) -> CompletenessRunner:
    """The runner of a daemon."""
    (found,) = (job for job in rig.daemon.jobs if isinstance(job, CompletenessRunner))
    return found


async def verify(rig: Rig, status: int = 202, **body: object) -> dict:
    """Make a request by the API, and do what is due."""
    reply = await rig.api("POST", "/attendance/verify", {"since": DAY, "all": True, **body})
    assert reply.status == status, reply.raw
    await runner(rig).work()
    return reply.json


async def poll(rig: Rig, sn: str = "T1") -> list[tuple[str, str]]:
    """The commands of a poll: each its ID and text."""
    lines = (await rig.get(f"getrequest?SN={sn}")).body.decode().splitlines()
    return [tuple(line.split(":", 2)[1:]) for line in lines if line != "OK"]


async def count(rig: Rig, number: int | str, text: str = COUNT, sn: str = "T1") -> None:
    """Answer the command to count with a number, as a terminal does, and do what is due."""
    ((command_id, found),) = await poll(rig, sn)
    assert found == text
    body = f"ID={command_id}&Return=0&CMD=VERIFY SUM&{PERIOD.replace(chr(9), '&')}"
    await rig.post(f"devicecmd?SN={sn}", f"{body}&AttlogSum={number}".encode())
    await runner(rig).work()


async def send_all(rig: Rig, *rows: str, code: int = 0) -> None:
    """Answer the query with rows, and do what is due."""
    ((command_id, found),) = await poll(rig)
    assert found == QUERY
    if rows:
        await upload(rig, *rows)
    await answer(rig, command_id, code, "T1")
    await poll(rig)  # a query without records ends at the next poll
    await runner(rig).work()


async def upload(rig: Rig, *rows: str, sn: str = "T1") -> None:
    """Upload attendance records."""
    body = "".join(f"{row}\n" for row in rows)
    assert (await rig.post(f"cdata?SN={sn}&table=ATTLOG&Stamp=1", body.encode())).status == 200


def row(second: int, pin: str = "7") -> str:
    """A punch of the day."""
    return f"{pin}\t{DAY} 08:00:{second:02}\t0\t1\t0\t0\t0"


async def outcome(rig: Rig, query: str = "order=desc&limit=1") -> dict:
    """The newest outcome."""
    (found,) = await rig.items(f"/attendance/verify?{query}")
    return found


async def problems(rig: Rig, sn: str = "T1") -> list[str]:
    """The details of the problem of missing records."""
    found = (await rig.api("GET", f"/problems?device={sn}")).json["items"]
    return [one["detail"] for one in found if one["code"] == ProblemCode.RECORDS_MISSING]
