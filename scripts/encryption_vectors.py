"""Print the test vectors of docs/encryption.md: what is between its two `vectors` marks.

Every value comes from the code, but for the two sealed factors: HPKE makes a private key for each,
so these were made once (by tests/crypto/peer.py), and are opened here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from zkpush.crypto import sealing
from zkpush.crypto.sealing import Parties, Side
from zkpush.protocol.envelope import Direction, Place, encode_seal, place_of
from zkpush.protocol.requests import parse_arguments

SN = "CKJG223560021"
SECRET = b"a secret of this site, 32 bytes."
FACTORS = {
    Side.TERMINAL: (
        b"AXUt/rGbiTs7kRtVmWhnGsLHoSxqCK4hEid0ghOEszlyvJqfgrEiEPFa9xAWR6iOqRcuMxKULGNS8YTc6DCmakzS"
        b"NnKjapxx4yhbJsg/WeyS"
    ),
    Side.SERVER: (
        b"Aebl0ICOtW5gBsivMWde+ntWcxj1oXbZeuRfFArVzM1pJL2iqKtGDaYETepi2B29unrvpzT/gEjD9chLhPAIdnXR"
        b"TAFdYN7eiKSSAkq8Y+k2"
    ),
}
UPLOAD = b"SN=CKJG223560021&table=ATTLOG&Stamp=9999"
RECORD = b"1001\t2026-03-02 08:59:58\t0\t1\t\t0\t0\n"
REPLIED = b"OK: 1"
POLL = b"SN=CKJG223560021"
COMMAND = b"C:42:CHECK\n"


def fixed(name: str, length: int = 32) -> bytes:
    """Bytes that are not random, and good for nothing but these vectors."""
    return hashlib.sha256(name.encode()).digest()[:length]


def sealed(
    keys: sealing.SessionKeys,
    direction: Direction,
    place: Place,
    number: int,
    body: bytes,
    nonce: bytes,
) -> bytes:
    """Seal with a nonce that is known."""
    random: Callable[[int], bytes] = lambda length: nonce[:length]  # noqa: E731
    return sealing.seal(keys, direction, place, number, body, random=random)


def vectors() -> Iterator[tuple[str, str]]:
    """Every vector: a name, and a value in hex unless it is text on the wire."""
    terminal, server = fixed("terminal"), fixed("server")
    parties = Parties(SN, sealing.public_of(terminal), sealing.public_of(server))
    yield "serial number", SN
    yield "terminal private key", terminal.hex()
    yield "terminal PublicKey=", sealing.encode_value(parties.terminal).decode()
    yield "server private key", server.hex()
    yield "server PublicKey=", sealing.encode_value(parties.server).decode()
    factors = []
    for side, private in ((Side.TERMINAL, server), (Side.SERVER, terminal)):
        name = side.value.decode()
        factors.append(sealing.open_factor(FACTORS[side], side, parties, private))
        yield name, factors[-1].hex()
        yield f"{name} HPKE private key", fixed(f"{name} ephemeral").hex()
        yield f"{name} Factors=", FACTORS[side].decode()
    r1, r2 = factors
    yield "shared secret", SECRET.hex()
    yield (
        "session key, with the secret",
        sealing.session_key(parties, r1, r2, SECRET).hex(),
    )
    key = sealing.session_key(parties, r1, r2, b"")
    yield "session key, without", key.hex()
    keys = sealing.session_keys(key)
    yield "request key", keys.request.hex()
    yield "reply key", keys.reply.hex()
    examples = (
        ("upload", "POST", b"/iclock/cdata", UPLOAD, RECORD, REPLIED),
        ("poll", "GET", b"/iclock/getrequest", POLL, b"", COMMAND),
    )
    for number, (name, method, path, query, asked, answered) in enumerate(examples, 1):
        arguments = parse_arguments(query)
        place = place_of(arguments["SN"], method, path, arguments)
        yield f"{name} request", f"{method} {path.decode()}?{query.decode()}"
        for way, body in ((Direction.REQUEST, asked), (Direction.REPLY, answered)):
            title = f"{name} {way.value.decode()}"
            nonce = fixed(f"{title} nonce", 12)
            made = sealed(keys, way, place, number, body, nonce)
            yield f"{title} number", str(number)
            yield f"{title} nonce", nonce.hex()
            yield f"{title} place", place.binding(way).hex()
            yield f"{title} body", body.hex()
            yield f"{title} sealed", made.hex()
            if way is Direction.REQUEST and method == "GET":
                yield f"{title} seal=", encode_seal(made)


def page() -> str:
    """The part of the page that is made from the code."""
    return "".join(f"{name}: {value}\n" for name, value in vectors())


if __name__ == "__main__":
    print(page(), end="")
