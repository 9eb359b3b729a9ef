"""The kind `mqtt`: events at the topics of a real broker."""

from __future__ import annotations

import importlib.util
import pathlib
import re
from typing import Any

import msgspec
import pytest
import pytest_twisted

from zkpush.handlers.forward.kinds.mqtt import Mqtt, MqttSettings, topic_of
from zkpush.values.forwarding import ForwardedEvent

from ..daemon.process import Daemon
from ..daemon.test_process import wait_until
from ..rig import Rig
from .mqtt import Listen, Serve, to, tried
from .receivers import punch, shown, turn, turns
from .test_manual import running

RECEIVERS = pathlib.Path(__file__).parents[2] / "docs" / "receivers.md"


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


@pytest.mark.long
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


@pytest.mark.long
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
