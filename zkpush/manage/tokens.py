"""The API of tokens; a token is shown once, when it is created."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from twisted.internet.interfaces import IReactorTime

from ..clock import wall_clock
from ..device import acts
from ..interfaces import IStore
from ..model import MOST_NAME, Caller
from ..persist.areas import check_areas_thd
from ..persist.tokens import TokenStore
from ..persist.transaction import Transaction
from ..phrases import Phrase
from ..protocol.fields import Scope
from ..values.tokens import NewToken, StoredToken
from .auth import ADMIN, PREFIX, Tokens, digest_of
from .errors import ApiError, bad_request, not_found
from .limits import WholeSite
from .lists import ApiList
from .routes import Route
from .times import instant, instant_or_none, parse_instant

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


TOKEN_BYTES = 32
"""Random bytes in an API token."""
MOST_AREAS = 100
"""Maximum number of areas of a token."""
LimitAreas = Annotated[
    Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=MOST_NAME)]],
        Meta(min_length=1, max_length=MOST_AREAS),
    ]
    | None,
    Meta(
        description="Areas whose terminals and people are seen and changed, and no others; null "
        "for no limit"
    ),
]
"""Areas that a token or an account is limited to."""
TOKENS = WholeSite("Tokens are managed with a token without areas.")


class TokenAdministration:
    """Creates and revokes tokens, and records who did."""

    def __init__(
        self, store: IStore, tokens: Tokens, new_secret: Callable[[], str], clock: IReactorTime
    ) -> None:
        """`new_secret` returns URL-safe random text with 256 bits of entropy."""
        self._store = store
        self._tokens = tokens
        self._new_secret = new_secret
        self._wall = wall_clock(clock)

    def last_used(self, token: StoredToken) -> int | None:
        """Return when (ms) a token was last used."""
        return self._tokens.last_used(token)

    async def create(
        self,
        name: str,
        scopes: Collection[Scope],
        areas: Sequence[str] | None,
        expires_at: int | None,
        caller: Caller,
    ) -> tuple[StoredToken, str]:
        """Create a token, with at most the scopes of the caller; return it with its secret.

        `areas` are None for no limit, and `expires_at` is in milliseconds. Raises `ApiError` for a
        name that is taken or no name, for scopes that the caller does not have, and for a time that
        is over.
        """
        if not is_token_name(name):
            raise bad_request(
                Phrase("name: a token is called by 1 to 64 letters, digits, ., - or _.")
            )
        missing = sorted(scope.value for scope in {*scopes} - caller.scopes)
        if missing:
            raise ApiError(
                HTTPStatus.FORBIDDEN,
                Phrase(
                    "You cannot give what you do not have: %(missing)s.", missing=", ".join(missing)
                ),
            )
        now = int(self._wall() * 1000)
        if expires_at is not None and expires_at <= now:
            raise bad_request(Phrase("expires_at: this time is over already."))
        secret = PREFIX + self._new_secret()
        names = sorted({scope.value for scope in scopes})
        new = NewToken(
            name=name,
            digest=digest_of(secret),
            scopes=frozenset(names),
            created_by=caller.actor,
            expires_at=expires_at,
            areas=None if areas is None else frozenset(areas),
        )

        def unit(tx: Transaction) -> StoredToken | None:
            check_areas_thd(tx, areas)
            added = None if name == ADMIN else tx[TokenStore].add(new, now)
            if added is not None:
                limit = "" if areas is None else f"; areas: {', '.join(areas)}"
                detail = ", ".join(names) + limit
                acts.record(tx, caller, acts.CREATE_TOKEN, f"token {name}", detail, now)
            return added

        added = await self._store.write(unit)
        if added is None:
            raise ApiError(
                HTTPStatus.CONFLICT,
                Phrase(
                    "There is a token %(name)s already; choose another name, or revoke it first.",
                    name=name,
                ),
            )
        await self._tokens.follow()
        return added, secret

    async def revoke(self, name: str, caller: Caller) -> None:
        """Revoke a token; raises `ApiError` if there is none, or it is not in the store."""
        if name == ADMIN:
            raise ApiError(
                HTTPStatus.CONFLICT,
                Phrase(
                    "The token admin is that of DIR/admin.token: to get another one, stop the "
                    "daemon, remove the file, and start it again."
                ),
            )
        now = int(self._wall() * 1000)

        def unit(tx: Transaction) -> bool:
            is_removed = tx[TokenStore].remove(name)
            if is_removed:
                acts.record(tx, caller, acts.REVOKE_TOKEN, f"token {name}", "", now)
            return is_removed

        if not await self._store.write(unit):
            raise not_found(Phrase("There is no token %(name)s.", name=name))
        await self._tokens.follow()


def is_token_name(name: str) -> bool:
    """Whether a token may have this name."""
    return _NAME.fullmatch(name) is not None


class TokenRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token to make."""

    name: Annotated[
        str,
        Meta(
            description="1 to 64 letters, digits, ., - or _; unique",
            extra_json_schema={"pattern": f"^{_NAME.pattern}$"},
        ),
    ]
    scopes: Annotated[
        list[Scope],
        Meta(min_length=1, description="Permissions of its bearer; a subset of your own"),
    ]
    areas: LimitAreas = None
    expires_at: Annotated[
        str | None, Meta(description="ISO 8601; null for a token that is valid until revoked")
    ] = None


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A token, without its secret."""

    name: str
    scopes: list[str]
    areas: Annotated[list[str] | None, Meta(description="Null for a token without limits")]
    created_at: str
    created_by: str
    expires_at: str | None
    last_used_at: Annotated[str | None, Meta(description="Accurate to about half a minute")]


class NewTokenView(TokenView, frozen=True, kw_only=True):
    """A token that was just made."""

    token: Annotated[str, Meta(description="The secret; it is never shown again")]


class TokenEndpoints:
    """The routes of tokens."""

    def __init__(self, store: IStore, administration: TokenAdministration) -> None:
        self._store = store
        self._administration = administration

    def routes(self) -> list[Route]:
        """The routes of tokens."""
        return [
            ApiList[StoredToken](
                path="/tokens",
                summary="The tokens that were made by API or command line, in the order they were",
                view=TokenView,
                scope=Scope.ADMIN,
                find_thd=lambda tx, part, query: tx[TokenStore].page(part),
                show=lambda token, caller: TokenView(**self._shown(token)),
                whole_site=TOKENS,
            ).route(self._store),
            Route(
                "POST",
                "/tokens",
                Scope.ADMIN,
                self.create,
                "Make a token; its secret is shown this once",
                body=TokenRequest,
                returns=NewTokenView,
                status=HTTPStatus.CREATED,
                takes=("caller",),
                limited=TOKENS,
            ),
            Route(
                "DELETE",
                "/tokens/<name>",
                Scope.ADMIN,
                self.revoke,
                "Revoke a token: it is good for nothing within a second, and streams of it end",
                status=HTTPStatus.NO_CONTENT,
                takes=("caller",),
                limited=TOKENS,
            ),
        ]

    async def create(self, body: TokenRequest, caller: Caller) -> NewTokenView:
        """Create a token."""
        expires_at = None if body.expires_at is None else parse_instant(body.expires_at) * 1000
        added, secret = await self._administration.create(
            body.name, body.scopes, body.areas, expires_at, caller
        )
        return NewTokenView(token=secret, **self._shown(added))

    async def revoke(self, name: str, caller: Caller) -> None:
        """Revoke a token."""
        await self._administration.revoke(name, caller)

    def _shown(self, token: StoredToken) -> dict[str, Any]:
        return {
            "name": token.name,
            "scopes": sorted(token.scopes),
            "areas": None if token.areas is None else sorted(token.areas),
            "created_at": instant(token.created_at),
            "created_by": token.created_by,
            "expires_at": instant_or_none(token.expires_at),
            "last_used_at": instant_or_none(self._administration.last_used(token)),
        }
