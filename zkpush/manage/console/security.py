"""What keeps the console to its own people: headers, cookies, and where requests come from."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...protocol.addresses import is_within, parse_address, parse_networks
from ..errors import ApiError
from .phrases import Phrase

if TYPE_CHECKING:
    from ..channel import ManageRequest

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # With no-referrer, browsers would send `Origin: null` with forms.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of every reply of the console."""
COOKIE = "zkpush"
NOTICE = "zkpush-notice"
LANGUAGE = "zkpush-language"
_HOST = "__Host-"
"""Prefix of cookies that only this host can have set, over TLS (RFC 6265bis, 4.1.3.2)."""
_LOOPBACK = parse_networks(["127.0.0.0/8", "::1"])
_OF_PROXIES = ("x-forwarded-for", "x-forwarded-proto", "forwarded", "x-real-ip")
NOT_PRIVATE = Phrase(
    "This connection is not encrypted, so the console does not take passwords over it. Open the "
    "console on the machine itself, by an SSH tunnel, or by https. `zkpush console setup` says "
    "how."
)
PROXY_UNKNOWN = Phrase(
    "A proxy forwards this request, but the server does not know it. Name its address in "
    "`proxies.trusted` of the configuration, let it send X-Forwarded-For and X-Forwarded-Proto, "
    "and let it serve https."
)
FOREIGN = Phrase(
    "Another web site has sent this form, so nothing was done. Open the console, and try again "
    "there."
)


class NotPrivate(ApiError):
    """The connection of a request is not one for passwords."""

    def __init__(self, why: Phrase) -> None:
        super().__init__(HTTPStatus.FORBIDDEN, why)
        self.why = why


def is_loopback(address: str | None) -> bool:
    """Whether an address is this machine; a Unix socket is not, for a proxy uses it."""
    return address is not None and is_within(parse_address(address), _LOOPBACK)


def is_secure(request: ManageRequest, is_trusted: bool) -> bool:
    """Whether the browser uses TLS; a trusted proxy says it in `X-Forwarded-Proto`."""
    if request.isSecure():
        return True
    said: bytes | None = request.getHeader(b"x-forwarded-proto")
    return is_trusted and said is not None and said.rpartition(b",")[2].strip().lower() == b"https"


def check_private(request: ManageRequest, address: str | None, is_trusted: bool) -> None:
    """Raise `NotPrivate` unless the request comes over TLS or from this machine."""
    if is_secure(request, is_trusted):
        return
    is_forwarded = any(request.getHeader(name.encode()) is not None for name in _OF_PROXIES)
    if is_forwarded and not is_trusted:
        raise NotPrivate(PROXY_UNKNOWN)
    if not is_loopback(address):
        raise NotPrivate(NOT_PRIVATE)


def check_own(request: ManageRequest) -> None:
    """Raise `ApiError` if a page of another site has sent the request."""
    site: bytes | None = request.getHeader(b"sec-fetch-site")
    origin: bytes | None = request.getHeader(b"origin")
    host: bytes = request.getHeader(b"host") or b""
    if site is not None and site not in (b"same-origin", b"none"):
        raise ApiError(HTTPStatus.FORBIDDEN, FOREIGN)
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        raise ApiError(HTTPStatus.FORBIDDEN, FOREIGN)


def cookie_name(name: str, secure: bool) -> str:
    """Return the name of a cookie; over TLS, with the prefix that binds it to the host."""
    return f"{_HOST}{name}" if secure else name


def cookie(name: str, value: str, *, secure: bool, seconds: int | None = None) -> str:
    """Write a `Set-Cookie` header; with None the cookie ends with the browser, with 0 now."""
    parts = [f"{cookie_name(name, secure)}={value}", "Path=/", "HttpOnly", "SameSite=Strict"]
    if secure:
        parts.append("Secure")
    if seconds is not None:
        parts.append(f"Max-Age={seconds}")
    return "; ".join(parts)
