"""Pages of the own account, and of all accounts."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ...device import acts
from ...interfaces import IStore
from ...manage.console.areachoice import check_ticked_areas_thd
from ...manage.console.forms import NOTHING_ENTERED, FormEntry, FormMistakes
from ...manage.console.languages import language_of
from ...manage.console.pages import (
    PREFIX,
    ConfirmationQuestion,
    ConsoleForm,
    ConsolePage,
    ConsoleRoute,
    NavGroup,
    NavPlace,
    Redirect,
    View,
)
from ...manage.console.permissions import SCOPES
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.console.zonechoice import NONE, zone_options
from ...manage.services import Services
from ...model import Page
from ...persist.areas import known_areas_thd
from ...persist.transaction import Transaction
from ...protocol.fields import Scope
from .administration import CHANGE_ACCOUNT, CHOOSE_PASSWORD, AccountAdministration
from .model import Account, AccountSession, check_account_name
from .passwords import Passwords, check_password
from .settings import AccountSettings
from .signing import WRONG_NAME, SignOutForm, languages
from .store import AccountSessionStore, AccountStore
from .totp import SECRET_BYTES, new_secret, period_of, uri_of

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Names of the machine of the server, which no other machine reaches."""
MOST_SHOWN = 1000
"""Maximum number of accounts on one page."""
MOST_SESSIONS = 20
"""Maximum number of sessions on one page."""
REMOVAL = ConfirmationQuestion(
    title=Phrase("Remove this account?"),
    text=Phrase(
        "Its sessions end at once, and its name can be used again. The audit log keeps it."
    ),
    button=Phrase("Remove"),
    back="/accounts",
)


class OwnForm(msgspec.Struct, frozen=True):
    """Language and time zone."""

    language: str = ""
    zone: str = ""


class PasswordForm(msgspec.Struct, frozen=True):
    """A new password."""

    present: str
    password: str
    again: str


class CodeForm(msgspec.Struct, frozen=True):
    """A code of the app that was just set up."""

    secret: str
    code: str


class PresentForm(msgspec.Struct, frozen=True):
    """The present password, to remove the second factor."""

    present: str


class AddAccountForm(msgspec.Struct, frozen=True):
    """A new account."""

    name: str
    scopes: list[Scope]
    areas: list[str] = []


class ScopesForm(msgspec.Struct, frozen=True):
    """New permissions of an account."""

    scopes: list[Scope]
    areas: list[str] = []


class OwnAccountPages:
    """The account of who has signed in."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store: IStore = services.store
        self._passwords = services.offers[Passwords]

    def routes(self) -> list[ConsoleRoute]:
        """Return the pages and forms; every account may use them."""
        return [
            ConsolePage(
                path="/account",
                title=Phrase("Your account"),
                scope=Scope.ATTENDANCE,
                run=self.show,
                limited=(),
            ),
            ConsoleForm(
                path="/account",
                scope=Scope.ATTENDANCE,
                fields=OwnForm,
                run=self.change,
                again=self.show,
                limited=(),
            ),
            ConsoleForm(
                path="/account/password",
                scope=Scope.ATTENDANCE,
                fields=PasswordForm,
                run=self.choose,
                again=self.show,
                limited=(),
            ),
            ConsoleForm(
                path="/account/sessions/<int:session_id>/end",
                scope=Scope.ATTENDANCE,
                fields=SignOutForm,
                run=self.end,
                limited=(),
            ),
            ConsoleForm(
                path="/account/code",
                scope=Scope.ATTENDANCE,
                fields=CodeForm,
                run=self.add_code,
                again=self.show,
                limited=(),
            ),
            ConsoleForm(
                path="/account/code/remove",
                scope=Scope.ATTENDANCE,
                fields=PresentForm,
                run=self.remove_code,
                again=self.show,
                limited=(),
            ),
        ]

    async def show(self, visit: Visit, entry: FormEntry = NOTHING_ENTERED) -> View:
        """Show the account, its sessions, and what can be chosen."""
        name = _name(visit)

        def find(tx: Transaction) -> tuple[Account, list[AccountSession], AccountSession | None]:
            account = _found(tx, name)
            store = tx[AccountSessionStore]
            present = None if visit.visitor is None else store.find(visit.visitor.secret)
            return account, store.of(account.id), present

        account, sessions, present = await self._store.read(find)
        given = str(entry.value("secret", ""))
        secret = given if given.isalnum() else new_secret(secrets.token_bytes(SECRET_BYTES))
        host = visit.origin.partition("//")[2].partition(":")[0]
        return View(
            template="account.html",
            title=Phrase("Your account"),
            values={
                "entry": entry,
                "account": account,
                "sessions": sessions[:MOST_SESSIONS],
                "more_sessions": max(len(sessions) - MOST_SESSIONS, 0),
                "present": present,
                "scopes": [one for one in SCOPES if one[0].value in account.scopes],
                "languages_to_choose": [("", NONE), *languages()],
                "zones": zone_options(),
                "new_secret": secret,
                "uri": uri_of(secret, name, host),
            },
        )

    async def change(self, visit: Visit, form: OwnForm) -> Redirect:
        """Choose language and time zone."""
        name, now = _name(visit), self._services.now()
        if form.zone and (form.zone, form.zone) not in zone_options():
            raise FormMistakes(zone=Phrase("Choose a time zone of the list."))
        language = form.language if language_of(form.language) is not None else None
        values = {"language": language, "zone": form.zone or None}

        def unit(tx: Transaction) -> None:
            words = f"language={language}, zone={form.zone or None}"
            acts.record(tx, visit.caller, CHANGE_ACCOUNT, f"account {name}", words, now)
            tx[AccountStore].change(name, values)

        await self._store.write(unit)
        return Redirect(to="/account", notice=Phrase("Saved."), language=language)

    async def choose(self, visit: Visit, form: PasswordForm) -> Redirect:
        """Choose another password; the other sessions of the account end."""
        name, now = _name(visit), self._services.now()
        account = await self._check(name, form.present)
        weak = check_password(form.password, name)
        if weak is not None:
            raise FormMistakes(password=weak)
        if form.password != form.again:
            raise FormMistakes(again=Phrase("The two passwords differ."))
        hashed = await self._passwords.hash(form.password)
        secret = "" if visit.visitor is None else visit.visitor.secret

        def unit(tx: Transaction) -> None:
            tx[AccountStore].change(name, {"password": hashed})
            tx[AccountSessionStore].end_of(account.id, keep=secret)
            acts.record(tx, visit.caller, CHOOSE_PASSWORD, f"account {name}", "", now)

        await self._store.write(unit)
        notice = Phrase("Your password is changed. Other browsers have to sign in again.")
        return Redirect(to="/account", notice=notice)

    async def end(self, visit: Visit, form: SignOutForm, session_id: int) -> Redirect:
        """End a session in another browser."""
        name = _name(visit)

        def unit(tx: Transaction) -> None:
            tx[AccountSessionStore].end_of(_found(tx, name).id, session_id)

        await self._store.write(unit)
        return Redirect(to="/account", notice=Phrase("That browser has to sign in again."))

    async def add_code(self, visit: Visit, form: CodeForm) -> Redirect:
        """Require codes of an app from now on."""
        now = self._services.now()
        number = period_of(form.secret, form.code, now / 1000, None)
        if number is None or not form.secret.isalnum():
            raise FormMistakes(
                code=Phrase("This is not the code that the app shows now. Try the next one.")
            )
        await self._set_code(visit, {"totp": form.secret, "totp_used": number}, "code=app")
        return Redirect(
            to="/account", notice=Phrase("From now on, signing in needs a code of the app.")
        )

    async def remove_code(self, visit: Visit, form: PresentForm) -> Redirect:
        """Require no codes any more."""
        await self._check(_name(visit), form.present)
        await self._set_code(visit, {"totp": None, "totp_used": None}, "code=none")
        return Redirect(to="/account", notice=Phrase("Signing in needs no code any more."))

    async def _set_code(self, visit: Visit, values: dict[str, Any], words: str) -> None:
        name, now = _name(visit), self._services.now()

        def unit(tx: Transaction) -> None:
            tx[AccountStore].change(name, values)
            acts.record(tx, visit.caller, CHANGE_ACCOUNT, f"account {name}", words, now)

        await self._store.write(unit)

    async def _check(self, name: str, password: str) -> Account:
        account = await self._store.read(lambda tx: _found(tx, name))
        if not await self._passwords.check(account.password, password):
            raise FormMistakes(present=Phrase("This is not your password."))
        return account


class AccountPages:
    """All accounts, for those who manage them."""

    def __init__(self, services: Services) -> None:
        self._store: IStore = services.store
        self._administration = services.offers[AccountAdministration]
        self._minutes = services.section(AccountSettings).link_minutes

    def routes(self) -> list[ConsoleRoute]:
        """Return the pages and forms."""

        def form(
            path: str,
            fields: type[msgspec.Struct],
            run: Any,
            question: ConfirmationQuestion | None = None,
        ) -> ConsoleForm:
            return ConsoleForm(
                path=path,
                scope=Scope.ADMIN,
                fields=fields,
                run=run,
                again=self.show,
                question=question,
            )

        return [
            ConsolePage(
                path="/accounts",
                title=Phrase("Accounts"),
                scope=Scope.ADMIN,
                run=self.show,
                nav=NavPlace(NavGroup.SERVER, 30, "key"),
            ),
            form("/accounts", AddAccountForm, self.add),
            form("/accounts/<name>", ScopesForm, self.change),
            form("/accounts/<name>/link", SignOutForm, self.link),
            form("/accounts/<name>/remove", SignOutForm, self.remove, REMOVAL),
        ]

    async def show(self, visit: Visit, entry: FormEntry = NOTHING_ENTERED, name: str = "") -> View:
        """List the accounts; `name` is the one whose form has mistakes."""
        found, areas = await self._store.read(
            lambda tx: (tx[AccountStore].page(Page(MOST_SHOWN)), known_areas_thd(tx))
        )
        limits = {area for one in found for area in one.areas or ()}
        values = {
            "entry": entry,
            "accounts": found,
            "scopes": SCOPES,
            "areas": sorted({*areas, *limits}),
            "own": _name(visit),
            "at": name,
        }
        return View(template="accounts.html", values=values, title=Phrase("Accounts"))

    async def add(self, visit: Visit, form: AddAccountForm) -> View:
        """Add an account, and show its link."""
        try:
            check_account_name(form.name)
        except ValueError:
            raise FormMistakes(name=WRONG_NAME) from None
        await self._store.read(lambda tx: check_ticked_areas_thd(tx, form.areas))
        account, secret = await self._administration.add(
            form.name, form.scopes, visit.caller, form.areas or None
        )
        return self._shown(visit, account.name, secret)

    async def change(self, visit: Visit, form: ScopesForm, name: str) -> Redirect:
        """Change the permissions of an account."""
        values = {"scopes": form.scopes, "areas": form.areas or None}

        def check_thd(tx: Transaction) -> None:
            known = tx[AccountStore].find(name)
            check_ticked_areas_thd(tx, form.areas, (known and known.areas) or ())

        await self._store.read(check_thd)
        await self._administration.change(name, values, visit.caller)
        return Redirect(to="/accounts", notice=Phrase("%(name)s is changed.", name=name))

    async def link(self, visit: Visit, form: SignOutForm, name: str) -> View:
        """Make a link to choose a new password."""
        return self._shown(visit, name, await self._administration.link(name, visit.caller))

    async def remove(self, visit: Visit, form: SignOutForm, name: str) -> Redirect:
        """Remove an account."""
        await self._administration.remove(name, visit.caller)
        return Redirect(to="/accounts", notice=Phrase("%(name)s is removed.", name=name))

    def _shown(self, visit: Visit, name: str, secret: str) -> View:
        url = f"{visit.origin}{PREFIX}/welcome/{secret}"
        values = {
            "name": name,
            "url": url,
            "minutes": self._minutes,
            "is_local": urlsplit(url).hostname in LOOPBACK,
        }
        return View(template="link.html", values=values, title=Phrase("One-time link"))


def _name(visit: Visit) -> str:
    return "" if visit.visitor is None else visit.visitor.name


def _found(tx: Transaction, name: str) -> Account:
    account = tx[AccountStore].find(name)
    if account is None:
        raise LookupError(Phrase("There is no such account any more."))
    return account
