"""Sessions with a PostgreSQL server: parameters, locks, and what the server must be."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL
from twisted.logger import Logger

from ..interfaces import StoreError
from .databases import IN_USE, LOCKED_SECONDS, ROTATING

if TYPE_CHECKING:
    import psycopg

OLDEST = 13
"""Oldest server version with all features used here."""
CONNECTING = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "client_encoding": "utf8",
    "fallback_application_name": "zkpush",
}
"""Default connection parameters, which detect an unreachable server; the URL can override them."""
_SESSION = f"""
SELECT set_config(name, wanted, false) FROM (VALUES
    -- A commit is on disk when it returns, whatever the default of the server.
    ('synchronous_commit', 'off', 'on'),
    -- Nothing waits for ever for what another session holds, and none that is gone holds it.
    ('lock_timeout', '0', '{LOCKED_SECONDS}s'),
    ('idle_in_transaction_session_timeout', '0', '60s'),
    ('tcp_keepalives_idle', NULL, '10'),
    ('tcp_keepalives_interval', NULL, '5'),
    ('tcp_keepalives_count', NULL, '3')
) AS setting (name, unset, wanted) WHERE unset IS NULL OR current_setting(name) = unset
"""  # noqa: S608 - no input
_LOCK, _LOCK_ALONE = (
    # Waits briefly for a session that is ending, then resets the setting.
    f"SET lock_timeout = '2s'; SELECT {function}(hashtext('zkpush in use')); RESET lock_timeout"
    for function in ("pg_advisory_lock_shared", "pg_advisory_lock")
)
_log = Logger()


def lock_holder(alone: bool) -> Callable[[psycopg.Connection[Any], object], None]:
    """Return the hook that takes the lock of each new connection.

    While a connection is lost, the keys may be rotated. Nothing may be encrypted under the old keys
    then, so the hook also compares the keys.
    """
    from psycopg import errors

    first: list[str] = []

    def hold(driver: psycopg.Connection[Any], _: object) -> None:
        driver.autocommit = True
        try:
            driver.execute(_LOCK_ALONE if alone else _LOCK)
        except errors.LockNotAvailable:
            raise StoreError(IN_USE if alone else ROTATING) from None
        with contextlib.suppress(errors.UndefinedTable):
            rows = driver.execute("SELECT id FROM keys WHERE purpose = 'seal' ORDER BY id")
            now = [str(row[0]) for row in rows]
            if not alone and first and now != first:
                raise StoreError("the keys of the database were rotated; restart with the new one")
            first[:] = now
        driver.autocommit = False

    return hold


def begin_session(driver: psycopg.Connection[Any], _: object) -> None:
    """Set the parameters of a new connection."""
    driver.autocommit = True
    driver.execute(_SESSION)
    driver.autocommit = False


def check_server(version: int, encoding: str, is_standby: bool, fsync: str) -> None:
    """Check the properties that a server reports; raises `StoreError` if it is unsuitable."""
    if version < OLDEST * 10_000:
        raise StoreError(f"the PostgreSQL server is too old; it must be of version {OLDEST}")
    if encoding != "UTF8":
        raise StoreError(f"the database is in {encoding}; make one with ENCODING 'UTF8'")
    if is_standby:
        raise StoreError("the PostgreSQL server is a standby; name the primary one")
    if fsync != "on":
        _log.warn("The PostgreSQL server has fsync off: a crash of its machine can lose records")


def without_secrets(message: str, url: URL) -> str:
    """Replace the passwords of a URL in a message."""
    for secret in (url.password, *(url.query.get(name) for name in ("password", "sslpassword"))):
        if secret:
            message = message.replace(str(secret), "***")
    return message
