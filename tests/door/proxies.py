"""Real nginx and HAProxy with the configurations that users copy, in front of anything."""

from __future__ import annotations

import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable

import pytest

from ..certificates import Signed, sign

ROOT = pathlib.Path(__file__).parents[2]
NAMES = ("nginx", "haproxy")
CONFIGURATIONS = {
    "nginx": ROOT / "deploy" / "nginx.conf",
    "haproxy": ROOT / "deploy" / "haproxy.cfg",
}
SECONDS = 30
_SYSTEM = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
_AROUND_NGINX = """\
daemon off;
{user}
pid {folder}/nginx.pid;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/zkpush.conf;
}}
"""


def program(name: str) -> str:
    """Where a proxy is installed. Without it a test is skipped, but in CI it fails."""
    found = shutil.which(name, path=_SYSTEM)
    if found is None:
        why = f"{name} is not installed (apt-get install {name})"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return found


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody uses now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


class Proxy:
    """A proxy as the user would run it, but for ports and files."""

    def __init__(
        self,
        name: str,
        folder: pathlib.Path,
        terminals: int,
        people: int,
        change: Callable[[str], str] = str,
    ) -> None:
        """It is in front of what listens on the ports `terminals` and `people`.

        `change` does to the configuration what the manual says users may.
        """
        command = program(name)
        self.name = name
        self.port, self.people = free_ports(2)
        self.certificate: Signed = sign()
        folder.mkdir()
        key, chain = self.certificate.write(folder)
        key.rename(folder / "key.pem")
        chain.rename(folder / "fullchain.pem")
        (folder / "combined.pem").write_bytes(self.certificate.key_pem + self.certificate.pem)
        text = change(CONFIGURATIONS[name].read_text())
        for theirs, ours in (
            ("listen 443 ", f"listen 127.0.0.1:{self.port} "),
            ("listen 8443 ", f"listen 127.0.0.1:{self.people} "),
            ("bind :443 ", f"bind 127.0.0.1:{self.port} "),
            ("bind :8443 ", f"bind 127.0.0.1:{self.people} "),
            ("127.0.0.1:8081", f"127.0.0.1:{terminals}"),
            ("127.0.0.1:8082", f"127.0.0.1:{people}"),
            ("/etc/ssl/zkpush", str(folder)),
        ):
            text = text.replace(theirs, ours)
        (folder / "zkpush.conf").write_text(text)
        user = "user root;" if os.getuid() == 0 else ""
        (folder / "main.conf").write_text(_AROUND_NGINX.format(folder=folder, user=user))
        arguments = {
            "nginx": ["-p", folder, "-e", folder / "error.log", "-c", folder / "main.conf"],
            "haproxy": ["-db", "-f", folder / "zkpush.conf"],
        }
        self._log = (folder / "output").open("w+")
        self._process = subprocess.Popen(
            [command, *arguments[name]], stdout=self._log, stderr=subprocess.STDOUT
        )
        self.context = ssl.create_default_context(cadata=self.certificate.pem.decode())
        deadline = time.monotonic() + SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError((folder / "output").read_text())
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except OSError:
            return False
        return True

    def connect(self, *, people: bool = False) -> ssl.SSLSocket:
        """A connection through it, encrypted."""
        port = self.people if people else self.port
        plain = socket.create_connection(("127.0.0.1", port), SECONDS)
        return self.context.wrap_socket(plain, server_hostname="localhost")

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(SECONDS)
        finally:
            self._log.close()


def take_reply(connection: socket.socket) -> tuple[bytes, bytes]:
    """The head and body of one reply, or what came before the connection ended."""
    read = b""
    while b"\r\n\r\n" not in read:
        part = connection.recv(65_536)
        if not part:
            return read, b""
        read += part
    head, _, body = read.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.split(b"\r\n") if line.lower()[:15] == b"content-length:"),
        0,
    )
    parts = [body]
    missing = length - len(body)
    while missing > 0:
        part = connection.recv(65_536)
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return head + b"\r\n\r\n", b"".join(parts)


class Upstream:
    """A server behind a proxy that keeps what came, and answers as it is told."""

    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        """`answer` gives the reply to the head of a request, or None to hang up without one."""
        self.heads: list[bytes] = []
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(SECONDS)
            while True:
                try:
                    head, _ = take_reply(connection)  # requests have the same form
                except OSError:
                    return
                if not head:
                    return
                self.heads.append(head)
                answer = self._answer(head)
                if answer is None:
                    return
                connection.sendall(answer)

    def stop(self) -> None:
        """Listen no more."""
        self._listening.close()
