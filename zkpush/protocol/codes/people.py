"""Code numbers of users and templates without an appendix (11.5, 11.9, 11.12, 11.13)."""

from __future__ import annotations

from .attendance import VerificationMode
from .biometrics import TemplateFormat, template_format
from .code import Code, CodesAndWord, Word


class Privilege(Code, noun="Privilege"):
    """Privilege of a user at a terminal: Pri (spec 11.5)."""

    USER = 0, "User"
    REGISTRAR = 2, "Registrar"
    ADMINISTRATOR = 6, "Administrator"
    USER_DEFINED = 10, "User-defined"
    SUPER_ADMINISTRATOR = 14, "Super administrator"


class Validity(Code, noun="Validity"):
    """Whether a template is valid: Valid (spec 11.9 to 11.12)."""

    INVALID = 0, "Invalid"
    NORMAL = 1, "Normal"
    DURESS = 3, "Under duress"


class Duress(Code, noun="Duress"):
    """Whether a unified template signals duress (spec 11.12)."""

    NONE = 0, "No duress"
    DURESS = 1, "Under duress"


class PictureFormat(Code, noun="Picture format"):
    """Form in which a person's picture is sent: Format (spec 11.13, 11.15)."""

    BASE64 = 0, "Base64"
    URL = 1, "URL"


class Mask(Code, noun="Mask"):
    """MaskFlag of an attendance record (2.4.2)."""

    NONE = 0, "Without a mask"
    WORN = 1, "With a mask"
    UNKNOWN_MASK = 255, "Unknown"


class MessageKind(Code, noun="Kind of message"):
    """TAG of a short message (spec 12.1.1.9)."""

    EVERYONE = 253, "For everyone"
    ONE_USER = 254, "For one user"
    RESERVED = 255, "Reserved"


class KeyFunction(Code, noun="Function"):
    """Function of a shortcut key (spec 12.1.1.13)."""

    NOTHING = 0, "Nothing"
    STATE_KEY = 1, "State key"
    WORK_CODE = 2, "Work code"
    SHORT_MESSAGE = 3, "Short message"
    HELP = 4, "Help"
    RECORDS = 5, "Records"
    LAST_RECORD = 6, "Last record"


user_verification = CodesAndWord(VerificationMode, Word("-1", "As the group of the user"))
"""Verification mode of a user (Appendix 7), or -1 for the group's mode (spec 11.5)."""


def format_of_template(text: str) -> Code | Word:
    """The format of a template in words, from a digit or a name (spec 11.12)."""
    found = template_format(text)
    if isinstance(found, TemplateFormat):
        return found
    return Word(found, f"Template format {found} (unknown)")


def operator(text: str) -> Word:
    """Operator of an operation record: OpWho (spec 11.4)."""
    return Word(text, "Nobody" if text in ("", "0") else f"User {text}")


_ORIGINS = {"dev": "The terminal's own data", "cmd": "Data that the server sent"}


def error_origin(text: str) -> Word:
    """Origin of the data of an error: DataOrigin (spec 11.16)."""
    return Word(text, _ORIGINS.get(text.lower(), f"Origin {text} (unknown)"))
