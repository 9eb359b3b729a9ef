"""docs/encryption.md, the code, and another implementation of the page say the same."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from twisted.plugin import IPlugin
from zope.interface.verify import verifyObject

from zkpush.crypto import sealing
from zkpush.crypto.suite import SealingSuite
from zkpush.crypto.terminal import TerminalCipher
from zkpush.interfaces import ICipherSuite
from zkpush.protocol.envelope import Direction, Opened, Place

from . import peer
from .sessions import SECRET, SN, place, sequence

ROOT = pathlib.Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "encryption.md").read_text()
PRINTED = PAGE.split("<!-- vectors -->")[1].strip().removeprefix("```text\n").removesuffix("```")
VECTORS = dict(line.split(": ", 1) for line in PRINTED.splitlines())
EXAMPLES = {
    "upload": ([b"POST", b"cdata", b"stamp", b"9999", b"table", b"ATTLOG"], 1),
    "poll": ([b"GET", b"getrequest"], 2),
}


def vector(name: str) -> bytes:
    """The bytes of a vector."""
    return bytes.fromhex(VECTORS[name])


def test_the_page_has_what_the_code_makes() -> None:
    """The vectors of the page are those that the script prints."""
    script = ROOT / "scripts" / "encryption_vectors.py"
    made = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert made.stdout == PRINTED


def test_another_implementation_makes_the_exchange_of_the_page() -> None:
    """Public keys, sealed factors and keys come from the text of the page alone."""
    sn = VECTORS["serial number"].encode()
    terminal, server = vector("terminal private key"), vector("server private key")
    p1, p2 = peer.public(terminal), peer.public(server)
    assert peer.value(p1).decode() == VECTORS["terminal PublicKey="]
    assert peer.value(p2).decode() == VECTORS["server PublicKey="]
    for whose, public in ((b"R1", p2), (b"R2", p1)):
        name = whose.decode()
        info = peer.factor_info(whose, sn, p1, p2)
        sealed = peer.hpke_seal(vector(name), public, info, vector(f"{name} HPKE private key"))
        assert peer.value(sealed).decode() == VECTORS[f"{name} Factors="]
    key = peer.session_key(vector("R1"), vector("R2"), sn, p1, p2)
    assert key == vector("session key, without")
    secret = vector("shared secret")
    with_secret = peer.session_key(vector("R1"), vector("R2"), sn, p1, p2, secret)
    assert with_secret == vector("session key, with the secret")
    assert peer.direction_key(key, b"request") == vector("request key")
    assert peer.direction_key(key, b"reply") == vector("reply key")


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("way", [b"request", b"reply"])
def test_another_implementation_seals_the_bodies_of_the_page(example: str, way: bytes) -> None:
    """Sealed bodies come from the text of the page alone."""
    parts, number = EXAMPLES[example]
    where = [SN.encode(), *parts]
    name = f"{example} {way.decode()}"
    assert peer.joined(way, *where) == vector(f"{name} place")
    key = vector(f"{way.decode()} key")
    nonce, body = vector(f"{name} nonce"), vector(f"{name} body")
    assert peer.seal(key, way, where, number, nonce, body) == vector(f"{name} sealed")
    assert peer.unseal(key, way, where, vector(f"{name} sealed")) == (number, body)


def test_the_server_makes_the_session_of_the_page() -> None:
    """With the keys, the factor and the nonces of the page, a suite is at its session."""
    nonce = vector("upload reply nonce")
    suite = SealingSuite(sequence(vector("server private key"), vector("R2"), nonce))
    keys = suite.begin(SN, b"", VECTORS["terminal PublicKey="].encode())
    assert keys.answer.decode() == VECTORS["server PublicKey="]
    session = suite.agree(keys.state, VECTORS["R1 Factors="].encode())
    opened = suite.open(session.state, place(), vector("upload request sealed"))
    assert opened == Opened(vector("upload request body"), 1)
    sealed = suite.seal(session.state, place(), 1, vector("upload reply body"))
    assert sealed == vector("upload reply sealed")


def test_a_terminal_makes_the_session_of_the_page() -> None:
    """With the keys, the factor and the nonces of the page, a terminal is at its session."""
    random = sequence(
        vector("terminal private key"),
        vector("R1"),
        vector("upload request nonce"),
        vector("poll request nonce"),
    )
    terminal = TerminalCipher(SN, random=random)
    assert terminal.begin().decode() == VECTORS["terminal PublicKey="]
    terminal.factor(VECTORS["server PublicKey="].encode())
    terminal.agree(VECTORS["R2 Factors="].encode())
    upload = terminal.seal(place(), vector("upload request body"))
    assert (upload.number, upload.sealed) == (1, vector("upload request sealed"))
    assert terminal.open(place(), 1, vector("upload reply sealed")) == b"OK: 1"
    where = place(f"getrequest?SN={SN}", "GET")
    poll = terminal.seal(where)
    assert (poll.number, poll.sealed) == (2, vector("poll request sealed"))
    assert terminal.open(where, 2, vector("poll reply sealed")) == b"C:42:CHECK\n"


@pytest.mark.parametrize("secret", [b"", SECRET])
def test_another_implementation_talks_to_the_server(secret: bytes) -> None:
    """A terminal that was written to the page makes an exchange with fresh keys, and an upload."""
    suite = SealingSuite()
    private, sn = X25519PrivateKey.generate().private_bytes_raw(), SN.encode()
    p1 = peer.public(private)
    keys = suite.begin(SN, secret, peer.value(p1))
    p2 = peer.base64.b64decode(keys.answer)[1:]
    ephemeral = X25519PrivateKey.generate().private_bytes_raw()
    r1 = peer.fixed("any", 16)
    sealed = peer.hpke_seal(r1, p2, peer.factor_info(b"R1", sn, p1, p2), ephemeral)
    session = suite.agree(keys.state, peer.value(sealed))
    r2 = peer.hpke_open(
        peer.base64.b64decode(session.answer)[1:], private, peer.factor_info(b"R2", sn, p1, p2)
    )
    key = peer.session_key(r1, r2, sn, p1, p2, secret)
    where = [sn, b"POST", b"cdata", b"table", b"OPERLOG"]
    request = peer.seal(peer.direction_key(key, b"request"), b"request", where, 7, bytes(12), b"x")
    here = place(f"cdata?table=OPERLOG&SN={SN}")
    assert suite.open(session.state, here, request) == Opened(b"x", 7)
    reply = suite.seal(session.state, here, 7, b"OK: 1")
    assert peer.unseal(peer.direction_key(key, b"reply"), b"reply", where, reply) == (7, b"OK: 1")


def test_a_place_is_as_the_page_writes_it() -> None:
    """Other case, `.aspx`, doubled folders and other orders of arguments are one place."""
    written = place("iclock//CData.aspx?stamp=9999&Table=ATTLOG&sn=" + SN, "post")
    assert written == place()
    assert written.binding(Direction.REQUEST) == vector("upload request place")


def test_the_suite_of_the_page_is_a_plugin() -> None:
    """The example of a suite around a library provides the interface, and works."""
    code = PAGE.split("```python\n")[1].split("```")[0]
    names: dict[str, object] = {"Session": Library}
    exec(code.replace("from vendor_library import Session\n", ""), names)  # noqa: S102
    suite = names["vendor"]
    verifyObject(ICipherSuite, suite)
    assert IPlugin.providedBy(suite)
    keys = suite.begin(SN, b"", b"P1")
    assert keys.answer == b"P2"
    session = suite.agree(keys.state, b"R1")
    assert session.answer == b"R2"
    assert suite.open(session.state, place(), b"abc") == Opened(b"cba", None)
    assert suite.seal(session.state, place(), None, b"OK") == b"KO"
    for wrong in (lambda: suite.agree(keys.state, b""), lambda: suite.open(b"", place(), b"")):
        with pytest.raises(names["NotOpened"]):
            wrong()
    with pytest.raises(ValueError, match="no secret"):
        suite.check_secret(b"x")
    assert suite.covers(place(), Direction.REPLY)
    assert not suite.covers(Place(SN, "GET", "getrequest"), Direction.REQUEST)


class Library:
    """A library such as a site might have."""

    def set_terminal_key(self, key: bytes) -> None:
        """Take P1."""

    def server_key(self) -> bytes:
        """Give P2."""
        return b"P2"

    def exchange_factor(self, factor: bytes) -> bytes:
        """Take R1."""
        if not factor:
            raise ValueError
        return b"R2"

    def export(self) -> bytes:
        """Give the state."""
        return b"state"

    @classmethod
    def restore(cls, state: bytes) -> Library:
        """Take the state."""
        return cls()

    def decrypt(self, body: bytes) -> bytes:
        """Encrypt, backwards."""
        if not body:
            raise ValueError
        return body[::-1]

    encrypt = decrypt


def test_what_is_sealed_is_as_much_longer_as_the_page_says() -> None:
    """Who limits bodies knows what to add."""
    keys = sealing.session_keys(bytes(32))
    assert len(sealing.seal(keys, Direction.REPLY, place(), 1, b"")) == sealing.OVERHEAD == 41
