"""Text encodings (1.2): GB2312 on terminals set to Simplified Chinese, UTF-8 on all others."""

from __future__ import annotations

import codecs
import re

SIMPLIFIED_CHINESE = "83"
"""The language number (Appendix 2) whose terminals send and expect GB2312."""


def encoding_for(language: str | None) -> str:
    """The Python codec for a terminal's language number.

    GB18030 is read where GB2312 is meant: it is a superset, and real terminals use it.
    """
    return "gb18030" if language == SIMPLIFIED_CHINESE else "utf-8"


def decode_line(line: bytes, encoding: str) -> tuple[str, bytes | None]:
    """Decode one line; the second value is the line itself if some bytes did not decode.

    Such a byte shows as U+FFFD and its two hex digits, so that texts that differ in their bytes
    differ as they are shown; the record keeps the exact bytes beside them.
    """
    try:
        return line.decode(encoding), None
    except UnicodeDecodeError:
        return line.decode(encoding, _MARK), line


def shown(text: str, most: int = 80) -> str:
    """What a terminal said, as one line of a log can hold it.

    Characters that do not print, among them all that could begin another line or command whoever
    reads the log, are U+FFFD; what is longer than `most` characters is cut.
    """
    cut = text if len(text) <= most else f"{text[:most]}…"
    return "".join(char if char.isprintable() else "\ufffd" for char in cut)


_STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufff9-\ufffb]"
)
"""Characters that steer a screen or another reader: C0 and C1 controls, among them ESC; line and
paragraph separators; marks and overrides of direction; halves of surrogate pairs."""
_STEERING_CELL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def visible(text: str, keep: str = "") -> str:
    """Write a text so that it cannot steer a screen: ESC becomes `\\x1b`, and so on.

    What is in `keep`, such as a line end that is meant, stays.
    """
    return _STEERING.sub(lambda found: _escaped(found[0], keep), text)


def visible_json(text: bytes) -> bytes:
    """Write JSON so that it cannot steer a screen: it stays JSON, and of the same meaning.

    Within a text, JSON has an escape for each character; LF stands between texts only.
    """
    return _STEERING.sub(
        lambda found: found[0] if found[0] == "\n" else f"\\u{ord(found[0]):04x}", text.decode()
    ).encode()


def visible_cell(text: str) -> str:
    """Write a text for a cell of CSV: without control characters other than TAB and LF."""
    return _STEERING_CELL.sub(lambda found: _escaped(found[0], ""), text)


def _escaped(character: str, keep: str) -> str:
    number = ord(character)
    if character in keep:
        return character
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


_MARKS = [f"\ufffd{byte:02x}" for byte in range(256)]


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    start, end = error.start, error.end
    if end - start == 1:  # of most
        return _MARKS[error.object[start]], end
    return "".join([_MARKS[byte] for byte in error.object[start:end]]), end


_MARK = "zkpush.mark"
codecs.register_error(_MARK, _mark)
