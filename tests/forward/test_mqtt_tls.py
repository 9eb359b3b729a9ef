"""The kind `mqtt` with TLS, and to the address that was checked."""

from __future__ import annotations

import pathlib
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs
import pytest
import pytest_twisted

from ..certificates import Signed, sign
from ..rig import Rig
from .mqtt import Serve, to, tried

if TYPE_CHECKING:
    from .brokers import Broker


@attrs.frozen
class Secured:
    """A broker with TLS, and what signed its certificate."""

    broker: Broker
    authority: Signed
    folder: pathlib.Path


@pytest.fixture
def secured(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Secured]:
    """Make brokers with TLS."""

    def make(name: str = "localhost", *lines: str) -> Secured:
        folder = tmp_path_factory.mktemp("certificates")
        authority = sign("Example CA", authority=True)
        authority.write(folder, "ca")
        key, chain = sign(name, authority, address="127.9.9.9").write(folder, "broker")
        broker = serve(f"cafile {folder}/ca.pem", f"certfile {chain}", f"keyfile {key}", *lines)
        return Secured(broker, authority, folder)

    return make


@pytest_twisted.ensureDeferred
async def test_tls_verifies_the_name_of_the_host(rig: Rig, secured: Callable[..., Secured]) -> None:
    """The address is resolved and checked before; the certificate is of the name, not of it."""
    there = secured()
    await to(rig, there.broker, tls=True, authority=there.authority.pem.decode())
    assert (await tried(rig))[0] == "delivered"


@pytest.mark.parametrize(
    ("name", "trusts", "words"),
    [
        ("broker.example.com", True, "TLS failed: Hostname mismatch"),
        ("localhost", False, "TLS failed: "),
    ],
    ids=["another name", "unknown authority"],
)
@pytest_twisted.ensureDeferred
async def test_a_wrong_certificate_is_refused(
    rig: Rig, secured: Callable[..., Secured], name: str, trusts: bool, words: str
) -> None:
    """Before the password is sent."""
    there = secured(name)
    other = sign("Other CA", authority=True)
    authority = there.authority if trusts else other
    await to(rig, there.broker, tls=True, authority=authority.pem.decode())
    outcome, said = await tried(rig)
    assert outcome == "later"
    assert said.startswith(f"Not sent: {words}")


@pytest_twisted.ensureDeferred
async def test_a_client_certificate_is_shown(rig: Rig, secured: Callable[..., Secured]) -> None:
    """Without it such a broker takes nothing; a missing file is explained."""
    there = secured("localhost", "require_certificate true", "use_identity_as_username true")
    mine = sign("zkpush", there.authority)
    key, chain = mine.write(there.folder, "mine")
    given = {"tls": True, "authority": there.authority.pem.decode(), "user": None, "password": None}
    await to(rig, there.broker, **given)
    assert (await tried(rig))[0] == "later"
    files = {"certificate": str(chain), "key": str(key)}
    await rig.api("PATCH", "/forwarders/1", {"settings": files})
    assert (await tried(rig))[0] == "delivered"
    key.unlink()
    outcome, words = await tried(rig)
    assert (outcome, words) == (
        "later",
        "Not sent: certificates cannot be read: No such file or directory",
    )


@pytest_twisted.ensureDeferred
async def test_a_private_broker_needs_a_permission(rig: Rig, serve: Serve) -> None:
    """As for webhooks; the name is checked by its addresses."""
    broker = serve()
    await to(rig, broker, tls=True, allow_private=False)
    outcome, words = await tried(rig)
    assert outcome == "later"
    assert "is in a private network: set allow_private" in words


@pytest_twisted.ensureDeferred
async def test_the_checked_address_is_the_one_that_paho_connects_to(
    rig: Rig, secured: Callable[..., Secured], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client does not resolve the name again, and verifies the certificate by the name."""
    there = secured("broker.invalid")
    asked: list[object] = []
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", there.broker.port))]
    real = socket.getaddrinfo

    def resolve(host: str, *args: Any, **named: Any) -> Any:
        if host == "broker.invalid":
            asked.append(host)
            return answer
        return real(host, *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    pem = there.authority.pem.decode()
    await to(rig, there.broker, host="broker.invalid", tls=True, authority=pem)
    assert (await tried(rig))[0] == "delivered"
    assert asked == ["broker.invalid"]
