"""The routing table of terminals: which gate and which action a request gets."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.device.request import AcceptedRequest, Gate, TerminalRoute
from zkpush.http.messages import RequestHead
from zkpush.resources.attendance.family import AttendancePush
from zkpush.resources.paths import PathTable

from ..rig import Rig

ROUTES = [
    ("GET", "cdata?SN=T1&options=all", "hello", "begin"),
    ("GET", "cdata?SN=T1&options=&table=options", "hello", "begin"),
    ("GET", "cdata?SN=T1", "hello", "begin"),
    ("GET", "cdata?SN=T1&table=RemoteAtt&PIN=1", "session", "user"),
    ("GET", "CDATA.aspx?sn=T1&TABLE=remoteatt&options=all", "session", "user"),
    ("POST", "cdata?SN=T1&table=ATTLOG&Stamp=1", "session", "take"),
    ("POST", "cdata?SN=T1&table=RemoteAtt", "session", "take"),
    ("POST", "cdata?SN=T1&type=PostVerifyData", "session", "verify"),
    ("POST", "cdata?SN=T1&type=postverifydata&table=ATTLOG", "session", "verify"),
    ("POST", "fdata?SN=T1&table=ATTPHOTO", "session", "take"),
    ("POST", "exchange?SN=T1&type=publickey", "admission", "agree"),
    ("GET", "getrequest?SN=T1", "session", "poll"),
    ("GET", "iclock/GetRequest/?SN=T1&INFO=1", "session", "poll"),
    ("POST", "devicecmd?SN=T1", "session", "take_answers"),
    ("GET", "ping?SN=T1", "session", "ping"),
    ("POST", "ping?SN=T1", "session", "ping"),
    ("GET", "file?SN=T1&url=secret", "session", "file_of"),
    ("HEAD", "file/secret?SN=T1", "session", "file_of"),
    ("GET", "file/secret/name", "none", "file"),
]


@pytest.mark.parametrize(("method", "target", "gate", "action"), ROUTES)
@pytest_twisted.ensureDeferred
async def test_a_request_gets_its_row(
    rig: Rig, method: str, target: str, gate: str, action: str
) -> None:
    """The first row of its path and method whose selector matches counts."""
    await rig.exchange()
    path, _, query = f"/iclock/{target}".partition("?")
    head = RequestHead(method, path.encode(), query.encode(), "192.0.2.7")
    accepted = rig.terminals.judge(head)
    assert isinstance(accepted, AcceptedRequest)
    request = accepted.request
    assert request.head is head
    assert (request.route.gate.value, request.route.action.__name__) == (gate, action)
    known = accepted.terminal
    assert (request.sn, known and known.device.sn) == (
        ("T1",) * 2 if "T1" in target else ("", None)
    )


@pytest_twisted.ensureDeferred
async def test_every_row_is_reached(rig: Rig) -> None:
    """No row of the table stands behind one that takes all of its requests."""
    table = rig.terminals.gate.paths
    declared = set()
    for _, target, _, _ in ROUTES:
        shared = table.find(f"/iclock/{target.partition('?')[0]}".encode())
        assert shared is not None
        path = shared.by_family["attendance"]
        declared |= {route.action.__name__ for route in path.others.values()}
        declared |= {one.route.action.__name__ for some in path.methods.values() for one in some}
    assert declared == {action for _, _, _, action in ROUTES}


def answer(*arguments: object) -> bytes:
    """Answer anything."""
    return b"OK"


@pytest.mark.parametrize("selectors", [["a="], ["", "a="], ["", ""]])
def test_a_table_with_a_gap_is_refused(selectors: list[str]) -> None:
    """Each method of a path ends with one row that takes all other requests."""
    family = AttendancePush()
    rows = [TerminalRoute(family, "GET", "x", one, Gate.SESSION, answer) for one in selectors]
    with pytest.raises(ValueError, match="GET x: the last row"):
        PathTable(rows)
