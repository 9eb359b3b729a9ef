"""The kind `mqtt`: events at the topics of a real broker."""

from __future__ import annotations

import importlib.util
import pathlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import attrs
import msgspec
import pytest
import pytest_twisted

from zkpush.handlers.forward.kinds import mqtt
from zkpush.handlers.forward.kinds.mqtt import Mqtt, MqttSettings, topic_of
from zkpush.values.forwarding import ForwardedEvent

from ..certificates import Signed, sign
from ..daemon.process import Daemon
from ..daemon.test_process import wait_until
from ..rig import Rig
from .receivers import add, punch, shown, turn, turns
from .test_manual import running
from .test_nodes import eventually

if TYPE_CHECKING:
    from .brokers import Broker, Subscriber

RECEIVERS = pathlib.Path(__file__).parents[2] / "docs" / "receivers.md"
Serve = Callable[..., "Broker"]
Listen = Callable[..., "Subscriber"]


@pytest.fixture
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Make brokers, which end with the test."""
    from .brokers import Broker

    made: list[Broker] = []

    def make(*lines: str, **more: Any) -> Broker:
        made.append(Broker(tmp_path_factory.mktemp("broker"), *lines, **more))
        return made[-1]

    yield make
    for broker in made:
        broker.stop()


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Make subscribers, which end with the test."""
    from .brokers import Subscriber

    made: list[Subscriber] = []

    def make(broker: Broker, **more: Any) -> Subscriber:
        made.append(Subscriber(broker, **more))
        return made[-1]

    yield make
    for subscriber in made:
        subscriber.stop()


async def to(rig: Rig, broker: Broker, **more: Any) -> dict[str, Any]:
    """Add a forwarder to a broker."""
    settings = {**broker.settings, **more}
    return await add(rig, name="home", kind="mqtt", settings=settings)


async def tried(rig: Rig) -> tuple[str, str]:
    """The outcome of a test of the forwarder, and its words."""
    found = (await rig.api("POST", "/forwarders/1/test")).json
    return found["outcome"], found["words"]


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
@pytest_twisted.ensureDeferred
async def test_each_event_is_a_message(
    rig: Rig, serve: Serve, listen: Listen, protocol: object
) -> None:
    """At the topic of its terminal and kind, as in a webhook; it is not retained."""
    broker = serve()
    subscriber = listen(broker)
    await rig.exchange()
    await to(rig, broker, protocol=protocol)
    await punch(rig, [7, 8])
    await turn(rig)
    subscriber.has(2)
    first, second = subscriber.heard
    assert (first.topic, second.topic) == ("zkpush/T1/attendance",) * 2
    assert (first.event["id"], first.event["type"]) == ("rec_1", "attendance")
    assert first.event["timestamp"] == "2026-03-01T12:00:00.000Z"
    assert first.event["data"]["time"] == "2026-03-01T13:00:00"
    assert not first.is_retained
    view = await shown(rig)
    assert (view["delivered"], view["backlog"], view["last_error"]) == (2, 0, None)
    (attempt,) = await rig.items("/forwarders/1/deliveries")
    assert attempt["words"] == "The broker has 2 messages"
    late = listen(broker, name="late")  # messages that were retained would come first
    await punch(rig, [9], time="2026-03-01 13:00:01")
    await turn(rig)
    late.has(1)
    assert late.pins == ["9"]


@pytest_twisted.ensureDeferred
async def test_the_area_can_be_a_level(rig: Rig, serve: Serve, listen: Listen) -> None:
    """It cannot add levels or wildcards; a terminal without an area has a level nevertheless."""
    broker = serve()
    subscriber = listen(broker)
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    await rig.api("PATCH", "/devices/T1", {"area": "Hall +/#2"})
    await to(rig, broker, topic="site/{area}/{device}", expiry_seconds=60)
    await punch(rig, [1], sn="T1")
    await punch(rig, [2], sn="T2")
    await turn(rig)
    subscriber.has(2)
    assert [one.topic for one in subscriber.heard] == ["site/Hall ___2/T1", "site/-/T2"]
    assert subscriber.heard[0].event["area"] == "Hall +/#2"
    assert "area" not in subscriber.heard[1].event


@pytest_twisted.ensureDeferred
async def test_a_test_is_a_sample(rig: Rig, serve: Serve, listen: Listen) -> None:
    """It says whether anybody listens."""
    broker = serve()
    await to(rig, broker)
    assert await tried(rig) == (
        "delivered",
        "The broker has the message; nobody subscribes to zkpush/-/test",
    )
    subscriber = listen(broker)
    assert await tried(rig) == ("delivered", "The broker has the message")
    subscriber.has(1)
    assert subscriber.heard[0].event["type"] == "test"


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
@pytest_twisted.ensureDeferred
async def test_a_wrong_password_is_explained(rig: Rig, serve: Serve, protocol: object) -> None:
    """The events stay; the password is in no reply."""
    broker = serve()
    made = await to(rig, broker, password="mistyped-1", protocol=protocol)
    outcome, words = await tried(rig)
    assert outcome == "later"
    assert words.startswith("Not sent: the broker refused the connection: ")
    assert "uthorized" in words
    assert made["settings"]["password"] is None
    await rig.exchange()
    await punch(rig, [1])
    await turns(rig, 5)
    view = await shown(rig)
    assert (view["backlog"], view["delivered"], view["last_error"]) == (1, 0, words)
    assert "mistyped-1" not in str(await rig.items("/audit")) + str(view)


@pytest.mark.long
def test_the_subscriber_of_the_manual_gets_each_punch_once(
    tmp_path: pathlib.Path, serve: Serve
) -> None:
    """Also what came while it was away; it runs as it is printed."""
    from .brokers import USERS

    (text,) = re.findall(r"```python\n(.*?)```", RECEIVERS.read_text(), re.DOTALL)
    broker = serve()
    data = tmp_path / "data"
    data.mkdir()
    env = {"PASSWORD": USERS["reader"]}
    with Daemon(data) as daemon:
        daemon.exchange("T1")
        daemon.api(
            "POST", "forwarders", {"name": "home", "kind": "mqtt", "settings": broker.settings}
        )
        with running(tmp_path, text, env, str(broker.port)) as program:
            wait_until(lambda: "SUBACK to payroll" in broker.log)
            daemon.upload("T1", recent(7, "00"))
            program.prints([f"7 {TODAY}T08:00:00"])
        daemon.upload("T1", recent(8, "01"))
        with running(tmp_path, text, env, str(broker.port)) as program:
            program.prints([f"8 {TODAY}T08:00:01"])


TODAY = "2099-03-01"
"""A day after any forwarder is made."""


def recent(pin: int, second: str) -> bytes:
    """The upload of a punch."""
    return f"{pin}\t{TODAY} 08:00:{second}\t0\t1\n".encode()


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
async def test_a_broker_that_is_down_for_an_hour_gets_everything(
    rig: Rig, serve: Serve, listen: Listen
) -> None:
    """In order, each under its id, once."""
    broker = serve()
    subscriber = listen(broker)
    await rig.exchange()
    await to(rig, broker)
    await punch(rig, [100])
    await turn(rig)
    subscriber.has(1)
    broker.stop()
    for minute in range(60):
        await punch(rig, [minute], time=f"2026-03-01 13:{minute:02}:00")
        await turn(rig, seconds=60)
    view = await shown(rig)
    assert (view["state"], view["backlog"]) == ("active", 60)
    assert "refused" in view["last_error"]
    broker.start()
    await turns(rig, 12, seconds=60)
    subscriber.has(61)
    assert subscriber.pins == ["100", *map(str, range(60))]
    assert len({one.event["id"] for one in subscriber.heard}) == 61
    assert (await shown(rig))["backlog"] == 0


@pytest_twisted.ensureDeferred
async def test_an_idle_connection_that_was_ended_costs_nothing(
    rig: Rig, serve: Serve, listen: Listen
) -> None:
    """The next batch connects again, at once."""
    broker = serve()
    subscriber = listen(broker)
    await rig.exchange()
    await to(rig, broker)
    await punch(rig, [1])
    await turn(rig)
    broker.stop()
    broker.start()
    await punch(rig, [2], time="2026-03-01 13:00:01")
    await turn(rig)
    subscriber.has(2)
    assert subscriber.pins == ["1", "2"]
    assert (await shown(rig))["last_error"] is None


@pytest_twisted.ensureDeferred
async def test_an_event_whose_topic_is_refused_is_set_aside(
    rig: Rig, serve: Serve, listen: Listen
) -> None:
    """The others of its batch pass at once, and those of later batches, too."""
    access = "topic deny zkpush/T2/#\ntopic write zkpush/#"
    broker = serve(access=access)
    subscriber = listen(broker)
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    await to(rig, broker)
    await punch(rig, [1], sn="T1")
    await punch(rig, [2], sn="T2")
    await punch(rig, [3], sn="T1", time="2026-03-01 13:00:01")
    await turn(rig)
    subscriber.has(2)
    (letter,) = await rig.items("/forwarders/1/dead")
    assert letter["event"]["data"]["pin"] == "2"
    assert letter["reason"] == "zkpush/T2/attendance: Not authorized"
    await punch(rig, [4], sn="T2", time="2026-03-01 13:00:02")  # alone in its batch
    await turns(rig, 3)
    assert (await shown(rig))["last_error"] == "Refused: zkpush/T2/attendance: Not authorized"
    await punch(rig, [5], sn="T1", time="2026-03-01 13:00:03")
    await turns(rig, 60)
    subscriber.has(3)
    assert subscriber.pins == ["1", "3", "5"]
    assert len(await rig.items("/forwarders/1/dead")) == 2


@pytest.mark.parametrize(
    ("protocol", "line"),
    [(5, "max_packet_size 900"), ("3.1.1", "max_packet_size 900"), (5, "message_size_limit 800")],
    ids=["announced", "hangs up", "answered"],
)
@pytest_twisted.ensureDeferred
async def test_an_event_that_is_too_large_is_set_aside(
    rig: Rig, serve: Serve, listen: Listen, protocol: object, line: str
) -> None:
    """Whether the broker announces its limit, answers, or only ends the connection."""
    broker = serve(line)
    subscriber = listen(broker)
    await rig.exchange()
    await to(rig, broker, protocol=protocol)
    body = (
        b"1\t2026-03-01 13:00:00\t0\t1\n"
        b"2\t2026-03-01 13:00:01\t0\t1\t" + b"9" * 900 + b"\n"
        b"3\t2026-03-01 13:00:02\t0\t1\n"
    )
    assert (await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", body)).status == 200
    await turns(rig, 120)
    dead = await rig.items("/forwarders/1/dead")
    assert [one["event"]["data"]["pin"] for one in dead] == ["2"]
    assert {"1", "3"} == {*subscriber.pins}
    assert (await shown(rig))["backlog"] == 0


class Interrupted:
    """Passes a connection to a broker, until a message is published; then `act` is called first."""

    def __init__(self, port: int, act: Callable[[], object]) -> None:
        self._act, self._target = act, port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            threading.Thread(target=self._pass_back, args=(far, near), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(near, far), daemon=True).start()

    def _pass_on(self, near: socket.socket, far: socket.socket) -> None:
        try:
            while data := near.recv(65_536):
                if data[0] & 0xF0 == 0x30:  # PUBLISH
                    far.sendall(data)
                    self._act()
                else:
                    far.sendall(data)
        except OSError:
            pass
        far.close()

    def _pass_back(self, far: socket.socket, near: socket.socket) -> None:
        try:
            while data := far.recv(65_536):
                near.sendall(data)
        except OSError:
            pass
        near.close()

    def stop(self) -> None:
        """Take no more connections."""
        self._listening.close()


@pytest.mark.long
def test_a_daemon_that_is_killed_in_a_delivery_loses_no_message(
    tmp_path: pathlib.Path, serve: Serve, listen: Listen
) -> None:
    """The next process sends the batch again, under the same ids."""
    broker = serve()
    subscriber = listen(broker)
    daemons: list[Daemon] = []
    uploaded, killed = threading.Event(), threading.Event()

    def kill() -> None:
        if not killed.is_set():
            uploaded.wait(60)  # its terminal has the answer
            daemons[0].kill()
            killed.set()

    between = Interrupted(broker.port, kill)
    data = tmp_path / "data"
    data.mkdir()
    settings = {**broker.settings, "port": between.port}
    body = b"".join(b"%d\t2026-03-01 08:00:%02d\t0\t1\n" % (pin, pin) for pin in range(40))
    with Daemon(data) as daemon:
        daemons.append(daemon)
        daemon.exchange("T1")
        made = {"name": "home", "kind": "mqtt", "settings": settings}
        daemon.api("POST", "forwarders", {**made, "rules": {"since": "2020-01-01"}})
        assert daemon.upload("T1", body) == (200, b"OK: 40")
        uploaded.set()
        assert killed.wait(60)
    with Daemon(data):
        eventually(lambda: len({*subscriber.pins}) == 40)
    between.stop()
    assert sorted({*map(int, subscriber.pins)}) == [*range(40)]
    assert len({one.event["id"] for one in subscriber.heard}) == 40


class ScriptedBroker:
    """Answers with a packet to a connection, and to each message as a function says."""

    def __init__(self, welcome: bytes, answer: Callable[[bytes, bytes], bytes]) -> None:
        """`answer` gets the packet identifier and the packet of a message."""
        self._welcome, self._answer = welcome, answer
        self.messages: list[bytes] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of a forwarder to it."""
        return {"host": "127.0.0.1", "port": self.port, "tls": False, "allow_private": True}

    def stop(self) -> None:
        """End it."""
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                self._packet(stream)
                connection.sendall(self._welcome)
                while self._welcome and (found := self._packet(stream)):
                    kind, body = found
                    if kind & 0xF0 == 0x30:
                        self.messages.append(body)
                        start = 2 + int.from_bytes(body[:2])
                        connection.sendall(self._answer(body[start : start + 2], body))

    def _packet(self, stream: Any) -> tuple[int, bytes] | None:
        kind, length, shift = stream.read(1), 0, 0
        while kind:
            byte = stream.read(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return kind[0], stream.read(length)
        return None


WELCOME = b"\x20\x03\x00\x00\x00"
ONE_AT_A_TIME = b"\x20\x06\x00\x00\x03\x21\x00\x01"  # Receive Maximum 1
TAKEN, QUOTA = b"\x00\x00", b"\x97\x07\x1f\x00\x04slow"
SHUTDOWN = b"\xe0\x01\x8b"


def acknowledge(mid: bytes, reason: bytes = TAKEN) -> bytes:
    """A PUBACK of MQTT 5."""
    return bytes([0x40, 2 + len(reason)]) + mid + reason


@pytest.fixture
def script() -> Iterator[Callable[..., ScriptedBroker]]:
    """Make brokers that follow a script."""
    made: list[ScriptedBroker] = []

    def make(
        welcome: bytes = WELCOME, answer: Callable[[bytes, bytes], bytes] | None = None
    ) -> ScriptedBroker:
        made.append(ScriptedBroker(welcome, answer or (lambda mid, body: acknowledge(mid))))
        return made[-1]

    yield make
    for broker in made:
        broker.stop()


Script = Callable[..., ScriptedBroker]


@pytest.mark.parametrize(
    ("welcome", "words"),
    [
        (b"\x20\x03\x00\x84\x00", "Unsupported protocol version; set protocol=3.1.1"),
        (b"\x20\x03\x00\x89\x00", "the broker refused the connection: Server busy"),
        (b"\x20\x09\x00\x8a\x06\x1f\x00\x03bad", "Banned: bad"),
        (b"\x20\x05\x00\x00\x02\x24\x00", "the broker takes messages of QoS 0 only"),
        (b"", "the broker ended the connection; check port, tls and protocol"),
    ],
    ids=["version", "busy", "reason", "quality", "silence"],
)
@pytest_twisted.ensureDeferred
async def test_a_refused_connection_is_explained(
    rig: Rig, script: Script, welcome: bytes, words: str
) -> None:
    """In words of the protocol, with what the broker adds and what to do."""
    await add(rig, name="home", kind="mqtt", settings=script(welcome).settings)
    outcome, said = await tried(rig)
    assert outcome == "later"
    assert said.startswith("Not sent: ")
    assert said.endswith(words)
    assert await tried(rig) == (outcome, said)


@pytest_twisted.ensureDeferred
async def test_a_broker_that_never_acknowledges_is_waited_for_a_while(
    rig: Rig, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the batch is sent again later."""
    monkeypatch.setattr(mqtt, "SECONDS", 0.5)
    broker = script(answer=lambda mid, body: b"")
    await add(rig, name="home", kind="mqtt", settings=broker.settings)
    assert await tried(rig) == ("later", "The broker did not acknowledge in time")
    assert len(broker.messages) == 1


@pytest_twisted.ensureDeferred
async def test_a_quota_is_waited_for_and_what_was_taken_is_not_sent_again(
    rig: Rig, script: Script
) -> None:
    """With one message at a time, if the broker wants that."""
    is_slow = [True]

    def answer(mid: bytes, body: bytes) -> bytes:
        is_second = b'"rec_2"' in body and is_slow[0]
        return acknowledge(mid, QUOTA if is_second else TAKEN)

    broker = script(ONE_AT_A_TIME, answer)
    await rig.exchange()
    await add(rig, name="home", kind="mqtt", settings=broker.settings)
    await punch(rig, [1, 2, 3])
    await turn(rig)
    assert (await shown(rig))["last_error"] == "zkpush/T1/attendance: Quota exceeded: slow"
    is_slow.clear()
    is_slow.append(False)
    await turns(rig, 3)
    sent = [next(n for n in (1, 2, 3) if b'"rec_%d"' % n in one) for one in broker.messages]
    assert sent == [1, 2, 3, 2]
    assert (await shown(rig))["delivered"] == 3


@pytest_twisted.ensureDeferred
async def test_a_broker_that_shuts_down_says_nothing_about_events(rig: Rig, script: Script) -> None:
    """They are sent again, however often that happens; none is set aside."""
    broker = script(answer=lambda mid, body: SHUTDOWN)
    await rig.exchange()
    await add(rig, name="home", kind="mqtt", settings=broker.settings)
    await punch(rig, [1])
    await turns(rig, 30)
    view = await shown(rig)
    assert view["last_error"] == "The broker ended the connection: Server shutting down"
    (first, *_) = await rig.items("/forwarders/1/deliveries")
    assert first["outcome"] == "later"
    assert (view["backlog"], view["dead"]) == (1, 0)


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A delivery that goes on only when the broker has answered; paho says "no connection" then."""
    from paho.mqtt.client import Client, MQTTMessageInfo
    from paho.mqtt.enums import MQTTErrorCode

    publish = Client.publish

    def slow(self: Client, *args: Any, **named: Any) -> MQTTMessageInfo:
        ended = threading.Event()
        said = self.on_disconnect

        def end(*what: Any) -> None:
            assert said is not None
            said(*what)
            ended.set()

        self.on_disconnect = end
        info = publish(self, *args, **named)
        if ended.wait(1):
            info.rc = MQTTErrorCode.MQTT_ERR_NO_CONN
        return info

    monkeypatch.setattr(Client, "publish", slow)


@pytest.mark.usefixtures("late")
@pytest_twisted.ensureDeferred
async def test_a_connection_that_ends_at_once_says_why(rig: Rig, script: Script) -> None:
    """However fast the broker is: the end of its own accord, or because of the message."""
    answers = [SHUTDOWN, b"\xe0\x01\x95"]  # the second is "packet too large"
    broker = script(answer=lambda mid, body: answers.pop(0))
    await add(rig, name="home", kind="mqtt", settings=broker.settings)
    shut = "The broker ended the connection: Server shutting down"
    assert await tried(rig) == ("later", shut)
    large = "The broker ended the connection: Packet too large"
    assert await tried(rig) == ("refused", large)


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


GOOD = {"host": "broker.example.com"}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"host": "a b"}, "host: It is a name"),
        ({"port": 0}, "port: It is a number"),
        ({"tls": False}, "tls: Without it events are sent unencrypted"),
        ({"tls": False, "allow_private": True, "certificate": "/a"}, "tls: A client certificate"),
        ({"authority": "none"}, "authority: It is a certificate"),
        ({"certificate": "mine.pem"}, "certificate: It is the absolute path"),
        ({"key": "/mine.key"}, "certificate: Name the certificate"),
        ({"user": ""}, "user: It is a text of"),
        ({"client_id": "a\n"}, "client_id: It is a text of"),
        ({"password": "pw"}, "user: Name the user"),
        ({"protocol": "3.1.1", "expiry_seconds": 9}, "expiry_seconds: MQTT 3.1.1 has no expiry"),
        ({"topic": ""}, "topic: It has 1 to"),
        ({"topic": "$SYS/x"}, "topic: It has 1 to"),
        ({"topic": "zkpush/+/x"}, "topic: + and # are wildcards"),
        ({"topic": "zkpush/#"}, "topic: + and # are wildcards"),
        ({"topic": "zkpush/{pin}"}, "topic: {pin} is no field"),
        ({"topic": "zkpush/{device"}, "topic: zkpush/{device is no field"),
    ],
)
def test_mistakes_in_mqtt_settings_are_explained(changed: dict[str, Any], words: str) -> None:
    """Before anything is stored."""
    settings = msgspec.convert({**GOOD, **changed}, MqttSettings)
    with pytest.raises(ValueError, match=r"^[a-z_]+: ") as raised:
        Mqtt().check(settings)
    assert str(raised.value).startswith(words)


def test_good_settings_pass() -> None:
    """A name alone is enough."""
    Mqtt().check(msgspec.convert(GOOD, MqttSettings))
    topic = {"topic": "/x/{area}/{device}/{type}"}
    Mqtt().check(msgspec.convert({**GOOD, **topic}, MqttSettings))


def test_no_value_of_an_event_is_a_wildcard_or_a_level() -> None:
    """Whatever it contains; nor does it make a topic of the broker itself."""
    event = ForwardedEvent(
        id="evt_1", type="a/b", timestamp="", data={"device": "+\0\n"}, area="$SYS"
    )
    assert topic_of("{area}/{device}/{type}", event) == "_SYS/___/a_b"


@pytest_twisted.ensureDeferred
async def test_without_its_client_the_kind_says_what_to_install(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a forwarder is added."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    made = await rig.api("POST", "/forwarders", {"name": "x", "kind": "mqtt", "settings": GOOD})
    assert made.status == 400
    assert "pip install 'zkpush[mqtt]'" in made.json["detail"]
