"""`zkpush console` and `zkpush accounts`, and the certificate that they make."""

from __future__ import annotations

import datetime
import json
import pathlib
import ssl
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from zkpush.handlers.accounts.certificate import make_certificate

from ..cli.program import SECONDS, Daemon, failed, misused, said, start

NOW = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


@pytest.fixture
def daemon(tmp_path: pathlib.Path) -> Iterator[Daemon]:
    """A daemon without accounts."""
    found = Daemon(tmp_path / "data")
    yield found
    found.stop()


def test_setup_says_how_the_console_is_reached(daemon: Daemon) -> None:
    """It prints the address, the tunnel and the link; once there is an account, no link."""
    shown = said(daemon.zkpush("console", "setup"))
    port = daemon.url.rpartition(":")[2]
    assert f"{daemon.url}/console/\n" in shown
    assert f"ssh -N -L {port}:127.0.0.1:{port} " in shown
    assert f"{daemon.url}/console/welcome/" in shown
    run = daemon.zkpush("accounts", "add", "ann", "--scope", "read")
    assert said(run).startswith(f"{daemon.url}/console/welcome/")
    assert "/welcome/" not in said(daemon.zkpush("console", "setup"))
    assert json.loads(said(daemon.zkpush("console", "setup", "--json")))["link"] is None


def test_setup_waits_for_a_daemon_that_is_just_starting(tmp_path: pathlib.Path) -> None:
    """Before there is a data directory, it waits; then it prints the link of the new daemon."""
    data = tmp_path / "data"
    waiting = start("--data", str(data), "console", "setup")
    assert waiting.stderr is not None
    assert waiting.stderr.readline() == f"Waiting for the daemon on {data} to start …\n"
    assert not data.exists()
    daemon = Daemon(data)
    try:
        out, _ = waiting.communicate(timeout=SECONDS)
    finally:
        daemon.stop()
    assert f"{daemon.url}/console/welcome/" in out


def test_setup_does_not_believe_the_address_of_a_killed_daemon(daemon: Daemon) -> None:
    """What a killed daemon has left is no daemon: it waits for the next one."""
    daemon.kill()
    waiting = daemon.start("console", "setup")
    assert waiting.stderr is not None
    assert waiting.stderr.readline().startswith("Waiting for the daemon")
    again = Daemon(daemon.data)
    try:
        out, _ = waiting.communicate(timeout=SECONDS)
    finally:
        again.stop()
    assert f"{again.url}/console/welcome/" in out


def test_accounts_are_listed_and_removed(daemon: Daemon) -> None:
    """An account has no password until its link is used."""
    said(daemon.zkpush("accounts", "add", "ann", "--scope", "read"))
    assert "There is an account ann already" in failed(
        daemon.zkpush("accounts", "add", "ann", "--scope", "read")
    )
    (shown,) = json.loads(said(daemon.zkpush("accounts", "list", "--json")))
    assert (shown["name"], shown["scopes"], shown["has_password"]) == ("ann", ["read"], False)
    assert "/welcome/" in said(daemon.zkpush("accounts", "link", "ann"))
    said(daemon.zkpush("accounts", "remove", "ann"))
    assert "There is no account ann" in failed(daemon.zkpush("accounts", "remove", "ann"))


def test_a_certificate_is_made_for_its_names(tmp_path: pathlib.Path) -> None:
    """Browsers accept it for these names and addresses; its fingerprint is printed."""
    key, pem, fingerprint = make_certificate(["hr-server", "192.0.2.5"], NOW)
    found = x509.load_pem_x509_certificate(pem)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["hr-server"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.5"]
    assert found.not_valid_before_utc < NOW < found.not_valid_after_utc
    assert fingerprint.replace(":", "").lower() == found.fingerprint(hashes.SHA256()).hex()
    (tmp_path / "key").write_bytes(key)
    (tmp_path / "pem").write_bytes(pem)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "pem", tmp_path / "key")


def test_a_certificate_replaces_no_file(tmp_path: pathlib.Path) -> None:
    """The key is for its owner only, and an existing one stays."""
    words = ("console", "certificate", "hr-server", "--to", str(tmp_path))
    shown = said(misused(*words))
    assert f"ssl:8082:privateKey={tmp_path}/console.key:certKey={tmp_path}/console.pem" in shown
    assert (tmp_path / "console.key").stat().st_mode & 0o777 == 0o600
    before = (tmp_path / "console.key").read_bytes()
    assert "is there already" in failed(misused(*words))
    assert (tmp_path / "console.key").read_bytes() == before
