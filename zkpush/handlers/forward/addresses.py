"""Addresses that forwarders may connect to.

The server connects to URLs that an administrator has chosen. Names may resolve to anything, so each
address is checked after the name was resolved, and the connection goes to the checked address.
"""

from __future__ import annotations

import ipaddress

from hyperlink import URL

from ...protocol.addresses import Address, is_within, parse_address, parse_networks

NEVER = parse_networks(
    [
        "0.0.0.0/8",  # this host, on many systems
        "169.254.0.0/16",  # link-local, with the metadata services of most clouds
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "100.100.100.200",  # metadata of Alibaba Cloud
        "168.63.129.16",  # platform service of Azure
        "192.0.0.192",  # metadata of Oracle Cloud
        "::/128",
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, which is deprecated
        "ff00::/8",  # multicast
        "fd00:ec2::/32",  # metadata of AWS
        "fd20:ce::/32",  # metadata of Google Cloud
    ]
)
"""Networks that no forwarder may connect to."""
MOST_URL = 2000
"""Maximum length of a URL, in characters."""
_PLAIN = (
    "url: plain http would send the events unencrypted; use https, or set allow_private for a "
    "receiver in a private network."
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")


class ForbiddenAddress(Exception):
    """No address of a receiver may be connected to; the message says why."""


def fault_of(text: str, *, allow_private: bool) -> str | None:
    """Return why an address must not be connected to; None if it may be.

    IPv4 addresses within IPv6 ones (mapped, NAT64, 6to4, Teredo) are checked as well.
    """
    address = parse_address(text.partition("%")[0])
    if address is None:
        return f"{text} is not an address"
    faults = [_fault(one, allow_private=allow_private) for one in (address, *_embedded(address))]
    return next((fault for fault in faults if fault is not None), None)


def _fault(address: Address, *, allow_private: bool) -> str | None:
    if is_within(address, NEVER):
        return f"{address} is a link-local, metadata, multicast or reserved address"
    if not address.is_global and not allow_private:
        return f"{address} is in a private network: set allow_private for this forwarder"
    return None


def _embedded(address: Address) -> list[Address]:
    """Return the IPv4 addresses that packets to an IPv6 address may be translated to."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[Address] = []
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    if address.teredo is not None:
        found.append(address.teredo[1])
    is_local = int(address) in (0, 1)
    if address in _NAT64 or (address in _COMPATIBLE and not is_local):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return found


def check_url(text: str, *, allow_private: bool) -> None:
    """Raise `ValueError` unless a text is the URL of a permitted receiver."""
    try:
        url = URL.from_text(text)
        port = url.port
    except ValueError:
        raise ValueError(f"url: {text[:60]!r} is not a URL.") from None
    if url.scheme not in ("http", "https") or not url.host or len(text) > MOST_URL:
        raise ValueError("url: It is a URL such as https://payroll.example.com/zkpush.")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("url: Write it in ASCII, without spaces; percent-encode other characters.")
    if url.userinfo or url.fragment:
        raise ValueError("url: A user, a password or a fragment cannot be part of it.")
    if port is None or not 0 < port < 65536:
        raise ValueError("url: The port is a number from 1 to 65535.")
    if url.scheme == "http" and not allow_private:
        raise ValueError(_PLAIN)
