"""Pages for signing in and out, and for one-time links."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from zoneinfo import available_timezones

import msgspec

from ...interfaces import IStore
from ...manage.console.forms import NOTHING_ENTERED, FormEntry, FormMistakes
from ...manage.console.languages import LANGUAGES, language_of
from ...manage.console.pages import ConsoleForm, ConsolePage, ConsoleRoute, Redirect, View
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.console.zonechoice import zone_options
from ...manage.services import Services
from .administration import LINK_GONE, AccountAdministration
from .model import SITE_ZONE, Account, AccountLink, check_account_name
from .passwords import check_password
from .sessions import AccountSessions
from .store import ConsoleSettingStore

WRONG_NAME = Phrase(
    "A name has 1 to 64 letters from A to Z, digits, dots, hyphens and underscores."
)
FIRST_PAGE = "/first-terminal"
"""Page after the first run: it waits for the first terminal."""


class SignInQuery(msgspec.Struct, frozen=True):
    """Where to continue."""

    to: str = "/"


class SignInForm(msgspec.Struct, frozen=True):
    """Name, password and code."""

    name: str
    password: str
    code: str = ""
    to: str = "/"


class SignOutForm(msgspec.Struct, frozen=True):
    """Nothing but the button."""


class WelcomeForm(msgspec.Struct, frozen=True):
    """The choices of a person who uses a one-time link."""

    password: str
    again: str
    name: str = ""
    language: str = ""
    zone: str = ""


class SigningPages:
    """Signing in and out, and one-time links."""

    def __init__(self, services: Services) -> None:
        self._store: IStore = services.store
        self._settings = services.settings
        self._sessions = services.offers[AccountSessions]
        self._administration = services.offers[AccountAdministration]

    def routes(self) -> list[ConsoleRoute]:
        """Return the pages and forms."""
        return [
            ConsolePage(
                path="/sign-in",
                title=Phrase("Sign in"),
                scope=None,
                run=self.sign_in,
                query=SignInQuery,
            ),
            ConsoleForm(
                path="/sign-in",
                scope=None,
                fields=SignInForm,
                run=self.signed_in,
                again=self.sign_in_again,
            ),
            ConsoleForm(path="/sign-out", scope=None, fields=SignOutForm, run=self.signed_out),
            ConsolePage(
                path="/welcome/<secret>", title=Phrase("Welcome"), scope=None, run=self.welcome
            ),
            ConsoleForm(
                path="/welcome/<secret>",
                scope=None,
                fields=WelcomeForm,
                run=self.welcomed,
                again=self.welcome,
            ),
        ]

    async def sign_in(self, visit: Visit, query: SignInQuery) -> View | Redirect:
        """Show the form; who has signed in goes on."""
        if visit.visitor is not None:
            return Redirect(to=_within(query.to))
        return View(template="sign-in.html", values={"to": _within(query.to)})

    async def sign_in_again(self, visit: Visit, entry: FormEntry) -> View:
        """Show the form with its mistakes."""
        to = _within(str(entry.value("to", "/")))
        title = Phrase("Sign in")
        return View(template="sign-in.html", values={"to": to, "entry": entry}, title=title)

    async def signed_in(self, visit: Visit, form: SignInForm) -> Redirect:
        """Begin a session."""
        try:
            secret = await self._sessions.sign_in(
                form.name, form.password, form.code, visit.address, visit.agent
            )
        except ValueError as error:
            raise FormMistakes(error.args[0]) from None
        return Redirect(to=_within(form.to), session=secret)

    async def signed_out(self, visit: Visit, form: SignOutForm) -> Redirect:
        """End the session."""
        if visit.visitor is not None:
            await self._sessions.sign_out(visit.visitor.secret, visit.visitor.name, visit.address)
        return Redirect(
            to="/sign-in", session="", notice=Phrase("You have signed out of this browser.")
        )

    async def welcome(self, visit: Visit, secret: str, entry: FormEntry = NOTHING_ENTERED) -> View:
        """Show the first run, or the choice of a password."""
        found = await self._administration.found_link(secret)
        if found is None:
            return View(
                template="gone.html",
                values={"why": LINK_GONE},
                title=Phrase("This link is over"),
                status=HTTPStatus.GONE,
            )
        _, account = found
        return View(
            template="welcome.html",
            values={
                "entry": entry,
                "secret": secret,
                "account": account,
                "zones": zone_options(),
                "zone": self._settings.timezone or "",
                "languages_to_choose": languages(),
                "chosen_language": visit.language.code,
            },
            title=Phrase("Welcome to zkpush") if account is None else Phrase("Choose a password"),
        )

    async def welcomed(self, visit: Visit, form: WelcomeForm, secret: str) -> Redirect | View:
        """Use the link, and begin a session."""
        found = await self._administration.found_link(secret)
        if found is None:
            return await self.welcome(visit, secret)
        account = await self._chosen(visit, form, secret, *found)
        session = await self._sessions.begin(account, visit.address, visit.agent)
        if found[0].account_id is None:
            return Redirect(to=FIRST_PAGE, session=session)
        notice = Phrase("Your password is set, and you have signed in.")
        return Redirect(to="/", session=session, notice=notice)

    async def _chosen(
        self,
        visit: Visit,
        form: WelcomeForm,
        secret: str,
        link: AccountLink,
        known: Account | None,
    ) -> Account:
        wrong: dict[str, str] = {}
        name = form.name if known is None else known.name
        if known is None:
            try:
                check_account_name(name)
            except ValueError:
                wrong["name"] = WRONG_NAME
            if form.zone not in available_timezones():
                wrong["zone"] = Phrase("Choose the time zone of the site.")
        weak = check_password(form.password, name)
        if weak is not None:
            wrong["password"] = weak
        elif form.password != form.again:
            wrong["again"] = Phrase("The two passwords differ.")
        if wrong:
            raise FormMistakes(**wrong)
        language = None if language_of(form.language) is None else form.language
        values: dict[str, object] = {} if known is not None else {"language": language}
        account = await self._administration.choose(
            secret, name, form.password, values, visit.address
        )
        if known is None:
            await self._store.write(lambda tx: tx[ConsoleSettingStore].put(SITE_ZONE, form.zone))
        return account


def languages() -> Sequence[tuple[str, str]]:
    """Return the languages to choose from, as options of a choice."""
    return [(one.code, one.name) for one in LANGUAGES]


def _within(to: str) -> str:
    """Return a path of the console to continue at, whatever was asked for."""
    is_path = to.startswith("/") and not to.startswith("//") and "\\" not in to
    return to if is_path and to.isprintable() else "/"
