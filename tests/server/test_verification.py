"""Background verification: who is let in when a terminal asks the server (12.8.3)."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterator

import pytest
import pytest_twisted
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import reactor, threads
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.plugin import IPlugin
from zope.interface import implementer

from zkpush.handlers.people.store import PeopleStore
from zkpush.interfaces import IVerifier
from zkpush.model import Device
from zkpush.values.people import Verdict, VerifyRequest

from ..plugged import plug_in
from ..rig import NOON, Response, Rig

ASK = "cdata?SN=T1&type=PostVerifyData"
DEADLINE = 3
SECRET = "secret-4711"


@implementer(IPlugin, IVerifier)
class Told:
    """Decides as a test tells it to."""

    name = "told"

    def __init__(self) -> None:
        self.decide: Callable[[VerifyRequest], object] = lambda request: Verdict(True)
        self.asked: list[tuple[Device, VerifyRequest]] = []
        self.called: Deferred[None] = Deferred()

    def verify(self, device: Device, request: VerifyRequest) -> object:
        """Do so."""
        self.asked.append((device, request))
        if not self.called.called:
            reactor.callLater(0, self.called.callback, None)
        return self.decide(request)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """A verifier that the daemons of the test find beside those that are installed."""
    verifier = Told()
    plug_in(monkeypatch, IVerifier, verifier)
    return verifier


@pytest.fixture
def log() -> Iterator[list[LogEvent]]:
    """What is logged during the test."""
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def lines(log: list[LogEvent]) -> str:
    """Everything that is in the log, shown or not."""
    return "\n".join(f"{formatEvent(event)} {event}" for event in log)


async def asking(make_rig: Callable[..., object], **verification: object) -> Rig:
    """A daemon with two terminals whose verifier is told what to say."""
    rig = await make_rig(verification={"verifier": "told", **verification})
    await rig.exchange("T1")
    await rig.exchange("T2")
    return rig


def refused(response: Response) -> str:
    """Check that a reply is a description of one line that is not taken for success."""
    assert response.status == 200, response.raw
    assert b"OK" not in response.body
    assert response.body.endswith(b"\n")
    assert response.body.count(b"\n") == 1
    return response.body.decode()


@pytest_twisted.ensureDeferred
async def test_a_known_user_is_admitted(rig: Rig) -> None:
    """By default, who the store knows is let in, and nobody else."""
    await rig.exchange("T1")
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=7\tName=Ann")
    assert (await rig.post(ASK, b"PIN=7\tVerify=1")).body == b"OK"
    assert (await rig.post(ASK, b"7\t2026-03-01 12:00:00\t0\t1")).body == b"OK"
    assert "not known" in refused(await rig.post(ASK, b"PIN=8\tVerify=1"))
    assert "not known" in refused(await rig.post(ASK, b"PIN=07"))
    assert "no user ID" in refused(await rig.post(ASK, b""))


@pytest.mark.parametrize(
    "path",
    [ASK, "CDATA?sn=T1&TYPE=POSTVERIFYDATA", "cdata.aspx?SN=T1&Type=postverifydata&table=ATTLOG"],
)
@pytest_twisted.ensureDeferred
async def test_the_question_is_known_in_any_case(rig: Rig, path: str) -> None:
    """Name and value of `type` may be written in capitals or not; it is no upload then."""
    await rig.exchange("T1")
    assert "not known" in refused(await rig.post(path, b"7\t2026-03-01 12:00:00\t0\t1"))
    assert await rig.items("/attendance") == []


@pytest.mark.parametrize(
    ("zone", "end", "admitted"),
    [
        ("UTC", "2026-03-01 12:00:00", True),
        ("UTC", "2026-03-01 11:59:59", False),
        ("Asia/Tokyo", "2026-03-01 20:00:00", False),
        ("America/Lima", "2026-03-01 08:00:00", True),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_user_is_valid_by_the_clock_of_the_terminal(
    rig: Rig, zone: str, end: str, admitted: bool
) -> None:
    """Validity is a wall clock time where the terminal hangs."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": zone})
    user = f"USER PIN=7\tStartDatetime=2026-01-01 00:00:00\tEndDatetime={end}\tExpires=1"
    await rig.post("cdata?SN=T1&table=OPERLOG", user.encode())
    response = await rig.post(ASK, b"PIN=7")
    if admitted:
        assert response.body == b"OK"
    else:
        assert "no longer valid" in refused(response)


@pytest_twisted.ensureDeferred
async def test_a_validity_that_cannot_be_read_admits_nobody(rig: Rig) -> None:
    """The default does not guess."""
    await rig.exchange("T1")
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=7\tEndDatetime=at the end of May")
    assert "cannot be read" in refused(await rig.post(ASK, b"PIN=7"))


@pytest_twisted.ensureDeferred
async def test_a_verifier_knows_what_the_terminal_and_the_store_say(make_rig, told: Told) -> None:
    """It is given the terminal, the user as stored, the time, and the bytes of the request."""
    rig = await asking(make_rig)
    await rig.api("PATCH", "/devices/T1", {"timezone": "Asia/Tokyo"})
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=7\tName=Ann")
    for body in (b"PIN=7\tX=\xff\x00", b"PIN=8", b"\x00\x01"):
        assert (await rig.post(ASK, body)).body == b"OK"
    (device, one), (_, two), (_, three) = told.asked
    assert (device.sn, one.pin, one.body) == ("T1", "7", b"PIN=7\tX=\xff\x00")
    assert one.user is not None
    assert (one.user.pin, one.user.name) == ("7", "Ann")
    assert (one.time, one.at) == ("2026-03-01 21:00:00", NOON * 1000)
    assert (two.pin, two.user) == ("8", None)
    assert (three.pin, three.user, three.body) == (None, None, b"\x00\x01")


async def _later() -> Verdict:
    return Verdict(True)


@pytest.mark.parametrize("give", [lambda: succeed(Verdict(True)), _later])
@pytest_twisted.ensureDeferred
async def test_a_verifier_may_decide_later(
    make_rig, told: Told, give: Callable[[], object]
) -> None:
    """A Deferred and a coroutine are waited for."""
    rig = await asking(make_rig)
    told.decide = lambda request: give()
    assert (await rig.post(ASK, b"PIN=7")).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_a_refusal_is_described_in_one_line_for_the_terminal(make_rig, told: Told) -> None:
    """The reason is in the terminal's encoding, is not long, and never looks like success."""
    rig = await asking(make_rig)
    await rig.exchange("T3", language="83")
    told.decide = lambda request: Verdict(False, "访客\r\nTOKEN is over")
    assert refused(await rig.post(ASK, b"PIN=7")) == "访客 TO.KEN is over\n"
    response = await rig.post(ASK.replace("T1", "T3"), b"PIN=7")
    assert response.body == "访客 TO.KEN is over\n".encode("gb2312")
    # In GB18030, this character is 81 4F, and 4F is an O.
    told.decide = lambda request: Verdict(False, b"\x81\x4fK".decode("gb18030"))
    assert (await rig.post(ASK.replace("T1", "T3"), b"PIN=7")).body == b"?K\n"
    told.decide = lambda request: Verdict(False, "x" * 5000)
    assert len(refused(await rig.post(ASK, b"PIN=7"))) == 201
    told.decide = lambda request: Verdict(False)
    assert refused(await rig.post(ASK, b"PIN=7")).strip()


def _raise(request: VerifyRequest) -> object:
    raise RuntimeError(f"cannot read {request.body!r}")


async def _raise_later() -> object:
    raise RuntimeError(SECRET)


MISTAKES: dict[str, Callable[[VerifyRequest], object]] = {
    "nothing": lambda request: None,
    "yes": lambda request: True,
    "success": lambda request: b"OK",
    "no boolean": lambda request: Verdict("yes"),  # type: ignore[arg-type]
    "no text": lambda request: Verdict(True, None),  # type: ignore[arg-type]
    "nothing later": lambda request: succeed(None),
    "a failure": lambda request: fail(RuntimeError(SECRET)),
    "an error": _raise,
    "an error later": lambda request: _raise_later(),
    "the end": lambda request: sys.exit(),
}


@pytest.mark.parametrize("fallback", ["refuse", "admit"])
@pytest.mark.parametrize("mistake", MISTAKES)
@pytest_twisted.ensureDeferred
async def test_the_fallback_decides_when_the_verifier_fails(
    make_rig, told: Told, log: list[LogEvent], mistake: str, fallback: str
) -> None:
    """Who raises, or says what is no verdict, is replaced; the log says so, without the body."""
    rig = await asking(make_rig, fallback=fallback)
    told.decide = MISTAKES[mistake]
    response = await rig.post(ASK, f"PIN=7\tPasswd={SECRET}".encode())
    if fallback == "admit":
        assert response.body == b"OK"
    else:
        assert "could not be verified" in refused(response)
    text = lines(log)
    assert "the verifier told failed (" in text
    assert f"the fallback is to {fallback}" in text
    assert SECRET not in text


@pytest.mark.parametrize("fallback", ["refuse", "admit"])
@pytest_twisted.ensureDeferred
async def test_a_slow_verifier_holds_up_nobody_and_is_not_waited_for(
    make_rig, told: Told, log: list[LogEvent], fallback: str
) -> None:
    """Others are served meanwhile; at the deadline the fallback decides, and for good."""
    rig = await asking(make_rig, fallback=fallback, deadline_seconds=DEADLINE)
    never: Deferred[Verdict] = Deferred()
    told.decide = lambda request: never
    waiting = Deferred.fromCoroutine(rig.post(ASK, b"PIN=7"))
    await told.called
    assert (await rig.get("getrequest?SN=T2")).body == b"OK"
    assert (await rig.get("getrequest?SN=T1")).body == b"OK"
    upload = await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", b"7\t2026-03-01 12:00:00\t0\t1")
    assert upload.body == b"OK: 1"
    rig.clock.advance(DEADLINE - 0.1)
    assert not waiting.called
    rig.clock.advance(0.1)
    response = await waiting
    assert (response.body == b"OK") is (fallback == "admit")
    assert "has not decided within 3 seconds" in lines(log)
    assert never.called  # it is cancelled, which is how it hears that it is late
    never.callback(Verdict(fallback == "refuse"))
    told.decide = lambda request: Verdict(True)
    assert (await rig.post(ASK, b"PIN=7")).body == b"OK"


@pytest.mark.parametrize("canceller", ["ignores it", "raises"])
@pytest_twisted.ensureDeferred
async def test_a_verifier_that_cannot_be_cancelled_changes_nothing(
    make_rig, told: Told, canceller: str
) -> None:
    """The deadline holds whatever a verifier does when it is told that it is late."""
    rig = await asking(make_rig)
    late: Deferred[Verdict] = Deferred()

    def cancelled(_: object) -> None:
        raise RuntimeError(SECRET)

    async def stubborn() -> Verdict:
        try:
            await Deferred()
        except CancelledError:
            return await late
        raise AssertionError

    stuck: Deferred[Verdict] = Deferred(cancelled)
    told.decide = lambda request: stubborn() if canceller == "ignores it" else stuck
    waiting = Deferred.fromCoroutine(rig.post(ASK, b"PIN=7"))
    await told.called
    rig.clock.advance(DEADLINE)
    assert "could not be verified" in refused(await waiting)
    late.callback(Verdict(True))
    assert (await rig.get("getrequest?SN=T1")).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_a_verifier_that_blocks_past_the_deadline_is_late(make_rig, told: Told) -> None:
    """What it says then does not count, although it says it before the fallback is due."""
    rig = await asking(make_rig)

    def block(request: VerifyRequest) -> Verdict:
        rig.clock.rightNow += DEADLINE
        return Verdict(True)

    told.decide = block
    waiting = Deferred.fromCoroutine(rig.post(ASK, b"PIN=7"))
    await told.called
    rig.clock.advance(0)
    assert "could not be verified" in refused(await waiting)


@pytest_twisted.ensureDeferred
async def test_a_store_that_fails_means_the_fallback(
    make_rig, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without what is known of the user, the verifier is not asked."""
    rig = await asking(make_rig)

    def broken(*_: object, **__: object) -> object:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(PeopleStore, "users", broken)
    assert "could not be verified" in refused(await rig.post(ASK, b"PIN=7"))
    await rig.store.stop()
    assert "could not be verified" in refused(await rig.post(ASK, b"PIN=7"))
    assert told.asked == []


@pytest_twisted.ensureDeferred
async def test_only_an_approved_terminal_that_made_the_exchange_may_ask(
    make_rig, told: Told
) -> None:
    """Pending and blocked terminals are refused; a new one is asked for the exchange first."""
    rig = await make_rig(
        admission="approve", verification={"verifier": "told", "fallback": "admit"}
    )
    assert (await rig.post(ASK, b"PIN=7")).status == 403
    await rig.api("PATCH", "/devices/T1", {"state": "approved"})
    assert (await rig.post(ASK, b"PIN=7")).body == b"UNKNOWN DEVICE"
    await rig.exchange("T1")
    assert (await rig.post(ASK, b"PIN=7")).body == b"OK"
    await rig.api("PATCH", "/devices/T1", {"state": "blocked"})
    blocked = await rig.post(ASK, b"PIN=7")
    assert blocked.status == 403
    assert b"OK" not in blocked.raw
    assert len(told.asked) == 1


@pytest_twisted.ensureDeferred
async def test_a_body_without_a_user_is_kept(rig: Rig) -> None:
    """What is not understood is not lost: its bytes are in the rejects, once."""
    await rig.exchange("T1")
    for _ in range(2):
        assert "no user ID" in refused(await rig.post(ASK, b"\x00\xff rubbish"))
    (reject,) = await rig.items("/rejects")
    assert (reject["table"], base64.b64decode(reject["raw"])) == (
        "PostVerifyData",
        b"\x00\xff rubbish",
    )


@pytest_twisted.ensureDeferred
async def test_decisions_are_logged_without_what_was_sent(rig: Rig, log: list[LogEvent]) -> None:
    """The log names users that are known, and nothing else of a body."""
    await rig.exchange("T1")
    await rig.post("cdata?SN=T1&table=OPERLOG", f"USER PIN=7\tPasswd={SECRET}".encode())
    for body in (f"PIN=7\tPasswd={SECRET}", SECRET, f"PIN={SECRET}", f"\x00{SECRET}"):
        await rig.post(ASK, body.encode())
    text = lines(log)
    assert "Terminal T1: user 7 is admitted by the verifier known" in text
    assert "Terminal T1: somebody unknown is refused by the verifier known" in text
    assert SECRET not in text


def test_a_verifier_that_is_not_there_ends_the_start(tmp_path) -> None:
    """The configuration names a plugin that exists, or says which ones do."""
    with pytest.raises(ValueError, match=r"no verifier 'none'; there are known"):
        Rig(tmp_path, verification={"verifier": "none"})


@pytest_twisted.ensureDeferred
async def test_any_body_is_admitted_by_the_verifier_alone(make_rig, told: Told) -> None:
    """Whatever a terminal sends, `OK` comes if the verifier has said so, and only then."""
    rig = await asking(make_rig)

    async def ask(body: bytes, verdict: Verdict | None) -> None:
        told.asked.clear()
        told.decide = lambda request: verdict
        response = await rig.post(ASK, body)
        assert len(told.asked) == 1
        assert told.asked[0][1].body == body
        if verdict is not None and verdict.admitted:
            assert response.body == b"OK"
        else:
            refused(response)

    @settings(max_examples=100, deadline=None)
    @given(
        st.binary(max_size=60)
        | st.lists(st.sampled_from([b"PIN=7", b"OK", b"\t", b"&", b",", b"\n", b"7"])).map(
            b"".join
        ),
        st.none() | st.builds(Verdict, st.booleans(), st.text(max_size=20) | st.just("OK")),
    )
    def every_body(body: bytes, verdict: Verdict | None) -> None:
        wanted = threads.blockingCallFromThread
        wanted(reactor, lambda: Deferred.fromCoroutine(ask(body, verdict)))

    await threads.deferToThread(every_body)


@pytest_twisted.ensureDeferred
async def test_any_body_is_refused_where_nobody_is_known(rig: Rig) -> None:
    """The default admits no one by a body alone."""
    await rig.exchange("T1")

    async def ask(body: bytes) -> None:
        refused(await rig.post(ASK, body))

    @settings(max_examples=100, deadline=None)
    @given(st.binary(max_size=60))
    def every_body(body: bytes) -> None:
        threads.blockingCallFromThread(reactor, lambda: Deferred.fromCoroutine(ask(body)))

    await threads.deferToThread(every_body)
