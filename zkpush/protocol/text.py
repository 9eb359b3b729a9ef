"""Text encodings (spec 1.2): GB2312 on terminals set to Simplified Chinese, else UTF-8.

Theory of operation. A terminal set to Chinese may use UTF-8 or GB18030, whatever its language
number promises: firmware for other countries writes UTF-8 with Simplified Chinese as well, and some
writes GB18030 with Traditional Chinese. So each of its texts is read as UTF-8 if it is valid UTF-8,
and else as GB18030 (`guessed_encoding`). What the server writes has one encoding: the one of the
language until the terminal has shown the other one. It is then certain that the terminal uses it,
because the server has not sent it any text in it.
"""

from __future__ import annotations

import codecs
import re
from enum import StrEnum

MOST_MARKED = 16
"""Places of a line that are decoded one by one because their bytes do not decode."""


class TextEncoding(StrEnum):
    """Encodings that a terminal may be set to; all contain ASCII unchanged."""

    UTF_8 = "utf-8"
    GB18030 = "gb18030"
    """Simplified Chinese; contains GB2312 and GBK."""
    BIG5 = "big5"
    """Traditional Chinese."""
    SHIFT_JIS = "shift_jis"
    EUC_KR = "euc_kr"
    CENTRAL_EUROPEAN = "windows-1250"
    CYRILLIC = "windows-1251"
    WESTERN = "windows-1252"
    GREEK = "windows-1253"
    TURKISH = "windows-1254"
    HEBREW = "windows-1255"
    ARABIC = "windows-1256"
    BALTIC = "windows-1257"
    VIETNAMESE = "windows-1258"
    THAI = "cp874"


SIMPLIFIED_CHINESE = "83"
"""The language number (Appendix 2) of terminals that use GB2312."""
TRADITIONAL_CHINESE = "84"
CHINESE = frozenset({SIMPLIFIED_CHINESE, TRADITIONAL_CHINESE})
"""The language numbers of terminals whose encoding shows only in their texts."""
_UTF_8, _GB18030 = TextEncoding.UTF_8.value, TextEncoding.GB18030.value
_CUT = re.compile(
    rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})(?=[\t\r\n]|\Z)"
)
"""Part of a character in UTF-8 at the end of a field: terminals cut names at a number of bytes."""
_LONGER = re.compile(rb"[\xe0-\xf4]")
"""First byte of a character of three or four bytes in UTF-8, such as all Chinese ones."""
_NO_HANZI = re.compile(rb"[\x80-\xa0]|[A-Za-z][\x80-\xff]|[\x80-\xff][A-Za-z]")
"""Bytes that names in GB2312 do not have: its characters end in A1 to FE, and are no letters of a
word in ASCII."""


def guessed_encoding(text: bytes, written: str) -> str:
    """The encoding of a text from a terminal set to Chinese: UTF-8 or GB18030.

    `written` is the encoding of texts for that terminal, which decides where both are possible: of
    text with two-byte characters only, such as C2 BD, which is 陆 in GB2312 and ½ in UTF-8.
    """
    if text.isascii():
        return written
    whole = _CUT.sub(b"", text)
    if not _decodes(whole, _UTF_8):
        return _GB18030 if written == _GB18030 or _decodes(text, _GB18030) else written
    if written == _UTF_8 or _LONGER.search(whole):
        return _UTF_8
    return _UTF_8 if _NO_HANZI.search(whole) else written


def _decodes(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def encoding_for(language: str | None) -> str:
    """The Python codec of text for a terminal with a language number.

    GB18030 replaces GB2312: it is a superset, and real terminals use it.
    """
    return "gb18030" if language == SIMPLIFIED_CHINESE else "utf-8"


def decode_line(line: bytes, encoding: str) -> tuple[str, bytes | None]:
    """Decode one line; the second value is the line itself if some bytes did not decode.

    Such a byte becomes U+FFFD and its two hex digits, so that different bytes stay different in
    display; the record also keeps the exact bytes. A line with more than `MOST_MARKED` such places
    is hardly in this encoding: all its bytes beyond ASCII are marked, which takes less time.
    """
    try:
        return line.decode(encoding), None
    except UnicodeDecodeError:
        if line.decode(encoding, "replace").count("\ufffd") > MOST_MARKED:
            return line.decode("latin-1").translate(_MARKED), line
        return line.decode(encoding, _MARK), line


_WORD = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}\Z")
NO_WORD = "…"
"""In the place of a name that may be something else."""


def word(name: str) -> str:
    """Return a name from outside for a log: a password or a template in its place is not shown.

    Names of paths and tables are letters. Anything else is replaced by `NO_WORD`.
    """
    return name if _WORD.match(name) else NO_WORD


def shown(text: str, most: int = 80) -> str:
    """Format text from a terminal for one line of a log.

    Unprintable characters, including any that could start another line or command in a reader of
    the log, become U+FFFD; text beyond `most` characters is cut.
    """
    cut = text if len(text) <= most else f"{text[:most]}…"
    return "".join(char if char.isprintable() else "\ufffd" for char in cut)


_STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufff9-\ufffb]"
)
"""Characters that control a screen or a reader: C0 and C1 controls including ESC, line and
paragraph separators, direction marks and overrides, and surrogates."""
_STEERING_CELL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def visible(text: str, keep: str = "") -> str:
    """Escape characters that control a screen: ESC becomes `\\x1b`, and so on.

    Characters in `keep`, such as an intended line end, stay.
    """
    return _STEERING.sub(lambda found: _escaped(found[0], keep), text)


def visible_json(text: bytes) -> bytes:
    """Escape characters in JSON that control a screen, without changing its meaning.

    JSON strings have an escape for each character; LF occurs only between strings.
    """
    return _STEERING.sub(
        lambda found: found[0] if found[0] == "\n" else f"\\u{ord(found[0]):04x}", text.decode()
    ).encode()


def visible_cell(text: str) -> str:
    """Escape control characters other than TAB and LF in a CSV cell."""
    return _STEERING_CELL.sub(lambda found: _escaped(found[0], ""), text)


def _escaped(character: str, keep: str) -> str:
    number = ord(character)
    if character in keep:
        return character
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


_MARKS = [f"\ufffd{byte:02x}" for byte in range(256)]
_MARKED = dict(enumerate(_MARKS[0x80:], 0x80))


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    start, end = error.start, error.end
    if end - start == 1:  # the usual case
        return _MARKS[error.object[start]], end
    return "".join([_MARKS[byte] for byte in error.object[start:end]]), end


_MARK = "zkpush.mark"
codecs.register_error(_MARK, _mark)
