"""Files for terminals: names and download URLs (spec 12.5.2, 12.8.2).

Theory of operation. People refer to a file by its *name*, `file/ID/NAME`, which commands take as a
parameter. Terminals cannot fetch a file by its name. When a command is queued, a new secret
replaces the ID in the line that the terminal reads: `file/SECRET/NAME`. The line is stored
encrypted, so that a command has the same URL when it is sent again, by any process. The digest of
the secret is stored beside it, and finds the command. The URL is valid while the command is open,
and only from the addresses that its terminal may have.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import string
import urllib.parse
from collections.abc import Callable, Mapping

import attrs

from ..persist.commands import CommandStore
from ..persist.files import FileStore
from ..persist.transaction import Transaction
from ..phrases import Phrase
from ..protocol.commands import FileFacts, command_text
from ..protocol.errors import CommandError
from ..protocol.fields import Command, Writing
from ..values.commands import CommandFile, QueuedCommand
from ..values.files import StoredFile

SECRET_CHARACTERS = string.digits + string.ascii_lowercase
SECRET_LENGTH = 26
"""Length in characters of the secret in a URL: 26 characters of 36 are 134 bits."""
_URL = re.compile(
    r"(?P<base>(?:(?i:https?)://[^/\\?#]*)?/?(?:(?i:iclock)/)*)"
    r"file/(?P<key>[^/\\?#]+)/(?P<name>[^/\\?#]+)\Z"
)
"""Accepts any host, because a terminal fetching a file uses only the path."""
MADE_FILE = 0
"""Instead of the ID of a file that is made when it is fetched."""
_ID = re.compile(r"[1-9][0-9]{0,17}\Z", re.ASCII)
_SECRET = re.compile(rf"[0-9a-z]{{{SECRET_LENGTH}}}\Z", re.ASCII)
_SUSPICIOUS = re.compile(r"%(?:2f|5c|00)|\ufffd", re.IGNORECASE)
"""Text that is in no URL of this server: escaped separators and NUL, and undecodable bytes."""
UPGRADE_NAME = "emfw.cfg"
"""Name of an upgrade file (spec 12.8.2)."""
BASE64_FORM = "1"


@attrs.frozen
class _Url:
    """A parsed URL of this server; `key` is an ID or a secret."""

    base: str
    key: str
    name: str

    @classmethod
    def parse(cls, url: str) -> _Url:
        """Parse a URL; raises `LookupError` if it is not one of this server."""
        found = _URL.match(url)
        if (
            found is None
            or not url.isprintable()
            or _SUSPICIOUS.search(url)
            or found["name"] in (".", "..")
        ):
            raise LookupError(Phrase("This is not the URL of a file of this server."))
        return cls(**found.groupdict())


def new_secret(choose: Callable[[str], str]) -> str:
    """Return a secret for a command's file; `choose` picks a random character."""
    return "".join(choose(SECRET_CHARACTERS) for _ in range(SECRET_LENGTH))


def digest_of_secret(secret: str) -> bytes:
    """Return the SHA-256 digest of a secret, by which the store finds a command."""
    return hashlib.sha256(secret.encode()).digest()


def name_of(file: StoredFile) -> str:
    """Return the name of a file, as commands take it."""
    return f"file/{file.id}/{_quoted(file.name)}"


def base_of(public_url: str | None) -> str:
    """Return what the URLs of files begin with, by the URL of the terminals' port."""
    return "" if public_url is None else f"{public_url.rstrip('/')}/iclock/"


def upgrade_facts(file: StoredFile, secret: str, base: str) -> FileFacts:
    """The facts about a file that UPGRADE carries (spec 12.8.2)."""
    return FileFacts(f"{base}file/{secret}/{UPGRADE_NAME}", file.md5, file.size)


def url_of(name: str, secret: str, base: str) -> str:
    """Return the URL on the wire for a file name in a command; `base` is used if it has none."""
    named = _Url.parse(name)
    return f"{named.base or base}file/{secret}/{named.name}"


def secret_of(url: str) -> str:
    """Return the secret in a requested URL; raises `LookupError` if it has none."""
    key = _Url.parse(url).key
    if not _SECRET.match(key):
        raise LookupError(Phrase("This is not the URL of a file of this server."))
    return key


def command_of(tx: Transaction, secret: str) -> QueuedCommand | None:
    """Find the open command of a secret; None if there is none."""
    digest = digest_of_secret(secret)
    command = tx[CommandStore].with_file(digest)
    if command is None or command.file is None:
        return None
    return command if hmac.compare_digest(command.file.digest, digest) else None


def is_base64(command: QueuedCommand) -> bool:
    """Whether the terminal fetches its file as base64 (spec 12.8.2, form 1)."""
    return command.command == "UPGRADE" and command.params.get("form") == BASE64_FORM


def file_named(tx: Transaction, name: str, command_id: str) -> StoredFile:
    """Find the file that a command names; raises `ValueError` if there is none.

    A file that was made for one command is not available to another.
    """
    try:
        key = _Url.parse(name).key
        file = tx[FileStore].get(int(key)) if _ID.match(key) else None
    except LookupError:
        file = None
    if file is None or file.command not in (None, command_id):
        raise ValueError(
            Phrase(
                "url: there is no file %(name)s; add it, and take its `path`", name=repr(name[:80])
            )
        )
    if file.damaged:
        raise ValueError(
            Phrase("url: the file %(name)s is damaged; add it again", name=repr(name[:80]))
        )
    return file


def reference(file: StoredFile, secret: str) -> CommandFile:
    """The reference to a file that is stored with a command."""
    return CommandFile(file.id, digest_of_secret(secret))


def _quoted(name: str) -> str:
    # The terminal may unquote the name twice.
    return urllib.parse.quote(name.replace("%", "_"), safe="")


def write_command(
    tx: Transaction,
    command: Command,
    params: Mapping[str, str],
    command_id: str,
    secret: str,
    *,
    base: str = "",
    is_made: bool = False,
) -> tuple[str, CommandFile | None]:
    """Return the text of a command and the file that the terminal has to fetch.

    In the text, the secret replaces the file's ID, and `base` precedes URLs without a host.
    `is_made` is whether the file is made when it is fetched. Raises `ValueError` or `CommandError`
    if there is no such file.
    """
    if command.writing is Writing.UPGRADE:
        firmware = tx[FileStore].get(int(params["file"]))
        if firmware is None or firmware.command is not None:
            raise CommandError(
                Phrase("file: there is no file %(params)s; add it first", params=params["file"])
            )
        if firmware.damaged:
            raise CommandError(
                Phrase("file: the file %(params)s is damaged; add it again", params=params["file"])
            )
        text = command_text(command, params, upgrade_facts(firmware, secret, base))
        return text, reference(firmware, secret)
    parameter = command.file_parameter
    name = None if parameter is None else params.get(parameter)
    if parameter is None or not name:
        return command_text(command, params), None
    if is_made:
        file = CommandFile(MADE_FILE, digest_of_secret(secret))
    else:
        file = reference(file_named(tx, name, command_id), secret)
    return command_text(command, {**params, parameter: url_of(name, secret, base)}), file
