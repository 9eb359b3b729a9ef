"""Certificates for tests: an authority, and what it signs; made here, and trusted by nobody."""

from __future__ import annotations

import datetime
import ipaddress
import pathlib

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


@attrs.frozen
class Signed:
    """A certificate with its key."""

    key: ec.EllipticCurvePrivateKey | RSAPrivateKey
    certificate: x509.Certificate

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def serial(self) -> int:
        return self.certificate.serial_number

    def write(self, folder: pathlib.Path, name: str = "server") -> tuple[pathlib.Path, ...]:
        """Write `name.key` and `name.pem`, each at once, as certbot does."""
        files = (folder / f"{name}.key", folder / f"{name}.pem")
        for file, content in zip(files, (self.key_pem, self.pem), strict=True):
            new = file.with_suffix(".new")
            new.touch(0o600)
            new.write_bytes(content)
            new.replace(file)
        return files


def sign(
    name: str = "localhost",
    by: Signed | None = None,
    *,
    authority: bool = False,
    address: str = "127.0.0.1",
    begin: datetime.timedelta = -DAY,
    end: datetime.timedelta = DAY,
    key: RSAPrivateKey | None = None,
) -> Signed:
    """Make a certificate, signed by another one or by itself; valid from yesterday to tomorrow."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address(address))]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if by is None else by.certificate.subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begin)
        .not_valid_after(now + end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    return Signed(own, builder.sign(own if by is None else by.key, hashes.SHA256()))
