"""TLS of listeners: versions, certificates of terminals, and files that change."""

from __future__ import annotations

import contextlib
import datetime
import pathlib
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from OpenSSL import SSL
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher

from zkpush.endpoints import is_encrypted, server_endpoint
from zkpush.settings.network import Tls
from zkpush.tls import CertificateFiles, Certificates, Credentials

from .certificates import DAY, Signed, sign

VERSIONS = {
    "1.0": SSL.TLS1_VERSION,
    "1.1": SSL.TLS1_1_VERSION,
    "1.2": SSL.TLS1_2_VERSION,
    "1.3": SSL.TLS1_3_VERSION,
}
SERVER = sign()


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What the log says of TLS."""
    lines: list[str] = []

    def observe(event: dict[str, object]) -> None:
        if event.get("log_namespace") == "zkpush.tls.Certificates":
            lines.append(str(event["text"]))

    globalLogPublisher.addObserver(observe)
    yield lines
    globalLogPublisher.removeObserver(observe)


def now_clock() -> Clock:
    """A clock of today: certificates are made by that of the machine."""
    clock = Clock()
    clock.advance(datetime.datetime.now(datetime.UTC).timestamp())
    return clock


def shake(server: Credentials, version: str = "1.3", shown: Signed | None = None) -> SSL.Connection:
    """Shake hands with a listener in memory, with one version of TLS; what the client has then."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(VERSIONS[version])
    context.set_max_proto_version(VERSIONS[version])
    context.set_cipher_list(b"ALL:@SECLEVEL=0")
    if shown is not None:
        context.use_certificate(shown.certificate)
        context.use_privatekey(shown.key)
    client = SSL.Connection(context, None)
    client.set_connect_state()
    end = server.serverConnectionForTLS(None)
    end.set_accept_state()
    for _ in range(6):
        for speaker, listener in ((client, end), (end, client)):
            with contextlib.suppress(SSL.WantReadError):
                speaker.do_handshake()
            with contextlib.suppress(SSL.WantReadError):
                listener.bio_write(speaker.bio_read(100_000))
    return client


def shown_by(credentials: Credentials) -> int:
    """The serial number of the certificate that a new connection sees."""
    certificate = shake(credentials).get_peer_certificate()
    assert certificate is not None
    return certificate.get_serial_number()


def files_of(folder: pathlib.Path, signed: Signed = SERVER) -> CertificateFiles:
    """Write a certificate and its key."""
    key, certificate = signed.write(folder)
    return CertificateFiles(key, certificate)


@pytest.mark.parametrize("minimum", VERSIONS)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_is_taken_from_the_minimum_on(
    tmp_path: pathlib.Path, minimum: str, version: str
) -> None:
    """By default, and at any other setting, older versions end in the handshake."""
    settings = Tls() if minimum == "1.2" else Tls(minimum=minimum)
    credentials = Certificates(settings, now_clock()).for_terminals(files_of(tmp_path))
    if version < minimum:
        with pytest.raises(SSL.Error):
            shake(credentials, version)
    else:
        assert shake(credentials, version).get_protocol_version() == VERSIONS[version]


@pytest.mark.parametrize(("minimum", "taken"), [("1.0", "1.2"), ("1.3", "1.3")])
def test_people_are_never_served_with_less_than_terminals_may_need(
    tmp_path: pathlib.Path, minimum: str, taken: str
) -> None:
    """A lower minimum is for terminals only; a higher one is for all."""
    certificates = Certificates(Tls(minimum=minimum), now_clock())
    credentials = certificates.for_people(files_of(tmp_path))
    older = [version for version in VERSIONS if version < taken]
    for version in older:
        with pytest.raises(SSL.Error):
            shake(credentials, version)
    shake(credentials, taken)


def test_a_low_minimum_is_warned_of_once(tmp_path: pathlib.Path, said: list[str]) -> None:
    """One line at the start names the setting; there is none for a sound one."""
    clock = now_clock()
    for minimum, count in (("1.1", 1), ("1.2", 0), ("1.3", 0)):
        said.clear()
        certificates = Certificates(Tls(minimum=minimum), clock)
        certificates.for_terminals(files_of(tmp_path))
        certificates.for_terminals(files_of(tmp_path))
        certificates.startService()
        clock.advance(5)
        certificates.stopService()
        assert sum("tls.minimum" in line for line in said) == len(said) == count


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_terminals_are_asked_for_certificates(tmp_path: pathlib.Path, version: str) -> None:
    """Required: not without one of the authority. Optional: without one, or with a good one."""
    authority, other = sign("Terminals", authority=True), sign("Elsewhere", authority=True)
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    good, bad = sign("T1", authority), sign("T1", other)
    expired = sign("T1", authority, begin=-DAY * 3, end=-DAY)
    refused = {
        "off": [],
        "optional": [bad, expired],
        "required": [None, bad, expired],
    }
    for wish, not_taken in refused.items():
        settings = Tls(client_certificates=wish, client_ca=tmp_path / "ca.pem")
        credentials = Certificates(settings, now_clock()).for_terminals(files_of(tmp_path))
        for shown in (None, good, bad, expired):
            if shown in not_taken:
                with pytest.raises(SSL.Error):
                    shake(credentials, version, shown)
            else:
                shake(credentials, version, shown)


def test_certificates_of_terminals_are_not_asked_of_people(tmp_path: pathlib.Path) -> None:
    """The management endpoint has its tokens."""
    (tmp_path / "ca.pem").write_bytes(sign("Terminals", authority=True).pem)
    settings = Tls(client_certificates="required", client_ca=tmp_path / "ca.pem")
    shake(Certificates(settings, now_clock()).for_people(files_of(tmp_path)))


def test_new_files_are_used_when_they_are_whole(tmp_path: pathlib.Path, said: list[str]) -> None:
    """A new pair serves new connections within two seconds; open ones go on with the old."""
    clock = now_clock()
    certificates = Certificates(Tls(), clock)
    credentials = certificates.for_terminals(files_of(tmp_path))
    certificates.startService()
    before = shake(credentials)
    renewed = sign()
    renewed.write(tmp_path)
    clock.advance(1)
    assert shown_by(credentials) == SERVER.serial
    clock.advance(1)
    assert shown_by(credentials) == renewed.serial
    clock.pump([1, 1, 1])
    assert said == [f"{tmp_path / 'server.pem'} was read, and is in use"]
    old = before.get_peer_certificate()
    assert old is not None
    assert old.get_serial_number() == SERVER.serial
    certificates.stopService()
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda folder: sign().write(folder)[0].write_bytes(SERVER.key_pem), "is not the private"),
        (lambda folder: (folder / "server.pem").write_text("-----"), "does not hold a certificate"),
        (lambda folder: (folder / "server.key").write_text(""), "does not hold a private key"),
        (lambda folder: (folder / "server.key").unlink(), "cannot be read: No such file"),
    ],
)
def test_broken_files_are_reported_once_and_the_old_ones_serve(
    tmp_path: pathlib.Path, said: list[str], spoil, why: str
) -> None:
    """Until they are whole again, which is noticed by itself."""
    clock = now_clock()
    certificates = Certificates(Tls(), clock)
    terminals = certificates.for_terminals(files_of(tmp_path))
    people = certificates.for_people(terminals.files)
    certificates.startService()
    spoil(tmp_path)
    clock.pump([1] * 10)
    (line,) = said
    assert why in line
    assert line.endswith("The certificate that was read before stays in use")
    assert shown_by(terminals) == shown_by(people) == SERVER.serial
    renewed = sign()
    renewed.write(tmp_path)
    clock.pump([1] * 3)
    assert shown_by(terminals) == shown_by(people) == renewed.serial
    assert len(said) == 2
    certificates.stopService()


def test_a_pair_that_is_being_replaced_is_not_taken_for_broken(
    tmp_path: pathlib.Path, said: list[str]
) -> None:
    """The key is new a moment before the certificate: nothing is said of that moment."""
    clock = now_clock()
    certificates = Certificates(Tls(), clock)
    credentials = certificates.for_terminals(files_of(tmp_path))
    certificates.startService()
    renewed = sign()
    (tmp_path / "server.key").write_bytes(renewed.key_pem)
    clock.advance(1)
    (tmp_path / "server.pem").write_bytes(renewed.pem)
    clock.pump([1, 1])
    assert shown_by(credentials) == renewed.serial
    assert said == [f"{tmp_path / 'server.pem'} was read, and is in use"]
    certificates.stopService()


def test_all_files_are_read_again_at_once_when_asked_for(tmp_path: pathlib.Path) -> None:
    """`reload`, which SIGHUP calls, does not wait."""
    certificates = Certificates(Tls(), now_clock())
    credentials = certificates.for_terminals(files_of(tmp_path))
    renewed = sign()
    renewed.write(tmp_path)
    certificates.reload()
    assert shown_by(credentials) == renewed.serial


def test_a_new_authority_of_terminals_is_noticed(tmp_path: pathlib.Path) -> None:
    """The file with who signs for terminals is looked at as well."""
    clock = now_clock()
    old, new = sign("Old", authority=True), sign("New", authority=True)
    ca = tmp_path / "ca.pem"
    ca.write_bytes(old.pem)
    certificates = Certificates(Tls(client_certificates="required", client_ca=ca), clock)
    credentials = certificates.for_terminals(files_of(tmp_path))
    certificates.startService()
    terminal = sign("T1", new)
    with pytest.raises(SSL.Error):
        shake(credentials, "1.2", terminal)
    ca.write_bytes(new.pem)
    clock.pump([1, 1])
    shake(credentials, "1.2", terminal)
    certificates.stopService()


def test_a_key_that_is_too_short_serves_old_firmware_only(tmp_path: pathlib.Path) -> None:
    """OpenSSL takes 1024 bits of RSA on its lowest level, which TLS 1.0 needs as well."""
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is the point
    files = files_of(tmp_path, sign(key=short))
    with pytest.raises(ValueError, match=r"server\.pem cannot be used: ee key too small"):
        Credentials(files, Tls())
    shake(Credentials(files, Tls(minimum="1.0")), "1.0")


def test_the_certificates_in_between_are_shown(tmp_path: pathlib.Path) -> None:
    """Those after the own one in its file, or in one of their own."""
    root = sign("Root", authority=True)
    between = sign("Between", root, authority=True)
    own = sign("localhost", between)
    files = files_of(tmp_path, own)
    (tmp_path / "between.pem").write_bytes(between.pem)
    (tmp_path / "full.pem").write_bytes(own.pem + between.pem)
    for found in (
        CertificateFiles(files.key, tmp_path / "full.pem"),
        CertificateFiles(files.key, files.certificate, tmp_path / "between.pem"),
    ):
        chain = shake(Credentials(found, Tls())).get_peer_cert_chain() or []
        serials = [certificate.get_serial_number() for certificate in chain]
        assert serials == [own.serial, between.serial]


def test_what_is_doubtful_is_said_at_the_start(tmp_path: pathlib.Path, said: list[str]) -> None:
    """An expired certificate, one of the future, and a key for everyone serve, with a warning."""
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    clock = now_clock()
    certificates = Certificates(Tls(), clock)
    expired = files_of(tmp_path / "old", sign(begin=-DAY * 9, end=-DAY))
    shown_by(certificates.for_terminals(expired))
    certificates.for_terminals(expired)
    early = files_of(tmp_path / "new", sign(begin=DAY, end=DAY * 2))
    early.key.chmod(0o644)
    certificates.for_people(early)
    certificates.startService()
    certificates.stopService()
    assert [line.partition(" ")[2][:38] for line in said] == [
        "the certificate expired on "
        + str((datetime.datetime.now(datetime.UTC) - DAY).date())
        + ";",
        "the certificate is not valid before 20",
        "every user of this machine can read th",
    ]


def test_a_process_that_is_not_asked_says_nothing(tmp_path: pathlib.Path, said: list[str]) -> None:
    """Of the workers' certificates, their parent speaks."""
    certificates = Certificates(Tls(minimum="1.0"), now_clock(), quiet=True)
    certificates.for_terminals(files_of(tmp_path))
    certificates.startService()
    (tmp_path / "server.key").unlink()
    certificates.reload()
    certificates.stopService()
    assert said == []


def test_asking_for_certificates_takes_an_authority(tmp_path: pathlib.Path) -> None:
    """Without one, or with a file that holds none, the error names the key or the file."""
    with pytest.raises(ValueError, match=r"tls\.client_ca"):
        Certificates(Tls(client_certificates="optional"), now_clock())
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ValueError, match=r"ca\.pem does not hold a certificate"):
        Certificates(
            Tls(client_certificates="required", client_ca=tmp_path / "ca.pem"), now_clock()
        )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ssl:8443:privateKey=absent.pem", "absent.pem cannot be read: No such file"),
        ("ssl:privateKey=server.key", "port is missing"),
        ("ssl:https:privateKey=server.key", "invalid literal"),
        ("ssl:8443:privateKey=server.key:certKey=server.pem:sslmethod=TLSv1_METHOD", "tls.minimum"),
        ("ssl:8443:server.key:server.pem:also", "'also' has no name"),
        ("ssl:8443:colour=blue", "there is no colour"),
        ("ssl:8443:privateKey=server.key:certKey=server.key", "does not hold a certificate"),
        ("ssl:8443:privateKey=locked.key:certKey=server.pem", "the private key has a password"),
        ("haproxy:ssl:8443:privateKey=absent.pem", "absent.pem cannot be read"),
        ("haproxy:ssl", "is not a Twisted endpoint"),
        ("tcp:eight", "is not a Twisted endpoint"),
        ("carrier:pigeon", "is not a Twisted endpoint"),
    ],
)
def test_a_mistake_in_an_endpoint_is_one_line(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str
) -> None:
    """The line says which file, or which argument."""
    monkeypatch.chdir(tmp_path)
    SERVER.write(tmp_path)
    lock = BestAvailableEncryption(b"secret")
    (tmp_path / "locked.key").write_bytes(
        SERVER.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    )
    with pytest.raises(ValueError, match=r"\A[^\n]+\Z") as refused:
        server_endpoint(Clock(), text, Certificates(Tls(), now_clock()).for_terminals)
    assert why in str(refused.value)


def test_files_are_named_as_endpoints_name_them(tmp_path: pathlib.Path) -> None:
    """By place or by name, in one file or in several, and with colons in their names."""
    folder = tmp_path / "a:b"
    folder.mkdir()
    SERVER.write(folder)
    both = folder / "both.pem"
    both.write_bytes(SERVER.key_pem + SERVER.pem)
    escaped = str(folder).replace(":", "\\:")
    asked: list[CertificateFiles] = []

    def ask(files: CertificateFiles) -> Credentials:
        asked.append(files)
        return Credentials(files, Tls())

    for text in (
        f"ssl:8443:privateKey={escaped}/server.key:certKey={escaped}/server.pem",
        f"ssl:port=8443:interface=127.0.0.1:backlog=9:certKey={escaped}/server.pem"
        f":privateKey={escaped}/server.key:extraCertChain={escaped}/server.pem",
        f"ssl:8443:{escaped}/both.pem",
    ):
        server_endpoint(Clock(), text, ask)
    names = (folder / "server.key", folder / "server.pem")
    assert asked == [
        CertificateFiles(*names),
        CertificateFiles(*names, names[1]),
        CertificateFiles(both, both),
    ]


def test_what_clients_have_to_speak_is_known_from_the_string() -> None:
    """Also where a proxy speaks first."""
    assert is_encrypted("ssl:1")
    assert is_encrypted("haproxy:ssl:1")
    assert not is_encrypted("tcp:1")
    assert not is_encrypted("haproxy:tcp:1")
