"""Attendance photos (spec 11.3, 11.8): lines of text, NUL, and a picture.

Old firmware sends the name in the request arguments, and only the picture in the body. With
`ATTPHOTOBase64=1` the picture is base64.
"""

from __future__ import annotations

import re

import msgspec

from .fields import SMALL, Field, Kind, Layout, Table
from .lines import LineDecoder
from .scalars import decode_base64, decode_time, plain_base64
from .text import decode_line

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"BM")
"""Prefixes of pictures: JPEG, and the PNG or BMP of some models."""
_HEAD = re.compile(rb"\s*+(?:[A-Za-z]\w{0,31}=[^\r\n]*+[\r\n]++)*?PIN=", re.IGNORECASE)
"""Lines of text that include the name; no picture begins like this."""
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
        form="a file name of 1 to 255 characters, without control characters",
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
"""Fields in the lines of a photo, in every table of photos."""
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
    """An attendance photo as it was sent."""

    name: str
    """The file name, which must never be used as a path."""
    content: bytes
    command: str | None = None
    extra: str | None = None
    """JSON of undeclared lines."""
    raw: bytes | None = None
    """The exact lines if some bytes did not decode."""


class PhotoName(msgspec.Struct, frozen=True):
    """Information in the name of an attendance photo; absent parts are None."""

    time: str | None = None
    """Wall clock time of the terminal."""
    kind: int | None = None
    """Photo type (spec 11.8)."""
    pin: str | None = None
    id_number: str | None = None


def decode_photo(body: bytes, encoding: str, name: str | None = None) -> Photo:
    """Decode an uploaded photo; `name` is the one in the request arguments, if any.

    Raises `ValueError` if there is no name or no picture, or its size is not as stated.
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
    """Return the picture, decoded if it is base64, and check its stated size."""
    plain = None if content.startswith(_MAGIC) else _unarmoured(content)
    if plain is not None and (size == len(plain) or plain.startswith(_MAGIC)):
        content, length = plain, {len(plain), len(content)}
    else:
        length = {len(content)}
    if size is not None and size not in length:
        raise ValueError(f"size is {size}, but the picture has {len(content)} bytes")
    return content


def _unarmoured(content: bytes) -> bytes | None:
    """Decode base64; None for anything else, such as the picture itself."""
    try:
        return plain_base64(decode_base64(content.decode("ascii").strip()))
    except ValueError:
        return None


def encode_photo(sn: str, name: str, content: bytes) -> bytes:
    """Encode the body of a photo upload as a terminal does (spec 11.3)."""
    head = f"PIN={name}\nSN={sn}\nsize={len(content)}\nCMD=uploadphoto"
    return head.encode() + b"\0" + content


def parse_name(name: str) -> PhotoName:
    """Parse the name of an attendance photo: time, photo type, user ID, citizen ID number.

    `20150731103012-123.jpg` has a time and a user (spec 11.3), and `20160615093758-0-1457-….jpg`
    all four parts (spec 11.8). A name without a user belongs to an unrecognised person.
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
