"""An attack as data: the bytes that are sent, and what must hold. Canaries say what was touched."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable

import attrs

SECRET = "canary-5e1f0b"
"""What the file outside holds: in no reply."""
INJECTED = "INJECTED-LINE"
"""What no line of the log begins with."""
EVIL = "EVIL"
"""The terminal of smuggled requests: it never comes to exist."""


@attrs.frozen
class Attack:
    """One attack, on a connection of its own."""

    name: str
    raw: bytes = attrs.field(repr=False)
    refused: bool = True
    """Whether no reply may say that all is well. Where not, what was sent is data, and kept."""
    waits: bool = False
    """Whether the server rightly waits for more."""
    direct_only: bool = False
    """Whether a proxy makes something sound of it."""


@attrs.frozen
class Canaries:
    """What must not be touched."""

    folder: pathlib.Path
    """Of the file `secret.txt`, which holds `SECRET`."""
    port: int
    """Where somebody listens, and nobody must call."""


def request(
    target: str | bytes, *lines: str | bytes, method: str = "GET", body: bytes = b""
) -> bytes:
    """A request that is the last of its connection."""
    encoded = [line.encode() if isinstance(line, str) else line for line in lines]
    path = target.encode() if isinstance(target, str) else target
    head = [b"%b %b HTTP/1.1" % (method.encode(), path), b"Host: s", b"Connection: close", *encoded]
    if body or method == "POST":
        head.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def upload(table: str, body: bytes, more: str = "") -> bytes:
    """An upload of the terminal that exists."""
    target = f"/iclock/cdata?SN=T1&table={table}&Stamp=1{more}"
    return request(target, method="POST", body=body)


def named(raw: Iterable[tuple[str, bytes]], **how: bool) -> list[Attack]:
    """Attacks of one kind."""
    return [Attack(name, data, **how) for name, data in raw]
