"""What is done with accounts: each change is stored together with its record in the audit log."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from typing import Any

from ...device import acts
from ...device.changes import check_scopes
from ...interfaces import IStore
from ...manage.console.phrases import Phrase
from ...manage.services import Services
from ...model import Caller
from ...persist.areas import check_areas_thd
from ...persist.transaction import Transaction
from ...protocol.fields import Scope, scopes_named
from .model import Account, AccountLink, check_account_name
from .passwords import Passwords
from .settings import AccountSettings
from .store import AccountSessionStore, AccountStore

ADD_ACCOUNT = "add account"
CHANGE_ACCOUNT = "change account"
REMOVE_ACCOUNT = "remove account"
MAKE_LINK = "make one-time link"
CHOOSE_PASSWORD = "choose password"  # noqa: S105 - what is done
SECRET_BYTES = 32
LINK_GONE = Phrase(
    "This link is not valid any more: it was used, or its time is over. Ask for a new one, or run "
    "`zkpush console setup` again."
)


class AccountGone(LookupError):
    """There is no account of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(Phrase("There is no account %(name)s.", name=name))


class AccountExists(ValueError):
    """There is an account of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            Phrase("There is an account %(name)s already; choose another name.", name=name)
        )


class AccountAdministration:
    """Adds, changes and removes accounts."""

    def __init__(self, services: Services, passwords: Passwords) -> None:
        self._services = services
        self._store: IStore = services.store
        self._passwords = passwords
        self._settings = services.section(AccountSettings)

    async def add(
        self,
        name: str,
        scopes: Collection[Scope],
        by: Caller,
        areas: Collection[str] | None = None,
    ) -> tuple[Account, str]:
        """Add an account; return it with the secret of the link to choose its password.

        `areas` limit it; None is no limit.
        """
        check_account_name(name)
        check_scopes(by, scopes, "An account with these scopes")
        names = sorted(scope.value for scope in scopes)
        now, secret = self._services.now(), _new_secret()

        def unit(tx: Transaction) -> Account:
            check_areas_thd(tx, areas)
            added = tx[AccountStore].add(name, names, by.actor, now, areas)
            if added is None:
                raise AccountExists(name)
            tx[AccountSessionStore].add_link(secret, self._link(added.id, by, now))
            limit = "" if areas is None else f"; areas: {', '.join(sorted(areas))}"
            words = ", ".join(names) + limit
            acts.record(tx, by, ADD_ACCOUNT, f"account {name}", words, now)
            return added

        return await self._store.write(unit), secret

    async def change(self, name: str, changes: Mapping[str, Any], by: Caller) -> Account:
        """Change scopes, areas, language or zone; new scopes or areas end its sessions.

        Raises `AccountGone`, or `ScopeNeeded` for scopes that the caller lacks, before or after.
        """
        now = self._services.now()

        def unit(tx: Transaction) -> Account:
            before = _account(tx, name)
            values = dict(changes)
            if "areas" in values:
                _check_reach(by, before)
                check_areas_thd(tx, values["areas"], before.areas)
                if values["areas"] is not None:
                    _check_last_admin(tx, before, ())
                    values["areas"] = sorted(values["areas"])
                if values["areas"] != (None if before.areas is None else sorted(before.areas)):
                    tx[AccountSessionStore].end_of(before.id)
            if "scopes" in values:
                _check_reach(by, before)
                check_scopes(by, values["scopes"], "An account with these scopes")
                values["scopes"] = sorted(scope.value for scope in values["scopes"])
                _check_last_admin(tx, before, values["scopes"])
                if set(values["scopes"]) != before.scopes:
                    tx[AccountSessionStore].end_of(before.id)
            words = ", ".join(f"{key}={_word(value)}" for key, value in values.items())
            acts.record(tx, by, CHANGE_ACCOUNT, f"account {name}", words, now)
            return tx[AccountStore].change(name, values)

        return await self._store.write(unit)

    async def remove(self, name: str, by: Caller) -> None:
        """Remove an account, which ends its sessions."""
        now = self._services.now()

        def unit(tx: Transaction) -> None:
            before = _account(tx, name)
            _check_reach(by, before)
            _check_last_admin(tx, before, ())
            tx[AccountStore].remove(name)
            acts.record(tx, by, REMOVE_ACCOUNT, f"account {name}", "", now)

        await self._store.write(unit)

    async def link(self, name: str, by: Caller) -> str:
        """Make a link to choose a new password; return its secret."""
        now, secret = self._services.now(), _new_secret()

        def unit(tx: Transaction) -> None:
            account = _account(tx, name)
            _check_reach(by, account)
            tx[AccountSessionStore].add_link(secret, self._link(account.id, by, now))
            acts.record(tx, by, MAKE_LINK, f"account {name}", "", now)

        await self._store.write(unit)
        return secret

    async def first_link(self, by: Caller) -> str | None:
        """Make the link to the first run; None if there are accounts already.

        The first account gets the scopes of the caller.
        """
        now, secret = self._services.now(), _new_secret()

        def unit(tx: Transaction) -> str | None:
            if tx[AccountStore].count():
                return None
            tx[AccountSessionStore].add_link(secret, self._link(None, by, now))
            acts.record(tx, by, MAKE_LINK, "first account", "", now)
            return secret

        return await self._store.write(unit)

    async def found_link(self, secret: str) -> tuple[AccountLink, Account | None] | None:
        """Return a valid link with its account; None if it is not valid."""
        now = self._services.now()

        def find(tx: Transaction) -> tuple[AccountLink, Account | None] | None:
            link = tx[AccountSessionStore].find_link(secret, now)
            if link is None:
                return None
            account = None if link.account_id is None else tx[AccountStore].get(link.account_id)
            if link.account_id is None and tx[AccountStore].count():
                return None
            return link, account

        return await self._store.read(find)

    async def choose(
        self,
        secret: str,
        name: str,
        password: str,
        values: Mapping[str, object],
        address: str | None,
    ) -> Account:
        """Use a link: set the password of its account, or make the first one with `name`.

        `values` are further attributes. All earlier sessions of the account end, and a second
        factor is removed: whoever sends links has checked who asks. `ValueError` if the link is not
        valid.
        """
        hashed = await self._passwords.hash(password)
        now = self._services.now()

        def unit(tx: Transaction) -> Account:
            link = tx[AccountSessionStore].take_link(secret, now)
            if link is None:
                raise ValueError(LINK_GONE)
            if link.account_id is None:
                if tx[AccountStore].count():
                    raise ValueError(LINK_GONE)
                account = tx[AccountStore].add(name, link.scopes, link.created_by, now)
            else:
                account = tx[AccountStore].get(link.account_id)
            if account is None:
                raise ValueError(LINK_GONE)
            tx[AccountSessionStore].end_of(account.id)
            caller = caller_of(account, address)
            acts.record(tx, caller, CHOOSE_PASSWORD, f"account {account.name}", "", now)
            changes = {"password": hashed, "totp": None, "totp_used": None, **values}
            return tx[AccountStore].change(account.name, changes)

        return await self._store.write(unit)

    def _link(self, account_id: int | None, by: Caller, now: int) -> AccountLink:
        expires_at = now + self._settings.link_minutes * 60_000
        scopes = sorted(scope.value for scope in by.scopes)
        return AccountLink(
            account_id=account_id, scopes=scopes, created_by=by.actor, expires_at=expires_at
        )


def caller_of(account: Account, address: str | None) -> Caller:
    """Return an account as the caller of what it does in the console."""
    return Caller(
        name=account.name,
        scopes=scopes_named(account.scopes),
        address=address,
        client="console",
        kind="account",
        areas=account.areas,
    )


def _account(tx: Transaction, name: str) -> Account:
    found = tx[AccountStore].find(name)
    if found is None:
        raise AccountGone(name)
    return found


def _check_reach(by: Caller, account: Account) -> None:
    """Raise `ScopeNeeded` if an account may do what the caller may not."""
    scopes = [scope for scope in Scope if scope.value in account.scopes]
    check_scopes(by, scopes, "Changing this account")


def _check_last_admin(tx: Transaction, before: Account, scopes: Collection[str]) -> None:
    """Raise `ValueError` if nobody could manage accounts in the console afterwards."""
    admin = Scope.ADMIN.value
    if admin not in before.scopes or admin in scopes:
        return
    others = tx[AccountStore].with_scope(admin)
    if others == [before.name]:
        raise ValueError(
            Phrase(
                "%(name)s is the only account that may manage the server. Give another account "
                "that permission first.",
                name=before.name,
            )
        )


def _word(value: object) -> str:
    return "+".join(value) if isinstance(value, list) else str(value)


def _new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)
