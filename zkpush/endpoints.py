"""Endpoint strings: those of Twisted, with TLS by `tls.Certificates`.

`ssl:PORT:privateKey=FILE:certKey=FILE[:extraCertChain=FILE][:interface=ADDRESS][:backlog=N]`, and
`haproxy:` in front of any endpoint, for a proxy that sends a PROXY header before the TLS handshake.
(Twisted's own `haproxy:ssl:` expects that header inside the encrypted stream, where no proxy sends
it.)
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint, serverFromString
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from twisted.protocols.haproxy import proxyEndpoint
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from .tls import Ask, CertificateFiles, Credentials

_BEHIND_PROXY, _TLS = "haproxy:", "ssl:"
_PART = re.compile(r"((?:[^:\\]|\\.)*)(?::|\Z)")
_NUMBERED = re.compile(r"(?:tcp|tcp4|tcp6|ssl|tls):(?:port=)?([0-9]{1,20})(?::|\Z)")
MOST_PORT = 65_535
_PLACES = ("port", "privateKey", "certKey")
_NAMES = (*_PLACES, "extraCertChain", "interface", "backlog")


@implementer(IStreamServerEndpoint)
@attrs.frozen
class TlsEndpoint:
    """An endpoint whose connections use TLS."""

    _inner: IStreamServerEndpoint
    _credentials: Credentials

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Open the port."""
        encrypted = TLSMemoryBIOFactory(self._credentials, False, protocolFactory)
        encrypted.noisy = False
        listening: Deferred[IListeningPort] = self._inner.listen(encrypted)
        return listening


def server_endpoint(reactor: Any, text: str, tls: Ask) -> IStreamServerEndpoint:
    """Parse an endpoint string; `ValueError` says what is wrong with it, or with its files."""
    proxied = text.startswith(_BEHIND_PROXY)
    inner = text.removeprefix(_BEHIND_PROXY) if proxied else text
    _check_port(inner)
    if not inner.startswith(_TLS):
        try:
            found: IStreamServerEndpoint = serverFromString(reactor, text)
        except (ValueError, TypeError, LookupError, OSError) as error:
            raise ValueError(
                f"{text!r} is not a Twisted endpoint such as tcp:8081 or "
                f"ssl:8443:privateKey=key.pem:certKey=cert.pem ({error})"
            ) from None
        return found
    try:
        values = _read(inner.removeprefix(_TLS))
        endpoint: IStreamServerEndpoint = TCP4ServerEndpoint(
            reactor,
            int(values["port"]),
            int(values.get("backlog", "50")),
            values.get("interface", ""),
        )
    except ValueError as error:
        raise ValueError(
            f"{text!r} is not an endpoint such as "
            f"ssl:8443:privateKey=key.pem:certKey=cert.pem ({error})"
        ) from None
    key = values.get("privateKey", "server.pem")
    chain = values.get("extraCertChain")
    files = CertificateFiles(
        Path(key).absolute(),
        Path(values.get("certKey", key)).absolute(),
        None if chain is None else Path(chain).absolute(),
    )
    return TlsEndpoint(proxyEndpoint(endpoint) if proxied else endpoint, tls(files))


def _check_port(text: str) -> None:
    """Raise `ValueError` for a port number out of range; other text is checked later."""
    found = _NUMBERED.match(text)
    if found is not None and int(found[1]) > MOST_PORT:
        raise ValueError(f"{text!r}: a port is a number from 0 to {MOST_PORT}")


def is_encrypted(text: str) -> bool:
    """Whether clients of an endpoint use TLS."""
    return text.removeprefix(_BEHIND_PROXY).startswith((_TLS, "tls:"))


def _read(text: str) -> dict[str, str]:
    """Split the arguments of an endpoint, positional or named; `\\:` is a colon in one."""
    values: dict[str, str] = {}
    for place, part in enumerate(_PART.findall(text)[:-1]):
        name, equals, value = part.partition("=")
        if not equals:
            if place >= len(_PLACES):
                raise ValueError(f"{part!r} has no name; there are {', '.join(_NAMES)}")
            name, value = _PLACES[place], part
        if name == "sslmethod":
            raise ValueError("sslmethod is not taken; set tls.minimum in the configuration")
        if name not in _NAMES:
            raise ValueError(f"there is no {name}; there are {', '.join(_NAMES)}")
        values[name] = re.sub(r"\\(.)", r"\1", value)
    if "port" not in values:
        raise ValueError("the port is missing")
    return values
