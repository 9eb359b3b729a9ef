"""An upgrade of a PostgreSQL database that is killed on its way changes nothing, and can be made
again."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping

import pytest

from zkpush.persist.migrate import head_revision, migrate_thd, revision_thd

from .conftest import open_database
from .test_migrations import contents, differences
from .thawing import thaw

pytestmark = pytest.mark.usefixtures("no_cover")
BEFORE = "0016"
COMMIT = "COMMIT"
UPGRADE = """
import os, signal, sys
from sqlalchemy import Engine, event
from tests.persist.conftest import open_database
from zkpush.persist.migrate import migrate_thd

url, end = sys.argv[1:]
database = open_database(url)

def die():
    os.kill(os.getpid(), signal.SIGKILL)

@event.listens_for(Engine, "before_cursor_execute")
def look(connection, cursor, statement, parameters, context, is_many):
    if statement.startswith("UPDATE alembic_version") and end in f"{statement} {parameters}":
        die()

@event.listens_for(Engine, "commit")
def commit(connection):
    if end == "COMMIT":
        die()

migrate_thd(database)
"""
"""An upgrade that kills itself when a revision has done its work, or before the commit."""


def everything(url: str) -> tuple[str | None, Mapping[str, object]]:
    """The revision and all rows of a database."""
    database = open_database(url)
    with database.engine.connect() as connection:
        rows = contents(connection)
    revision = revision_thd(database)
    database.close()
    return revision, rows


@pytest.mark.long
@pytest.mark.usefixtures("real_migrations")
def test_an_upgrade_that_is_killed_leaves_the_database_as_it_was(empty_postgres_url: str) -> None:
    """Wherever it was: the transaction ends with the process."""
    url = empty_postgres_url
    thaw(url, BEFORE)
    before = everything(url)
    assert before[0] == BEFORE
    for end in ("0037", COMMIT):
        killed = subprocess.run([sys.executable, "-c", UPGRADE, url, end], check=False)
        assert killed.returncode == -signal.SIGKILL, end
        assert everything(url) == before, end
    database = open_database(url)
    migrate_thd(database)
    with database.engine.connect() as connection:
        assert differences(connection) == []
        after = contents(connection)
    assert revision_thd(database) == head_revision()
    assert {
        len(after[table]) >= len(rows) for table, rows in before[1].items() if table in after
    } == {True}
    database.close()
