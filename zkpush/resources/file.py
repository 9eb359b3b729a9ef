"""/iclock/file: files for the terminals that were told to fetch them (12.5.2, 12.8.2).

The URL is in the arguments (`?SN=…&url=…`), as UPGRADE is fetched, or is that of the request, as
PutFile is. In both the secret of the command is what finds the file (`zkpush.device.files`).
"""

from __future__ import annotations

import base64
import re

from ..device.door import Door
from ..device.downloads import Download, Downloads
from ..http.messages import OCTETS, PLAIN, FileReply
from ..protocol.errors import UnknownPath, refusal
from ..protocol.requests import Arguments, normalize_segment
from .base import SUCCESS, Call, TerminalResource

PARTIAL, UNSATISFIABLE = 206, 416
_RANGE = re.compile(rb"bytes=([0-9]{0,99})-([0-9]{0,99})", re.IGNORECASE)
_NAME = b"file"


class FileResource(TerminalResource):
    """GET fetches a file, or some of its bytes."""

    methods = ("GET", "HEAD")
    is_folder = True
    gives_files = True
    needs_terminal = False

    def __init__(self, door: Door, downloads: Downloads) -> None:
        super().__init__(door)
        self._downloads = downloads

    def is_outside(self, sn: str, method: str, arguments: Arguments) -> bool:
        """A URL alone does not say which terminal asks (12.5.2)."""
        return not sn

    def changes(self, call: Call) -> bool:
        """It changes nothing."""
        return False

    async def answer(self, call: Call) -> FileReply:
        """Answer with the file that the terminal was told to fetch."""
        url = call.arguments.get("url")
        is_bare = normalize_segment(call.path.rstrip(b"/").rpartition(b"/")[2]) == _NAME
        if is_bare != (url is not None):
            raise UnknownPath("There is nothing under this path; a file has a url.")
        return file_reply(
            await self._downloads.of_url(
                call.path.decode("utf-8", "replace") if url is None else url,
                call.sn or None,
                call.address,
            ),
            call.range,
        )


def file_reply(download: Download, wanted: bytes | None) -> FileReply:
    """The reply with what is wanted of a file: all of it, or one range of bytes (RFC 9110, 14)."""
    length = len(download.body)
    lines = OCTETS + b"Accept-Ranges: bytes\r\nContent-MD5: %b\r\n" % base64.b64encode(download.md5)
    part = None if wanted is None else find_range(wanted, length)
    if part is None:
        return FileReply(SUCCESS, lines, 0, length, download.part)
    start, end = part
    if start >= end:
        lines = b"%bAccept-Ranges: bytes\r\nContent-Range: bytes */%d\r\n" % (PLAIN, length)
        return FileReply(UNSATISFIABLE, lines, body=refusal("The file has no such bytes."))
    lines += b"Content-Range: bytes %d-%d/%d\r\n" % (start, end - 1, length)
    return FileReply(PARTIAL, lines, start, end, download.part)


def find_range(text: bytes, length: int) -> tuple[int, int] | None:
    """Where a range begins and ends, of so many bytes; nothing is in one that cannot be given.

    None for what is no range, or is several: then everything is sent.
    """
    found = _RANGE.fullmatch(text.strip())
    if found is None or found[1] == found[2] == b"":
        return None
    if found[1] == b"":
        return max(length - int(found[2]), 0), length
    start = int(found[1])
    last = length - 1 if found[2] == b"" else int(found[2])
    if found[2] and last < start:
        return None
    return start, min(last + 1, length)
