"""A browser without scripts: requests to the console in memory, with cookies and forms."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

import html5lib

from ..rig import Response, Rig, talk

HOST = "localhost:8082"
PASSWORD = "seven green bicycles"


class Browser:
    """Follows no redirects by itself, and keeps cookies."""

    def __init__(self, rig: Rig, address: str = "127.0.0.1", language: str = "en") -> None:
        self.rig = rig
        self.address = address
        self.language = language
        self.cookies: dict[str, str] = {}

    async def get(self, path: str, headers: Sequence[str] = ()) -> Response:
        """Get a page."""
        return await self._send("GET", path, b"", headers)

    async def post(
        self, path: str, fields: Mapping[str, object], headers: Sequence[str] = ()
    ) -> Response:
        """Send a form without looking at its page; lists are sent as several fields."""
        body = urlencode(fields, doseq=True).encode()
        kind = "Content-Type: application/x-www-form-urlencoded"
        return await self._send("POST", path, body, [kind, f"Origin: http://{HOST}", *headers])

    async def upload(
        self, path: str, fields: Mapping[str, str], name: str, content: bytes
    ) -> Response:
        """Send a form with a file, the field `name`."""
        parts = [
            f'--x\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{text}\r\n'.encode()
            for field, text in fields.items()
        ]
        head = f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="file"\r\n\r\n'
        body = b"".join([*parts, head.encode(), content, b"\r\n--x--\r\n"])
        kind = "Content-Type: multipart/form-data; boundary=x"
        return await self._send("POST", path, body, [kind, f"Origin: http://{HOST}"])

    async def send(self, page: str, action: str, fields: Mapping[str, object]) -> Response:
        """Get a page, and send its form with this action: hidden fields come from the page."""
        shown = await self.get(page)
        forms = [form for form in forms_of(shown) if form[0] == f"/console{action}"]
        assert forms, f"{page} has no form for {action}: {shown.status}"
        return await self.post(action, {**forms[0][1], **fields})

    async def confirm(self, page: str, action: str, fields: Mapping[str, object]) -> Response:
        """Send a form as `send` does, and then that of the question which it leads to."""
        asked = await self.send(page, action, fields)
        assert asked.status == 200, (action, asked.status)
        forms = [form for form in hidden_of(asked) if form[0] == f"/console{action}"]
        assert forms, f"{action} asks nothing"
        body = urlencode(forms[0][1]).encode()
        kind = "Content-Type: application/x-www-form-urlencoded"
        return await self._send("POST", action, body, [kind, f"Origin: http://{HOST}"])

    async def _send(self, method: str, path: str, body: bytes, headers: Sequence[str]) -> Response:
        path = path if path.startswith("/console") else f"/console{path}"
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {HOST}",
            f"Accept-Language: {self.language}",
            *([f"Cookie: {cookies}"] if cookies else []),
            *headers,
            *([f"Content-Length: {len(body)}"] if method == "POST" else []),
        ]
        raw = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        response = await talk(self.rig.manage, raw, self.address)
        for name, value in response.headers:
            if name == b"Set-Cookie":
                keep_cookie(self.cookies, value.decode())
        return response


def keep_cookie(cookies: dict[str, str], cookie: str) -> None:
    """Keep a cookie as a reply sets it, or drop it if the reply ends it."""
    pair, *attributes = cookie.split("; ")
    name, _, value = pair.partition("=")
    if "Max-Age=0" in attributes:
        cookies.pop(name, None)
    else:
        cookies[name] = value


def location(response: Response) -> str:
    """Where a redirect leads, under `/console`."""
    assert response.status == 303, response.raw[:2000]
    header = response.header(b"Location")
    assert header is not None
    return header.decode().removeprefix("/console")


def document(response: Response) -> Any:
    """The parsed page; invalid HTML fails."""
    parser = html5lib.HTMLParser(strict=False, namespaceHTMLElements=False)
    tree = parser.parse(response.body.decode())
    errors = [(place, code) for place, code, _ in parser.errors]
    assert errors == [], (errors, response.body.decode())
    return tree


def forms_of(response: Response) -> list[tuple[str, dict[str, str]]]:
    """The actions of the forms of a page, with their hidden fields."""
    return [(action, dict(fields)) for action, fields in hidden_of(response)]


def hidden_of(response: Response) -> list[tuple[str, list[tuple[str, str]]]]:
    """The same; a field may be there several times."""
    text = response.body.decode()
    found = []
    for form in re.findall(r"<form [^>]*>.*?</form>", text, re.DOTALL):
        action = re.search(r'action="([^"]*)"', form)
        hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form)
        fields = [(name, unescape(value)) for name, value in hidden]
        found.append((unescape(action[1]) if action else "", fields))
    return found


def text_of(response: Response) -> str:
    """The words of a page, without markup; values stand in their sentences."""
    words: list[str] = []

    def walk(node: Element) -> None:
        gap = "" if node.tag == "bdi" else " "
        words.extend([gap, node.text or ""])
        for child in node:
            walk(child)
            words.append(child.tail or "")
        words.append(gap)

    walk(document(response))
    return " ".join("".join(words).split())


async def first_link(rig: Rig) -> str:
    """The path of the link to the first account."""
    made = await rig.api("POST", "/console/link")
    assert made.status == 200, made.raw
    path: str = made.json["path"]
    return path.removeprefix("/console")


async def signed_in(
    rig: Rig, *scopes: str, name: str = "ann", areas: Sequence[str] | None = None
) -> Browser:
    """A browser in which an account with some scopes has signed in; with all, if none is named.

    Its areas are made if they do not exist.
    """
    for area in areas or ():
        await rig.api("PUT", f"/areas/{area}", {})
    every = ["read", "biometrics", "write", "dangerous", "admin"]
    body = {"name": name, "scopes": [*scopes] or every, "areas": areas}
    made = await rig.api("POST", "/accounts", body)
    assert made.status == 201, made.raw
    path = made.json["link"]["path"].removeprefix("/console")
    browser = Browser(rig)
    chosen = await browser.send(path, path, {"password": PASSWORD, "again": PASSWORD})
    assert location(chosen) == "/"
    return browser
