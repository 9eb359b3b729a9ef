"""Files for terminals: where they are found, and what is made of people for them (12.5.2, 12.8.2).

A terminal fetches a file by a URL that the server gave it in a command. The URL is only ever looked
up among the server's own files, and only for a terminal that has an open command with it.
"""

from __future__ import annotations

import gzip
import re
import urllib.parse
from collections.abc import Callable

from ..interfaces import ITransaction
from ..model import QueuedCommand, StoredFile
from ..protocol.commands import FileFacts

_URL = re.compile(
    r"(?:(?i:https?)://[^/\\?#]*)?/?(?:(?i:iclock)/)*"
    r"file/(?P<id>[1-9][0-9]{0,17})(?P<mark>\.b64)?/(?P<name>[^/\\?#]+)\Z"
)
"""Where our files are: on any host, because who is asked for a file looks at the path only."""
_SUSPICIOUS = re.compile(r"%(?:2f|5c|00)|\ufffd", re.IGNORECASE)
"""What no URL of ours has: separators and NUL in disguise, and bytes that are no text."""
BASE64_MARK = ".b64"
UPGRADE_NAME = "emfw.cfg"
"""What an upgrade file is called (12.8.2)."""
BASE64_FORM = "1"
URL_PARAMETERS = {"PutFile": "url", "DATA UPDATE USERPIC": "Url", "DATA UPDATE BIOPHOTO": "Url"}
"""The parameters of commands that are URLs of files."""


def path_of(file: StoredFile) -> str:
    """The path that PutFile takes: a terminal finds it under /iclock/."""
    name = file.name.replace("%", "_")  # the name is for the terminal, which may unquote it twice
    return f"{_folder(file.id, False)}{urllib.parse.quote(name, safe='')}"


def upgrade_facts(file: StoredFile, form: str) -> FileFacts:
    """What UPGRADE says of a file: form 1 is fetched as base64 (12.8.2)."""
    return FileFacts(f"{_folder(file.id, form == BASE64_FORM)}{UPGRADE_NAME}", file.md5, file.size)


def _folder(file_id: int, in_base64: bool) -> str:
    return f"file/{file_id}{BASE64_MARK if in_base64 else ''}/"


class Wanted:
    """What a terminal asks for by a URL of ours."""

    def __init__(self, url: str) -> None:
        """`LookupError` if the URL is none that this server gives."""
        found = _URL.match(url)
        if (
            found is None
            or not url.isprintable()
            or _SUSPICIOUS.search(url)
            or found["name"] in (".", "..")
        ):
            raise LookupError("This is not the URL of a file of this server.")
        self.file_id = int(found["id"])
        self.in_base64 = found["mark"] is not None

    def wanted_by(
        self, tx: ITransaction, sn: str | None, may_come: Callable[[str], bool] = lambda sn: True
    ) -> bool:
        """Whether a terminal has an open command to fetch just this; without `sn`, whether any.

        Only those count of which `may_come` says so.
        """
        part = _folder(self.file_id, self.in_base64)
        return any(
            self.is_of(command) and may_come(command.device)
            for command in tx.commands.open(part, sn)
        )

    def is_of(self, command: QueuedCommand) -> bool:
        """Whether a command tells its terminal to fetch just this."""
        if command.command == "UPGRADE":
            form = command.params.get("form")
            wanted = command.params.get("file")
            return int(wanted or 0) == self.file_id and self.in_base64 == (form == BASE64_FORM)
        url = command.params.get(URL_PARAMETERS.get(command.command, ""))
        if url is None or self.in_base64:
            return False
        try:
            return Wanted(url).file_id == self.file_id
        except LookupError:
            return False


def is_in_use(tx: ITransaction, file_id: int) -> bool:
    """Whether a terminal may still come for a file."""
    return any(
        Wanted(f"{_folder(file_id, in_base64)}x").wanted_by(tx, None) for in_base64 in (False, True)
    )


def file_of_url(tx: ITransaction, url: str) -> StoredFile:
    """The file that a URL of ours is of; `ValueError` if there is none."""
    try:
        wanted = Wanted(url)
        file = None if wanted.in_base64 else tx.files.get(wanted.file_id)
    except LookupError:
        file = None
    if file is None:
        raise ValueError(f"url: there is no file {url[:80]!r}; add it, and take its `path`")
    return file


def package(lines: list[str], encoding: str) -> bytes:
    """A package of commands, one a line, that a terminal takes with PutFile (12.5.2)."""
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(encoding), mtime=0)
