"""TLS of the listeners, with certificates that are reloaded when their files change.

New connections use the newest valid certificate; open connections keep theirs. A fault in new files
is logged once, and the previous certificate stays in use.
"""

from __future__ import annotations

import signal
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import (
    IOpenSSLServerConnectionCreator,
    IReactorTime,
)
from twisted.logger import Logger, LogLevel
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from .clock import wall_clock
from .periodic import PeriodicService
from .phrases import Phrase
from .settings.network import Tls

LOOK_SECONDS = 1.0
"""Seconds between two checks of the files; a change is read once it is one check old."""
SOUND = "1.2"
"""Oldest TLS version that needs no warning, and the minimum for people."""
_VERSIONS = {
    "1.0": SSL.TLS1_VERSION,
    "1.1": SSL.TLS1_1_VERSION,
    "1.2": SSL.TLS1_2_VERSION,
    "1.3": SSL.TLS1_3_VERSION,
}
_CIPHERS = (
    "ECDH+AESGCM:ECDH+CHACHA20:DH+AESGCM:ECDH+AES:DH+AES:RSA+AESGCM:RSA+AES:!aNULL:!eNULL:!MD5:!DSS"
)
"""Ciphers with forward secrecy first; the last ones are for old firmware."""
_FOR_OLD_FIRMWARE = ":@SECLEVEL=0"
"""Lowest OpenSSL security level, the only one with TLS 1.0 and 1.1 and their SHA-1 signatures."""
_VERIFY = {
    "off": SSL.VERIFY_NONE,
    "optional": SSL.VERIFY_PEER,
    "required": SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT,
}


_Signature = tuple[tuple[int, ...] | None, ...]


@attrs.frozen
class CertificateFiles:
    """Locations of a listener's private key and certificates: PEM, possibly all in one file."""

    key: Path
    certificate: Path
    """The certificate, followed by its intermediate certificates unless `chain` has them."""
    chain: Path | None = None


@attrs.frozen
class _Pair:
    file: Path
    key: Any = attrs.field(repr=False)
    certificates: list[x509.Certificate]


@implementer(IOpenSSLServerConnectionCreator)
class Credentials:
    """Certificate of one listener, and its requirements of clients."""

    def __init__(self, files: CertificateFiles, settings: Tls) -> None:
        """Read the files; `ValueError` says what is wrong with them."""
        self.files = files
        self._settings = settings
        self._newest: _Signature
        self._used: _Signature
        self._context: SSL.Context
        self._shown: x509.Certificate
        self.read_again()

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """Start a connection with the current certificate."""
        return SSL.Connection(self._context, None)

    @property
    def is_broken(self) -> bool:
        """Whether broken TLS versions are allowed."""
        return self._settings.minimum < SOUND

    def is_new(self) -> bool:
        """Whether the files have changed since the last read, but not since the last check."""
        before, self._newest = self._newest, self._signature()
        return self._newest == before != self._used

    def read_again(self) -> None:
        """Load the files; `ValueError` if they are invalid, and the previous ones stay in use."""
        self._used = self._newest = self._signature()
        pair = _read(self.files)
        self._context = _context(pair, self._settings)
        self._shown = pair.certificates[0]

    def doubts(self, now: datetime) -> list[str]:
        """Faults of the certificate that do not prevent its use."""
        doubts = []
        certificate = self._shown
        if now > certificate.not_valid_after_utc:
            day = certificate.not_valid_after_utc.date()
            doubts.append(f"{self.files.certificate}: the certificate expired on {day}; renew it")
        if now < certificate.not_valid_before_utc:
            day = certificate.not_valid_before_utc.date()
            doubts.append(
                f"{self.files.certificate}: the certificate is not valid before {day}; "
                "check the clock"
            )
        looks = _looks_of(self.files.key)
        if looks is not None and looks[0] & stat.S_IROTH:
            doubts.append(
                f"{self.files.key}: every user of this machine can read the private key; "
                f"chmod 600 {self.files.key}"
            )
        return doubts

    def _signature(self) -> _Signature:
        return tuple(_looks_of(path) for path in _paths(self.files, self._settings))


class Certificates(PeriodicService):
    """The certificates of all listeners of this process."""

    _log = Logger()

    def __init__(self, settings: Tls, clock: IReactorTime, *, quiet: bool = False) -> None:
        """With `quiet`, nothing is logged: another process checks the same files.

        `ValueError` for settings that do not fit together.
        """
        if settings.client_certificates != "off" and settings.client_ca is None:
            raise ValueError(
                "tls.client_ca: is missing; it names the certificates that those of terminals are "
                "signed with, which tls.client_certificates asks for"
            )
        if settings.client_ca is not None:
            _read_certificates(settings.client_ca)
        super().__init__(clock)
        self._settings = settings
        self._wall = wall_clock(clock)
        self._quiet = quiet
        self._listeners: list[Credentials] = []
        self.every(LOOK_SECONDS, self.look, Phrase("Changes of certificates are not noticed"))

    def for_terminals(self, files: CertificateFiles) -> Credentials:
        """Make the credentials of a listener for terminals; `ValueError` for invalid files."""
        return self._add(Credentials(files, self._settings))

    def for_people(self, files: CertificateFiles) -> Credentials:
        """Make the credentials of a listener for people, without exceptions for old firmware.

        Client certificates and versions below TLS 1.2 are for terminals only.
        """
        newer = self._settings.minimum > SOUND
        return self._add(
            Credentials(files, Tls(minimum=self._settings.minimum) if newer else Tls())
        )

    def startService(self) -> None:
        """Log doubts about the certificates, and start to check for changes."""
        if not self.any:
            return
        if any(listener.is_broken for listener in self._listeners):
            self._say(
                LogLevel.warn,
                f"TLS {self._settings.minimum} is allowed for terminals (tls.minimum): it is "
                f"broken. Allow it only while there is firmware that cannot do {SOUND}",
            )
        self._say_doubts(self._listeners)
        super().startService()

    def look(self) -> None:
        """Load changed files whose writing has ended."""
        self._read_again([listener for listener in self._listeners if listener.is_new()])

    def reload(self) -> None:
        """Load all files again, now."""
        self._read_again(self._listeners)

    @property
    def any(self) -> bool:
        """Whether any listener uses TLS."""
        return bool(self._listeners)

    def doubts(self) -> list[str] | None:
        """Faults that do not prevent use, once for each file; None if no listener uses TLS."""
        if not self.any:
            return None
        now = datetime.fromtimestamp(self._wall(), UTC)
        doubts = [doubt for listener in self._listeners for doubt in listener.doubts(now)]
        return [*dict.fromkeys(doubts)]

    def _add(self, credentials: Credentials) -> Credentials:
        self._listeners.append(credentials)
        return credentials

    def _read_again(self, listeners: list[Credentials]) -> None:
        taken, mistakes = [], []
        for listener in listeners:
            try:
                listener.read_again()
                taken.append(listener)
            except ValueError as error:
                mistakes.append(f"{error}. The certificate that was read before stays in use")
        for mistake in dict.fromkeys(mistakes):  # once for files that two listeners use
            self._say(LogLevel.error, mistake)
        for path in dict.fromkeys(listener.files.certificate for listener in taken):
            self._say(LogLevel.info, f"{path} was read, and is in use")
        self._say_doubts(taken)

    def _say_doubts(self, listeners: list[Credentials]) -> None:
        now = datetime.fromtimestamp(self._wall(), UTC)
        doubts = [doubt for listener in listeners for doubt in listener.doubts(now)]
        for doubt in dict.fromkeys(doubts):
            self._say(LogLevel.warn, doubt)

    def _say(self, level: Any, text: str) -> None:
        if not self._quiet:
            self._log.emit(level, "{text}", text=text)


def reload_on_hangup(certificates: Certificates, reactor: Any) -> None:
    """Make SIGHUP reload all files; its default action ends the process."""
    if certificates.any:
        signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(certificates.reload))


def _paths(files: CertificateFiles, settings: Tls) -> list[Path]:
    paths = [files.key, files.certificate, files.chain, settings.client_ca]
    return [path for path in paths if path is not None]


def _looks_of(path: Path) -> tuple[int, ...] | None:
    """Return the mode of a file, and values that change with it; None if it cannot be read."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (
        found.st_mode,
        found.st_dev,
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None


def _read_certificates(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_bytes_of(path))
    except ValueError as error:
        if str(error).startswith(str(path)):
            raise
        raise ValueError(f"{path} does not hold a certificate in PEM") from None


def _read(files: CertificateFiles) -> _Pair:
    certificates = _read_certificates(files.certificate)
    if files.chain is not None:
        certificates += _read_certificates(files.chain)
    text = _bytes_of(files.key)
    try:
        key = load_pem_private_key(text, None)
    except TypeError:
        raise ValueError(
            f"{files.key}: the private key has a password; store it without one, "
            "readable only by the user that zkpush runs as"
        ) from None
    except Exception:  # cryptography raises its own exception for unknown key types
        raise ValueError(f"{files.key} does not hold a private key in PEM") from None
    if _spki(key.public_key()) != _spki(certificates[0].public_key()):
        raise ValueError(
            f"{files.key} is not the private key of the certificate in {files.certificate}"
        )
    return _Pair(files.certificate, key, certificates)


def _spki(key: Any) -> bytes:
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


def _context(pair: _Pair, settings: Tls) -> SSL.Context:
    """Make an immutable context, for new connections only."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(_VERSIONS[settings.minimum])
    context.set_options(
        SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE
    )
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    level = _FOR_OLD_FIRMWARE if settings.minimum < SOUND else ""
    context.set_cipher_list((_CIPHERS + level).encode())
    try:
        context.use_certificate(pair.certificates[0])
        context.use_privatekey(pair.key)
        for certificate in pair.certificates[1:]:
            context.add_extra_chain_cert(certificate)
    except (SSL.Error, TypeError) as error:
        raise ValueError(f"{pair.file} cannot be used: {_reason(error)}") from None
    # Without a session ID context, OpenSSL resumes no session with a client certificate.
    context.set_session_id(b"zkpush")
    if settings.client_certificates != "off" and settings.client_ca is not None:
        store = context.get_cert_store()
        for authority in _read_certificates(settings.client_ca):
            if store is not None:
                store.add_cert(crypto.X509.from_cryptography(authority))
            context.add_client_ca(authority)
        context.set_verify(_VERIFY[settings.client_certificates])
    return context


def _reason(error: Exception) -> str:
    """Extract the message of an OpenSSL error, which is a list of triples."""
    try:
        return "; ".join(triple[2] for triple in error.args[0])
    except (LookupError, TypeError):
        return str(error)


Ask = Callable[[CertificateFiles], Credentials]
"""Returns the credentials for files: `Certificates.for_terminals` or `for_people`."""
