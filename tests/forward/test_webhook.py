"""The kind `webhook`: what is on the wire, and what answers mean."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted
import standardwebhooks
from standardwebhooks import Webhook as Verifier

from zkpush.handlers.forward.addresses import check_url
from zkpush.handlers.forward.replies import retry_after
from zkpush.handlers.forward.signing import parse_secret, sign, write_secret
from zkpush.testing.clock import NOON

from ..rig import Rig
from .receivers import add, punch, shown, turn, turns
from .servers import Received, Receiver, Reply

Receive = Callable[..., Receiver]


@pytest.fixture(autouse=True)
def now_is_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verify as at the time of the clock of the daemons, which stands still."""

    class Noon(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return cls.fromtimestamp(NOON, tz)

    monkeypatch.setattr(standardwebhooks.webhooks, "datetime", Noon)


async def to(rig: Rig, receiver: Receiver, **more: Any) -> dict[str, Any]:
    """Add a webhook to a receiver on this machine."""
    return await add(rig, **{"kind": "webhook", "url": receiver.url, "allow_private": True, **more})


@pytest_twisted.ensureDeferred
async def test_signatures_are_those_of_standard_webhooks(rig: Rig, receive: Receive) -> None:
    """The reference implementation verifies them, and no other body, id or secret."""
    receiver = receive()
    await rig.exchange()
    made = await to(rig, receiver)
    await punch(rig, [7, 8])
    await turn(rig)
    (one,) = receiver.received
    found = Verifier(made["secret"]).verify(one.body, one.headers)
    assert found["type"] == "events"
    assert [event["data"]["pin"] for event in found["data"]["events"]] == ["7", "8"]
    assert one.headers["content-type"] == "application/json"
    assert one.headers["webhook-timestamp"] == str(NOON + 1)
    for body, headers in (
        (one.body.replace(b'"7"', b'"9"'), one.headers),
        (one.body, {**one.headers, "webhook-id": "msg_other"}),
    ):
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            Verifier(made["secret"]).verify(body, headers)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        Verifier(write_secret(bytes(32))).verify(one.body, one.headers)


@pytest_twisted.ensureDeferred
async def test_both_secrets_sign_during_a_rotation(rig: Rig, receive: Receive) -> None:
    """For a day; then the new one alone."""
    receiver = receive()
    await rig.exchange()
    old = (await to(rig, receiver))["secret"]
    new = (await rig.api("POST", "/forwarders/1/rotate")).json["secret"]
    await punch(rig, [1])
    await turns(rig, 2)
    (one,) = receiver.received
    assert len(one.headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        assert Verifier(secret).verify(one.body, one.headers)
    await turns(rig, 25, seconds=3600)
    await punch(rig, [2], time="2026-03-02 14:00:00")
    await turns(rig, 2)
    later = receiver.received[-1]
    assert later.headers["webhook-signature"] == sign(
        [new], later.headers["webhook-id"], int(later.headers["webhook-timestamp"]), later.body
    )


@pytest_twisted.ensureDeferred
async def test_one_connection_carries_many_requests_of_at_most_20_kb(
    rig: Rig, receive: Receive
) -> None:
    """A backlog is sent in batches under 20 kB, each event once, on a connection that is reused."""
    receiver = receive()
    await rig.exchange()
    await to(rig, receiver)
    await punch(rig, range(300))
    await turns(rig, 2)
    assert len(receiver.received) > 3
    assert max(len(one.body) for one in receiver.received) < 20_000
    assert min(len(one.body) for one in receiver.received[:-1]) > 15_000
    assert [event["data"]["pin"] for event in receiver.events] == [str(pin) for pin in range(300)]
    assert len({one.connection for one in receiver.received}) == 1


@pytest_twisted.ensureDeferred
async def test_a_batch_is_the_same_at_each_attempt(rig: Rig, receive: Receive) -> None:
    """Id and body stay; the time and the signature are those of the attempt."""
    answers = [503, 500, 204]

    def decide(received: Received) -> Reply:
        return answers.pop(0), {}, b""

    receiver = receive(decide)
    await rig.exchange()
    await to(rig, receiver)
    await punch(rig, [1, 2])
    await turns(rig, 12)
    first, *others = receiver.received
    assert len(others) == 2
    for other in others:
        assert (other.body, other.headers["webhook-id"]) == (
            first.body,
            first.headers["webhook-id"],
        )
        assert other.headers["webhook-timestamp"] > first.headers["webhook-timestamp"]
    assert (await shown(rig))["delivered"] == 2


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        ((500, {}, b"<b>\x1boh</b>"), "active", "HTTP 500 Internal Server Error: <b>\\x1boh</b>"),
        (
            (302, {"Location": "http://127.0.0.1:1/"}, b""),
            "active",
            "HTTP 302 Found; redirects are not followed: set the URL to the new address",
        ),
        ((410, {}, b""), "stopped", "HTTP 410 Gone"),
        ((599, {}, b""), "active", "HTTP 599"),
        ((503, {"Retry-After": "120"}, b"busy"), "active", "HTTP 503 Service Unavailable: busy"),
    ],
    ids=["error", "redirect", "gone", "unknown", "busy"],
)
@pytest_twisted.ensureDeferred
async def test_each_answer_has_its_words(
    rig: Rig, receive: Receive, answer: Reply, state: str, words: str
) -> None:
    """They are the last error of the forwarder, and what `test` says."""
    receiver = receive(lambda received: answer)
    await rig.exchange()
    await to(rig, receiver)
    tested = (await rig.api("POST", "/forwarders/1/test")).json
    assert (tested["delivered"], tested["words"]) == (False, words)
    await punch(rig, [1])
    await turn(rig)
    view = await shown(rig)
    assert (view["state"], view["last_error"], view["backlog"]) == (state, words, 1)
    assert len(receiver.received) == 2
    if answer[0] == 503:
        assert view["next_try_at"] == "2026-03-01T12:02:01.000Z"


@pytest_twisted.ensureDeferred
async def test_a_test_is_a_signed_sample(rig: Rig, receive: Receive) -> None:
    """It says what came back, and is no event."""
    receiver = receive(lambda received: (200, {}, b"welcome"))
    made = await to(rig, receiver)
    tested = (await rig.api("POST", "/forwarders/1/test")).json
    assert tested == {"delivered": True, "outcome": "delivered", "words": "HTTP 200 OK: welcome"}
    (one,) = receiver.received
    (event,) = Verifier(made["secret"]).verify(one.body, one.headers)["data"]["events"]
    assert event["type"] == "test"
    assert (await shown(rig))["delivered"] == 0


@pytest_twisted.ensureDeferred
async def test_an_endless_reply_is_cut(rig: Rig, receive: Receive) -> None:
    """Only its beginning is read, and the status counts."""
    receiver = receive(lambda received: (200, {"Content-Length": "99999999"}, b"x" * 100_000))
    await rig.exchange()
    await to(rig, receiver)
    await punch(rig, [1])
    await turn(rig)
    assert (await shown(rig))["delivered"] == 1


@pytest_twisted.ensureDeferred
async def test_a_compressed_reply_is_not_expanded(rig: Rig, receive: Receive) -> None:
    """None is asked for; one that comes nevertheless is quoted as it is."""
    receiver = receive(lambda received: (200, {"Content-Encoding": "gzip"}, b"not gzip"))
    await rig.exchange()
    await to(rig, receiver)
    tested = (await rig.api("POST", "/forwarders/1/test")).json
    assert tested["words"] == "HTTP 200 OK: not gzip"
    assert "accept-encoding" not in receiver.received[0].headers


@pytest_twisted.ensureDeferred
async def test_nobody_listens(rig: Rig, receive: Receive) -> None:
    """The words say that the connection was refused."""
    receiver = receive()
    receiver.stop()
    await to(rig, receiver)
    tested = (await rig.api("POST", "/forwarders/1/test")).json
    assert tested["outcome"] == "later"
    assert "ConnectionRefusedError" in tested["words"]


@pytest.mark.parametrize(
    "url",
    [
        "payroll",
        "ftp://payroll.example.com/",
        "https:///x",
        "https://user:password@payroll.example.com/",
        "https://payroll.example.com/#x",
        "https://payroll.example.com:0/",
        "https://payroll.example.com:99999/",
        "https://payroll.example.com/a b",
        "https://payroll.example.com/\n",
        "https://münchen.example.com/",
        "http://payroll.example.com/",
        "https://payroll.example.com/" + "x" * 2000,
    ],
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    """With words that say what to write."""
    with pytest.raises(ValueError, match=r"^url: "):
        check_url(url, allow_private=False)


@pytest.mark.parametrize("url", ["https://[2001:db8::1]:8443/x?y=z", "https://payroll.example.com"])
def test_urls_of_receivers(url: str) -> None:
    """Names and addresses of both kinds."""
    check_url(url, allow_private=False)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60.0),
        ("Sun, 01 Mar 2020 12:01:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        (None, None),
        ("9" * 400, 999_999_999.0),
    ],
)
def test_retry_after(text: str | None, seconds: float | None) -> None:
    """Seconds or a date; anything else is ignored."""
    assert retry_after(text, float(NOON)) == seconds


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_AAAA", "whsec_" + "A" * 200, "whsec_%%%%", "x" * 40]
)
def test_a_secret_that_is_none_is_refused_without_quoting_it(secret: str) -> None:
    """It could be a mistyped real one."""
    with pytest.raises(ValueError, match="24 to 64 random bytes") as raised:
        parse_secret(secret)
    assert not secret or secret not in str(raised.value).replace("whsec_ and", "")
