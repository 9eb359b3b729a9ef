"""The secrets of encrypted sessions: in no file, in no log line, and good after a restart."""

from __future__ import annotations

import base64
import pathlib
from collections.abc import Iterator

from zkpush.crypto.terminal import TerminalCipher
from zkpush.protocol.envelope import encode_seal, place_of
from zkpush.protocol.requests import parse_arguments

from .process import Daemon

SECRET = b"5ec2e7 a secret of terminal and server"
LINE = b"7\t2026-01-05 08:00:00\t0\t1\n"


class Terminal:
    """A terminal that encrypts, and sends the token it was given last."""

    def __init__(self) -> None:
        self.cipher = TerminalCipher("T1", SECRET)
        self.tokens: list[bytes] = []

    def begin(self, daemon: Daemon) -> None:
        """Make all exchanges."""
        self._ask(daemon, "GET", "cdata?SN=T1&options=all&pushver=2.4.1")
        public = b"PublicKey=" + self.cipher.begin()
        keys = self._ask(daemon, "POST", "exchange?SN=T1&type=publickey", public)
        factor = b"Factors=" + self.cipher.factor(keys.removeprefix(b"PublicKey="))
        factors = self._ask(daemon, "POST", "exchange?SN=T1&type=factors", factor)
        self.cipher.agree(factors.removeprefix(b"Factors="))

    def poll(self, daemon: Daemon) -> bytes:
        """A sealed poll."""
        place = place_of("T1", "GET", b"/iclock/getrequest", parse_arguments(b""))
        request = self.cipher.seal(place)
        target = f"getrequest?SN=T1&seal={encode_seal(request.sealed)}"
        return self.cipher.open(place, request.number, self._ask(daemon, "GET", target))

    def upload(self, daemon: Daemon) -> bytes:
        """A sealed upload."""
        query = b"table=ATTLOG&Stamp=1"
        place = place_of("T1", "POST", b"/iclock/cdata", parse_arguments(query))
        request = self.cipher.seal(place, LINE)
        target = f"cdata?SN=T1&{query.decode()}"
        answer = self._ask(daemon, "POST", target, request.sealed)
        return self.cipher.open(place, request.number, answer)

    def secrets(self) -> Iterator[tuple[str, bytes]]:
        """What nobody else may know."""
        yield "shared secret", SECRET
        keys = self.cipher.keys
        assert keys is not None
        yield "request key", keys.request
        yield "reply key", keys.reply
        for token in self.tokens:
            yield "token", token

    def _ask(self, daemon: Daemon, method: str, target: str, body: bytes | None = None) -> bytes:
        connection = daemon.connect()
        headers = {"Cookie": f"token={self.tokens[-1].decode()}"} if self.tokens else {}
        connection.request(method, f"/iclock/{target}", body, headers)
        response = connection.getresponse()
        given = response.getheader("Set-Cookie")
        if given is not None:
            self.tokens.append(given.partition(";")[0].removeprefix("token=").encode())
        answer = response.read()
        connection.close()
        assert response.status == 200, answer
        return answer


def forms(secret: bytes) -> Iterator[bytes]:
    """How a secret may be written."""
    yield secret
    yield secret.hex().encode()
    for before in range(3):
        yield base64.b64encode(bytes(before) + secret)[4:-4]
        yield base64.urlsafe_b64encode(bytes(before) + secret)[4:-4]


def found(terminal: Terminal, content: bytes) -> list[str]:
    """The secrets that are in some bytes."""
    return [
        name
        for name, secret in terminal.secrets()
        if any(form in content for form in forms(secret))
    ]


def test_the_secrets_of_a_session_are_nowhere(tmp_path: pathlib.Path) -> None:
    """Neither on disk nor in what the daemon prints; and a daemon that was killed goes on."""
    terminal, printed = Terminal(), b""
    with Daemon(tmp_path) as daemon:
        daemon.exchange("T1")
        shared = {"secret": base64.b64encode(SECRET).decode(), "encryption": "require"}
        assert daemon.api("PATCH", "devices/T1", shared)["encryption"] == "require"
        terminal.begin(daemon)
        assert terminal.upload(daemon) == b"OK: 1"
        daemon.kill()
        printed += daemon.output().encode()
    with Daemon(tmp_path) as daemon:
        assert terminal.poll(daemon) == b"OK"
        assert terminal.upload(daemon) == b"OK: 1"
        assert daemon.api("GET", "devices/T1")["session"] == "encrypted"
        records = daemon.api("GET", "audit")["items"]
        daemon.kill()
        printed += daemon.output().encode()
    assert b"is encrypted" in printed
    assert found(terminal, printed) == []
    assert any("secret (not shown)" in (one["detail"] or "") for one in records)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(b"x25519-aes256gcm" in file.read_bytes() for file in files)
    for file in files:
        assert found(terminal, file.read_bytes()) == [], file


def test_a_plain_request_of_the_terminal_is_not_served(tmp_path: pathlib.Path) -> None:
    """In a real process as in the others: nothing plain, once encryption is required."""
    with Daemon(tmp_path) as daemon:
        daemon.exchange("T1")
        daemon.api("PATCH", "devices/T1", {"encryption": "require"})
        assert daemon.upload("T1", LINE) == (200, b"UNKNOWN DEVICE")
        assert daemon.api("GET", "attendance")["items"] == []
