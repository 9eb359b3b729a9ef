"""The kind `smtp`: problems by mail, to a real server."""

from __future__ import annotations

import email
import email.policy
import pathlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import pytest_twisted

from zkpush.handlers.forward.kinds.mailclient import MailClient
from zkpush.handlers.forward.kinds.mails import MailAccess, OutgoingMail
from zkpush.handlers.forward.kinds.mailtext import body_of, collect_news, compose, encode_mail
from zkpush.handlers.forward.kinds.smtp import Smtp, SmtpSettings
from zkpush.handlers.forward.store import ForwarderStore
from zkpush.manage.problemnews import ProblemAnnouncer
from zkpush.model import Problem
from zkpush.persist.devices import DeviceStore
from zkpush.problems import ProblemCode, ProblemKind, ServerProblem, advice_of
from zkpush.testing.clock import NOON, TurnedReactor
from zkpush.values.forwarding import ForwardBatch, ForwardedEvent

from ..certificates import sign
from ..rig import Rig
from .receivers import add, engine_of, happens, punch, shown, turn, turns
from .scripted import ScriptedServer

if TYPE_CHECKING:
    from .mailservers import MailServer

# With TLS from the beginning, aiosmtpd does not know that the connection is encrypted.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")
Serve = Callable[..., "MailServer"]
Script = Callable[..., ScriptedServer]
PLAIN = {
    "host": "127.0.0.1",
    "tls": "none",
    "sender": "zkpush@example.com",
    "recipients": ["anna@example.com"],
    "collect_minutes": 0,
    "allow_private": True,
}
GREETING = b"220 mail.example.com\r\n"


@pytest.fixture
def serve(tmp_path: pathlib.Path) -> Iterator[Serve]:
    """Make mail servers, which end with the test."""
    from .mailservers import MailServer  # needs aiosmtpd

    made: list[MailServer] = []

    def make(*args: Any, **more: Any) -> MailServer:
        made.append(MailServer(tmp_path, *args, **more))
        return made[-1]

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def script() -> Iterator[Script]:
    """Make servers that follow a script."""
    made: list[ScriptedServer] = []

    def make(*lines: bytes, **more: Any) -> ScriptedServer:
        made.append(ScriptedServer(*lines, **more))
        return made[-1]

    yield make
    for server in made:
        server.stop()


async def to(rig: Rig, server: MailServer, **more: Any) -> None:
    """Add a forwarder to a server."""
    settings = {**server.settings, **more}
    await add(rig, name="alarm", kind="smtp", settings=settings)


async def with_terminals(rig: Rig, *sns: str) -> None:
    """Make terminals known, without problems."""
    for sn in sns:
        await rig.exchange(sn)


async def change(rig: Rig, sn: str, code: str, detail: str | None) -> None:
    """Raise a problem of a terminal, or clear it."""

    def unit(tx: Any) -> None:
        device = tx[DeviceStore].find(sn)
        if detail is None:
            tx[DeviceStore].clear_problem(device.id, code)
        else:
            tx[DeviceStore].raise_problem(device.id, Problem(code, detail, NOON * 1000))

    await rig.store.write(unit)


async def tried(rig: Rig) -> dict[str, Any]:
    """The reply to a test of the forwarder."""
    found: dict[str, Any] = (await rig.api("POST", "/forwarders/1/test")).json
    return found


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest_twisted.ensureDeferred
async def test_a_problem_and_its_solution_are_mailed(rig: Rig, serve: Serve, tls: str) -> None:
    """In plain words with what to do; encrypted, to a verified server, with a password."""
    server = serve(tls)
    await with_terminals(rig, "T1")
    await to(rig, server, tls=tls, recipients=["anna@example.com", "bert@example.com"])
    assert (await shown(rig))["events"] == ["problem"]
    await change(rig, "T1", ProblemCode.SILENT, "Since yesterday")
    await turn(rig)
    await change(rig, "T1", ProblemCode.SILENT, None)
    await turn(rig)
    first, second = server.arrived
    assert (first.sender, first.recipients) == (
        "zkpush@example.com",
        ["anna@example.com", "bert@example.com"],
    )
    assert first.mail["subject"] == "[zkpush] T1: silent"
    assert first.mail["to"] == "anna@example.com, bert@example.com"
    assert first.mail["auto-submitted"] == "auto-generated"
    words = " ".join(first.text.split())
    assert "Terminal T1: silent, at 2026-03-01T12:00:00" in words
    assert ProblemCode.SILENT.meaning in words
    assert f"What to do: {advice_of(ProblemCode.SILENT, 'T1')}" in words
    assert second.mail["subject"] == "[zkpush] Solved: T1: silent"
    assert "What to do" not in second.text
    assert server.passwords == [b"geheim-7"] * 2
    view = await shown(rig)
    assert (view["delivered"], view["backlog"]) == (2, 0)


@pytest_twisted.ensureDeferred
async def test_what_comes_within_some_minutes_is_one_mail(rig: Rig, serve: Serve) -> None:
    """The first problem waits for others; what came and went is solved; nothing is told twice."""
    server = serve()
    await with_terminals(rig, "T1", "T2")
    await to(rig, server, collect_minutes=5)
    await change(rig, "T1", ProblemCode.SILENT, "x")
    await turns(rig, 4, seconds=60)
    await change(rig, "T2", ProblemCode.CLOCK_WRONG, "x")
    await change(rig, "T2", ProblemCode.SILENT, "x")
    await change(rig, "T2", ProblemCode.SILENT, None)
    await turn(rig, seconds=50)
    assert (server.arrived, (await shown(rig))["backlog"]) == ([], 4)
    await turns(rig, 2, seconds=11)
    (one,) = server.arrived
    assert one.mail["subject"] == "[zkpush] 2 new problems, 1 solved"
    new, solved = one.text.split("Solved\n")
    assert new.index("T1: silent") < new.index("T2: clock wrong")
    assert "T2: silent" not in new
    assert "T2: silent" in solved
    assert "raised and solved since the last mail" in solved
    await turns(rig, 3, seconds=300)
    assert len(server.arrived) == 1
    await change(rig, "T1", ProblemCode.SILENT, None)
    await turns(rig, 2, seconds=300)
    assert [each.mail["subject"] for each in server.arrived[1:]] == ["[zkpush] Solved: T1: silent"]


@pytest_twisted.ensureDeferred
async def test_problems_of_the_server_are_mailed_with_those_of_terminals(
    rig: Rig, serve: Serve
) -> None:
    """In one mail, in the words of their declaration, and without details; solved ones as well."""
    server = serve()
    await with_terminals(rig, "T1")
    await to(rig, server, collect_minutes=5)
    kind = ProblemKind("visitors stuck", "A visitor cannot leave", "Open the door.")
    found = [
        ServerProblem(code=kind, subject="plugin visitors", detail="secret", since_at=0),
        ServerProblem(code=ProblemCode.SPACE_LOW, subject="disk", detail="secret", since_at=0),
    ]
    rig.daemon.problems.add_source(lambda: found)
    await change(rig, "T1", ProblemCode.SILENT, "x")
    (announcer,) = (job for job in rig.daemon.jobs if isinstance(job, ProblemAnnouncer))
    await announcer.look()
    await turns(rig, 2, seconds=301)
    (one,) = server.arrived
    assert one.mail["subject"] == "[zkpush] 3 new problems"
    words = " ".join(one.text.split())
    assert "Server, disk: space low, at 2026-03-01T12:00" in words
    assert ProblemCode.SPACE_LOW.meaning in words
    assert "Server, plugin visitors: visitors stuck" in words
    assert "A visitor cannot leave. What to do: Open the door." in words
    assert "secret" not in words
    found.clear()
    await announcer.look()
    await turns(rig, 2, seconds=301)
    assert server.arrived[-1].mail["subject"] == "[zkpush] 2 solved"


@pytest_twisted.ensureDeferred
async def test_a_clock_that_is_set_back_delays_no_mail(rig: Rig, serve: Serve) -> None:
    """A problem of an hour ahead is mailed within the time of collecting."""
    server = serve()
    await with_terminals(rig, "T1")
    await to(rig, server, collect_minutes=5)
    await change(rig, "T1", ProblemCode.SILENT, "x")
    rig.clock.jumped -= 3600
    await turns(rig, 2)
    assert [one.mail["subject"] for one in server.arrived] == ["[zkpush] T1: silent"]


@pytest_twisted.ensureDeferred
async def test_a_changed_detail_is_no_news(rig: Rig, serve: Serve) -> None:
    """Ten rejects more are no second mail, and details, which may quote records, are in none."""
    server = serve()
    await with_terminals(rig, "T1")
    await to(rig, server)
    for detail in ("PIN 4711", "PIN 4711, and 10 more"):
        await change(rig, "T1", ProblemCode.REJECTS, detail)
        await turn(rig)
    (one,) = server.arrived
    assert "T1: rejects" in one.text
    assert b"4711" not in one.content
    listed = await rig.items("/forwarders/1/deliveries")
    assert sorted(each["words"] for each in listed)[1].startswith("Nothing to mail")


@pytest_twisted.ensureDeferred
async def test_records_are_never_mailed(rig: Rig, serve: Serve) -> None:
    """Attendance is refused for this kind, and left out where none is named."""
    server = serve()
    await with_terminals(rig, "T1")
    body = {"name": "x", "kind": "smtp", "settings": server.settings, "events": ["attendance"]}
    refused = await rig.api("POST", "/forwarders", body)
    assert refused.status == 400
    assert "A forwarder of the kind smtp delivers problem only" in refused.json["detail"]
    await to(rig, server)
    await punch(rig, [4711])
    await turn(rig)
    assert server.attempts == []
    changed = await rig.api("PATCH", "/forwarders/1", {"events": ["problem", "user"]})
    assert changed.status == 400


@pytest_twisted.ensureDeferred
async def test_a_repeated_mail_is_recognisable(rig: Rig, serve: Serve) -> None:
    """Its Message-ID is that of its batch at each attempt; 4xx is another attempt."""
    server = serve()
    await with_terminals(rig, "T1")
    await to(rig, server)
    server.answers["data"] = "451 4.3.0 Disk of the mail server is full"
    await change(rig, "T1", ProblemCode.SILENT, "x")
    await turn(rig)
    view = await shown(rig)
    assert view["last_error"] == (
        "The text of the mail was not taken: 451 4.3.0 Disk of the mail server is full"
    )
    assert (view["backlog"], view["dead"]) == (1, 0)
    server.answers.clear()
    await turns(rig, 3)
    (one,) = server.arrived
    listed = await rig.items("/forwarders/1/deliveries")
    assert {each["outcome"] for each in listed} == {"later", "delivered"}
    (batch,) = {each["batch"] for each in listed}
    assert one.mail["message-id"] == f"<{batch}@example.com>"


@pytest_twisted.ensureDeferred
async def test_one_refused_recipient_does_not_silence_the_others(rig: Rig, serve: Serve) -> None:
    """They get the mail, which names the refused one; so does a test, as a failure."""
    server = serve()
    server.answers["bert@example.com"] = "550 5.1.1 No such user"
    await with_terminals(rig, "T1")
    await to(rig, server, recipients=["anna@example.com", "bert@example.com"])
    found = await tried(rig)
    assert (found["delivered"], found["outcome"]) == (False, "refused")
    assert "bert@example.com: 550 5.1.1 No such user" in found["words"]
    await change(rig, "T1", ProblemCode.SILENT, "x")
    await turns(rig, 3)
    one = server.arrived[-1]
    assert one.recipients == ["anna@example.com"]
    assert "refused for bert@example.com: 550 5.1.1 No such user" in " ".join(one.text.split())
    assert len(server.arrived) == 2
    (attempt,) = await rig.items("/forwarders/1/deliveries")
    assert attempt["words"].startswith("Not sent to bert@example.com: 550 5.1.1 No such user")
    server.answers["anna@example.com"] = "550 5.1.1 No such user"
    await change(rig, "T1", ProblemCode.SILENT, None)
    await turn(rig)
    view = await shown(rig)
    assert view["backlog"] == 1
    assert view["last_error"].startswith("Refused: anna@example.com: 550")


@pytest_twisted.ensureDeferred
async def test_a_recipient_that_is_asked_to_wait_gets_the_mail_alone(
    rig: Rig, serve: Serve
) -> None:
    """Greylisting of one is not a second mail for another."""
    server = serve()
    server.answers["bert@example.com"] = "450 4.2.0 Greylisted"
    await with_terminals(rig, "T1")
    await to(rig, server, recipients=["anna@example.com", "bert@example.com"])
    await change(rig, "T1", ProblemCode.SILENT, "x")
    await turn(rig)
    view = await shown(rig)
    assert view["last_error"] == "Sent, but not to bert@example.com: 450 4.2.0 Greylisted"
    server.answers.clear()
    await turns(rig, 3)
    assert [one.recipients for one in server.arrived] == [
        ["anna@example.com"],
        ["bert@example.com"],
    ]
    assert len({one.mail["message-id"] for one in server.arrived}) == 1
    assert (await shown(rig))["backlog"] == 0


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        ({"sender": "550 5.7.1 Not you"}, "refused", "Refused: Sender refused: 550 5.7.1 Not you"),
        ({"sender": "421 4.7.0 Slow down"}, "later", "Asked to wait: Sender refused: 421 4.7.0"),
        ({"data": "552 5.3.4 Too big"}, "refused", "not taken: 552 5.3.4 Too big"),
        ({}, "delivered", "2.0.0 Queued; sent to anna@example.com"),
    ],
    ids=["sender", "busy", "size", "success"],
)
@pytest_twisted.ensureDeferred
async def test_each_reply_has_its_words(
    rig: Rig, serve: Serve, answer: dict[str, str], outcome: str, words: str
) -> None:
    """`test` says what the server answered."""
    server = serve()
    server.answers |= answer
    await to(rig, server)
    found = await tried(rig)
    assert found["outcome"] == outcome
    assert words in found["words"]


@pytest_twisted.ensureDeferred
async def test_a_test_is_a_mail_of_its_own(rig: Rig, serve: Serve) -> None:
    """It says that it is one."""
    server = serve()
    await to(rig, server)
    assert (await tried(rig))["delivered"]
    (one,) = server.arrived
    assert one.mail["subject"] == "[zkpush] Test"
    assert "This is a test" in one.text
    assert "forwarder alarm" in one.text


@pytest_twisted.ensureDeferred
async def test_passwords_are_never_shown(rig: Rig, serve: Serve) -> None:
    """Neither in views, nor in the audit log, nor in what a failure says."""
    server = serve()
    await to(rig, server, password="falsch-8")
    found = await tried(rig)
    assert found["outcome"] == "later"
    assert found["words"].startswith("Not sent: AUTHDeclinedError: 535 5.7.8")
    view = await shown(rig)
    assert (view["settings"]["user"], view["settings"]["password"]) == ("zkpush", None)
    kinds = await rig.items("/forwarder-kinds")
    assert "smtp" in [kind["name"] for kind in kinds]
    everything = str([found, view, await rig.items("/audit"), kinds])
    assert "falsch-8" not in everything
    assert "password (not shown)" in everything
    stored = await rig.store.read(lambda tx: tx[ForwarderStore].get(1))
    assert stored is not None
    assert stored.settings["password"] == "falsch-8"


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest_twisted.ensureDeferred
async def test_both_ways_to_send_a_password(rig: Rig, serve: Serve, mechanism: str) -> None:
    """AUTH PLAIN, or LOGIN where there is no other."""
    server = serve(mechanisms=(mechanism,))
    await to(rig, server)
    assert (await tried(rig))["delivered"]
    assert server.passwords == [b"geheim-7"]


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest_twisted.ensureDeferred
async def test_a_server_with_another_certificate_gets_no_password(
    rig: Rig, serve: Serve, tls: str
) -> None:
    """One of another authority, or for another name, ends the attempt."""
    server = serve(tls)
    await to(rig, server, tls=tls, authority=sign().pem.decode())
    found = await tried(rig)
    assert found["outcome"] == "later"
    assert found["words"].startswith("TLS failed: certificate verify failed")
    other = serve(tls, name="other.example.com")
    settings = {"port": other.port, "authority": other.signed.pem.decode()}
    await rig.api("PATCH", "/forwarders/1", {"settings": settings})
    found = await tried(rig)
    assert found["words"] == "The certificate of the server is not for localhost"
    assert server.passwords + other.passwords == []


@pytest_twisted.ensureDeferred
async def test_a_server_without_starttls_gets_nothing(rig: Rig, serve: Serve) -> None:
    """A mail is not sent unencrypted because somebody removed the offer."""
    server = serve("none", needs_user=False)
    await to(rig, server)
    found = await tried(rig)
    assert found["outcome"] == "later"
    assert found["words"].startswith("Not sent: TLSRequiredError")
    assert server.attempts == []


@pytest_twisted.ensureDeferred
async def test_a_server_without_encryption_needs_the_permission(rig: Rig, serve: Serve) -> None:
    """And can have no password."""
    server = serve("none", needs_user=False)
    await to(rig, server, tls="none", user=None, password=None, authority=None)
    assert (await tried(rig))["delivered"]


@pytest_twisted.ensureDeferred
async def test_an_address_of_a_private_network_needs_the_permission(rig: Rig, serve: Serve) -> None:
    """As for a webhook."""
    server = serve()
    await to(rig, server, allow_private=False)
    assert "private network" in (await tried(rig))["words"]
    assert server.attempts == []


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((GREETING, b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"250 no data\r\n"), "not taken"),
        ((b"554 go away\r\n",), "Not sent: SMTPConnectError: 554 go away"),
        ((b"hello\r\n",), "Not sent: SMTPProtocolError"),
        ((GREETING,), "ConnectionDone"),
    ],
    ids=["no-data", "refused", "not-smtp", "hung-up"],
)
@pytest_twisted.ensureDeferred
async def test_a_strange_server_does_not_have_the_mail(
    rig: Rig, script: Script, lines: tuple[bytes, ...], words: str
) -> None:
    """Whatever it answers: delivered is what it accepted after it had the text."""
    server = script(*lines)
    await add(rig, kind="smtp", settings={**PLAIN, "port": server.port})
    found = await tried(rig)
    assert not found["delivered"]
    assert words in found["words"]


@pytest_twisted.ensureDeferred
async def test_replies_before_tls_do_not_count(rig: Rig, script: Script) -> None:
    """Somebody on the way cannot prepend replies to an encrypted session."""
    begin = GREETING, b"250-hi\r\n250 STARTTLS\r\n"
    server = script(*begin, b"220 go\r\n250 AUTH PLAIN\r\n235 ok\r\n250 ok\r\n", stays=True)
    settings = {**PLAIN, "port": server.port, "tls": "starttls", "host": "localhost"}
    await add(rig, kind="smtp", settings=settings)
    found = await tried(rig)
    assert found["words"] == "Not sent: The server sent data between STARTTLS and TLS"


@pytest_twisted.ensureDeferred
async def test_a_silent_server_is_left_after_some_time(rig: Rig, script: Script) -> None:
    """The attempt ends, and the next one comes."""
    server = script(GREETING, stays=True)
    await with_terminals(rig, "T1")
    await add(rig, kind="smtp", settings={**PLAIN, "port": server.port})
    await change(rig, "T1", ProblemCode.SILENT, "x")
    rig.clock.advance(1)
    await engine_of(rig).look()
    await happens(lambda: bool(server.heard))
    for _ in range(5):
        assert engine_of(rig).is_delivering
        rig.clock.advance(5)
        await engine_of(rig).look()
    await happens(lambda: not engine_of(rig).is_delivering)
    assert (await shown(rig))["last_error"] == "No answer within 25 seconds"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"host": "mail server"}, "host: "),
        ({"host": "x\r\nHELO"}, "host: "),
        ({"port": 70_000}, "port: "),
        ({"sender": "zkpush"}, "sender: 'zkpush' is not a mail address"),
        ({"sender": "a@b.example\r\nBcc: c@d.example"}, "sender: "),
        ({"recipients": []}, "recipients: Name 1 to 20"),
        ({"recipients": ["a@example.com"] * 21}, "recipients: Name 1 to 20"),
        ({"recipients": ["Anna <a@example.com>"]}, "recipients: "),
        ({"recipients": ["a@example.com\nX: y"]}, "recipients: "),
        ({"user": "x"}, "user, password: Set both"),
        ({"user": "x", "password": "geheim"}, "would be sent unencrypted"),
        ({"allow_private": False}, "tls: Without it mails are sent unencrypted"),
        ({"authority": "none"}, "authority: It is a certificate in PEM"),
        (
            {"authority": "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----"},
            "authority: It is a certificate in PEM",
        ),
    ],
)
def test_settings_that_are_none_are_refused(changed: dict[str, Any], words: str) -> None:
    """With words that say what to write, and without the password."""
    settings = msgspec.convert({**PLAIN, **changed}, SmtpSettings)
    with pytest.raises(ValueError, match=words) as raised:
        Smtp().check(settings)
    assert "geheim" not in str(raised.value)


def test_texts_of_events_cannot_add_headers() -> None:
    """Line ends in a serial number or a code are escaped, in the subject and in the body."""
    data = {"device": "T1\r\nBcc: x@example.com", "code": "odd\u2028X: y\n\nz", "what": "raised"}
    event = ForwardedEvent(id="evt_1", type="problem", timestamp="2026-03-01T12:00:00Z", data=data)
    batch = ForwardBatch(id="msg_1", made_at=NOON * 1000, events=[event])
    news = collect_news(batch.events)
    recipients = ["anna@example.com"]
    mail = compose(batch, news, "alarm", "zkpush@example.com", recipients)
    content = encode_mail(mail, body_of(news, "alarm"))
    found = email.message_from_bytes(content, policy=email.policy.default)
    assert not {"bcc", "x"}.intersection(name.lower() for name in found)
    text = found.get_content()
    assert text.splitlines()[:2] == ["New problems", "============"]
    escaped = r"Terminal T1\x0d\x0aBcc: x@example.com: odd\u2028X: y\x0a\x0az, at"
    assert escaped in " ".join(text.split())


def test_a_line_that_is_a_period_does_not_end_a_mail() -> None:
    """Wherever the text is cut into chunks."""
    mail = OutgoingMail(sender="a@b.example", recipients=[], encode=lambda _: b"")
    access = MailAccess(context=None, needs_tls=False, user=None, password=None)
    client = MailClient(mail, access, TurnedReactor())
    chunks = [b"one\n.\n", b".\n", b"..\n", b"two.", b".three\n"]
    sent = b"".join(map(client.transformChunk, chunks))
    assert sent == b"one\r\n..\r\n..\r\n...\r\ntwo..three\r\n"
