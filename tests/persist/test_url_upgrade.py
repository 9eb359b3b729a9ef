"""Databases from before the URLs of files were secrets."""

from __future__ import annotations

import contextlib
import json
import re

import pytest
import pytest_twisted
from twisted.internet import reactor

from zkpush.device.files import command_of, secret_of
from zkpush.persist.commands import CommandStore
from zkpush.persist.files import FileStore
from zkpush.persist.keys import ensure_vault
from zkpush.persist.sealed import place
from zkpush.persist.store import Store

from .conftest import open_database
from .old import DEVICE, old_database

PACKAGE = {"Action": "AppendData"}
COMMANDS = (
    ("open", "sent", "UPGRADE", {"file": "1", "form": "1"}, "UPGRADE url=file/1.b64/emfw.cfg,x=1"),
    ("over", "done", "PutFile", PACKAGE, "PutFile file/2/people.tgz\tAction=AppendData"),
    ("waits", "queued", "PutFile", PACKAGE, "PutFile file/3/people.tgz\tAction=AppendData"),
    ("named", "failed", "PutFile", {"url": "file/1/x", "path": "y"}, "PutFile file/1/x\ty"),
    ("other", "queued", "LOG", {}, "LOG"),
)
FOLDERS = ("file/1.b64/", "file/1/", "file/2/", "file/3/")


@pytest.fixture
def old_url(empty_url: str) -> str:
    """A database of revision 0008, with files and commands that name them."""
    with old_database(empty_url, "0008") as old:
        vault = ensure_vault(old.connection, old.database.site)
        old.put("devices", {**DEVICE, "id": 1, "sn": "T1"})
        for number in (1, 2, 3):
            about = place("files", "md5", [f"{number}"])
            file = {"id": number, "name": "x", "size": 1, "md5": vault.seal(b"00", about)}
            old.put("files", {**file, "content": f"{number}", "created_at": 1})
        for name, state, words, asked, line in COMMANDS:
            folders = "".join(f" {folder} " for folder in FOLDERS if folder in line)
            body = json.dumps({"params": asked, "asked": asked, "text": line}).encode()
            old.put(
                "commands",
                {
                    "id": name,
                    "device_id": 1,
                    "command": words,
                    "state": state,
                    "attempts": 1,
                    "created_at": 1,
                    "folders": folders,
                    "body": vault.seal(body, place("commands", "body", [name])),
                },
            )
    return empty_url


@pytest_twisted.ensureDeferred
async def test_open_commands_get_a_secret_and_old_packages_go(old_url: str) -> None:
    """Their terminals are sent the new URL; a package whose command is over is removed."""
    store = Store(lambda: open_database(old_url), reactor)
    store.start()

    def read(tx):
        found = {}
        for name, *_ in COMMANDS:
            words = re.split(r"[\s,=]", tx[CommandStore].get(name).text)
            for url in words:
                with contextlib.suppress(LookupError):
                    found[name] = command_of(tx, secret_of(url))
        files = {number: tx[FileStore].get(number) for number in (1, 2, 3)}
        return found, {number: file and (file.command or "") for number, file in files.items()}

    found, files = await store.read(read)
    await store.stop()
    assert {name: (one.id, one.file.id) for name, one in found.items()} == {
        "open": ("open", 1),
        "waits": ("waits", 3),
    }
    assert files == {1: "", 2: None, 3: "waits"}
