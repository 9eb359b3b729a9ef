"""A client that has HTML forms, links and cookies, and nothing else: no script, no style.

It does what HTML says a browser does with them: a control is named by its label, a button sends the
controls of its form that are successful, and a required one without a value stops it.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit
from xml.etree.ElementTree import Element

import html5lib

from ..browser import keep_cookie

MOST_REDIRECTS = 5
_BOUNDARY = "------------------------plain"
_CHECKED = ("checkbox", "radio")
_NO_VALUE = ("submit", "button", "image", "reset", "file")


class PlainClient:
    """One window, at a site on a port of this machine."""

    def __init__(self, port: int, cookies: Mapping[str, str] = {}) -> None:
        self._port = port
        self.cookies = dict(cookies)
        self.path = ""
        self._tree: Any = None
        self._files: dict[Element, tuple[str, bytes]] = {}

    @property
    def words(self) -> str:
        """What the page says."""
        return " ".join(_words(self._tree).split())

    def visit(self, path: str) -> None:
        """Open a page."""
        self._request("GET", path)

    def reload(self) -> None:
        """Open the same page again."""
        self.visit(self.path)

    def offers(self, words: str) -> bool:
        """Whether there is a button or a link with these words."""
        return self._control(words, begins=False) is not None

    def fill(self, label: str, text: str) -> None:
        """Enter a text into the field with this label."""
        field = self._field(label)
        if field.tag == "textarea":
            field.text = text
        else:
            field.set("value", text)

    def choose(self, label: str, option: str) -> None:
        """Choose an option of a list."""
        options = [*self._field(label).iter("option")]
        (chosen,) = [one for one in options if _words(one).strip() == option]
        for one in options:
            one.attrib.pop("selected", None)
        chosen.set("selected", "")

    def attach(self, label: str, name: str, content: bytes) -> None:
        """Choose a file."""
        field = self._field(label)
        assert field.get("type") == "file"
        self._files[field] = (name, content)

    def press(self, words: str, *, begins: bool = False) -> None:
        """Follow the first link, or press the first button, with these words."""
        control = self._control(words, begins=begins)
        assert control is not None, f"{words!r} is on no button of {self.path}: {self.words}"
        if control.tag == "a":
            self._request("GET", urljoin(self.path, control.attrib["href"]))
        else:
            self._send(control)

    def _control(self, words: str, *, begins: bool) -> Element | None:
        for one in self._tree.iter():
            if one.tag == "button" or (one.tag == "a" and one.get("href")):
                said = " ".join(_words(one).split())
                if said == words or (begins and said.startswith(words)):
                    found: Element = one
                    return found
        return None

    def _field(self, label: str) -> Element:
        for one in self._tree.iter("label"):
            if not " ".join(_words(one).split()).startswith(label):
                continue
            wanted = one.get("for")
            for field in self._tree.iter() if wanted else one.iter():
                if field.tag in ("input", "select", "textarea") and (
                    not wanted or field.get("id") == wanted
                ):
                    found: Element = field
                    return found
        raise AssertionError(f"no field of {self.path} is labelled {label!r}: {self.words}")

    def _send(self, button: Element) -> None:
        form = self._form_of(button)
        if form is None:
            return
        fields: list[tuple[str, str]] = []
        files: list[tuple[str, str, bytes]] = []
        for one in self._tree.iter():
            name = one.get("name")
            if name is None or self._form_of(one) is not form or "disabled" in one.attrib:
                continue
            value = _value(one, one is button)
            if one in self._files:
                files.append((name, *self._files[one]))
            elif one.get("type") == "file":
                files.append((name, "", b""))
            elif value is not None:
                fields.append((name, value))
            is_empty = not value and one not in self._files
            assert not (is_empty and "required" in one.attrib), f"{name} is required"
        path = urljoin(self.path, button.get("formaction") or form.get("action") or self.path)
        if (form.get("method") or "get").lower() == "get":
            self._request("GET", f"{path.partition('?')[0]}?{urlencode(fields)}")
        elif form.get("enctype") == "multipart/form-data":
            kind = f"multipart/form-data; boundary={_BOUNDARY}"
            self._request("POST", path, _multipart(fields, files), kind)
        else:
            body = urlencode(fields).encode()
            self._request("POST", path, body, "application/x-www-form-urlencoded")

    def _form_of(self, control: Element) -> Element | None:
        wanted = control.get("form")
        for form in self._tree.iter("form"):
            if form.get("id") == wanted if wanted else control in [*form.iter()]:
                found: Element = form
                return found
        return None

    def _request(self, method: str, path: str, body: bytes = b"", kind: str = "") -> None:
        for _ in range(MOST_REDIRECTS):
            headers = {"Accept-Language": "en-GB"}
            if self.cookies:
                headers["Cookie"] = "; ".join(f"{one}={text}" for one, text in self.cookies.items())
            if method == "POST":
                headers |= {"Content-Type": kind, "Origin": f"http://127.0.0.1:{self._port}"}
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
            connection.request(method, path, body or None, headers)
            reply = connection.getresponse()
            content = reply.read()
            connection.close()
            for cookie in reply.headers.get_all("Set-Cookie") or ():
                keep_cookie(self.cookies, cookie)
            self.path = path
            there = reply.headers.get("Location")
            if there is None:
                break
            target = urlsplit(urljoin(path, there))
            path = target.path + (f"?{target.query}" if target.query else "")
            method, body = "GET", b""
        parser = html5lib.HTMLParser(namespaceHTMLElements=False)
        self._tree = parser.parse(content.decode())
        self._files = {}


def _words(node: Element) -> str:
    """The words of an element; options of a list are no words of its label."""
    return "".join(_texts(node))


def _texts(node: Element) -> Iterator[str]:
    if not isinstance(node.tag, str) or node.tag in ("script", "style", "select"):
        return
    yield f" {node.text or ''}" if node.tag not in ("bdi", "span", "small") else node.text or ""
    for child in node:
        yield from _texts(child)
        yield child.tail or ""


def _value(control: Element, is_pressed: bool) -> str | None:
    """What a control sends; None for nothing."""
    kind = control.get("type", "text")
    if control.tag == "button" or kind == "submit":
        return control.get("value", "") if is_pressed else None
    if control.tag == "textarea":
        return control.text or ""
    if control.tag == "select":
        options = [*control.iter("option")]
        chosen = [one for one in options if "selected" in one.attrib] or options[:1]
        return chosen[-1].get("value", (chosen[-1].text or "").strip()) if chosen else None
    if control.tag != "input" or kind in _NO_VALUE:
        return None
    if kind in _CHECKED:
        return control.get("value", "on") if "checked" in control.attrib else None
    return control.get("value", "")


def _multipart(fields: list[tuple[str, str]], files: list[tuple[str, str, bytes]]) -> bytes:
    parts = []
    for name, text in fields:
        parts.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}'.encode())
    for name, called, content in files:
        head = f'Content-Disposition: form-data; name="{name}"; filename="{called}"\r\n'
        parts.append(f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + content)
    line = f"--{_BOUNDARY}\r\n".encode()
    return b"".join(line + part + b"\r\n" for part in parts) + f"--{_BOUNDARY}--\r\n".encode()
