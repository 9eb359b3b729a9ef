"""The page of tokens: programs that may use the API."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from http import HTTPStatus

import msgspec

from ...manage.auth import ADMIN
from ...manage.console.areachoice import check_ticked_areas_thd
from ...manage.console.days import NO_DAY
from ...manage.console.forms import NOTHING_ENTERED, FormEntry, FormMistakes
from ...manage.console.pages import (
    ConfirmationQuestion,
    ConsoleForm,
    ConsolePage,
    ConsoleRoute,
    NavGroup,
    NavPlace,
    Redirect,
    View,
    of_whole_site,
)
from ...manage.console.permissions import SCOPES
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.errors import ApiError
from ...manage.services import Services
from ...manage.tokens import is_token_name
from ...model import Page
from ...persist.areas import known_areas_thd
from ...persist.tokens import TokenStore
from ...persist.transaction import Transaction
from ...protocol.fields import Scope
from ...values.tokens import StoredToken

LIMITED = Phrase("Your account is limited to areas, and tokens are managed for the whole site.")
"""Why it is refused to limited accounts."""
MOST_SHOWN = 200
"""Maximum number of tokens on the page."""
WRONG_NAME = Phrase("Use 1 to 64 letters, digits, points, hyphens and underscores.")
TAKEN = Phrase("There is a token of this name. Choose another one, or revoke that first.")
NOT_YOURS = Phrase("You cannot allow what you are not allowed yourself.")
OVER = Phrase("Choose a day in the future.")
NO_TOKEN = Phrase("There is no such token any more.")


class NewTokenForm(msgspec.Struct, frozen=True):
    """A token to create."""

    name: str
    scopes: list[Scope]
    areas: list[str] = []
    """Areas that it is limited to; none for no limit."""
    until: str = ""


class RevokeForm(msgspec.Struct, frozen=True):
    """A form that is one button."""


class TokenPages:
    """The tokens of the API."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store
        self._tokens = services.tokens

    def routes(self) -> list[ConsoleRoute]:
        """Return the page and its forms."""
        return [
            ConsolePage(
                path="/tokens",
                title=Phrase("API tokens"),
                scope=Scope.ADMIN,
                run=self.show,
                nav=NavPlace(NavGroup.SERVER, 40, "key"),
            ),
            ConsoleForm(
                path="/tokens",
                scope=Scope.ADMIN,
                fields=NewTokenForm,
                run=self.create,
                again=self.show,
            ),
            ConsoleForm(
                path="/tokens/<name>/revoke",
                scope=Scope.ADMIN,
                fields=RevokeForm,
                run=self.revoke,
                question=ConfirmationQuestion(
                    title=Phrase("Revoke this token?"),
                    text=Phrase(
                        "Programs that use it are refused within a second. It cannot be made "
                        "valid again."
                    ),
                    button=Phrase("Revoke"),
                    back="/tokens",
                ),
            ),
        ]

    async def show(self, visit: Visit, entry: FormEntry = NOTHING_ENTERED) -> View:
        """List the tokens."""

        def find(tx: Transaction) -> tuple[Sequence[StoredToken], list[str]]:
            return tx[TokenStore].page(Page(MOST_SHOWN)), known_areas_thd(tx)

        found, areas = await self._store.read(find)
        now = self._services.now()
        return View(
            template="tokens.html",
            title=Phrase("API tokens"),
            values={
                "entry": entry,
                "tokens": [
                    (one, self._tokens.last_used(one), _is_over(one.expires_at, now))
                    for one in found
                ],
                "scopes": [one for one in SCOPES if visit.allows(one[0])],
                "areas": areas,
                "all_scopes": SCOPES,
            },
        )

    async def create(self, visit: Visit, form: NewTokenForm) -> View:
        """Create a token, and show it this once."""
        if not is_token_name(form.name):
            raise FormMistakes(name=WRONG_NAME)
        if {*form.scopes} - visit.scopes:
            raise FormMistakes(scopes=NOT_YOURS)
        await self._store.read(lambda tx: check_ticked_areas_thd(tx, form.areas))
        until = _end_of_day(visit, form.until)
        if until is not None and until <= self._services.now():
            raise FormMistakes(until=OVER)
        try:
            added, secret = await self._tokens.create(
                form.name, form.scopes, form.areas or None, until, visit.caller
            )
        except ApiError as error:
            if error.status is HTTPStatus.CONFLICT:
                raise FormMistakes(name=TAKEN) from None
            raise
        values = {"name": added.name, "secret": secret}
        return View(template="token.html", title=Phrase("New token"), values=values)

    async def revoke(self, visit: Visit, form: RevokeForm, name: str) -> Redirect:
        """Revoke a token."""
        if name == ADMIN:
            raise LookupError(NO_TOKEN)
        try:
            await self._tokens.revoke(name, visit.caller)
        except ApiError as error:
            if error.status is HTTPStatus.NOT_FOUND:
                raise LookupError(NO_TOKEN) from None
            raise
        notice = Phrase("%(name)s is revoked: programs that use it are refused.", name=name)
        return Redirect(to="/tokens", notice=notice)


def _is_over(expires_at: int | None, now: int) -> bool:
    return expires_at is not None and expires_at <= now


def _end_of_day(visit: Visit, text: str) -> int | None:
    """Return the end (ms) of a day in the zone of the visit; None for none."""
    if not text:
        return None
    try:
        day = datetime.date.fromisoformat(text) + datetime.timedelta(days=1)
        end = datetime.datetime(day.year, day.month, day.day, tzinfo=visit.zone)
        return int(end.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise FormMistakes(until=NO_DAY) from None


def pages(services: Services) -> list[ConsoleRoute]:
    """The page of tokens."""
    return of_whole_site(TokenPages(services).routes(), LIMITED)
