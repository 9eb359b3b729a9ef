"""A web page that somebody inside the network opens reaches nothing at the terminals' port."""

from __future__ import annotations

import pytest
import pytest_twisted

from ..rig import Rig, talk
from .callers import LINE, UPLOAD

CHROME = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0"
FIREFOX = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
OWN_AGENT = "User-Agent: iClock Proxy/1.09"
POSTS = {
    "a form": [CHROME, "Origin: https://example.net", "Content-Type: text/plain"],
    "a form without a referrer": [CHROME, "Origin: null", "Content-Type: text/plain"],
    "fetch of Firefox, which lets a page choose the agent": [OWN_AGENT, "Origin: http://a.example"],
    "fetch after the name was bound to this server": [OWN_AGENT, "Origin: http://server:8081"],
    "sendBeacon": [FIREFOX, "Origin: https://example.net", "Sec-Fetch-Mode: no-cors"],
}
GETS = {
    "an image": [CHROME, "Referer: https://example.net/"],
    "a link without a referrer": [FIREFOX],
    "an image over TLS": [OWN_AGENT, "Sec-Fetch-Dest: image", "Sec-Fetch-Site: cross-site"],
    "fetch across origins": [OWN_AGENT, "Origin: https://example.net"],
}
PATHS = [
    "getrequest?SN=T1",
    "cdata?SN=T1&options=all&language=83",
    "cdata?SN=T1&table=RemoteAtt&PIN=7",
    "ping?SN=T1",
    "file?SN=T1&url=file/1/a",
    "getrequest?SN=T1&INFO=Ver1,1,2,3,192.0.2.1",
]
REBOUND = [OWN_AGENT, "Host: attacker.example:8081"]
"""A page whose name resolves to this server, in a browser that lets it choose the agent."""


def request(method: str, path: str, lines: list[str], body: bytes = b"") -> bytes:
    """A request as a browser sends it."""
    every = [f"{method} /iclock/{path} HTTP/1.1", *lines, f"Content-Length: {len(body)}"]
    if not any(line.startswith("Host:") for line in lines):
        every.insert(1, "Host: server:8081")
    return "\r\n".join(every).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize("what", POSTS)
@pytest_twisted.ensureDeferred
async def test_a_page_forges_no_punch(rig: Rig, what: str) -> None:
    """Every POST of a page carries `Origin`, and is refused; the terminal's own is stored."""
    await rig.exchange()
    for path in (UPLOAD % "T1", "devicecmd?SN=T1", "exchange?SN=T1&type=publickey"):
        reply = await talk(rig.terminals, request("POST", path, POSTS[what], LINE))
        assert reply.status == 403
    assert await rig.items("/attendance") == []
    assert (await rig.post(UPLOAD % "T1", LINE)).body == b"OK: 1"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("what", GETS)
@pytest_twisted.ensureDeferred
async def test_a_page_gets_nothing_by_links_and_images(rig: Rig, what: str, path: str) -> None:
    """Whatever a page can ask for by GET is refused, and takes no command away."""
    await rig.exchange()
    asked = {"command": "LOG", "params": {}}
    command = (await rig.api("POST", "/devices/T1/commands", asked)).json["id"]
    assert (await talk(rig.terminals, request("GET", path, GETS[what]))).status == 403
    assert (await rig.api("GET", f"/commands/{command}")).json["state"] == "queued"
    assert (await rig.api("GET", "/devices/T1")).json["language"] == "69"


@pytest_twisted.ensureDeferred
async def test_a_page_behind_a_rebound_name_is_a_stranger_where_it_is(rig: Rig) -> None:
    """Its GET is a stranger's: it reads commands unless a setting against strangers stops it."""
    await rig.exchange()
    asked = {"command": "LOG", "params": {}}
    assert (await rig.api("POST", "/devices/T1/commands", asked)).status == 202
    computer = "192.0.2.99"
    await rig.api("PATCH", "/devices/T1", {"networks": ["192.0.2.7/32"]})
    poll = request("GET", "getrequest?SN=T1", REBOUND)
    assert (await talk(rig.terminals, poll, computer)).status == 403
    await rig.api("PATCH", "/devices/T1", {"networks": []})
    assert b":LOG" in (await talk(rig.terminals, poll, computer)).body
