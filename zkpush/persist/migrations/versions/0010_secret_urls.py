"""Secret file URLs for each command; packages of people are removed with their commands.

Open commands get a secret each, and those already sent are sent again with the new URL. Packages
whose commands have ended are removed.
"""

import hashlib
import json
import re
import secrets
import string

import sqlalchemy as sa
from alembic import op

from zkpush.interfaces import NotUnsealed
from zkpush.persist.keys import ensure_vault
from zkpush.persist.sealed import place

revision = "0010"
down_revision = "0009"

key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
OPEN = ("queued", "sent")
# Places of file names in command lines. Other lines, such as SHELL, may contain the same text.
PLACES = {
    command: re.compile(
        rf"(?P<before>{place}[^\t,]*?)file/(?P<id>[1-9][0-9]{{0,17}})(?:\.b64)?/", re.ASCII
    )
    for command, place in {
        "UPGRADE": "url=",
        "PutFile": "PutFile ",
        "DATA UPDATE USERPIC": "Url=",
        "DATA UPDATE BIOPHOTO": "Url=",
    }.items()
}

commands = sa.table(
    "commands",
    *map(
        sa.column, ("seq", "id", "command", "state", "body", "folders", "file_id", "file_digest")
    ),
)
files = sa.table("files", sa.column("id"), sa.column("command"))


def upgrade():
    database = op.get_context().config.attributes["database"]
    connection = op.get_bind()
    op.add_column("commands", sa.Column("file_id", sa.BigInteger()))
    op.add_column("commands", sa.Column("file_digest", sa.LargeBinary()))
    op.add_column("files", sa.Column("command", key))
    vault = ensure_vault(connection, database.site)
    names_file = sa.and_(commands.c.folders != "", commands.c.command.in_(PLACES))
    query = sa.select(commands).where(names_file).order_by(commands.c.seq)
    for row in connection.execute(query).all():
        about = place("commands", "body", [row.id])
        try:
            body = json.loads(vault.open(bytes(row.body), about))
        except NotUnsealed:
            continue  # it cannot be sent either
        found = PLACES[row.command].search(body["text"])
        if found is None:
            continue
        file = int(found["id"])
        if row.state in OPEN:
            secret = new_secret()
            body["text"] = "".join(
                (
                    body["text"][: found.start()],
                    f"{found['before']}file/{secret}/",
                    body["text"][found.end() :],
                )
            )
            connection.execute(
                sa.update(commands)
                .where(commands.c.seq == row.seq)
                .values(
                    body=vault.seal(json.dumps(body).encode(), about),
                    file_id=file,
                    file_digest=hashlib.sha256(secret.encode()).digest(),
                )
            )
        if "Action" in body["asked"] and "url" not in body["asked"]:
            if row.state in OPEN:
                connection.execute(
                    sa.update(files).where(files.c.id == file).values(command=row.id)
                )
            else:
                connection.execute(sa.delete(files).where(files.c.id == file))
    op.drop_column("commands", "folders")
    is_there = sa.text("file_digest IS NOT NULL")
    op.create_index(
        "commands_file",
        "commands",
        ["file_digest"],
        unique=True,
        sqlite_where=is_there,
        postgresql_where=is_there,
    )


def new_secret():
    return "".join(secrets.choice(string.digits + string.ascii_lowercase) for _ in range(26))
