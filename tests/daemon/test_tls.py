"""HTTPS of the daemon as a process: certificates that change, mistakes, and its command line."""

from __future__ import annotations

import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import threading

import pytest
from cryptography import x509

from ..certificates import DAY, Signed, sign
from ..cli.program import zkpush
from .process import LOOPBACK, Daemon
from .test_process import run, wait_until
from .test_workers import children, served, stopped, wait_for_workers

SECONDS = 20


def endpoint(folder: pathlib.Path, before: str = "") -> str:
    """An endpoint with the certificate of a folder, on a port of its own choice."""
    return (
        f"{before}ssl:0:interface=127.0.0.1:privateKey={folder}/server.key"
        f":certKey={folder}/server.pem"
    )


def trust(signed: Signed) -> ssl.SSLContext:
    """A client that trusts an authority."""
    return ssl.create_default_context(cadata=signed.pem.decode())


def https_port(daemon: Daemon) -> int:
    """The second port of terminals: the first is the plain one of every daemon of the tests."""
    where = json.loads((daemon.data / "run.json").read_text())
    scheme, _, address = where["listen"][1].partition("://")
    assert scheme == "https"
    return int(address.rpartition(":")[2])


def shown_at(port: int) -> int:
    """The serial number of the certificate that a new connection sees."""
    pem = ssl.get_server_certificate(("127.0.0.1", port), timeout=SECONDS)
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


@pytest.mark.long
@pytest.mark.usefixtures("no_cover")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_certificate_is_renewed_under_traffic_and_no_request_fails(
    tmp_path: pathlib.Path, workers: str
) -> None:
    """Every process takes the new one within seconds; open connections go on; all is stored."""
    authority = sign("Authority", authority=True)
    first, second = sign(by=authority), sign(by=authority)
    first.write(tmp_path)
    context = trust(authority)
    flags = ("--workers", workers, "--listen", endpoint(tmp_path))
    with Daemon(tmp_path / "data", *flags) as daemon:
        wait_until(lambda: served(daemon, "cdata?SN=T1&options=all&pushver=2.4.1"))
        if int(workers) > 1:
            wait_for_workers(daemon, int(workers), ports=2)
        port = https_port(daemon)
        stop = threading.Event()
        stored: list[str] = []
        failed: list[object] = []

        def push(number: int, keep: bool) -> None:
            connection = http.client.HTTPSConnection(
                "localhost", port, timeout=SECONDS, context=context
            )
            count = 0
            while not stop.is_set():
                pin = f"{number}{count:05}"
                count += 1
                body = f"{pin}\t2026-01-05 08:00:00\t0\t1\n"
                try:
                    connection.request("POST", "/iclock/cdata?SN=T1&table=ATTLOG&Stamp=1", body)
                    response = connection.getresponse()
                    reply = response.status, response.read()
                except (OSError, http.client.HTTPException) as error:
                    failed.append(error)
                    return
                if reply == (200, b"OK: 1"):
                    stored.append(pin)
                else:
                    failed.append(reply)
                if not keep:
                    connection.close()

        threads = [threading.Thread(target=push, args=(n, n % 2 == 0)) for n in range(1, 5)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(stored) > 20)
        assert shown_at(port) == first.serial
        second.write(tmp_path)
        # Whoever speaks for all of them need not be the first that takes it.
        wait_until(lambda: "server.pem was read, and is in use" in daemon.printed())
        pids = set(children(daemon)) or {daemon.process.pid}
        for pid in pids:
            with stopped(daemon, pids - {pid}):
                wait_until(lambda: shown_at(port) == second.serial)
        after = len(stored)
        wait_until(lambda: len(stored) > after + 20)
        stop.set()
        for thread in threads:
            thread.join()
        assert failed == []
        assert sorted(daemon.pins()) == sorted(stored)
        (tmp_path / "server.key").write_text("rubbish")
        assert shown_at(port) == second.serial
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "server.key does not hold a private key in PEM" in daemon.printed())
        assert shown_at(port) == second.serial
        assert served(daemon, "getrequest?SN=T1") == b"OK"
        daemon.terminate()
        output = daemon.output()
    assert output.count("server.pem was read, and is in use") == 1
    assert "Traceback" not in output


def test_sighup_reads_the_files_again(tmp_path: pathlib.Path) -> None:
    """As after a renewal, without waiting."""
    first, second = sign(), sign()
    first.write(tmp_path)
    with Daemon(tmp_path / "data", "--listen", endpoint(tmp_path)) as daemon:
        port = https_port(daemon)
        assert shown_at(port) == first.serial
        second.write(tmp_path)
        os.kill(daemon.process.pid, signal.SIGHUP)
        wait_until(lambda: shown_at(port) == second.serial)
        assert daemon.process.poll() is None


def test_old_firmware_is_served_only_where_that_is_configured(tmp_path: pathlib.Path) -> None:
    """TLS 1.1 ends in the handshake, unless the minimum is lower, which the log warns of."""
    sign().write(tmp_path)
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")

    def poll(port: int) -> bytes:
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=SECONDS, context=old)
        try:
            connection.request("GET", "/iclock/cdata?SN=T1&options=all")
            return connection.getresponse().read()
        finally:
            connection.close()

    with (
        Daemon(tmp_path / "data", "--listen", endpoint(tmp_path)) as daemon,
        pytest.raises(ssl.SSLError),
    ):
        poll(https_port(daemon))
    file = tmp_path / "zkpush.toml"
    file.write_text('[tls]\nminimum = "1.1"\n')
    flags = ("--listen", endpoint(tmp_path), "--config", str(file))
    with Daemon(tmp_path / "data", *flags) as daemon:
        assert poll(https_port(daemon)).startswith(b"GET OPTION FROM: T1\n")
        daemon.terminate()
        assert daemon.output().count("TLS 1.1 is allowed for terminals") == 1


def test_a_terminal_without_a_certificate_gets_no_further_than_the_handshake(
    tmp_path: pathlib.Path,
) -> None:
    """Where one is required; with one, it is served. People need none."""
    authority, server = sign("Terminals", authority=True), sign()
    server.write(tmp_path)
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    key, certificate = sign("T1", authority).write(tmp_path, "terminal")
    file = tmp_path / "zkpush.toml"
    file.write_text(f'[tls]\nclient_certificates = "required"\nclient_ca = "{tmp_path}/ca.pem"\n')
    flags = ("--config", str(file), "--listen", endpoint(tmp_path), "--manage", endpoint(tmp_path))
    with Daemon(tmp_path / "data", *flags) as daemon:
        context = trust(server)

        def poll() -> tuple[int, bytes]:
            connection = http.client.HTTPSConnection(
                "localhost", https_port(daemon), timeout=SECONDS, context=context
            )
            try:
                connection.request("GET", "/iclock/cdata?SN=T1&options=all")
                response = connection.getresponse()
                return response.status, response.read()
            finally:
                connection.close()

        with pytest.raises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
            poll()
        context.load_cert_chain(certificate, key)
        status, body = poll()
        assert status == 200
        assert body.startswith(b"GET OPTION FROM: T1\n")
        listed = zkpush(
            *("--url", f"https://localhost:{daemon.manage.port}", "--token", daemon.token),
            *("--ca", str(tmp_path / "server.pem"), "devices", "list", "--json"),
        )
        assert listed.returncode == 0, listed.stderr
        assert [device["sn"] for device in json.loads(listed.stdout)] == ["T1"]


def test_the_command_line_trusts_only_what_it_is_told_to(tmp_path: pathlib.Path) -> None:
    """A self-signed certificate, and one for another name, are refused in a line that helps."""
    server, other = sign(), sign()
    server.write(tmp_path)
    other.write(tmp_path, "other")
    with Daemon(tmp_path / "data", "--manage", endpoint(tmp_path)) as daemon:
        assert daemon.manage.scheme == "https"
        ca = ("--ca", str(tmp_path / "server.pem"))
        found = zkpush("--data", str(daemon.data), *ca, "devices", "list")
        assert found.returncode == 0, found.stderr
        for trusted in ((), ("--ca", str(tmp_path / "other.pem"))):
            refused = zkpush("--data", str(daemon.data), *trusted, "devices", "list")
            assert refused.returncode == 1
            assert "is not trusted: certificate verify failed" in refused.stderr
            assert "--ca FILE" in refused.stderr
    for file, why in (("absent.pem", "No such file"), ("server.key", "does not hold")):
        refused = zkpush(
            "--url",
            "https://localhost:1",
            "--token",
            "t",
            "--ca",
            str(tmp_path / file),
            "devices",
            "list",
        )
        assert refused.returncode == 1
        assert why in refused.stderr


def test_a_certificate_for_another_name_is_refused(tmp_path: pathlib.Path) -> None:
    """The name in the URL has to be in the certificate."""
    elsewhere = sign("elsewhere.example", address="192.0.2.1")
    elsewhere.write(tmp_path)
    with Daemon(tmp_path / "data", "--manage", endpoint(tmp_path)) as daemon:
        ca = ("--ca", str(tmp_path / "server.pem"))
        refused = zkpush("--data", str(daemon.data), *ca, "devices", "list")
    assert refused.returncode == 1
    assert "is not trusted: it is for another name" in refused.stderr


def test_a_simulation_says_which_url_is_meant(tmp_path: pathlib.Path) -> None:
    """At once, for HTTP at a port with TLS, TLS at one without, and certificates without trust."""
    sign(address="127.0.0.1").write(tmp_path)
    with Daemon(tmp_path / "data", "--listen", endpoint(tmp_path)) as daemon:
        plain, tls = json.loads((daemon.data / "run.json").read_text())["listen"]

        def fault(url: str) -> str:
            done = zkpush("simulate", "--server", url, "--punches", "1")
            assert done.returncode == 1
            return done.stderr.splitlines()[-1]

        https = plain.replace("http://", "https://")
        http = tls.replace("https://", "http://")
        trusted = str(tmp_path / "server.pem")
        assert fault(https) == f"Error: {https} speaks HTTP without TLS: use {plain}."
        assert fault(http) == f"Error: {http} speaks TLS (HTTPS): use {tls}."
        assert "is not trusted: give the CA that signed it" in fault(tls)
        simulated = ("simulate", "--server", tls, "--punches", "1", "--rate", "50")
        run = zkpush("--ca", trusted, *simulated)
        assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ("rm server.key", "server.key cannot be read: No such file or directory"),
        ("rubbish server.pem", "server.pem does not hold a certificate in PEM"),
        ("other server.key", "server.key is not the private key of the certificate in"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_one_line_at_the_start(
    tmp_path: pathlib.Path, spoil: str, why: str
) -> None:
    """And exit status 1."""
    sign().write(tmp_path)
    how, _, name = spoil.partition(" ")
    if how == "rm":
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(b"rubbish" if how == "rubbish" else sign().key_pem)
    ended = run("--data", tmp_path / "data", "--listen", endpoint(tmp_path), "--manage", LOOPBACK)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("zkpush: listen: ")
    assert why in line


def test_an_expired_certificate_serves_with_a_warning(tmp_path: pathlib.Path) -> None:
    """Terminals without a clock cannot tell; the log does."""
    sign(begin=-DAY * 9, end=-DAY).write(tmp_path)
    with Daemon(tmp_path / "data", "--listen", endpoint(tmp_path)) as daemon:
        shown_at(https_port(daemon))
        daemon.terminate()
        assert daemon.output().count("the certificate expired on") == 1


def test_a_proxy_speaks_before_the_handshake(tmp_path: pathlib.Path) -> None:
    """`haproxy:ssl:` takes whom a proxy speaks for in front of what is encrypted."""
    server = sign()
    server.write(tmp_path)
    with (
        Daemon(tmp_path / "data", "--listen", endpoint(tmp_path, "haproxy:")) as daemon,
        socket.create_connection(("127.0.0.1", https_port(daemon)), SECONDS) as plain,
    ):
        plain.sendall(b"PROXY TCP4 192.0.2.9 192.0.2.1 40000 443\r\n")
        with trust(server).wrap_socket(plain, server_hostname="localhost") as secure:
            secure.sendall(b"GET /iclock/cdata?SN=T1&options=all HTTP/1.0\r\n\r\n")
            assert secure.recv(17).startswith(b"HTTP/1.0 200 ")
            assert daemon.api("GET", "devices/T1")["address"] == "192.0.2.9"


def test_a_proxy_that_is_not_trusted_gets_no_further(tmp_path: pathlib.Path) -> None:
    """Whoever else knows the port cannot say from where they come, encrypted or not."""
    server = sign()
    server.write(tmp_path)
    file = tmp_path / "zkpush.toml"
    file.write_text('[proxies]\ntrusted = ["192.0.2.77"]\n')
    flags = ("--listen", endpoint(tmp_path, "haproxy:"), "--config", str(file))
    with (
        Daemon(tmp_path / "data", *flags) as daemon,
        socket.create_connection(("127.0.0.1", https_port(daemon)), SECONDS) as plain,
    ):
        plain.sendall(b"PROXY TCP4 192.0.2.9 192.0.2.1 40000 443\r\n")
        with pytest.raises(OSError), trust(server).wrap_socket(plain, server_hostname="localhost"):  # noqa: PT011 - ended in any way
            pass
        assert daemon.api("GET", "devices")["items"] == []


def test_a_client_that_never_shakes_hands_holds_up_nobody(tmp_path: pathlib.Path) -> None:
    """Others are served meanwhile."""
    server = sign()
    server.write(tmp_path)
    with Daemon(tmp_path / "data", "--listen", endpoint(tmp_path)) as daemon:
        port = https_port(daemon)
        silent = [socket.create_connection(("127.0.0.1", port), SECONDS) for _ in range(50)]
        silent[0].sendall(b"\x16\x03\x01")
        assert shown_at(port) == server.serial
        for connection in silent:
            connection.close()
