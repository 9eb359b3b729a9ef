"""Identity of a database: a random id created with the database and stored in it.

The data directory records it (`DatabaseClaim`). A missing, empty or foreign database is rejected
before anything in it changes.
"""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, insert, inspect, select
from twisted.logger import Logger

from ..interfaces import StoreError
from ..values.storage import DatabaseClaim
from .databases import Database
from .schema import identity

ID_BYTES = 16
_log = Logger()


def ensure_identity(connection: Connection) -> str:
    """Read the identity of a database of the current version, or create it."""
    found = find_identity(connection)
    if found is None:
        found = secrets.token_hex(ID_BYTES)
        connection.execute(insert(identity).values(id=found))
    return found


def find_identity(connection: Connection) -> str | None:
    """Read the identity of a database; None if no version of the program has created one."""
    if not inspect(connection).has_table(identity.name):
        return None
    found: str | None = connection.execute(select(identity.c.id)).scalars().first()
    return found


def check_claim(
    connection: Connection, claim: DatabaseClaim, where: str, *, is_empty: bool
) -> None:
    """Compare a database with the claim of the data directory; raises `StoreError` on a mismatch.

    `is_empty` says whether the database has no schema.
    """
    if is_empty:
        if claim.has_had_one and not claim.is_new:
            raise no_database(claim, where)
        return
    found = find_identity(connection)
    if claim.identity is None or claim.identity == found:
        if claim.is_new:
            raise StoreError(
                f"--new is for a start without a database, and there is one at {where}: nothing "
                "was changed; start without --new to use it, or move it away first"
            )
        if not claim.has_had_one:
            _log.info(
                "{directory} has had no database yet, and joins the one at {where}",
                directory=claim.directory,
                where=where,
            )
        return
    if not claim.is_new:
        raise StoreError(
            f"the database at {where} is not the one of {claim.directory}: "
            f"{_known(claim)}, and this one {_called(found)}; give the --database that belongs to "
            "the directory, or the --data that belongs to the database. To use this database "
            "from now on, start once with --new: nothing in it is deleted"
        )
    _log.warn(
        "{directory} belongs to the database {found} at {where} from now on (--new), and no "
        "longer to {before}",
        directory=claim.directory,
        found=_called(found),
        where=where,
        before=claim.identity,
    )


def check_identity_thd(database: Database, claim: DatabaseClaim) -> None:
    """Reject a database of another data directory, for work without a daemon.

    Raises `StoreError`. A database without an identity passes.
    """
    with database.engine.begin() as connection:
        if claim.identity is not None and find_identity(connection) is not None:
            check_claim(connection, claim, database.where, is_empty=False)


def no_database(claim: DatabaseClaim, where: str) -> StoreError:
    """Return the error for a missing or empty database where there was one before."""
    return StoreError(
        f"there is no database at {where}, or an empty one, and {_known(claim)}. If it is on "
        "a volume, mount that; if it was moved, say where with --database; else restore it from "
        "a backup. To begin with an empty database, start once with --new"
    )


def _known(claim: DatabaseClaim) -> str:
    if claim.identity is None:
        return f"{claim.directory} has had one (it holds a token or a key)"
    return f"{claim.directory} belongs to the database {claim.identity}, last at {claim.where}"


def _called(found: str | None) -> str:
    return "has no identity (it was made by an earlier version)" if found is None else f"is {found}"
