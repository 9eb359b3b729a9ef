"""An answer to a command takes few statements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_twisted
from sqlalchemy import Engine, event

from ..rig import Rig
from .test_queue import queue, shown

POLL = "getrequest?SN=T1"
NO_EFFECT = {"command": "LOG", "params": {}}
FRAME = ("BEGIN", "COMMIT", "PRAGMA", "--")
_TABLE = re.compile(
    r"^(?:SELECT|INSERT|UPDATE|DELETE)|(?<=FROM )[a-z]+|(?<=INTO )[a-z]+|(?<=UPDATE )[a-z]+"
)


@pytest.fixture
def executed() -> Iterator[list[str]]:
    """The statements of all connections that are made from now on, except for transactions."""
    found: list[str] = []

    def note(statement: str) -> None:
        if not statement.startswith(FRAME):
            found.append(statement)

    def watch(driver: Any, _: object) -> None:
        driver.set_trace_callback(note)

    event.listen(Engine, "connect", watch)
    yield found
    event.remove(Engine, "connect", watch)


async def statements(rig: Rig, executed: list[str], number: int) -> list[str]:
    """The kinds and tables of the statements for so many answers in one request."""
    ids = [(await queue(rig, NO_EFFECT))["id"] for _ in range(number)]
    assert (await rig.get(POLL)).body.count(b":LOG") == number
    body = "".join(f"ID={one}&Return=0&CMD=LOG\n" for one in ids)
    executed.clear()
    assert (await rig.post("devicecmd?SN=T1", body.encode())).body == b"OK"
    found = [" ".join(_TABLE.findall(statement)[:2]) for statement in executed]
    assert all([(await shown(rig, one))["state"] == "done" for one in ids])
    return found


@pytest.mark.parametrize("number", [1, 5])
@pytest_twisted.ensureDeferred
async def test_an_answer_without_an_effect_takes_three_statements(
    executed, make_rig, number: int
) -> None:
    """It reads the command, ends it, and reads what is due next; a commit inserts all events."""
    rig = await make_rig()
    await rig.exchange()
    found = await statements(rig, executed, number)
    ended = ["UPDATE commands"] * number
    assert found == ["SELECT commands", *ended, "SELECT commands", "INSERT events"]
