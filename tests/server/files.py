"""Files for terminals: what the tests of them share."""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import quote

from zkpush.persist.commands import CommandStore

from ..rig import TOKEN, Response, Rig, Wire, talk

FIRMWARE = b"\x7fELF\x00\r\n\r\n" + bytes(range(256)) * 41 + b"end"
"""10,507 bytes: three goes into it with a rest."""


class Lazy(Wire):
    """A connection whose other side reads when it is told to; it says when it is full."""

    full = 64 * 1024
    is_full = False
    most = 0
    """Most bytes that have waited in it."""

    def write(self, data: bytes) -> None:
        super().write(data)
        self.most = max(self.most, len(self.value()))
        if self.producer is not None and len(self.value()) > self.full:
            self.is_full = True
            self.producer.pauseProducing()

    def take(self) -> bytes:
        """Read everything."""
        data = self.value()
        self.clear()
        self.is_full = False
        if self.producer is not None:
            self.producer.resumeProducing()
        return data


async def post(rig: Rig, content: bytes, name: str, token: str = TOKEN) -> Response:
    """Add a file by the API."""
    head = (
        f"POST /api/v1/files?name={quote(name)} HTTP/1.1\r\nHost: s\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return await talk(rig.manage, head.encode() + content)


async def add(rig: Rig, content: bytes = FIRMWARE, name: str = "fw 1.bin") -> dict[str, object]:
    """A file that was added by the API."""
    response = await post(rig, content, name)
    assert response.status == 201, response.raw
    return response.json


async def order(rig: Rig, command: str, sn: str = "T1", **params: object) -> str:
    """The id of a command that was queued."""
    body = {"command": command, "params": {key: str(value) for key, value in params.items()}}
    response = await rig.api("POST", f"/devices/{sn}/commands", body)
    assert response.status == 202, response.raw
    return response.json["id"]


async def url_in(rig: Rig, command_id: str) -> str:
    """The URL that a command tells its terminal to fetch."""
    command = await rig.store.read(lambda tx: tx[CommandStore].get(command_id))
    found = re.search(r"(?:http[^\s,=]*/)?file/[0-9a-z]{26}/[^\s,]+", command.text)
    assert found is not None, command.text
    return found[0]


async def upgrade(rig: Rig, content: bytes = FIRMWARE, form: int = 2, sn: str = "T1") -> str:
    """The URL of a file that a terminal is told to fetch."""
    file = await add(rig, content)
    return await url_in(rig, await order(rig, "UPGRADE", sn, file=file["id"], form=form))


def request(target: str, *headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    """A request of a terminal under /iclock/."""
    lines = [f"{method} /iclock/{target} HTTP/{version}", "Host: server", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


async def fetch(rig: Rig, target: str, *headers: str, **more: str) -> Response:
    """A request of a terminal, and its reply."""
    return await talk(rig.terminals, request(target, *headers, **more))


def by_url(url: str, sn: str = "T1") -> str:
    """What a terminal asks for when it upgrades."""
    return f"file?SN={sn}&url={quote(url, safe='')}"


def content_md5(content: bytes) -> bytes:
    """The value of Content-MD5 (RFC 1864)."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest())
