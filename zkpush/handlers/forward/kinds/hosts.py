"""Settings that say which host a forwarder connects to, and its addresses."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from typing import Any

from OpenSSL.crypto import Error as UnreadableCertificate
from twisted.internet.ssl import Certificate, trustRootFromCertificates

from ..addresses import fault_of

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}", re.ASCII)
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class HostUnreachable(Exception):
    """A name has no address, or none that may be connected to; the message says why."""


def check_host(host: str, port: int | None) -> None:
    """Raise `ValueError` unless these are a host name or an address, and a port."""
    if not _HOST.fullmatch(host):
        raise ValueError("host: It is a name such as mail.example.com, or an address.")
    if port is not None and not 0 < port < 65536:
        raise ValueError("port: It is a number from 1 to 65535.")


def trust_of(authority: str | None) -> Any:
    """Return the trust in an authority, for `optionsForClientTLS`; None for that of the system.

    `ValueError` if the text has no certificate.
    """
    if authority is None:
        return None
    found = _PEM.findall(authority)
    try:
        certificates = [Certificate.loadPEM(one) for one in found]
    except UnreadableCertificate:
        certificates = []
    if not certificates:
        raise ValueError(
            "authority: It is a certificate in PEM, from -----BEGIN CERTIFICATE----- on."
        )
    return trustRootFromCertificates(certificates)


def permitted_thd(host: str, port: int, *, allow_private: bool) -> Sequence[str]:
    """Resolve a name; return its permitted addresses, or raise `HostUnreachable` without any."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise HostUnreachable(f"The name {host} has no address: {error.strerror}") from None
    addresses = dict.fromkeys(str(one[4][0]) for one in found)
    faults = {one: fault_of(one, allow_private=allow_private) for one in addresses}
    permitted = [one for one, fault in faults.items() if fault is None]
    if not permitted:
        raise HostUnreachable(f"Not connected: {next(filter(None, faults.values()))}")
    return permitted
