"""The kind `mqtt` where something goes wrong: a killed daemon, and brokers that follow a script."""

from __future__ import annotations

import pathlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import pytest_twisted

from zkpush.handlers.forward.kinds import mqtt

from ..daemon.process import Daemon
from ..rig import Rig
from .mqtt import Listen, Serve, tried
from .receivers import add, punch, shown, turn, turns
from .test_nodes import eventually


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
