"""Signing in, and the sessions of people: only digests of their secrets are stored."""

from __future__ import annotations

import secrets
from collections.abc import Collection

from ...device import acts
from ...device.refusals import Refusal
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visitor
from ...manage.services import Services
from ...periodic import PeriodicService
from ...persist.transaction import Transaction
from ...phrases import counted_phrase
from ...protocol.fields import scopes_named
from .administration import SECRET_BYTES, caller_of
from .model import SITE_ZONE, Account, AccountSession
from .passwords import Passwords
from .settings import AccountSettings
from .store import AccountSessionStore, AccountStore, ConsoleSettingStore
from .throttle import SignInThrottle
from .totp import period_of

SIGN_IN = "sign in"
SIGN_OUT = "sign out"
USED_EVERY = 60_000
"""Milliseconds after which a further use of a session is written."""
CLEAN_EVERY = 3600.0
"""Seconds between two removals of sessions that are over."""

WRONG = Phrase("Name, password or code is wrong.")


class TooOften(ValueError):
    """Signing in has failed too often."""

    def __init__(self, seconds: float) -> None:
        count = int(seconds) + 1
        super().__init__(
            counted_phrase(
                "Signing in has failed too often. Try again in %(num)s second.",
                "Signing in has failed too often. Try again in %(num)s seconds.",
                count,
            )
        )
        self.seconds = count


class AccountSessions(PeriodicService):
    """The sessions of people."""

    path = "/sign-in"

    def __init__(self, services: Services, passwords: Passwords) -> None:
        super().__init__(services.clock)
        settings = services.section(AccountSettings)
        self._services = services
        self._passwords = passwords
        self._idle = settings.idle_minutes * 60_000
        self._longest = settings.session_hours * 3_600_000
        self.throttle = SignInThrottle(services.clock.seconds)
        self.every(CLEAN_EVERY, self._clean, Phrase("Sessions that are over are kept"))

    async def sign_in(
        self, name: str, password: str, code: str, address: str | None, agent: str
    ) -> str:
        """Begin a session and return its secret; `ValueError` if that is refused."""
        refuse = self._services.refusals.refuse
        wait = self.throttle.wait(address, name)
        if wait > 0:
            refuse(Refusal.SIGN_IN_TOO_OFTEN, None, address)
            raise TooOften(wait)
        # Before the hash: attempts at the same time count as well.
        self.throttle.failed(address, name)
        account = await self._services.store.read(lambda tx: tx[AccountStore].signing_in(name))
        hashed = None if account is None else account.password
        is_right = await self._passwords.check(hashed, password)
        now = self._services.now()
        used = None
        if account is not None and account.totp is not None:
            used = period_of(account.totp, code, now / 1000, account.totp_used)
            is_right = is_right and used is not None
        if account is None or not is_right:
            refuse(Refusal.SIGN_IN, None, address)
            raise ValueError(WRONG)
        self.throttle.succeeded(address, name)
        return await self.begin(account, address, agent, used)

    async def begin(
        self, account: Account, address: str | None, agent: str, used: int | None = None
    ) -> str:
        """Begin a session of an account; `used` is the period of its code."""
        secret, now = secrets.token_urlsafe(SECRET_BYTES), self._services.now()

        def unit(tx: Transaction) -> None:
            present = tx[AccountStore].find(account.name)
            is_same = present is not None and present.password == account.password
            if present is None or not is_same or (used is not None and present.totp_used == used):
                raise ValueError(WRONG)
            changes = {"signed_in_at": now} | ({} if used is None else {"totp_used": used})
            tx[AccountStore].change(account.name, changes)
            tx[AccountSessionStore].add(account.id, secret, address, agent, now)
            subject = f"account {account.name}"
            acts.record(tx, caller_of(account, address), SIGN_IN, subject, "", now)

        await self._services.store.write(unit)
        return secret

    async def sign_out(self, secret: str, name: str, address: str | None) -> None:
        """End a session."""
        now = self._services.now()

        def unit(tx: Transaction) -> None:
            tx[AccountSessionStore].end(secret)
            account = tx[AccountStore].find(name)
            if account is not None:
                acts.record(tx, caller_of(account, address), SIGN_OUT, f"account {name}", "", now)

        await self._services.store.write(unit)

    # What the console asks: see `zkpush.manage.console.visits.SignIn`.

    async def find(self, secret: str) -> Visitor | None:
        """Return who has a session, and note its use."""
        now = self._services.now()

        def find(tx: Transaction) -> tuple[AccountSession, Account, str | None] | None:
            session = tx[AccountSessionStore].find(secret)
            account = None if session is None else tx[AccountStore].get(session.account_id)
            if session is None or account is None:
                return None
            return session, account, account.zone or tx[ConsoleSettingStore].get(SITE_ZONE)

        found = await self._services.store.read(find)
        if found is None or not self._is_alive(found[0], now):
            return None
        session, account, zone = found
        if now - session.used_at > USED_EVERY:
            await self._services.store.write(
                lambda tx: tx[AccountSessionStore].used(session.id, now)
            )
        return Visitor(
            name=account.name,
            scopes=scopes_named(account.scopes),
            areas=account.areas,
            language=account.language,
            zone=zone or self._services.settings.timezone,
            secret=secret,
        )

    async def living(self, secrets: Collection[str]) -> Collection[str]:
        """Return the secrets whose sessions have not ended."""
        now = self._services.now()
        created, used = now - self._longest, now - self._idle
        return await self._services.store.read(
            lambda tx: tx[AccountSessionStore].living(secrets, created, used)
        )

    def _is_alive(self, session: AccountSession, now: int) -> bool:
        return now - session.created_at < self._longest and now - session.used_at < self._idle

    async def _clean(self) -> None:
        now = self._services.now()
        created, used = now - self._longest, now - self._idle
        await self._services.store.write(
            lambda tx: tx[AccountSessionStore].clean(created, used, now)
        )
