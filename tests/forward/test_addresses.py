"""Addresses of receivers: checked after the name was resolved, and the checked one connected to."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IHostResolution
from zope.interface import implementer

from zkpush.handlers.forward.addresses import fault_of

from ..rig import Rig
from .receivers import add
from .servers import Receiver

PRIVATE = [
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "127.0.0.1",
    "127.8.8.8",
    "100.64.0.1",
    "::1",
    "fd12:3456::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::1",
]
NEVER = [
    "169.254.169.254",
    "169.254.0.1",
    "0.0.0.0",
    "0.1.2.3",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "::a9fe:a9fe",
    "no address",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_connected_to(address: str) -> None:
    """Link-local and metadata addresses, in whatever form, and with `allow_private` too."""
    for allow_private in (True, False):
        assert fault_of(address, allow_private=allow_private) is not None


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_need_a_permission(address: str) -> None:
    """For each forwarder; the fault names it."""
    assert "allow_private" in str(fault_of(address, allow_private=False))
    assert fault_of(address, allow_private=True) is None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted(address: str) -> None:
    """As long as no private one is inside."""
    assert fault_of(address, allow_private=False) is None


@implementer(IHostResolution)
class _Resolution:
    name = "receiver"

    def cancel(self) -> None:
        """Do nothing."""


class Names:
    """A resolver with scripted answers, one after the other; the last one stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = [*answers]
        self.asked = 0

    def resolveHostName(self, receiver, name: str, port: int = 0, *_: object):
        """Answer at once."""
        self.asked += 1
        receiver.resolutionBegan(_Resolution())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        for address in answer:
            receiver.addressResolved(IPv4Address("TCP", address, port))
        receiver.resolutionComplete()
        return _Resolution()


@pytest.fixture
def resolve() -> Iterator[Callable[..., Names]]:
    """Answer for all names."""
    installed = reactor.nameResolver

    def install(*answers: list[str]) -> Names:
        names = Names(*answers)
        reactor.installNameResolver(names)
        return names

    yield install
    reactor.installNameResolver(installed)


async def try_to(rig: Rig, url: str, *, allow_private: bool) -> dict[str, object]:
    """What a test of a forwarder to a URL says."""
    scheme = "http" if allow_private else "https"
    await add(rig, kind="webhook", url=f"{scheme}://{url}", allow_private=allow_private)
    found: dict[str, object] = (await rig.api("POST", "/forwarders/1/test")).json
    return found


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (["10.0.0.1"], "private network"),
        (["127.0.0.1", "10.0.0.1"], "private network"),
        (["169.254.169.254"], "metadata"),
        ([], "DNSLookupError"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_name_with_forbidden_addresses_is_not_connected_to(
    rig: Rig, resolve: Callable[..., Names], answer: list[str], words: str
) -> None:
    """The words say which permission is missing."""
    resolve(answer)
    found = await try_to(rig, "payroll.example.com/", allow_private=False)
    assert (found["delivered"], found["outcome"]) == (False, "later")
    assert words in str(found["words"])


@pytest_twisted.ensureDeferred
async def test_the_checked_address_is_the_one_connected_to(
    rig: Rig, receive: Callable[..., Receiver], resolve: Callable[..., Names]
) -> None:
    """A name is resolved once for a connection: a second answer changes nothing."""
    receiver = receive()
    names = resolve(["127.0.0.1"], ["169.254.169.254"])
    found = await try_to(rig, f"payroll.example.com:{receiver.port}/", allow_private=True)
    assert found["delivered"]
    assert names.asked == 1
    assert receiver.received[0].headers["host"] == f"payroll.example.com:{receiver.port}"


@pytest_twisted.ensureDeferred
async def test_of_several_addresses_the_first_permitted_one_that_answers_is_used(
    rig: Rig, receive: Callable[..., Receiver], resolve: Callable[..., Names]
) -> None:
    """A forbidden one is left out, and one where nobody listens is passed over."""
    receiver = receive()
    resolve(["169.254.169.254", "127.0.0.2", "127.0.0.1"])
    found = await try_to(rig, f"payroll.example.com:{receiver.port}/", allow_private=True)
    assert found["delivered"], found


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "017700000001", "127.1", "localhost"])
@pytest_twisted.ensureDeferred
async def test_odd_forms_of_an_address_are_checked_as_what_they_resolve_to(
    rig: Rig, host: str
) -> None:
    """However loopback is written, it needs the permission."""
    found = await try_to(rig, f"{host}:9/", allow_private=False)
    assert not found["delivered"]
    assert "private" in str(found["words"]) or "DNSLookupError" in str(found["words"])


@pytest_twisted.ensureDeferred
async def test_an_ipv6_address_can_be_a_receiver(rig: Rig) -> None:
    """It is connected to as it is written."""
    with socket.socket(socket.AF_INET6) as listening:
        listening.bind(("::1", 0))
        port = listening.getsockname()[1]
    found = await try_to(rig, f"[::1]:{port}/", allow_private=True)
    assert "ConnectionRefusedError" in str(found["words"])
