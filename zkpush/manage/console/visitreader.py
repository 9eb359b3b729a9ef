"""Making of a visit from a request: address, session, language and time zone."""

from __future__ import annotations

import functools
from collections.abc import Callable
from urllib.parse import parse_qs, unquote
from zoneinfo import ZoneInfo

import attrs

from ...device.proxies import Proxies
from ..channel import ManageRequest
from ..errors import ApiError
from ..routes import header_of
from . import security
from .languages import ConsoleLanguage, language_of, preferred
from .pages import PREFIX
from .terminalnames import TerminalNames
from .visits import SignIn, Visit, Visitor


class VisitReader:
    """Reads who makes a request, and from where."""

    def __init__(
        self, sign_in: SignIn, names: TerminalNames, proxies: Proxies, said: Callable[..., str]
    ) -> None:
        """`said` translates a text into a language."""
        self._names = names
        self._sign_in = sign_in
        self._proxies = proxies
        self._said = said

    def origin(self, request: ManageRequest) -> tuple[str | None, bool]:
        """Return the address of the browser, and whether a trusted proxy stands between."""
        peer = getattr(request.transport.getPeer(), "host", None) if request.transport else None
        is_trusted = bool(self._proxies) and self._proxies.trusts(peer)
        return request.find_client(), is_trusted

    def stranger(self, request: ManageRequest) -> Visit:
        """Make the visit of a request before its session is known."""
        host = header_of(request, "host") or ""
        try:
            address = request.find_client()
        except ApiError:
            address = None
        return Visit(
            visitor=None,
            address=address,
            agent=(header_of(request, "user-agent") or "")[:200],
            language=self.language(request),
            zone=ZoneInfo("UTC"),
            origin=f"{'https' if self.is_secure(request) else 'http'}://{host}",
            path=request.path.decode("ascii", "replace").removeprefix(PREFIX) or "/",
            query=request.uri.partition(b"?")[2].decode("ascii", "replace"),
        )

    async def known(self, request: ManageRequest, visit: Visit) -> Visit:
        """Complete a visit with the account of its session, if there is one."""
        visitor = await self.visitor(request)
        language = self.language(request)
        return attrs.evolve(
            visit,
            visitor=visitor,
            language=language,
            named=functools.partial(
                self._names.find, areas=None if visitor is None else visitor.areas
            ),
            said=functools.partial(self._said, language=language),
            zone=_zone(None if visitor is None else visitor.zone),
        )

    async def visitor(self, request: ManageRequest) -> Visitor | None:
        """Return who has signed in, and note that on the request."""
        secret = self.cookie(request, security.COOKIE)
        visitor = None if not secret else await self._sign_in.find(secret)
        request.language = None if visitor is None else visitor.language
        request.recognised(None if visitor is None else f"account {visitor.name}")
        return visitor

    def language(self, request: ManageRequest) -> ConsoleLanguage:
        """Return the language of the account, of a cookie, or of the browser, in this order.

        The account is known once `visitor` has been called.
        """
        for code in (request.language, self.cookie(request, security.LANGUAGE)):
            found = language_of(code)
            if found is not None:
                return found
        return preferred(header_of(request, "accept-language"))

    def notice(self, request: ManageRequest) -> str | None:
        """Return the notice that the last form left for the next page."""
        text = self.cookie(request, security.NOTICE)
        return None if text is None else unquote(text)

    def cookie(self, request: ManageRequest, name: str) -> str | None:
        """Return the value of a cookie of the console."""
        wanted = security.cookie_name(name, self.is_secure(request))
        value: bytes | None = request.getCookie(wanted.encode())
        return None if value is None else value.decode("ascii", "replace")

    def is_secure(self, request: ManageRequest) -> bool:
        """Whether the browser uses TLS, to this server or to a trusted proxy."""
        try:
            _, is_trusted = self.origin(request)
        except ApiError:
            is_trusted = False
        return security.is_secure(request, is_trusted)


def query_of(request: ManageRequest) -> dict[str, list[str]]:
    """Return the arguments of the query, by name."""
    text = request.uri.partition(b"?")[2].decode("ascii", "replace")
    return parse_qs(text, keep_blank_values=True, errors="replace", max_num_fields=200)


def argument_of(request: ManageRequest, name: str) -> str | None:
    """Return the last value of an argument of the query."""
    try:
        return query_of(request).get(name, [None])[-1]
    except ValueError:
        return None


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ValueError, LookupError, OSError):
        return ZoneInfo("UTC")
