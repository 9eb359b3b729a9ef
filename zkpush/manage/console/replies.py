"""Replies of the console: pages, redirects, files, and their cookies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import quote

import attrs
from markupsafe import Markup

from ..channel import ManageRequest
from ..errors import ApiError
from ..routes import Raw, Stream, write_header
from . import security
from .assets import Asset, assets
from .pages import PREFIX, Redirect
from .security import HEADERS

HTML = "text/html; charset=utf-8"
YEAR = 365 * 24 * 3600
NOTICE_SECONDS = 60
_COOKIES = "\n"
"""Key of the cookies among the headers of a reply, one on each line."""


class PageRefusal(ApiError):
    """A refusal before the body is read, as a small page."""

    content_type = HTML

    def __init__(self, error: ApiError, words: str) -> None:
        super().__init__(error.status, words, {**HEADERS, **error.headers})

    def body(self) -> bytes:
        """The page."""
        page = Markup(
            '<!doctype html><html><meta charset="utf-8"><title>zkpush</title>'
            '<p>{}</p><p><a href="/console/">zkpush</a></p></html>'
        )
        return page.format(self.detail).encode()


def html_reply(
    body: bytes,
    status: HTTPStatus,
    cookies: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Raw:
    """Return a page, with the texts of its cookies."""
    more = {_COOKIES: "\n".join(cookies)} if cookies else {}
    return Raw(HTML, body, status, {**HEADERS, **(headers or {}), **more})


def saved_as(name: str | None) -> dict[str, str]:
    """Return the headers of a file, which is shown unless it has a name."""
    headers = {"Cache-Control": "no-store"}
    if name is not None:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return headers


def redirect_reply(redirect: Redirect, notice: str | None, *, secure: bool) -> Raw:
    """Return a redirect within the console; `notice` is in the language of the next page."""
    cookies = []
    if notice is not None:
        text = quote(notice[:1000])
        cookies.append(
            security.cookie(security.NOTICE, text, secure=secure, seconds=NOTICE_SECONDS)
        )
    if redirect.session is not None:
        seconds = None if redirect.session else 0
        cookies.append(
            security.cookie(security.COOKIE, redirect.session, secure=secure, seconds=seconds)
        )
    if redirect.language is not None:
        cookies.append(
            security.cookie(security.LANGUAGE, redirect.language, secure=secure, seconds=YEAR)
        )
    to = PREFIX + redirect.to
    return html_reply(
        b"", HTTPStatus.SEE_OTHER, cookies, {"Location": quote(to, safe="/?&=%:+,-._~")}
    )


def static_reply(name: str) -> Raw:
    """Return a static file."""
    asset: Asset | None = assets().find(name)
    if asset is None:
        return Raw("text/plain", b"There is no such file.", HTTPStatus.NOT_FOUND, HEADERS)
    kept = {"Cache-Control": f"public, max-age={YEAR}, immutable"}
    return Raw(asset.content_type, asset.body, headers={**HEADERS, **kept})


def write_reply(request: ManageRequest, reply: Raw | Stream) -> None:
    """Write a reply of the console."""
    cookies = reply.headers.get(_COOKIES, "") if isinstance(reply, Raw) else ""
    headers = {name: text for name, text in reply.headers.items() if name != _COOKIES}
    write_header(request, attrs.evolve(reply, headers=headers))
    for each in filter(None, cookies.split("\n")):
        request.responseHeaders.addRawHeader(b"Set-Cookie", each.encode())
    if isinstance(reply, Stream):
        if request.method == b"HEAD":
            request.finish()
        else:
            reply.begin(request)
        return
    request.setHeader("Content-Length", str(len(reply.body)))
    if request.method != b"HEAD":
        request.write(reply.body)
    request.finish()
