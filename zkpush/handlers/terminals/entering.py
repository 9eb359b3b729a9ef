"""What somebody types into the menu of a terminal, so that it finds this server."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

import attrs

_ANYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared
_BEYOND = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses for documentation: a route to them is that to the network (RFC 5737, RFC 3849)."""


@attrs.frozen
class ServerEntry:
    """An address of the terminals' port."""

    host: str
    port: int
    is_tls: bool

    @property
    def is_local(self) -> bool:
        """Whether only this machine itself reaches it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def own_addresses() -> list[str]:
    """Return the addresses of this machine in its network; no packet is sent."""
    found = []
    for family, beyond in _BEYOND:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((beyond, 9))
            found.append(str(probe.getsockname()[0]))
    return found


def server_entries(urls: Sequence[str], public_url: str | None) -> list[ServerEntry]:
    """Return what to type in, the best first; `urls` are those of the terminals' ports."""
    if public_url is not None:
        urls = [public_url, *urls]
    found: list[ServerEntry] = []
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.hostname is None:
            continue
        is_tls = parts.scheme == "https"
        port = parts.port or (443 if is_tls else 80)
        hosts = own_addresses() if parts.hostname in _ANYWHERE else [parts.hostname]
        found += [ServerEntry(host, port, is_tls) for host in hosts]
    return [*dict.fromkeys(found)]
