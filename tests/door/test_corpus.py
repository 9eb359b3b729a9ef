"""A corpus of attacks, replayed at the daemon and through the proxies in front of it."""

from __future__ import annotations

import contextlib
import pathlib
import re
import socket
import time
from collections.abc import Awaitable, Callable, Iterator

import psutil
import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.internet.error import ConnectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from ..daemon.process import STOPPED_WITHIN, Daemon
from ..rig import Rig, Wire
from .attack import EVIL, INJECTED, SECRET, Attack
from .corpus import KINDS, attacks
from .judge import Replies, Watch, mistakes
from .proxies import NAMES, Proxy, free_ports, program

DIRECT = "direct"
PATIENCE = 10.0
"""Seconds that an answer may take."""
LULL = 0.1
"""Seconds of silence after which nothing more is expected."""
MOST_MEMORY = 500 * 1024 * 1024
"""Bytes that the daemon may need at once above what it needs when idle; `packet_bytes` are 128 MiB
of them, and a body twice 64 MiB."""
SETTLED = b"9\t2026-01-05 08:00:00\t0\t1\n"


class Gate:
    """A daemon as a process, and perhaps a proxy in front of it."""

    def __init__(self, name: str, folder: pathlib.Path) -> None:
        self.name = name
        self.watch = Watch(folder)
        ports = free_ports(2)
        terminals, people = (f"tcp:{port}:interface=127.0.0.1" for port in ports)
        self.daemon = Daemon(folder / "data", "--listen", terminals, "--manage", people)
        self._port = ports[0]
        self.proxy = None if name == DIRECT else Proxy(name, folder / "proxy", *ports)
        self._process = psutil.Process(self.daemon.process.pid)
        self.daemon.exchange("T1")
        assert self.daemon.upload("T1", SETTLED) == (200, b"OK: 1")
        self.idle = self.most_memory()
        self.watch.begin()

    def most_memory(self) -> int:
        """The most bytes that the daemon has needed at once so far."""
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def send(self, attack: Attack) -> Replies:
        """Send an attack, and take what comes back until the end, or a lull."""
        raw = b""
        connect = self.proxy.connect if self.proxy else self._connect
        with connect() as connection:
            # Refused before all was sent: the refusal may be there.
            with contextlib.suppress(OSError):
                connection.sendall(attack.raw)
            deadline = time.monotonic() + (LULL * 3 if attack.waits else PATIENCE)
            while True:
                whole = Replies(raw).whole
                connection.settimeout(max(LULL if whole else deadline - time.monotonic(), 0.001))
                try:
                    part = connection.recv(65_536)
                except TimeoutError:
                    assert whole or attack.waits, f"{attack.name}: no answer"
                    break
                except OSError:
                    break
                if not part:
                    break
                raw += part
        return Replies(raw)

    def _connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._port), PATIENCE)

    def serves(self) -> bool:
        """Whether terminals are still served, through the proxy too."""
        poll = b"GET /iclock/ping?SN=T1 HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n"
        replies = self.send(Attack("a poll", poll))
        return replies.found == [(200, b"OK")]

    def devices(self) -> list[str]:
        """The terminals that exist."""
        return [item["sn"] for item in self.daemon.api("GET", "devices")["items"]]

    def stop(self) -> str:
        """End it; what the daemon has printed."""
        if self.proxy is not None:
            self.proxy.stop()
        self.watch.close()
        self.daemon.terminate()
        try:
            self.daemon.process.wait(STOPPED_WITHIN)
        finally:
            self.daemon.kill()
        return self.daemon.output()


@pytest.fixture(scope="module", params=[DIRECT, *NAMES])
def gate(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gate]:
    """The daemon, alone or behind a proxy. When all is over, its log holds no line but its own."""
    if request.param != DIRECT:
        program(request.param)
    gate = Gate(request.param, tmp_path_factory.mktemp(request.param))
    yield gate
    output = gate.stop()
    assert [line for line in re.split("[\r\n]", output) if line.strip().startswith(INJECTED)] == []
    assert "\x1b" not in output
    assert max(map(len, output.split("\n"))) < 1000
    assert "Traceback" not in output


@pytest.mark.long
@pytest.mark.usefixtures("no_cover")
@pytest.mark.parametrize("kind", KINDS)
def test_no_attack_comes_through(gate: Gate, kind: str) -> None:
    """Nothing outside is read, made or called; nobody is smuggled in; and it goes on serving."""
    wrong: list[str] = []
    for attack in attacks(gate.watch.canaries)[kind]:
        if gate.proxy is not None and attack.direct_only:
            continue
        began = time.monotonic()
        replies = gate.send(attack)
        wrong += mistakes(attack, replies, proxied=gate.proxy is not None)
        if time.monotonic() - began > PATIENCE:
            wrong.append(f"{attack.name}: it took {time.monotonic() - began:.1f} s")
    wrong += gate.watch.mistakes()
    if not gate.serves():
        wrong.append("terminals are not served any more")
    if EVIL in gate.devices():
        wrong.append("a smuggled request was served")
    more = gate.most_memory() - gate.idle
    if more > MOST_MEMORY:
        wrong.append(f"it needed {more // 2**20} MiB more")
    assert wrong == []


async def send(rig: Rig, attack: Attack) -> Replies:
    """Send an attack inside this process."""
    wire = Wire("192.0.2.66")
    channel = rig.terminals.buildProtocol(wire.getPeer())
    channel.makeConnection(wire)
    channel.dataReceived(attack.raw)
    while not wire.closed:
        replies = Replies(wire.value())
        waiting: Deferred[None] = wire.changed()
        seconds = LULL / 5 if replies.whole or attack.waits else PATIENCE
        try:
            await waiting.addTimeout(seconds, reactor)
        except TimedOut:
            assert replies.whole or attack.waits, f"{attack.name}: no answer"
            break
    channel.connectionLost(Failure(ConnectionDone()))
    await deferLater(reactor, 0)
    return Replies(wire.value())


@pytest.mark.long
@pytest.mark.usefixtures("no_cover")
@pytest.mark.parametrize("kind", KINDS)
@pytest_twisted.ensureDeferred
async def test_no_attack_comes_through_in_memory(
    make_rig: Callable[..., Awaitable[Rig]], tmp_path: pathlib.Path, kind: str
) -> None:
    """Every attack of the corpus is refused or harmless, whatever bytes it is made of."""
    rig = await make_rig()
    await rig.exchange()
    watch = Watch(tmp_path)
    watch.begin()
    wrong: list[str] = []
    for attack in attacks(watch.canaries)[kind]:
        wrong += mistakes(attack, await send(rig, attack), proxied=False)
    wrong += watch.mistakes()
    watch.close()
    if (await rig.get("ping?SN=T1")).body != b"OK":
        wrong.append("terminals are not served any more")
    if EVIL in [item["sn"] for item in await rig.items("/devices")]:
        wrong.append("a smuggled request was served")
    assert wrong == []


def test_the_canaries_sing(tmp_path: pathlib.Path) -> None:
    """What the corpus looks for would be seen: a read file, a made one, a call, a false success."""
    watch = Watch(tmp_path)
    watch.begin()
    assert watch.mistakes() == []
    (tmp_path / "canary" / "x.jpg").touch()
    socket.create_connection(("127.0.0.1", watch.canaries.port), PATIENCE).close()
    assert len(watch.mistakes()) == 2
    watch.close()
    attack = Attack("one", b"")

    def wrong(status: int, body: bytes, *, proxied: bool = False) -> int:
        raw = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)
        return len(mistakes(attack, Replies(raw), proxied=proxied))

    assert wrong(404, b"no") == 0
    assert wrong(200, b"fine") == 1
    assert wrong(403, b"TOKEN") == 1
    assert wrong(404, SECRET.encode()) == 1
    assert wrong(500, b"failed") == 1
    assert wrong(502, b"failed", proxied=True) == 0


def test_a_second_terminal_would_be_seen(gate: Gate) -> None:
    """One that comes openly is in the list in which the smuggled one is not."""
    raw = b"GET /iclock/cdata?SN=OPEN&options=all HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n"
    assert gate.send(Attack("an exchange", raw)).found[0][0] == 200
    assert "OPEN" in gate.devices()


@pytest.mark.parametrize("breaks", [b"\r", b"\x0b", b"\x0c", b"\x1c", b"\x85", b"\xe2\x80\xa8"])
@pytest_twisted.ensureDeferred
async def test_a_name_never_becomes_a_command_for_another_terminal(
    make_rig: Callable[..., Awaitable[Rig]], breaks: bytes
) -> None:
    """What one terminal calls a user is one line of what another one is given of that user."""
    rig = await make_rig(remote_attendance={"enabled": True})
    await rig.exchange("T1")
    await rig.exchange("T2")
    name = b"a" + breaks + b"C:1:REBOOT" + breaks
    assert (await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=66\tName=" + name)).status == 200
    given = await rig.get("cdata?SN=T2&table=RemoteAtt&PIN=66")
    assert given.status == 200
    assert given.body.startswith(b"DATA UPDATE USERINFO PIN=66\t")
    assert given.body.count(b"\n") == 1
    assert not {b"\r", b"\0"} & {given.body[at : at + 1] for at in range(len(given.body))}
