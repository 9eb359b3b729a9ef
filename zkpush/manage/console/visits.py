"""Who uses the console, and from where."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Collection
from typing import Protocol
from zoneinfo import ZoneInfo

import attrs

from ...model import Caller
from ...protocol.fields import Scope
from .languages import ConsoleLanguage


@attrs.frozen(kw_only=True)
class Visitor:
    """A person who has signed in."""

    name: str
    """Name of the account."""
    scopes: frozenset[Scope]
    areas: frozenset[str] | None = None
    """Areas that the account is limited to; None for no limit."""
    language: str | None
    """Code of the chosen language; None for that of the browser."""
    zone: str | None
    """IANA name of the time zone in which times are shown; None if it is not known."""
    secret: str = attrs.field(repr=False)
    """Secret of the session, which the cookie holds; empty in renderings that many share."""


class SignIn(Protocol):
    """Sessions of people, which one capability brings."""

    path: str
    """Path of the page to sign in."""

    async def find(self, secret: str) -> Visitor | None:
        """Return who has a session, and note its use; None if it is unknown or has ended."""

    async def living(self, secrets: Collection[str]) -> Collection[str]:
        """Return the secrets whose sessions have not ended."""


@attrs.frozen(kw_only=True)
class Visit:
    """One request of a person, passed to pages and forms as their first argument."""

    visitor: Visitor | None
    """Who has signed in; None on public pages without a session."""
    address: str | None
    """Address of the browser; None for a Unix socket."""
    agent: str
    """The `User-Agent` header."""
    language: ConsoleLanguage
    zone: ZoneInfo
    """Time zone in which times are shown."""
    origin: str
    """Scheme and host of the console, as the browser names them."""
    path: str = ""
    """Path of the request, under `/console`, as it was sent."""
    query: str = ""
    """Query of the request, as it was sent."""
    reaches: Callable[..., bool] = attrs.field(
        default=lambda path, method="GET": True, eq=False, repr=False
    )
    """Whether the page of a path under `/console` is served to the account; called with the path
    and, for a form, `POST`."""
    named: Callable[[str], str | None] = attrs.field(default=lambda sn: None, eq=False, repr=False)
    """Returns the name of a terminal, given its serial number; None without one."""
    said: Callable[[str], str] = attrs.field(default=str, eq=False, repr=False)
    """Translates a text, for files; pages do it in their templates."""

    @property
    def scopes(self) -> frozenset[Scope]:
        """Permissions of the account; none without one."""
        return frozenset() if self.visitor is None else self.visitor.scopes

    @property
    def areas(self) -> frozenset[str] | None:
        """Areas that the account is limited to; None for no limit."""
        return None if self.visitor is None else self.visitor.areas

    @property
    def caller(self) -> Caller:
        """The account as a caller of stores and administrations, for the audit log."""
        name = "" if self.visitor is None else self.visitor.name
        return Caller(
            name=name,
            scopes=self.scopes,
            address=self.address,
            client="console",
            kind="account",
            areas=self.areas,
        )

    def allows(self, scope: Scope | None) -> bool:
        """Whether the account has a scope; None stands for public pages."""
        return scope is None or scope in self.scopes

    @property
    def csrf(self) -> str:
        """The token that forms of this session carry; empty without a session."""
        secret = "" if self.visitor is None else self.visitor.secret
        return csrf_of(secret) if secret else ""


def csrf_of(secret: str) -> str:
    """Return the token of the forms of a session."""
    return hmac.digest(secret.encode(), b"zkpush console form", hashlib.sha256).hex()
