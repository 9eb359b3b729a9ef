"""Attendance photos (11.3, 11.8): lines of text, NUL, and a picture.

Old firmware sends the name in the arguments of the request, and nothing but the picture in its
body. With `ATTPHOTOBase64=1` the picture is in base64.
"""

from __future__ import annotations

import re

import msgspec

from .fields import SMALL, Field, Kind, Layout, Table, decode_base64, decode_time, plain_base64
from .lines import LineDecoder
from .text import decode_line

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"BM")
"""How pictures begin: JPEG; some models make PNG or BMP."""
_HEAD = re.compile(rb"\s*+(?:[A-Za-z]\w{0,31}=[^\r\n]*+[\r\n]++)*?PIN=", re.IGNORECASE)
"""Lines of text with the name among them; what no picture begins with."""
_LONGEST_HEAD = 4096
_TIME = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})(?:-|\Z)", re.ASCII
)
_KIND = re.compile(r"[0-4]\Z", re.ASCII)
_SUFFIX = re.compile(r"\.[A-Za-z]{3,4}\Z")
FIELDS = (
    Field(
        wire="PIN",
        name="name",
        required=True,
        pattern=r"[^\x00-\x1f]{1,255}",
        meaning="File name: time, photo type, user ID and citizen ID number, as far as known",
    ),
    Field(wire="SN", name="sn", stored=False, meaning="Serial number of the terminal"),
    Field(
        wire="size",
        name="size",
        kind=Kind.INTEGER,
        minimum=0,
        maximum=SMALL,
        meaning="Bytes of the original picture",
    ),
    Field(wire="CMD", name="command", meaning="What the terminal calls the upload"),
)
"""What the lines of a photo say, in every table of photos."""
_FORM = Table(
    name="photo",
    section="11.3",
    meaning="The lines before a picture",
    layout=Layout.PHOTO,
    fields=FIELDS,
)
_LINES = LineDecoder(_FORM)
_NAMES = {name: place for place, name in enumerate(_FORM.names)}


class Photo(msgspec.Struct, frozen=True):
    """An attendance photo, as it was sent."""

    name: str
    """The file name; it is data, and never a path."""
    content: bytes
    command: str | None = None
    extra: str | None = None
    """JSON of lines that the protocol does not know."""
    raw: bytes | None = None
    """The exact lines, where some bytes did not decode."""


class PhotoName(msgspec.Struct, frozen=True):
    """What the name of an attendance photo says; what it does not say is None."""

    time: str | None = None
    """The terminal's wall clock."""
    kind: int | None = None
    """Photo type (11.8)."""
    pin: str | None = None
    id_number: str | None = None


def decode_photo(body: bytes, encoding: str, name: str | None = None) -> Photo:
    """Read an upload of a photo; `name` is the one of the request's arguments, if there is one.

    `ValueError` if there is no name, no picture, or one of another size than was stated.
    """
    head, nul, content = body[:_LONGEST_HEAD].partition(b"\0")
    if nul and _HEAD.match(head):
        content = body[len(head) + 1 :]
    elif name is None:
        raise ValueError("a photo begins with PIN=, its name, and ends its lines with NUL")
    else:
        head, content = b"", body
    text, raw = decode_line(head, encoding)
    lines = text.replace("\r", "").strip("\n").replace("\n", "\t")
    if name is not None and not head:
        lines = f"{_FORM.field('name').wire}={name}"
    row = _LINES.decode(lines, raw)
    size = row[_NAMES["size"]]
    if not content:
        raise ValueError("there is no picture")
    return Photo(
        name=str(row[_NAMES["name"]]),
        content=_picture(content, size if isinstance(size, int) else None),
        command=row[_NAMES["command"]],  # type: ignore[arg-type]  # the row is typed loosely
        extra=row[-2],  # type: ignore[arg-type]  # the row is typed loosely
        raw=raw,
    )


def _picture(content: bytes, size: int | None) -> bytes:
    """The picture itself, of the size that was stated; it may be in base64."""
    plain = None if content.startswith(_MAGIC) else _unarmoured(content)
    if plain is not None and (size == len(plain) or plain.startswith(_MAGIC)):
        content, length = plain, {len(plain), len(content)}
    else:
        length = {len(content)}
    if size is not None and size not in length:
        raise ValueError(f"size is {size}, but the picture has {len(content)} bytes")
    return content


def _unarmoured(content: bytes) -> bytes | None:
    """What a base64 text stands for; None for anything else, such as a picture itself."""
    try:
        return plain_base64(decode_base64(content.decode("ascii").strip()))
    except ValueError:
        return None


def encode_photo(sn: str, name: str, content: bytes) -> bytes:
    """Write the body of an upload, as a terminal does (11.3)."""
    head = f"PIN={name}\nSN={sn}\nsize={len(content)}\nCMD=uploadphoto"
    return head.encode() + b"\0" + content


def parse_name(name: str) -> PhotoName:
    """Take the name of an attendance photo apart: time, photo type, user ID, citizen ID number.

    `20150731103012-123.jpg` has a time and a user (11.3); `20160615093758-0-1457-….jpg` all four
    (11.8); one without a user is of somebody who was not recognised.
    """
    stem = _SUFFIX.sub("", name)
    found = _TIME.match(stem)
    if found is None:
        return PhotoName()
    year, month, day, hour, minute, second = found.groups()
    try:
        time = decode_time(f"{year}-{month}-{day} {hour}:{minute}:{second}")
    except ValueError:
        return PhotoName()
    rest = stem[found.end() :]
    kind, _, more = rest.partition("-")
    if more and _KIND.match(kind):
        pin, _, id_number = more.rpartition("-") if "-" in more else (more, "", "")
        return PhotoName(time, int(kind), pin or None, id_number or None)
    return PhotoName(time, None, rest or None)
