"""Replies with files: whole, or one range of bytes (RFC 9110, section 14)."""

from __future__ import annotations

import base64
import re

from ..device.downloads import Download
from ..http.messages import OCTETS, PLAIN, FileReply
from ..protocol.errors import refusal
from .replies import SUCCESS

PARTIAL, UNSATISFIABLE = 206, 416
_RANGE = re.compile(rb"bytes=([0-9]{0,99})-([0-9]{0,99})", re.IGNORECASE)


def file_reply(download: Download, wanted: bytes | None, of: bytes | None = None) -> FileReply:
    """Return the reply with a file, or one range of it (RFC 9110, section 14).

    `of` is the If-Range header: the range is ignored if it is not that of this content.
    """
    length = len(download.body)
    tag = b'"%b"' % download.md5.hex().encode()
    lines = OCTETS + b"Accept-Ranges: bytes\r\nContent-MD5: %b\r\nETag: %b\r\n" % (
        base64.b64encode(download.md5),
        tag,
    )
    is_whole = wanted is None or (of is not None and of.strip() != tag)
    part = None if is_whole else find_range(wanted or b"", length)
    if part is None:
        return FileReply(SUCCESS, lines, 0, length, download.part)
    start, end = part
    if start >= end:
        lines = b"%bAccept-Ranges: bytes\r\nContent-Range: bytes */%d\r\n" % (PLAIN, length)
        return FileReply(UNSATISFIABLE, lines, body=refusal("The file has no such bytes."))
    lines += b"Content-Range: bytes %d-%d/%d\r\n" % (start, end - 1, length)
    return FileReply(PARTIAL, lines, start, end, download.part)


def find_range(text: bytes, length: int) -> tuple[int, int] | None:
    """Start and end of a range in `length` bytes; empty if it cannot be satisfied.

    None for a malformed range or several ranges: then the whole file is sent.
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
