"""What is secret never comes into the log of the daemon, whatever is done with it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import io
import itertools
import json
import pathlib
import re
import socket
from urllib.parse import SplitResult, quote

import pytest
from twisted.logger import eventsFromJSONLogFile, formatEvent

from zkpush.protocol.packets import pack

from .careless.careless import WAYS
from .process import Daemon
from .test_process import wait_until

CARELESS = pathlib.Path(__file__).parent / "careless"
CONFIG = """
[verification]
verifier = "careless"
[limits]
body_bytes = 65536
"""


_SQLITE = "sqlalchemy.exc.{0}, from sqlite3.{0}"
RAISED = {
    "message": "ValueError",
    "cause": "KeyError, from ValueError",
    "statement": _SQLITE.format("OperationalError"),
    "syntax": _SQLITE.format("OperationalError"),
    "parameter": _SQLITE.format("ProgrammingError"),
    "type": "sqlalchemy.exc.StatementError, from ValueError",
}
"""What the log says of each of `WAYS`: nothing that the message of an exception says."""


class Markers:
    """Makes secrets, each another one, and remembers what they look like."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.made: list[str] = []

    def __call__(self) -> str:
        """A secret that passes for anything: a word, a number in hex, base64, an identifier."""
        marker = f"5ec2e7{next(self._numbers):06d}beef"
        self.made.append(marker)
        return marker

    def packed(self) -> str:
        """One that is base64 of the secret."""
        return base64.b64encode(self().encode()).decode()

    def found(self, output: str) -> list[str]:
        """Those that are in a text, as they are or in base64, wherever in it they begin."""
        found = [marker for marker in self.made if marker in output]
        for marker in self.made:
            for shift in range(3):
                text = base64.b64encode(bytes(shift) + marker.encode()).decode()
                if text[4:-4] in output:
                    found.append(f"{marker} in base64")
        return found


def raw(place: SplitResult, data: bytes) -> bytes:
    """Send bytes, and take what comes until the other side ends it."""
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(data)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(OSError):
            while part := connection.recv(65536):
                answer += part
        return answer


def uploads(daemon: Daemon, secret: Markers) -> None:
    """Everything secret that terminals send, readable and not."""
    picture = base64.b64encode(b"\xff\xd8\xff" + secret().encode()).decode()
    bodies = [
        ("OPERLOG", f"USER PIN=7\tName=Ann\tPasswd={secret()}\tCard=123"),
        ("OPERLOG", f"FP PIN=7\tFID=1\tValid=1\tTMP={secret.packed()}"),
        ("OPERLOG", f"FP PIN=7\tFID={secret()}\tValid=1\tTMP={secret.packed()}"),
        ("OPERLOG", f"FP PIN=7\tFID=1\tValid={secret()}\tTMP={secret()}!"),
        ("OPERLOG", f"FACE PIN=7\tFID=0\tVALID=1\tTMP={secret.packed()}"),
        ("OPERLOG", f"USER Passwd={secret()}\nUSER {secret()}\n{secret()} PIN=7\tTMP={secret()}"),
        ("OPERLOG", f"OPLOG {secret()}\t{secret()}\t{secret()}"),
        ("OPERLOG", f"USERPIC PIN=7\tSize={secret()}\tContent={picture}"),
        ("OPERLOG", f"BIOPHOTO PIN=7\tType=9\tSize=1\tContent={picture}"),
        ("BIODATA", f"BIODATA Pin=7\tNo=1\tType={secret()}\tTmp={secret.packed()}"),
        ("IDCARD", f"IDCARD PIN=7\tPhoto={secret()}\tFPTemplate1={secret()}"),
        ("ATTLOG", f"{secret()}\t{secret()}\t{secret()}\t{secret()}\n7\t2026-01-05 08:00:00\t0"),
        ("ERRORLOG", f"ERRORLOG ErrCode={secret()}\tErrMsg={secret()}"),
        (secret(), f"anything {secret()}"),
        (quote(f"ATTLOG {secret()}"), secret()),
        ("options", f"~DeviceName=X,ComPwd={secret()},{secret()}"),
    ]
    for table, body in bodies:
        daemon.request("POST", f"cdata?SN=T1&table={table}&Stamp=1", body.encode())
    for body in (
        pack([("a", f"USER PIN=8\tPasswd={secret()}\n{secret()}".encode()), (secret(), b"x")]),
        pack([("a", f"USER PIN=8\tPasswd={secret()}".encode())])[:-9] + secret().encode(),
        secret().encode(),
    ):
        daemon.request("POST", "cdata?SN=T1&table=OPERLOG&ContentType=tgz", body)
    photo = f"PIN=20260301080000-{secret()}.jpg\nSN=T1\nsize={secret()}\nCMD=uploadphoto\0{picture}"
    daemon.request("POST", "fdata?SN=T1&table=ATTPHOTO", photo.encode())
    daemon.request("POST", f"fdata?SN=T1&PIN={secret()}", photo.encode())
    daemon.request("POST", "cdata?SN=T1&type=PostVerifyData", f"PIN=7\tCard={secret()}".encode())
    daemon.request("POST", "cdata?SN=T1&table=ATTLOG", secret().encode() * 5000)
    for reply in (
        f"ID={secret()}&Return=0&CMD=INFO\n~Secret={secret()}",
        f"ID=1&Return={secret()}&CMD={secret()}",
        f"ID=1\nReturn=0\nCMD=GetFile\nFILENAME={secret()}\nContent={secret()}",
        f"{secret()}",
    ):
        daemon.request("POST", "devicecmd?SN=T1", reply.encode())


def queries(daemon: Daemon, secret: Markers) -> None:
    """Secrets in request lines and headers, of terminals and of callers of the API."""
    for path in (
        f"cdata?SN=T1&options=all&pushver=2.4.1&pushcommkey={secret()}",
        f"cdata?SN=T1&options=all&pushver={secret()}&PublicKey={secret()}&token={secret()}",
        f"cdata?SN={secret()}%00&options=all",
        f"cdata?SN=T1&SN={secret()}",
        f"getrequest?SN=T1&INFO={secret()},{secret()},{secret()}",
        f"cdata?SN=T1&table=RemoteAtt&PIN={secret()}",
        f"file?SN=T1&url=http://192.0.2.9/{secret()}",
        f"{secret()}?SN=T1",
    ):
        daemon.request("GET", path)
    for place in (daemon.terminals, daemon.manage):
        for line in (
            f"{secret()}\r\n\r\n",
            f"GET /{secret()} HTTP/1.1\r\nHost: x\r\n{secret()}\r\n\r\n",
            f"GET /iclock/ping?SN=T1 HTTP/1.1\r\nContent-Length: {secret()}\r\n\r\n",
            f"POST /api/v1/devices/T1/commands HTTP/1.1\r\nAuthorization: Bearer {daemon.token}\r\n"
            f"Transfer-Encoding: chunked\r\n\r\n{secret()}\r\n",
            f"GET / HTTP/1.1\r\nCookie: token={secret()}\r\nContent-Type: multipart/form-data; "
            f"boundary={secret()}\r\nConnection: close\r\n\r\n",
        ):
            raw(place, line.encode())


def calls(daemon: Daemon, secret: Markers) -> None:
    """Secrets in requests to the API, right and wrong."""

    def ask(method: str, path: str, body: object = None, token: str = daemon.token) -> int:
        connection = http.client.HTTPConnection(daemon.manage.hostname, daemon.manage.port)
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}", "User-Agent": f"zkpush-cli/{secret()} x"}
        connection.request(method, f"/api/v1/{path}", content, headers)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        if path == "tokens" and response.status == 201:
            secret.made.append(json.loads(answer)["token"].removeprefix("zkp_"))
        return response.status

    assert ask("GET", "devices", token=secret()) == 401
    assert ask("GET", f"devices?token={secret()}") == 400
    assert ask("POST", "devices/T1/commands", f'{{"command": {secret()}'.encode()) == 400
    assert ask("POST", "devices/T1/commands", {"command": secret(), "params": {}}) == 400
    assert ask("POST", "devices/T1/commands", {secret(): secret()}) == 400
    params = {"PIN": "7", "Passwd": secret()[:8]}
    user = {"command": "DATA UPDATE USERINFO", "params": params}
    assert ask("POST", "devices/T1/commands", user) == 202
    finger = {"PIN": "7", "FID": "1", "Valid": "1", "TMP": secret.packed()}
    body = {"command": "DATA UPDATE FINGERTMP", "params": finger}
    assert ask("POST", "devices/T1/commands", body) == 202
    assert ask("PATCH", "devices/T1", {"alias": "x", secret(): secret()}) == 400
    assert ask("POST", "tokens", {"name": "hr", "scopes": ["read"]}) == 201
    assert ask("POST", "tokens", {"name": "hr", "scopes": [secret()]}) == 400
    assert ask("POST", "files?name=fw.bin", secret().encode()) == 201
    assert ask("GET", "users") == 200
    assert ask("GET", "users/7/templates") == 200


def careless(daemon: Daemon, secret: Markers) -> None:
    """What a plugin quotes when it fails: a terminal for each way, as none waits for another."""
    for _ in range(3):
        body = f"CARELESS How=later\tWhat={secret()}".encode()
        assert daemon.request("POST", "cdata?SN=T1&table=OPERLOG", body) == (200, b"OK: 1")
    daemon.settle("careless")
    for way in WAYS:
        daemon.exchange(f"C-{way}")
        body = f"CARELESS How={way}\tWhat={secret()}".encode()
        answer = daemon.request("POST", f"cdata?SN=C-{way}&table=OPERLOG", body)
        assert answer == (200, b"OK: 1")
    ways = [f", terminal C-{way}, table CARELESS" for way in WAYS]
    wait_until(lambda: all(way in daemon.printed() for way in ways))
    assert daemon.plugin("careless")["state"] == "failing"


@pytest.mark.long
@pytest.mark.parametrize("twistd", [(), ("--logger", "careless.as_json")])
def test_no_secret_is_logged(tmp_path: pathlib.Path, twistd: tuple[str, ...]) -> None:
    """Not a password, template, photo, key, token, body, or what could not be read; nor recorded.

    As text, and as JSON, which has everything that an event brings.
    """
    config = tmp_path / "zkpush.toml"
    config.write_text(CONFIG)
    secret = Markers()
    environment = {"PYTHONPATH": str(CARELESS)}
    flags = ("--config", str(config))
    with Daemon(tmp_path / "data", *flags, env=environment, twistd=twistd) as daemon:
        key = secret()
        daemon.request("GET", f"cdata?SN=T1&options=all&pushver=2.4.1&pushcommkey={key}")
        daemon.exchange("T2")
        pin = {"comm_key": hashlib.sha256(key.encode()).hexdigest()}
        daemon.api("PATCH", "devices/T1", pin)
        daemon.request("GET", f"cdata?SN=T1&options=all&pushver=2.4.1&pushcommkey={secret()}")
        uploads(daemon, secret)
        careless(daemon, secret)
        calls(daemon, secret)
        queries(daemon, secret)
        secret.made.append(daemon.token)
        recorded = json.dumps(daemon.api("GET", "audit?limit=1000"))
        daemon.terminate()
        output = daemon.output()
    assert len(secret.made) > 100
    assert secret.found(output) == []
    assert re.search(r"DATA UPDATE USERINFO PIN=person:[0-9a-f]+ Passwd \(not shown\)", recorded)
    assert secret.found(recorded) == []
    if twistd:
        events = eventsFromJSONLogFile(io.StringIO(output))
        output += "\n".join(formatEvent(event) for event in events)
    # That it is not there does not mean that nothing is: who reads the log sees what went wrong.
    for told in (
        "ValueError",
        "KeyError, from ValueError",
        "careless.py",
        "Uncaught in the thread",
        "Uncaught in clean-up",
        "Unhandled error in Deferred",
        "failed with %s",
        "record handler careless failed",
        "came with another pushcommkey",
        "kept: 1 (zkpush rejects list)",
        "the verifier careless failed (LookupError in ",
        "Main loop terminated.",
        # Of each way to fail, the terminal, the table, and the types of all that was raised.
        *(f"storing lines, terminal C-{way}, table CARELESS: {RAISED[way]} in " for way in WAYS),
    ):
        assert told in output, told
