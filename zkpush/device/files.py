"""Files for terminals: their names, and the URLs by which terminals fetch them (12.5.2, 12.8.2).

Theory of operation. People call a file by its *name*, `file/ID/NAME`, which commands take as a
parameter. A name is good for nothing at the terminals' port. When a command is queued, a secret is
made for it and takes the place of the ID in the line that the terminal reads:
`file/SECRET/NAME`. The line is sealed in the store, so a command that is sent again, by whichever
process, has the same URL; beside it is the digest of the secret, by which the command is found. The
URL is good while the command is open, and only where its terminal may be.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import re
import string
import urllib.parse
from collections.abc import Callable, Mapping

import attrs

from ..model import CommandFile, QueuedCommand
from ..persist.commands import CommandStore
from ..persist.files import FileStore
from ..persist.transaction import Transaction
from ..protocol.commands import FileFacts, command_text
from ..protocol.errors import CommandError
from ..protocol.fields import Command, Writing
from ..values.files import StoredFile

SECRET_CHARACTERS = string.digits + string.ascii_lowercase
SECRET_LENGTH = 26
"""Characters of the secret in a URL: 26 of 36 are 134 bits."""
_URL = re.compile(
    r"(?P<base>(?:(?i:https?)://[^/\\?#]*)?/?(?:(?i:iclock)/)*)"
    r"file/(?P<key>[^/\\?#]+)/(?P<name>[^/\\?#]+)\Z"
)
"""On any host, because a terminal that is asked to fetch a file looks at the path only."""
_ID = re.compile(r"[1-9][0-9]{0,17}\Z", re.ASCII)
_SECRET = re.compile(rf"[0-9a-z]{{{SECRET_LENGTH}}}\Z", re.ASCII)
_SUSPICIOUS = re.compile(r"%(?:2f|5c|00)|\ufffd", re.IGNORECASE)
"""What no URL of ours has: separators and NUL in disguise, and bytes that are no text."""
UPGRADE_NAME = "emfw.cfg"
"""What an upgrade file is called (12.8.2)."""
BASE64_FORM = "1"


@attrs.frozen
class _Url:
    """A URL of ours, taken apart; `key` is an ID or a secret."""

    base: str
    key: str
    name: str

    @classmethod
    def parse(cls, url: str) -> _Url:
        """Take a URL apart; `LookupError` if it is not one of ours."""
        found = _URL.match(url)
        if (
            found is None
            or not url.isprintable()
            or _SUSPICIOUS.search(url)
            or found["name"] in (".", "..")
        ):
            raise LookupError("This is not the URL of a file of this server.")
        return cls(**found.groupdict())


def new_secret(choose: Callable[[str], str]) -> str:
    """Make the secret of a command's file; `choose` picks a character at random."""
    return "".join(choose(SECRET_CHARACTERS) for _ in range(SECRET_LENGTH))


def digest_of_secret(secret: str) -> bytes:
    """Return the SHA-256 of a secret: what the store finds a command by."""
    return hashlib.sha256(secret.encode()).digest()


def name_of(file: StoredFile) -> str:
    """Return the name of a file, which commands take."""
    return f"file/{file.id}/{_quoted(file.name)}"


def upgrade_facts(file: StoredFile, secret: str) -> FileFacts:
    """What UPGRADE says of a file (12.8.2)."""
    return FileFacts(f"file/{secret}/{UPGRADE_NAME}", file.md5, file.size)


def url_of(name: str, secret: str) -> str:
    """Return the URL on the wire of a file that a command names."""
    named = _Url.parse(name)
    return f"{named.base}file/{secret}/{named.name}"


def secret_of(url: str) -> str:
    """Return the secret in a URL that a terminal asks for; `LookupError` if it has none."""
    key = _Url.parse(url).key
    if not _SECRET.match(key):
        raise LookupError("This is not the URL of a file of this server.")
    return key


def command_of(tx: Transaction, secret: str) -> QueuedCommand | None:
    """Find the open command that a secret was made for."""
    digest = digest_of_secret(secret)
    command = tx[CommandStore].with_file(digest)
    if command is None or command.file is None:
        return None
    return command if hmac.compare_digest(command.file.digest, digest) else None


def is_base64(command: QueuedCommand) -> bool:
    """Whether the terminal is to fetch the base64 of its file (12.8.2, form 1)."""
    return command.command == "UPGRADE" and command.params.get("form") == BASE64_FORM


def file_named(tx: Transaction, name: str, command_id: str) -> StoredFile:
    """Find the file that a command names; `ValueError` if there is none for it.

    A file that was made for one command is not there for another.
    """
    try:
        key = _Url.parse(name).key
        file = tx[FileStore].get(int(key)) if _ID.match(key) else None
    except LookupError:
        file = None
    if file is None or file.command not in (None, command_id):
        raise ValueError(f"url: there is no file {name[:80]!r}; add it, and take its `path`")
    if file.damaged:
        raise ValueError(f"url: the file {name[:80]!r} is damaged; add it again")
    return file


def reference(file: StoredFile, secret: str) -> CommandFile:
    """What a command keeps of the file that its terminal fetches."""
    return CommandFile(file.id, digest_of_secret(secret))


def package(lines: list[str], encoding: str) -> bytes:
    """A package of commands, one a line, that a terminal takes with PutFile (12.5.2)."""
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(encoding), mtime=0)


def _quoted(name: str) -> str:
    # The name is for the terminal, which may unquote it twice.
    return urllib.parse.quote(name.replace("%", "_"), safe="")


def write_command(
    tx: Transaction, command: Command, params: Mapping[str, str], command_id: str, secret: str
) -> tuple[str, CommandFile | None]:
    """The text of a command, and the file that it tells the terminal to fetch.

    The secret takes the place of the file's ID in the text. `ValueError` if there is no such file.
    """
    if command.writing is Writing.UPGRADE:
        file = tx[FileStore].get(int(params["file"]))
        if file is None or file.command is not None:
            raise CommandError(f"file: there is no file {params['file']}; add it first")
        if file.damaged:
            raise CommandError(f"file: the file {params['file']} is damaged; add it again")
        text = command_text(command, params, upgrade_facts(file, secret))
        return text, reference(file, secret)
    parameter = command.file_parameter
    name = None if parameter is None else params.get(parameter)
    if parameter is None or name is None:
        return command_text(command, params), None
    file = file_named(tx, name, command_id)
    text = command_text(command, {**params, parameter: url_of(name, secret)})
    return text, reference(file, secret)
