"""Initialization exchange (spec 5): decoding the request and encoding the options."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from ..phrases import Phrase, words_of
from .exchange import (
    EXCHANGE,
    OPTION_REPLY,
    STAMPS,
    TRANSFER_DATA,
    TRANSFER_DIGITS,
    TRANSFER_NAMES,
    WITHOUT_DIGITS,
)
from .fields import Field, Table
from .reports import OPTIONS
from .requests import Arguments
from .versions import SERVER, Version

SEND_EVERYTHING = "0"
"""The stamp that makes a terminal send all records of a data type."""
UNKNOWN_DEVICE = b"UNKNOWN DEVICE"
"""The reply body, with status 200, that makes a terminal start a new exchange."""
ENCRYPT_ATTENDANCE = "10000000"
"""The EncryptFlag value of attendance records, the only records that have one."""
_ADDRESSING = frozenset({"sn", "options"})


class Hello(msgspec.Struct, frozen=True):
    """A terminal's self-description in the exchange; absent arguments are None."""

    push_version: str | None = None
    language: str | None = None
    comm_key: str | None = None
    device_type: str | None = None
    attributes: dict[str, str] = {}
    """All other arguments, by wire name."""


def decode_hello(arguments: Arguments) -> Hello:
    """Decode the arguments of the exchange; undeclared ones become attributes."""
    known = EXCHANGE.by_wire()
    values: dict[str, str] = {}
    attributes: dict[str, str] = {}
    for name, value in arguments.items():
        field = known.get(name.lower())
        if field is not None:
            if value:
                values[field.name] = value
        elif name.lower() not in _ADDRESSING:
            attributes[name] = value
    return Hello(**values, attributes=attributes)


def check_setting(field: Field, value: object) -> object:
    """Check one configured option, of all terminals or of one.

    Numbers may be given as text. Raises `ValueError`, which says what the option accepts.
    """
    try:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValueError(  # noqa: TRY004 - documented
                Phrase("%(wire)s takes %(title)s", wire=field.wire, title=field.kind.title)
            )
        return field.decode(str(value))
    except ValueError as error:
        raise ValueError(
            Phrase("%(error)s (%(meaning)s)", error=words_of(error), meaning=field.meaning)
        ) from None


def canonical_settings(names: Iterable[str]) -> list[str]:
    """Canonical names of options; raises `ValueError` for one that cannot be set."""
    return [_settable(name).wire for name in names]


def _settable(name: str) -> Field:
    known = {field.wire.lower(): field for field in OPTION_REPLY.fields if field.stored}
    if name.lower() not in known:
        names = ", ".join(field.wire for field in known.values())
        raise ValueError(
            Phrase(
                "%(name)s is not an option that can be set; there are %(names)s",
                name=name,
                names=names,
            )
        )
    return known[name.lower()]


def check_settings(settings: Mapping[str, object]) -> dict[str, str | int]:
    """Check a mapping of options to values; names in any case become canonical.

    Raises a single `ValueError` for all mistakes, one line each.
    """
    checked: dict[str, str | int] = {}
    mistakes = []
    for name, value in settings.items():
        try:
            field = _settable(name)
            if field.wire in checked:
                raise ValueError(Phrase("%(wire)s is there twice", wire=field.wire))
            good = check_setting(field, value)
        except ValueError as error:
            mistakes.append(str(error))
        else:
            checked[field.wire] = good if isinstance(good, int) else str(good)
    if mistakes:
        raise ValueError("\n".join(mistakes))
    return checked


def transfer_flag(setting: str, tables: Iterable[Table]) -> str:
    """The `TransFlag` value that requests everything the server stores.

    `names` selects format II, and `digits` format I, for models that understand only that; any
    other setting is returned unchanged.
    """
    wanted = {word for table in tables for word in table.transfer}
    words = [word for word, _ in TRANSFER_DATA]
    if setting == TRANSFER_NAMES:
        return "TransData " + "\t".join(word for word in words if word in wanted)
    if setting == TRANSFER_DIGITS:
        return "".join("1" if word in wanted else "0" for word in words)
    return setting


def without_words(value: str, words: Collection[str]) -> str:
    """Remove words from a `TransFlag` setting, keeping its format.

    A format I value of only zeros would request attendance photos (spec 5), so it becomes an empty
    format II value.
    """
    if value in (TRANSFER_NAMES, TRANSFER_DIGITS):
        return value
    data, *named = value.split()
    if data == "TransData":
        return "TransData " + "\t".join(word for word in named if word not in words)
    left = "".join(
        "0" if word in words else digit
        for (word, _), digit in zip(TRANSFER_DATA, data, strict=False)
    )
    return left if "1" in left or "1" not in value else "TransData "


def decode_transfer_flag(value: str) -> frozenset[str]:
    """The words that a `TransFlag` value requests in either format, as a terminal reads it.

    A format I value of only zeros requests attendance photos alone (spec 5).
    """
    data, *words = value.split() or [""]
    if data == "TransData":
        return frozenset(words)
    asked = [word for (word, _), digit in zip(TRANSFER_DATA, data, strict=False) if digit == "1"]
    return frozenset(asked or WITHOUT_DIGITS)


def encode_options(
    serial: str,
    *,
    settings: Mapping[str, str | int],
    stamps: Mapping[str, str],
    time_zone: str | None,
    tables: Iterable[Table],
    old_names: bool,
    version: Version = SERVER,
    encrypts_attendance: bool = False,
) -> bytes:
    """Encode the option reply (spec 5): one `Key=Value` a line, in the order of the spec.

    Every line ends with LF, including the last, because firmware drops an unterminated line.
    `settings` override the defaults of `OPTION_REPLY`; `stamps` are by the upload's table name;
    without a `time_zone` its line is omitted; `old_names` adds the stamp names that firmware before
    2.2.14 reads. `version` is the server's, or a lower one to limit the terminal;
    `encrypts_attendance` requests attendance records encrypted with RC4.
    """
    lines = [f"GET OPTION FROM: {serial}"]
    for name, stamp, old in STAMPS:
        value = stamps.get(name, SEND_EVERYTHING)
        lines.append(f"{stamp}={value}")
        if old_names and old is not None:
            lines.append(f"{old}={value}")
    computed = {
        "TransFlag": transfer_flag(str(settings.get("TransFlag", TRANSFER_NAMES)), tables),
        "TimeZone": time_zone,
        "Encrypt": int(encrypts_attendance),
        "EncryptFlag": ENCRYPT_ATTENDANCE if encrypts_attendance else None,
        "ServerVer": str(version),
        "PushProtVer": str(version),
        "PushOptions": ",".join(field.wire for field in OPTIONS.fields),
    }
    for field in OPTION_REPLY.fields:
        option = computed.get(field.wire, settings.get(field.wire, field.default))
        if option is not None:
            lines.append(f"{field.wire}={option}")
    return "".join(line + "\n" for line in lines).encode()


def decode_options(body: bytes) -> dict[str, str]:
    """Decode an option reply as a terminal does; raises `ValueError`."""
    first, *lines = body.decode().split("\n")
    if not first.startswith("GET OPTION FROM:"):
        raise ValueError("not an option reply")
    if lines[-1:] != [""]:
        raise ValueError("the last line does not end with LF, so a terminal would drop it")
    pairs = (line.partition("=") for line in lines if line)
    return {key: value for key, _, value in pairs}
