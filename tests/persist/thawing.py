"""Databases of earlier versions, as dumps in the folder `frozen`: tests upgrade them."""

from __future__ import annotations

import contextlib
import json
import pathlib
import sqlite3
from typing import Any

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
        _thaw_pictures(pathlib.Path(f"{path}-pictures"), FROZEN / f"{revision}.pictures.txt")
    else:
        with psycopg.connect(url) as server:
            server.execute(script.read_text(encoding="utf-8"))
        with psycopg.connect(url, autocommit=True) as server:
            while int(server.execute("SELECT pg_current_xact_id()::text").fetchone()[0]) < FURTHEST:
                pass


def _thaw_pictures(folder: pathlib.Path, dump: pathlib.Path) -> None:
    """Write the sealed pictures of a dump, which has a name and the bytes in hex in each line."""
    if dump.exists():
        for line in dump.read_text(encoding="ascii").splitlines():
            name, content = line.split()
            path = folder / name[:2] / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_bytes(bytes.fromhex(content))


def frozen_facts(url: str, revision: str) -> dict[str, Any]:
    """What terminals and people knew when a database was frozen (`known`), and what they saw.

    `seen` has the items of the API by path, the content of files and photos in base64, and the
    rows of events. `known` has what terminals keep: cookies, pushcommkeys, keys of a session, and
    their uploads; the ids of commands by name; and the tokens of people.
    """
    kind = "sqlite" if url.startswith("sqlite") else "postgresql"
    facts: dict[str, Any] = json.loads((FROZEN / f"{revision}.{kind}.json").read_bytes())
    return facts
