"""The management listener is as strict as that of terminals, and never takes anything from them."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.protocol.fields import Scope

from ..rig import Rig
from .managing import AUTH, Person, a_turn

CHUNKED = "Transfer-Encoding: chunked"
REFUSED = {
    "no token": ("POST /api/v1/tokens", "", 401),
    "wrong token": ("POST /api/v1/files?name=a", "Authorization: Bearer wrong", 401),
    "no scope": ("POST /api/v1/files?name=a", "reader", 403),
    "no path": ("POST /api/v1/nothing", AUTH, 404),
    "no path, no token": ("POST /nothing", "", 404),
    "wrong method": ("POST /api/v1/devices", AUTH, 405),
    "too large": ("PATCH /api/v1/devices/T1", AUTH, 413),
    "too large file": ("POST /api/v1/files?name=a", AUTH, 413),
    "body where none is": ("GET /health", "", 413),
    "body where none is taken": ("GET /api/v1/devices", AUTH, 413),
}


@pytest.mark.parametrize("expect", ["", "Expect: 100-continue"])
@pytest.mark.parametrize(
    ("name", "framing"),
    [
        *((name, "Content-Length: 5000000") for name in REFUSED),
        # How long a chunked body is shows later.
        *((name, CHUNKED) for name, (_, _, status) in REFUSED.items() if status != 413),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_request_is_refused_at_its_head(
    make_rig, name: str, framing: str, expect: str
) -> None:
    """The answer comes before the body, and before `100 Continue`; what comes then is dropped."""
    rig = await make_rig(limits={"file_bytes": 2_000_000})
    target, authorization, status = REFUSED[name]
    if authorization == "reader":
        authorization = f"Authorization: Bearer {await rig.token('reader', Scope.READ)}"
    headers = [each for each in (authorization, framing, expect) if each]
    person = Person(rig).send(f"{target} HTTP/1.1", "Host: s", *headers)
    assert await person.status() == status
    head, _, body = person.wire.value().partition(b"\r\n\r\n")
    assert b"100 Continue" not in head
    assert b"\r\nConnection: close" in head
    assert b"\r\nContent-Type: application/problem+json" in head
    assert f"\r\nContent-Length: {len(body)}".encode() in head
    assert (b"\r\nWWW-Authenticate: Bearer" in head) is (status == 401)
    before = person.wire.value()
    person.bytes(bytes(64 * 1024)).bytes(b"\r\n\r\nGET /health HTTP/1.1\r\nHost: s\r\n\r\n")
    await a_turn()
    assert person.wire.value() == before
    assert all(len(request.content.getvalue()) == 0 for request in person.channel.requests)
    rig.clock.advance(3)
    assert person.is_cut


@pytest.mark.parametrize("is_known", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_body_is_asked_for_once_it_is_admitted(rig: Rig, is_known: bool) -> None:
    """`Expect: 100-continue` is answered when the token is good; one of another node, too."""
    made = rig.token if is_known else rig.token_of_another_node
    token = await made("ops", Scope.WRITE, Scope.DANGEROUS)
    person = Person(rig).send(
        *("POST /api/v1/files?name=a HTTP/1.1", "Host: s", "Expect: 100-continue"),
        *(f"Authorization: Bearer {token}", "Content-Length: 7"),
    )
    assert await person.status() == 100
    person.bytes(b"content")
    while b"201" not in person.wire.value():
        await person.wire.changed()
    assert len(await rig.items("/files")) == 1


@pytest.mark.parametrize("chunk", [b"x" * 400_000, b"x" * 2_000_000])
@pytest_twisted.ensureDeferred
async def test_a_chunked_body_is_refused_when_it_is_too_large(rig: Rig, chunk: bytes) -> None:
    """The part that is too much ends the request, and it is never answered as if it were whole."""
    part = b"%x\r\n%b\r\n" % (len(chunk), chunk)
    head = ("PATCH /api/v1/devices/T1 HTTP/1.1", "Host: s", AUTH, "Transfer-Encoding: chunked")
    person = Person(rig).send(*head, body=part * 4 + b"0\r\n\r\n")
    assert await person.status() == 413
    await a_turn()
    assert person.wire.value().count(b"HTTP/1.1 ") == 1


@pytest_twisted.ensureDeferred
async def test_a_body_on_a_path_that_takes_none_is_ignored_if_it_is_short(rig: Rig) -> None:
    """Some clients send `{}` with everything."""
    await rig.exchange()
    assert (await rig.api("DELETE", "/devices/T1", {})).status == 204


@pytest_twisted.ensureDeferred
async def test_one_connection_serves_one_request_after_the_other(rig: Rig) -> None:
    """Requests with and without bodies, in one piece and byte by byte, keep their order."""
    await rig.exchange()
    body = b'{"alias": "Gate 4"}'
    patch = f"PATCH /api/v1/devices/T1 HTTP/1.1\r\n{AUTH}\r\n"
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    requests = [
        f"GET /api/v1/devices/T1 HTTP/1.1\r\n{AUTH}\r\n\r\n".encode(),
        f"{patch}Content-Length: {len(body)}\r\n\r\n".encode() + body,
        f"{patch}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks,
        b"GET /health HTTP/1.1\r\n\r\n",
    ] * 3
    stream = b"".join(requests)
    for size in (1, 7, 100, len(stream)):
        person = Person(rig)
        for place in range(0, len(stream), size):
            person.bytes(stream[place : place + size])
        while person.wire.value().count(b"HTTP/1.1 200 OK") < len(requests):
            await person.wire.changed()
        person.leave()


# Deadlines.


@pytest_twisted.ensureDeferred
async def test_a_head_has_a_deadline_however_it_trickles(rig: Rig) -> None:
    """A byte a second does not keep a connection open."""
    person = Person(rig)
    for byte in f"GET /api/v1/devices HTTP/1.1\r\n{AUTH}\r\n".encode()[:50]:
        person.bytes(bytes([byte]))
        rig.clock.advance(1)
        assert not person.is_cut
    for _ in range(15):
        person.bytes(b"x")
        rig.clock.advance(1)
    assert await person.status() == 408
    assert person.is_cut


@pytest_twisted.ensureDeferred
async def test_a_body_has_a_deadline_however_it_trickles(make_rig) -> None:
    """Even with a good token, a request has to come whole in time."""
    rig = await make_rig(limits={"request_seconds": 100})
    head = ("PATCH /api/v1/devices/T1 HTTP/1.1", AUTH, "Content-Length: 1000")
    person = Person(rig).send(*head)
    for _ in range(99):
        rig.clock.advance(1)
        person.bytes(b" ")
    assert person.wire.value() == b""
    rig.clock.advance(1)
    assert await person.status() == 408
    rig.clock.advance(3)
    assert person.is_cut


@pytest.mark.parametrize("begins", [b"", b"GET", f"GET /health HTTP/1.1\r\n{AUTH}".encode()])
@pytest_twisted.ensureDeferred
async def test_a_silent_connection_ends(rig: Rig, begins: bytes) -> None:
    """So does one that is silent from the beginning, and one that stops in the middle of a head."""
    person = Person(rig)
    if begins:
        person.bytes(begins)
    rig.clock.advance(59)
    assert not person.is_cut
    rig.clock.advance(4)
    assert person.is_cut


@pytest_twisted.ensureDeferred
async def test_an_idle_connection_ends_between_requests(rig: Rig) -> None:
    """A connection that has been served may stay as long as any other that is silent."""
    person = Person(rig).get("/api/v1/devices", AUTH)
    assert await person.status() == 200
    rig.clock.advance(61)
    assert person.is_cut


@pytest_twisted.ensureDeferred
async def test_a_reply_that_nobody_takes_ends(make_rig) -> None:
    """A reader that takes nothing is cut after `limits.stalled_seconds`, and not before."""
    rig = await make_rig(limits={"stalled_seconds": 200})
    person = Person(rig).get("/api/v1/devices", AUTH)
    assert await person.status() == 200
    person.channel.pauseProducing()  # as a socket does that is full
    rig.clock.advance(199)
    assert not person.is_cut
    rig.clock.advance(1)
    assert person.is_cut
    other = Person(rig).get("/api/v1/devices", AUTH)
    assert await other.status() == 200
    other.channel.pauseProducing()
    rig.clock.advance(150)
    other.channel.resumeProducing()
    rig.clock.advance(55)
    assert not other.is_cut


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 20_000,
        b"GET /health HTTP/1.1\r\nX: " + b"a" * 20_000,
        b"GET /health HTTP/1.1\r\n" + b"X: a\r\n" * 200 + b"\r\n",
        b"GET /health HTTP/1.1\r\n" + b"X: %b\r\n" % (b"a" * 1000) * 20 + b"\r\n",
        b"GET /health HTTP/1.1\r\nX: a\r\n" + b" a\r\n" * 9_000,
    ],
    ids=["target", "header", "headers", "head", "folded"],
)
@pytest_twisted.ensureDeferred
async def test_a_head_has_a_size(rig: Rig, head: bytes) -> None:
    """A head that is too long is refused, and the connection ends."""
    person = Person(rig)
    for place in range(0, len(head), 1000):
        if not person.is_cut:
            person.bytes(head[place : place + 1000])
    assert await person.status() in (400, 431)
    rig.clock.advance(3)
    assert person.is_cut


@pytest.mark.parametrize("digits", [20, 5_000])
@pytest_twisted.ensureDeferred
async def test_a_length_of_too_many_digits_is_refused(rig: Rig, digits: int) -> None:
    """It gets an answer, and is no error of the server."""
    person = Person(rig).send("POST /api/v1/tokens HTTP/1.1", f"Content-Length: {'9' * digits}")
    assert await person.status() == 400
    assert person.is_cut
