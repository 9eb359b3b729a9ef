"""Commands (spec 12): validation, and encoding of command lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import cast

import msgspec

from ..phrases import Phrase, counted_phrase, either_of, in_series, listed_phrases, words_of
from .dialect import Dialect
from .errors import CommandError
from .fields import Command, Field, Kind, Writing
from .reasons import REASONS
from .scalars import decode_time, plain_base64
from .suggestions import quoted_with_suggestion
from .versions import BASELINE

ID_LENGTH = 16
"""Maximum length in characters of a CmdID (spec 12)."""
_ID = re.compile(rf"[A-Za-z0-9]{{1,{ID_LENGTH}}}\Z", re.ASCII)
_LINE = re.compile(rb"C:([A-Za-z0-9]{1,20}):(.*)\Z", re.DOTALL)
_FORBIDDEN = {"\t": "TAB", "\n": "LF", "\r": "CR", "\0": "NUL"}
MOST_LISTED = 40
"""Values of a field that a mistake lists."""
_NEEDED_BY_FORMAT = {"0": "Content", "1": "Url"}
"""The parameter that holds a picture, by Format."""
_BASE64_FORM, _PLAIN_FORM = "1", "2"


class FileFacts(msgspec.Struct, frozen=True):
    """Facts about a file that a command tells a terminal to fetch (spec 12.8.2)."""

    url: str
    md5: str
    """MD5 of the file itself in hex, whichever form it is sent in."""
    size: int
    """Size in bytes of the file itself."""


def check_command(
    command: Command, params: Mapping[str, str], dialect: Dialect | None = None
) -> None:
    """Check a command before it is queued (spec 12), for a terminal if `dialect` is given.

    Raises `CommandError`, which names all parameters that are unknown, missing, out of bounds or
    too long, or contain a character that would end the value or the line.
    """
    name = command.name
    if dialect is not None and command.since > max(BASELINE, dialect.own_version):
        raise CommandError(
            Phrase(
                "%(name)s is of protocol %(since)s, and this terminal is of %(own_version)s; if "
                "it is newer than it says, set its version: `zkpush devices set SN version=2.4.1`",
                name=name,
                since=command.since,
                own_version=dialect.own_version,
            )
        )
    known = {field.wire: field for field in command.parameters}
    mistakes: list[object] = []
    strange = [key for key in params if key not in known]
    if strange:
        meant = listed_phrases([quoted_with_suggestion(key, known) for key in strange])
        mistakes.append(
            Phrase(
                "%(command)s has no parameter %(strange)s; it takes %(known)s",
                command=name,
                strange=meant,
                known=listed_phrases([*known]) if known else Phrase("no parameters"),
            )
        )
    for key, value in params.items():
        if key in known:
            try:
                encoding = "utf-8" if dialect is None else dialect.encoding
                text = value.replace("\t", " ") if command.writing is Writing.RAW else value
                _check_value(known[key], text, encoding)
            except CommandError as error:
                mistakes.append(words_of(error))
    mistakes += [
        Phrase(
            "%(command)s needs %(key)s: %(meaning)s",
            command=name,
            key=key,
            meaning=Phrase.made(field.meaning, {}),
        )
        for key, field in known.items()
        if field.required and key not in params
    ]
    if command.one_of and not any(params.get(key) for key in command.one_of):
        keys = either_of(command.one_of)
        mistakes.append(Phrase("%(command)s needs %(keys)s", command=name, keys=keys))
    if not mistakes:
        mistakes += _contradictions(command, params)
    if mistakes:
        raise CommandError(in_series(mistakes))


def _contradictions(command: Command, params: Mapping[str, str]) -> Iterator[Phrase]:
    """Find values that the terminal can only refuse, because of each other or because empty."""
    fields = {field.name: field for field in command.parameters}
    for key in command.bare:
        if params.get(key) == "":
            yield Phrase("%(key)s is empty", key=key)
    for field in command.parameters:
        text = params.get(field.wire)
        if field.kind is Kind.CARD and text and not (text.isdecimal() or text[0] == "["):
            yield Phrase(
                "%(key)s is neither a decimal number nor bytes in [ ], such as [15CD5B07]",
                key=field.wire,
            )
        if field.kind is not Kind.BASE64 or text is None:
            continue
        if field.required and not text:
            yield Phrase("%(key)s is empty", key=field.wire)
        size = params.get(fields["size"].wire) if "size" in fields else None
        lengths = (len(text), len(plain_base64(text.encode())))
        if text and size and int(size) not in lengths:
            yield counted_phrase(
                "Size is %(size)s, and %(key)s has %(num)s character; leave Size out",
                "Size is %(size)s, and %(key)s has %(num)s characters; leave Size out",
                lengths[0],
                size=size,
                key=field.wire,
            )
    begin, end = params.get("StartTime"), params.get("EndTime")
    if begin and end and decode_time(end) < decode_time(begin):
        yield Phrase("EndTime is before StartTime")
    if "Url" in command.one_of and params.get("Format") in _NEEDED_BY_FORMAT:
        needed = _NEEDED_BY_FORMAT[params["Format"]]
        if not params.get(needed):
            yield Phrase("Format=%(form)s needs %(key)s", form=params["Format"], key=needed)


def _check_value(field: Field, value: str, encoding: str) -> None:
    for character, called in _FORBIDDEN.items():
        if character in value:
            raise CommandError(
                Phrase(
                    "%(wire)s holds a %(called)s, which a value can never contain",
                    wire=field.wire,
                    called=called,
                )
            )
    try:
        value.encode("utf-8")
        length = len(value.encode(encoding))
    except UnicodeEncodeError:
        raise CommandError(Phrase("%(wire)s holds what is no character", wire=field.wire)) from None
    if field.most_bytes is not None and length > field.most_bytes:
        raise CommandError(
            counted_phrase(
                "%(wire)s has %(num)s byte in the terminal's encoding; at most %(most_bytes)s fit",
                "%(wire)s has %(num)s bytes in the terminal's encoding; at most %(most_bytes)s fit",
                length,
                wire=field.wire,
                most_bytes=field.most_bytes,
            )
        )
    if value or (field.required and (field.pattern or field.kind is not Kind.TEXT)):
        mistake = mistake_in(field, value)
        if mistake is not None:
            raise CommandError(mistake)


def mistake_in(field: Field, text: str) -> str | None:
    """Return the mistake in the text of a field, with its name; None if there is none."""
    try:
        field.decode(text)
    except ValueError as error:
        reason = _in_words(REASONS.phrase(words_of(error)), field)
        return reason if field.choices else with_values(reason, field)
    return None


def without_field(mistake: str) -> str:
    """Take the name on the wire off a mistake, which is shown beside its field."""
    if not isinstance(mistake, Phrase) or "reason" not in mistake.values:
        return mistake
    reason = cast("str", mistake.values["reason"])
    if mistake.text == "%(field)s: %(reason)s":
        return reason
    values = {**mistake.values, "reason": without_field(reason)}
    return Phrase.made(mistake.text, values, mistake.plural)


def _in_words(mistake: str, field: Field) -> str:
    """Say what a value should be in words of the field, which are translated."""
    if not isinstance(mistake, Phrase):
        return mistake
    values = dict(mistake.values)
    if "reason" in values:
        values["reason"] = _in_words(cast("str", values["reason"]), field)
    if "choices" in values:
        values["choices"] = _choices(field)
    if "form" in values:
        values["form"] = _form(field)
    return Phrase.made(mistake.text, values, mistake.plural)


def _form(field: Field) -> Phrase:
    """What matches the pattern of a field."""
    if field.form:
        return Phrase.made(field.form, {})
    meaning = Phrase.made(field.meaning, {})
    return Phrase("of the form %(pattern)s (%(meaning)s)", pattern=field.pattern, meaning=meaning)


def _choices(field: Field) -> Phrase:
    """The allowed values of a field, with their meanings."""
    words = field.coded_values()
    if not words:
        return Phrase(
            "%(value)s (%(meaning)s)",
            value=", ".join(map(str, field.choices)),
            meaning=Phrase.made(field.meaning, {}),
        )
    return listed_phrases(
        [
            Phrase("%(value)s (%(meaning)s)", value=text, meaning=Phrase.made(words[text], {}))
            if text in words
            else text
            for text in map(str, field.choices)
        ]
    )


def with_values(mistake: str, field: Field) -> str:
    """Add to a mistake the values of its field that have a meaning, if there are some, not many."""
    known = [
        Phrase("%(value)s (%(meaning)s)", value=text, meaning=Phrase.made(meaning, {}))
        for text, meaning in field.coded_values().items()
    ]
    if not known or len(known) > MOST_LISTED:
        return mistake
    return Phrase("%(reason)s, such as %(known)s", reason=mistake, known=listed_phrases(known))


def command_text(command: Command, params: Mapping[str, str], file: FileFacts | None = None) -> str:
    """The words and parameters of a validated command, in declared order.

    `file` is required for UPGRADE. Raises `CommandError` if it is missing, or if a bare value (spec
    12.5.2) is missing before another, which would take its place.
    """
    if command.writing is Writing.UPGRADE:
        return f"{command.name} {_upgrade(params, file)}"
    if command.writing is Writing.RAW:
        return params[command.parameters[0].wire]
    if command.writing is Writing.OPTION:
        key, value = (params[field.wire] for field in command.parameters)
        return f"{command.name} {key}={value}"
    given = [name for name in command.bare if name in params]
    for name, expected in zip(given, command.bare, strict=False):
        if name != expected:
            raise CommandError(
                Phrase(
                    "%(expected)s: is missing, and %(name)s stands behind it",
                    expected=expected,
                    name=name,
                )
            )
    parts = [params[name] for name in given]
    for field in command.parameters:
        completed = _completed(command, field, params)
        if completed is not None and field.wire not in command.bare:
            parts.append(f"{field.wire}={completed}")
    return f"{command.name} " + "\t".join(parts) if parts else command.name


def _completed(command: Command, field: Field, params: Mapping[str, str]) -> str | None:
    """The value to send for a parameter; the size of base64 data is computed (spec 12.1.1.3)."""
    given = params.get(field.wire)
    if given is not None or field.name != "size":
        return given
    for sized in command.parameters:
        if sized.kind is Kind.BASE64 and params.get(sized.wire):
            return str(len(params[sized.wire]))
    return None


def _upgrade(params: Mapping[str, str], file: FileFacts | None) -> str:
    """The UPGRADE parameters of a file (spec 12.8.2); form 1 sends it as base64."""
    if file is None:
        raise CommandError(Phrase("UPGRADE needs a file of this server"))
    if params["form"] == _BASE64_FORM:
        text = f"checksum={file.md5},url={file.url},size={file.size}"
    else:
        text = f"type=1,checksum={file.md5},size={file.size},url={file.url}"
    in_parts = params.get("supportsubcontracting")
    return text if in_parts is None else f"{text},supportsubcontracting={in_parts}"


def encode_command(command_id: str, text: str, encoding: str) -> bytes:
    """Encode one line of a reply to a poll: `C:<CmdID>:<text>` LF.

    The LF is required, because firmware drops an unterminated last command. Characters outside the
    terminal's encoding become `?`. Raises `CommandError` if the line would not be exactly one
    command.
    """
    if not _ID.match(command_id):
        raise CommandError("a CmdID is 1 to 16 letters and digits")
    if any(character in text for character in "\n\r\0"):
        raise CommandError(Phrase("a command is one line"))
    return f"C:{command_id}:".encode() + text.encode(encoding, "replace") + b"\n"


def decode_commands(body: bytes) -> list[tuple[str, bytes]]:
    """Decode the reply to a poll as a terminal does: `(CmdID, text)` pairs, none for `OK`.

    Raises `ValueError` for a line that is not a command, or a last line without LF.
    """
    if body == b"OK":
        return []
    *lines, rest = body.split(b"\n")
    if rest:
        raise ValueError("the last command does not end with LF, so a terminal would drop it")
    commands = []
    for line in lines:
        found = _LINE.match(line)
        if found is None:
            raise ValueError(f"{line[:40]!r} is not a command")
        commands.append((found[1].decode(), found[2]))
    return commands


def parse_parameters(command: Command, text: str) -> dict[str, str]:
    """Parse the text after the words of a command; the inverse of `command_text`."""
    if not text:
        return {}
    if command.writing is Writing.OPTION:
        key, _, value = text.partition("=")
        return {"key": key, "value": value}
    params: dict[str, str] = {}
    parts = text.split("," if command.writing is Writing.UPGRADE else "\t")
    bare = list(command.bare)
    known = {field.wire.lower(): field.wire for field in command.parameters}
    for part in parts:
        key, equals, value = part.partition("=")
        name = known.get(key.lower(), key)
        if bare and (not equals or name in command.bare or name not in known.values()):
            params[bare.pop(0)] = part
        else:
            params[name] = value
    return params
