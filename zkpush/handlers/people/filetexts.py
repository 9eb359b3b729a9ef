"""Text of an uploaded table, in the encodings that spreadsheet programs write."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping

from ...phrases import Phrase

ENCODINGS: Mapping[str, Phrase] = {
    "utf-8": Phrase("Unicode (UTF-8)"),
    "windows-1252": Phrase("Western European (Windows-1252)"),
    "gb18030": Phrase("Simplified Chinese (GB 18030, GBK)"),
    "windows-1256": Phrase("Arabic (Windows-1256)"),
}
"""Encodings by name, with their names in words."""
_OF_LANGUAGES = {"zh-Hans": "gb18030", "ar": "windows-1256"}
"""What spreadsheet programs write on computers in a language, by its code."""
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_BETWEEN = re.compile(r"[,;\s\"]+")
_BINARY = re.compile("[\0-\x08\x0e-\x1f]", re.ASCII)
NO_TEXT = Phrase("This is no table in text. Save the table as CSV UTF-8.")


def likely_encoding(language: str) -> str:
    """Return the encoding of files that are not in Unicode, by the language of a page."""
    return _OF_LANGUAGES.get(language, "windows-1252")


def is_unicode(content: bytes) -> bool:
    """Whether a file can be read without knowing its encoding."""
    try:
        decoded(content)
    except ValueError:
        return False
    return True


def decoded(content: bytes, encoding: str = "utf-8") -> str:
    """Return the text of a file; one that begins with a byte order mark is in Unicode.

    Raises `ValueError` with a phrase if it cannot be read.
    """
    if content.startswith(_WORKBOOKS):
        raise ValueError(
            Phrase(
                "This is a workbook, not a CSV file. Save its sheet as CSV UTF-8 in the "
                "spreadsheet program, and choose that file."
            )
        )
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif encoding == "utf-8" or content.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        if encoding != "utf-8-sig":
            raise ValueError(
                Phrase(
                    "Line %(line)s of the file cannot be read in this encoding. Save the table as "
                    "CSV UTF-8.",
                    line=line,
                )
            ) from None
        raise ValueError(
            Phrase(
                "Line %(line)s of the file is not UTF-8. Save the table as CSV UTF-8.", line=line
            )
        ) from None
    if _BINARY.search(text):
        raise ValueError(NO_TEXT)
    return text


def example_of(text: str) -> str:
    """Return the first word of a text with other letters than those of English."""
    return next((word for word in _BETWEEN.split(text) if not word.isascii()), "")
