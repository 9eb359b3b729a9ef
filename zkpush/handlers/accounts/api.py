"""The API of accounts of the console."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ...manage.console.languages import LANGUAGES
from ...manage.console.pages import PREFIX
from ...manage.errors import ApiError
from ...manage.limits import WholeSite
from ...manage.lists import ApiList
from ...manage.routes import Route
from ...manage.services import Services
from ...manage.times import instant, instant_or_none
from ...manage.tokens import LimitAreas
from ...model import Caller
from ...phrases import words_of
from ...protocol.fields import Scope
from ...protocol.times import check_zone
from .administration import AccountAdministration, AccountExists
from .model import Account
from .settings import AccountSettings
from .store import AccountStore

_Scopes = Annotated[
    list[Scope], Meta(min_length=1, description="Permissions of the account; a subset of your own")
]

ACCOUNTS = WholeSite("Accounts are managed with a token without areas.")


class AccountRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account to add."""

    name: Annotated[
        str, Meta(description="1 to 64 letters, digits, ., -, _ or @; unique", max_length=64)
    ]
    scopes: _Scopes
    areas: LimitAreas = None


class AccountChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Changes to an account."""

    scopes: _Scopes | UnsetType = UNSET
    areas: LimitAreas | UnsetType = UNSET
    language: Annotated[
        str | UnsetType | None,
        Meta(description="Code of its language in the console; null for that of the browser"),
    ] = UNSET
    timezone: Annotated[
        str | UnsetType | None,
        Meta(description="Time zone of times in the console; null for that of the site"),
    ] = UNSET


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account of the console."""

    name: str
    scopes: list[str]
    areas: Annotated[list[str] | None, Meta(description="Null for an account without limits")]
    language: str | None
    timezone: str | None
    has_password: Annotated[bool, Meta(description="Whether the person has chosen a password")]
    has_code: Annotated[bool, Meta(description="Whether signing in needs a code as well")]
    created_at: str
    created_by: str
    signed_in_at: str | None


class LinkView(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time link to choose a password."""

    path: Annotated[
        str, Meta(description="Path of the link on the management endpoint; it is a secret")
    ]
    expires_at: str


class NewAccountView(AccountView, frozen=True, kw_only=True):
    """An account that was just added."""

    link: LinkView


class _AccountEndpoints:
    """The routes of accounts."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._administration = services.offers[AccountAdministration]
        self._minutes = services.section(AccountSettings).link_minutes

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            ApiList[Account](
                path="/accounts",
                summary="Accounts of the console, in the order they were added",
                view=AccountView,
                scope=Scope.ADMIN,
                find_thd=lambda tx, part, query: tx[AccountStore].page(part),
                show=lambda account, caller: AccountView(**_shown(account)),
                whole_site=ACCOUNTS,
            ).route(self._services.store),
            Route(
                "POST",
                "/accounts",
                Scope.ADMIN,
                self.add,
                "Add an account; its link, by which the person chooses a password, is shown once",
                body=AccountRequest,
                returns=NewAccountView,
                status=HTTPStatus.CREATED,
                takes=("caller",),
                limited=ACCOUNTS,
            ),
            Route(
                "PATCH",
                "/accounts/<name>",
                Scope.ADMIN,
                self.change,
                "Change an account; other scopes or areas end its sessions",
                body=AccountChange,
                returns=AccountView,
                takes=("caller",),
                limited=ACCOUNTS,
            ),
            Route(
                "DELETE",
                "/accounts/<name>",
                Scope.ADMIN,
                self.remove,
                "Remove an account, which ends its sessions",
                status=HTTPStatus.NO_CONTENT,
                takes=("caller",),
                limited=ACCOUNTS,
            ),
            Route(
                "POST",
                "/accounts/<name>/link",
                Scope.ADMIN,
                self.link,
                "Make a one-time link to choose a new password",
                returns=LinkView,
                takes=("caller",),
                limited=ACCOUNTS,
            ),
            Route(
                "POST",
                "/console/link",
                Scope.ADMIN,
                self.first_link,
                "Make the one-time link to the first account; 409 if there are accounts",
                returns=LinkView,
                takes=("caller",),
                limited=ACCOUNTS,
            ),
        ]

    async def add(self, body: AccountRequest, caller: Caller) -> NewAccountView:
        """Add an account."""
        try:
            account, secret = await self._administration.add(
                body.name, body.scopes, caller, body.areas
            )
        except AccountExists as error:
            raise ApiError(HTTPStatus.CONFLICT, words_of(error)) from None
        return NewAccountView(link=self._link(secret), **_shown(account))

    async def change(self, name: str, body: AccountChange, caller: Caller) -> AccountView:
        """Change an account."""
        values: dict[str, Any] = {}
        if body.scopes is not UNSET:
            values["scopes"] = body.scopes
        if body.areas is not UNSET:
            values["areas"] = body.areas
        if body.language is not UNSET:
            if body.language not in (None, *(one.code for one in LANGUAGES)):
                codes = ", ".join(one.code for one in LANGUAGES)
                raise ValueError(f"language: there are {codes}, or null.")
            values["language"] = body.language
        if body.timezone is not UNSET:
            values["zone"] = None if body.timezone is None else check_zone(body.timezone)
        return AccountView(**_shown(await self._administration.change(name, values, caller)))

    async def remove(self, name: str, caller: Caller) -> None:
        """Remove an account."""
        try:
            await self._administration.remove(name, caller)
        except ValueError as error:
            raise ApiError(HTTPStatus.CONFLICT, words_of(error)) from None

    async def link(self, name: str, caller: Caller) -> LinkView:
        """Make a link to choose a new password."""
        return self._link(await self._administration.link(name, caller))

    async def first_link(self, caller: Caller) -> LinkView:
        """Make the link to the first account."""
        secret = await self._administration.first_link(caller)
        if secret is None:
            raise ApiError(
                HTTPStatus.CONFLICT,
                "There are accounts already. Add one with `zkpush accounts add NAME --scope …`, or "
                "make a link to choose a new password with `zkpush accounts link NAME`.",
            )
        return self._link(secret)

    def _link(self, secret: str) -> LinkView:
        expires_at = self._services.now() + self._minutes * 60_000
        return LinkView(path=f"{PREFIX}/welcome/{secret}", expires_at=instant(expires_at))


def _shown(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "scopes": sorted(account.scopes),
        "areas": None if account.areas is None else sorted(account.areas),
        "language": account.language,
        "timezone": account.zone,
        "has_password": account.password is not None,
        "has_code": account.totp is not None,
        "created_at": instant(account.created_at),
        "created_by": account.created_by,
        "signed_in_at": instant_or_none(account.signed_in_at),
    }


def routes(services: Services) -> list[Route]:
    """The routes of accounts."""
    return _AccountEndpoints(services).routes()
