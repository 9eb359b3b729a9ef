"""MQTT brokers on loopback ports, mosquitto as it is installed, and their subscribers."""

from __future__ import annotations

import os
import pathlib
import shutil
import socket
import subprocess
import threading
import time
from typing import Any

import attrs
import msgspec
import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from ..door.proxies import free_ports

SECONDS = 30
USERS = {"zkpush": "geheim-7", "reader": "geheim-8"}
_SYSTEM = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])


def program(name: str) -> str:
    """Path of a program of mosquitto. Without it a test is skipped, but in CI it fails."""
    found = shutil.which(name, path=_SYSTEM)
    if found is None:
        why = f"{name} is not installed (apt-get install mosquitto)"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return found


class Broker:
    """A broker that knows two users: `zkpush`, who may write by the access list, and `reader`."""

    def __init__(self, folder: pathlib.Path, *lines: str, access: str = "") -> None:
        """`lines` are more lines of its configuration, `access` those of its access list."""
        self.port = free_ports(1)[0]
        self._command = program("mosquitto")
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        users, lists = folder / "users", folder / "access"
        users.write_text("".join(f"{name}:{word}\n" for name, word in USERS.items()))
        hashing = [program("mosquitto_passwd"), "-U", str(users)]
        subprocess.run(hashing, check=True, stdout=subprocess.DEVNULL)
        default = "topic write #"
        lists.write_text(f"user zkpush\n{access or default}\n\nuser reader\ntopic read #\n")
        for file in (users, lists):
            file.chmod(0o600)
        (folder / "broker.conf").write_text(
            "\n".join(
                [
                    f"listener {self.port} 127.0.0.1",
                    "user root",  # reads the files of the test, whoever runs it
                    "allow_anonymous false",
                    f"password_file {users}",
                    f"acl_file {lists}",
                    "persistence true",
                    f"persistence_location {folder}/",
                    "log_dest stderr",
                    "log_type all",
                    *lines,
                    "",
                ]
            )
        )
        self.start()

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of a forwarder to it."""
        return {
            "host": "localhost",
            "port": self.port,
            "tls": False,
            "user": "zkpush",
            "password": USERS["zkpush"],
            "allow_private": True,
        }

    @property
    def log(self) -> str:
        """What it has said."""
        return (self._folder / "broker.log").read_text()

    def start(self) -> None:
        """Run it, until it listens."""
        with (self._folder / "broker.log").open("ab") as log:
            command = [self._command, "-c", str(self._folder / "broker.conf")]
            self._process = subprocess.Popen(command, stderr=log)
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self._process.poll() is None, self.log
                assert time.monotonic() < deadline
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """End it; it keeps what subscribers have not got."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


@attrs.frozen
class Heard:
    """A message that a subscriber got."""

    topic: str
    event: dict[str, Any]
    is_retained: bool
    properties: Any

    @classmethod
    def of(cls, message: MQTTMessage) -> Heard:
        """Read a message."""
        event = msgspec.json.decode(message.payload)
        return cls(message.topic, event, message.retain, message.properties)


class Subscriber:
    """A program that subscribes to everything, with a session that is kept at the broker."""

    def __init__(self, broker: Broker, *, name: str = "reader") -> None:
        self.heard: list[Heard] = []
        self._is_ready = threading.Event()
        self._client = client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=name,
            protocol=MQTTProtocolVersion.MQTTv311,
            clean_session=False,
        )
        client.reconnect_delay_set(min_delay=1, max_delay=1)
        client.username_pw_set("reader", USERS["reader"])
        client.on_connect = lambda *_: client.subscribe("#", qos=1)
        client.on_subscribe = lambda *_: self._is_ready.set()
        client.on_message = lambda client, data, message: self.heard.append(Heard.of(message))
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        assert self._is_ready.wait(SECONDS)

    @property
    def pins(self) -> list[str]:
        """The users of the records that came, in order."""
        return [one.event["data"]["pin"] for one in self.heard]

    def has(self, count: int) -> None:
        """Wait until that many messages have come."""
        deadline = time.monotonic() + SECONDS
        while len(self.heard) < count:
            assert time.monotonic() < deadline, self.heard
            time.sleep(0.01)

    def stop(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()
