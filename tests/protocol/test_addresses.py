"""Network addresses: of networks, and of clients behind proxies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkpush.protocol.addresses import (
    forwarded_for,
    is_within,
    parse_address,
    parse_networks,
    parse_proxies,
    write_network,
)
from zkpush.protocol.errors import TerminalError

PROXIES = parse_networks(["10.0.0.0/8", "::1"])


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("10.1.0.0/16", "10.1.0.0/16"),
        ("10.2.0.5", "10.2.0.5"),
        ("10.2.0.5/32", "10.2.0.5"),
        (" fd00::/8 ", "fd00::/8"),
        ("2001:DB8::0001", "2001:db8::1"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_a_network_is_read_and_written(text: str, written: str) -> None:
    """Networks and single addresses, in the shortest form."""
    (network,) = parse_networks([text])
    assert write_network(network) == written


def test_every_text_that_is_no_network_is_told_of() -> None:
    """A line each, which says what is wrong."""
    with pytest.raises(ValueError, match="not a network") as mistake:
        parse_networks(["10.0.0.0/8", "10.0.0.1/8", "gate", "10.0.0.0/33", "", "unix"])
    lines = str(mistake.value).splitlines()
    assert len(lines) == 5
    assert lines[0] == "'10.0.0.1/8' is an address within a network; the network is 10.0.0.0/8"


def test_a_socket_file_is_a_proxy_and_no_network() -> None:
    """`unix` may stand among proxies only."""
    assert len(parse_proxies(["unix", "127.0.0.1"])) == 1


@pytest.mark.parametrize(
    ("address", "is_in"),
    [
        ("10.9.9.9", True),
        ("::ffff:10.9.9.9", True),
        ("11.0.0.1", False),
        ("::1", True),
        ("::2", False),
        ("", False),
        ("10.1", False),
        ("\u0661\u0660.0.0.1", False),
    ],
)
def test_an_address_is_within_a_network_or_not(address: str, is_in: bool) -> None:
    """IPv4 that comes by an IPv6 socket is IPv4; what is no address is nowhere."""
    assert is_within(parse_address(address), PROXIES) is is_in


@pytest.mark.parametrize(
    ("value", "client"),
    [
        (b"", "10.0.0.1"),
        (b"203.0.113.5", "203.0.113.5"),
        (b"198.51.100.1, 203.0.113.5", "203.0.113.5"),
        (b"198.51.100.1,203.0.113.5, 10.0.0.7,::1", "203.0.113.5"),
        (b"10.0.0.9, 10.0.0.8", "10.0.0.9"),
        (b"10.5.5.5 , ", "10.5.5.5"),
        (b"nonsense\xff, 203.0.113.5:4711", "203.0.113.5"),
        (b"[2001:db8::7]:4711", "2001:db8::7"),
        (b"2001:db8::7", "2001:db8::7"),
        (b"::ffff:203.0.113.5", "203.0.113.5"),
    ],
)
def test_the_last_address_that_is_of_no_proxy_is_the_client(value: bytes, client: str) -> None:
    """What the client itself may have invented stands before it, and is not looked at."""
    assert forwarded_for("10.0.0.1", value, PROXIES) == client


@pytest.mark.parametrize(
    "value",
    [b"unknown", b"198.51.100.1, _hidden", b"gate, 10.0.0.7", b"1.2.3", b"'; DROP", b"1.2.3.4\xb2"],
)
def test_a_proxy_that_names_no_address_is_refused(value: bytes) -> None:
    """Where the client's address has to be, nothing else may be."""
    with pytest.raises(TerminalError, match="no address of the client"):
        forwarded_for("10.0.0.1", value, PROXIES)


@given(st.binary(max_size=60))
def test_whatever_is_forwarded_the_client_is_an_address_or_refused(value: bytes) -> None:
    """No bytes of a header become a text that is shown, logged, or stored as an address."""
    try:
        client = forwarded_for("10.0.0.1", value, PROXIES)
    except TerminalError:
        return
    assert parse_address(client) is not None
