"""Databases of earlier versions, as dumps in the folder `frozen`: tests upgrade them."""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3

import psycopg

FROZEN = pathlib.Path(__file__).parent / "frozen"
FURTHEST = 1000
"""More than the number of any transaction that made a frozen database."""


def thaw(url: str, revision: str) -> None:
    """Fill an empty database with the content of one of an earlier revision.

    On PostgreSQL, the revisions of rows are transaction numbers of the server that the dump is
    from. This server continues beyond them, as that server would have.
    """
    _, _, path = url.partition(":///")
    script = FROZEN / f"{revision}.{'sqlite' if path else 'postgresql'}.sql"
    if path:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.executescript(script.read_text(encoding="utf-8"))
    else:
        with psycopg.connect(url) as server:
            server.execute(script.read_text(encoding="utf-8"))
        with psycopg.connect(url, autocommit=True) as server:
            while int(server.execute("SELECT pg_current_xact_id()::text").fetchone()[0]) < FURTHEST:
                pass
