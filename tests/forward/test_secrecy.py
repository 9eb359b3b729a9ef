"""Templates, photos and passwords never leave by a forwarder."""

from __future__ import annotations

import base64
import contextlib
import pathlib
import sqlite3
import time
from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted

from ..daemon.process import Daemon
from ..promises.needles import plant
from ..promises.test_secrets import is_in, kept
from .servers import Receiver
from .test_nodes import eventually

KINDS = ("attendance", "verification", "command", "device", "problem", "user")


@pytest.mark.long
def test_a_receiver_of_everything_gets_no_secret(
    tmp_path: pathlib.Path, receive: Callable[..., Receiver]
) -> None:
    """Of all that terminals and people have said, it gets what the scope `read` shows."""
    receiver = receive()
    data = tmp_path / "data"
    data.mkdir()
    with Daemon(data) as daemon:
        made = daemon.api(
            "POST",
            "forwarders",
            {
                "name": "everything",
                "url": receiver.url,
                "allow_private": True,
                "events": list(KINDS),
                "rules": {"since": "2000-01-01"},
            },
        )
        needles = plant(daemon)
        deadline = time.monotonic() + 60
        while daemon.api("GET", f"forwarders/{made['id']}")["backlog"] or not receiver.received:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert {event["type"] for event in receiver.events} >= {*KINDS} - {"verification", "problem"}
    sent = b"\n".join(one.body for one in receiver.received)
    open_ = [one for one in needles.where if one not in needles.needed]
    assert any(is_in(one, sent) for one in open_)
    assert [
        where for one, where in needles.where.items() if one in needles.needed and is_in(one, sent)
    ] == []


@pytest.mark.long
def test_pending_events_hold_no_secret(
    tmp_path: pathlib.Path, receive: Callable[..., Receiver]
) -> None:
    """They are stored as they are sent: what is encrypted elsewhere is not in them."""
    receiver = receive(lambda received: (503, {}, b""))
    data = tmp_path / "data"
    data.mkdir()
    with Daemon(data) as daemon:
        made = {"name": "everything", "url": receiver.url, "allow_private": True}
        rules = {"since": "2000-01-01"}
        daemon.api("POST", "forwarders", {**made, "events": list(KINDS), "rules": rules})
        daemon.api("POST", "forwarders/1/pause")  # a batch that is not taken stays as it is
        needles = plant(daemon)
        daemon.api("POST", "forwarders/1/resume")
        pending: list[bytes] = []

        def read() -> bool:
            database = sqlite3.connect(f"file:{data / 'zkpush.sqlite'}?mode=ro", uri=True)
            with contextlib.closing(database):
                pending[:] = [
                    text.encode()
                    for (text,) in database.execute("SELECT events FROM forward_batches")
                ]
            kinds = {
                kind for kind in KINDS if any(f'"type":"{kind}"'.encode() in one for one in pending)
            }
            return kinds >= {*KINDS} - {"verification", "problem"}

        eventually(read)
    text = b"\n".join(pending)
    assert any(is_in(one, text) for one in needles.where if one not in needles.needed)
    assert kept(needles, text) == []


@pytest_twisted.ensureDeferred
async def test_credentials_of_forwarders_are_sealed_on_disk(
    make_rig: Callable[..., Any], tmp_path: pathlib.Path
) -> None:
    """Neither the URL nor the signing secret is in a file; the name of the forwarder is."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'db.sqlite'}")
    url = "https://payroll.example.com/hooks/xq7zk9"
    made = await rig.api("POST", "/forwarders", {"name": "payroll-of-the-site", "url": url})
    assert made.status == 201
    await rig.stop()
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"payroll-of-the-site" in stored
    secret = made.json["secret"].removeprefix("whsec_")
    for needle in (b"xq7zk9", secret.encode(), base64.b64decode(secret)):
        assert needle not in stored
