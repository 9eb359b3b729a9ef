"""Network addresses: parsing, and the client address behind proxies."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Collection, Iterable, Sequence

from ..phrases import Phrase
from .errors import TerminalError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
UNIX = "unix"
"""In lists of proxies: any peer on a Unix socket, which has no address."""


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Parse networks, such as `10.1.0.0/16`, and single addresses.

    Raises a single `ValueError` for all mistakes, one line each.
    """
    networks, mistakes = [], []
    for text in texts:
        try:
            networks.append(_network(text.strip()))
        except ValueError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ValueError("\n".join(mistakes))
    return tuple(networks)


def parse_proxies(texts: Iterable[str]) -> tuple[Network, ...]:
    """Parse networks of proxies, skipping `unix`; raises `ValueError` as `parse_networks`."""
    return parse_networks(text for text in texts if text != UNIX)


def write_network(network: Network) -> str:
    """Format a network; a single address has no prefix length."""
    single = network.prefixlen == network.max_prefixlen
    return str(network.network_address if single else network)


def canonical_networks(texts: Iterable[str]) -> tuple[str, ...]:
    """Networks in canonical form, without duplicates; raises `ValueError`."""
    return tuple(map(write_network, dict.fromkeys(parse_networks(texts))))


@functools.lru_cache(1024)
def parse_address(text: str) -> Address | None:
    """Parse an address; None if malformed. An IPv4-mapped IPv6 address becomes IPv4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped


def is_within(address: Address | None, networks: Collection[Network]) -> bool:
    """Whether an address is in any of some networks."""
    return address is not None and any(address in network for network in networks)


def forwarded_for(peer: str, value: bytes, trusted: Sequence[Network]) -> str:
    """The client address behind proxies: the last in `X-Forwarded-For` that is not a proxy's.

    `peer` is the proxy that sent the header. If all addresses are trusted proxies, the result is
    the first. Earlier addresses may be forged by the client and are not read. Raises
    `TerminalError` if an address in the required position is malformed.
    """
    client = peer
    for part in reversed(value.split(b",")):
        text = part.strip().decode("latin-1")
        if not text:
            continue
        address = parse_address(_without_port(text))
        if address is None:
            raise TerminalError("The proxy in front of this server sent no address of the client.")
        client = str(address)
        if not is_within(address, trusted):
            break
    return client


def _network(text: str) -> Network:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(
            Phrase(
                "%(text)s is not a network such as 10.1.0.0/16 or fd00::/8, nor an address",
                text=repr(text[:60]),
            )
        ) from None
    if ipaddress.ip_interface(text).ip != network.network_address:
        raise ValueError(
            Phrase(
                "%(text)s is an address within a network; the network is %(network)s",
                text=repr(text),
                network=network,
            )
        )
    return network


def _without_port(text: str) -> str:
    """Remove the port that some proxies add: `192.0.2.1:40000`, `[2001:db8::1]:40000`."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, colon, _ = text.partition(":")
    return host if colon and text.count(":") == 1 else text
