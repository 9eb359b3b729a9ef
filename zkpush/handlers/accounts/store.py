"""Accounts, sessions and links in the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import RowMapping, Select, delete, func, select, update

from ...model import Page
from ...persist.databases import insert
from ...persist.paging import part_of
from ...persist.sealed import opened, sealed
from .model import Account, AccountLink, AccountSession, digest_of_secret
from .schema import account_links, account_sessions, accounts, console_settings

if TYPE_CHECKING:
    from ...persist.transaction import Transaction


class AccountStore:
    """Accounts by id and by name."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection
        self._vault = tx.vault

    def add(
        self,
        name: str,
        scopes: Collection[str],
        by: str,
        now: int,
        areas: Collection[str] | None = None,
    ) -> Account | None:
        """Add an account without a password; None if the name is taken, in any case."""
        if self._in_any_case(name):
            return None
        row = self._connection.execute(
            insert(self._connection, accounts)
            .values(
                name=name,
                scopes=_encoded(scopes),
                areas=None if areas is None else _encoded(areas),
                created_at=now,
                created_by=by,
            )
            .on_conflict_do_nothing(index_elements=[accounts.c.name])
            .returning(accounts)
        ).one_or_none()
        return None if row is None else self._account(row._mapping)

    def find(self, name: str) -> Account | None:
        """Return an account by its name."""
        found = self._accounts(select(accounts).where(accounts.c.name == name))
        return found[0] if found else None

    def signing_in(self, name: str) -> Account | None:
        """Return the account of a name as somebody types it, in any case.

        Of names that differ in case only, the exact one is meant; None if there is none.
        """
        found = self._in_any_case(name)
        exact = [one for one in found if one.name == name]
        return (exact or found)[0] if len(exact or found) == 1 else None

    def _in_any_case(self, name: str) -> list[Account]:
        return self._accounts(select(accounts).where(func.lower(accounts.c.name) == name.lower()))

    def get(self, account_id: int) -> Account | None:
        """Return an account by its id."""
        found = self._accounts(select(accounts).where(accounts.c.id == account_id))
        return found[0] if found else None

    def page(self, part: Page) -> list[Account]:
        """List accounts by id."""
        return self._accounts(part_of(select(accounts), accounts.c.id, part))

    def with_scope(self, scope: str) -> list[str]:
        """List the names of accounts that have a scope, and no limit to areas."""
        query = select(accounts).where(accounts.c.areas.is_(None)).order_by(accounts.c.id)
        return [one.name for one in self._accounts(query) if scope in one.scopes]

    def count(self) -> int:
        """Count the accounts."""
        query = select(func.count()).select_from(accounts)
        return int(self._connection.execute(query).scalar_one())

    def change(self, name: str, changes: Mapping[str, Any]) -> Account:
        """Change an account; `LookupError` if it was removed."""
        values = sealed(self._vault, accounts, {"name": name, **changes})
        if "scopes" in changes:
            values["scopes"] = _encoded(changes["scopes"])
        if changes.get("areas") is not None:
            values["areas"] = _encoded(changes["areas"])
        row = self._connection.execute(
            update(accounts)
            .where(accounts.c.name == name)
            .values({key: values[key] for key in changes})
            .returning(accounts)
        ).one_or_none()
        if row is None:
            raise LookupError(f"There is no account {name}.")
        return self._account(row._mapping)

    def remove(self, name: str) -> bool:
        """Remove an account with its sessions and links; False if there is none."""
        removed = delete(accounts).where(accounts.c.name == name).returning(accounts.c.id)
        return self._connection.execute(removed).one_or_none() is not None

    def _accounts(self, query: Select[Any]) -> list[Account]:
        return [self._account(row._mapping) for row in self._connection.execute(query).all()]

    def _account(self, row: RowMapping) -> Account:
        values = opened(self._vault, accounts, row)
        values.pop("damaged", None)
        values["scopes"] = msgspec.json.decode(values["scopes"], type=frozenset[str])
        if values["areas"] is not None:
            values["areas"] = msgspec.json.decode(values["areas"], type=frozenset[str])
        return Account(**values)


class AccountSessionStore:
    """Sessions and links, by the digests of their secrets."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def add(self, account_id: int, secret: str, address: str | None, agent: str, now: int) -> None:
        """Begin a session."""
        self._connection.execute(
            account_sessions.insert().values(
                digest=digest_of_secret(secret),
                account_id=account_id,
                created_at=now,
                used_at=now,
                address=address,
                agent=agent,
            )
        )

    def find(self, secret: str) -> AccountSession | None:
        """Return a session by its secret, also one that is over."""
        columns = [account_sessions.c[name] for name in AccountSession.__struct_fields__]
        row = self._connection.execute(
            select(*columns).where(account_sessions.c.digest == digest_of_secret(secret))
        ).one_or_none()
        return None if row is None else AccountSession(**row._mapping)

    def of(self, account_id: int) -> list[AccountSession]:
        """List the sessions of an account, the last used first."""
        columns = [account_sessions.c[name] for name in AccountSession.__struct_fields__]
        query = (
            select(*columns)
            .where(account_sessions.c.account_id == account_id)
            .order_by(account_sessions.c.used_at.desc())
        )
        return [AccountSession(**row._mapping) for row in self._connection.execute(query)]

    def living(self, secrets: Collection[str], created: int, used: int) -> set[str]:
        """Return the secrets of sessions begun and used after these instants (ms)."""
        by_digest = {digest_of_secret(secret): secret for secret in secrets}
        rows = self._connection.execute(
            select(account_sessions.c.digest).where(
                account_sessions.c.digest.in_(by_digest),
                account_sessions.c.created_at > created,
                account_sessions.c.used_at > used,
            )
        )
        return {by_digest[bytes(digest)] for (digest,) in rows}

    def used(self, session_id: int, now: int) -> None:
        """Record the use of a session."""
        self._connection.execute(
            update(account_sessions).where(account_sessions.c.id == session_id).values(used_at=now)
        )

    def end(self, secret: str) -> None:
        """End a session."""
        digest = digest_of_secret(secret)
        self._connection.execute(
            delete(account_sessions).where(account_sessions.c.digest == digest)
        )

    def end_of(self, account_id: int, session_id: int | None = None, keep: str = "") -> int:
        """End one session of an account, or all but the one to keep; return their number."""
        query = delete(account_sessions).where(account_sessions.c.account_id == account_id)
        if session_id is not None:
            query = query.where(account_sessions.c.id == session_id)
        if keep:
            query = query.where(account_sessions.c.digest != digest_of_secret(keep))
        return int(self._connection.execute(query).rowcount)

    def clean(self, created: int, used: int, now: int) -> None:
        """Remove sessions and links that are over."""
        self._connection.execute(
            delete(account_sessions).where(
                (account_sessions.c.created_at <= created) | (account_sessions.c.used_at <= used)
            )
        )
        self._connection.execute(delete(account_links).where(account_links.c.expires_at <= now))

    def add_link(self, secret: str, link: AccountLink) -> None:
        """Add a link; earlier ones for the same account end."""
        owner = account_links.c.account_id
        same = owner.is_(None) if link.account_id is None else owner == link.account_id
        self._connection.execute(delete(account_links).where(same))
        self._connection.execute(
            account_links.insert().values(
                digest=digest_of_secret(secret),
                **{**msgspec.structs.asdict(link), "scopes": _encoded(link.scopes)},
            )
        )

    def find_link(self, secret: str, now: int) -> AccountLink | None:
        """Return a link that has not expired."""
        row = self._connection.execute(
            select(*[account_links.c[name] for name in AccountLink.__struct_fields__]).where(
                account_links.c.digest == digest_of_secret(secret),
                account_links.c.expires_at > now,
            )
        ).one_or_none()
        if row is None:
            return None
        values = dict(row._mapping)
        return AccountLink(**{**values, "scopes": msgspec.json.decode(values["scopes"])})

    def take_link(self, secret: str, now: int) -> AccountLink | None:
        """Return a link that has not expired, and remove it."""
        found = self.find_link(secret, now)
        self._connection.execute(
            delete(account_links).where(account_links.c.digest == digest_of_secret(secret))
        )
        return found


class ConsoleSettingStore:
    """What was chosen in the console for the whole site."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def get(self, name: str) -> str | None:
        """Return a setting; None if it was never chosen."""
        query = select(console_settings.c.value).where(console_settings.c.name == name)
        found: str | None = self._connection.execute(query).scalar_one_or_none()
        return found

    def put(self, name: str, value: str) -> None:
        """Set a setting."""
        self._connection.execute(
            insert(self._connection, console_settings)
            .values(name=name, value=value)
            .on_conflict_do_update(index_elements=[console_settings.c.name], set_={"value": value})
        )


def _encoded(names: Collection[str]) -> str:
    return msgspec.json.encode(sorted(names)).decode()
