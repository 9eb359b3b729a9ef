"""Templates, photos and passwords never leave by a forwarder."""

from __future__ import annotations

import pathlib
import time
from collections.abc import Callable

from ..daemon.process import Daemon
from ..promises.needles import plant
from ..promises.test_secrets import is_in
from .servers import Receiver

KINDS = ("attendance", "verification", "command", "device", "problem", "user")


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
