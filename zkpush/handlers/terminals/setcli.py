"""`zkpush devices set`: change attributes and options of a terminal."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from ...attributes import DeclaredAttribute
from ...cli.areas import known_areas, note_new_areas
from ...cli.arguments import pairs, serial
from ...cli.groups import LeafCommand
from ...cli.output import echo
from ...cli.running import with_api
from ...model import DEVICE_ATTRIBUTES
from ...protocol.exchange import OPTION_REPLY
from ...protocol.suggestions import did_you_mean

if TYPE_CHECKING:
    from ...cli.client import Api

_OWN = {
    one.name: one
    for one in DEVICE_ATTRIBUTES.values()
    if one.own.is_changeable and one.own.body is None
}
"""Keys stored by the server; every other key is an option sent to the terminal."""
_SECRET = "secret"  # noqa: S105 - the name of a key
_OPTIONS = {field.wire.lower(): field.wire for field in OPTION_REPLY.fields if field.stored}


def _lines(meanings: Iterable[tuple[str, str]]) -> str:
    """List keys with their meanings, in lines for a help text."""
    pairs = [*meanings]
    width = max(len(name) for name, _ in pairs) + 2
    return "\n".join(
        textwrap.fill(
            meaning,
            78,
            initial_indent=f"  {name:<{width}}",
            subsequent_indent=" " * (width + 2),
            break_on_hyphens=False,
        )
        for name, meaning in pairs
    )


def _set_help() -> str:
    """Return the help of `devices set`, with a line for each key."""
    lines = [(name, one.own.meaning) for name, one in _OWN.items()]
    lines.append((_SECRET, "@FILE with the secret that the cipher suite needs"))
    keys = _lines(lines)
    options = _lines((field.wire, field.meaning) for field in OPTION_REPLY.fields if field.stored)
    return f"""Change attributes and options of a terminal.

`KEY=` without a value removes the value.

\b
KEY is one of:
{keys}

Any other KEY is an option of the protocol that this terminal receives instead of the general
one, such as Delay=5 or TransFlag=digits.

\b
Options of the protocol:
{options}

\b
Example:
  zkpush devices set 3434174801234 alias='Front door' timezone=Europe/Berlin
"""


def _known_pairs(
    context: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Split each `KEY=VALUE`; a usage error names all unknown keys, and what was meant."""
    given = pairs(context, param, values)
    keys = [*_OWN, _SECRET, *_OPTIONS.values()]
    unknown = [key for key in given if key not in keys and key.lower() not in _OPTIONS]
    if unknown:
        meant = [
            f"{key!r}{f' ({words})' if (words := did_you_mean(key, keys)) else ''}"
            for key in unknown
        ]
        raise click.BadParameter(
            f"There is no key {', '.join(meant)}. The keys are {', '.join(keys)}.", context, param
        )
    return given


def _complete_key(
    context: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete a key; the meaning of each is its help. After `=`, complete its choices."""
    key, equals, start = incomplete.partition("=")
    if equals:
        choices = _OWN[key].choices if key in _OWN else ()
        return [CompletionItem(f"{key}={one}") for one in choices if one.startswith(start)]
    meanings = {name: one.own.meaning for name, one in _OWN.items()}
    meanings |= {_SECRET: "@FILE with the secret that the cipher suite needs"}
    meanings |= {field.wire: field.meaning for field in OPTION_REPLY.fields if field.stored}
    return [
        CompletionItem(f"{name}=", help=meaning)
        for name, meaning in meanings.items()
        if name.lower().startswith(incomplete.lower())
    ]


@click.command(
    "set",
    cls=LeafCommand,
    help=_set_help(),
    short_help="Change attributes and options of a terminal.",
)
@serial
@click.argument(
    "values",
    metavar="KEY=VALUE...",
    nargs=-1,
    required=True,
    callback=_known_pairs,
    shell_complete=_complete_key,
)
@with_api
async def set_(api: Api, sn: str, values: dict[str, str]) -> None:
    """Change attributes and options of a terminal."""
    change: dict[str, object] = {}
    told: dict[str, str] = {}
    for key, value in values.items():
        own = _OWN.get(key)
        if own is not None:
            change[key] = _own_value(own, value)
        elif key == _SECRET:
            change[key] = _secret(value)
        else:
            told[key] = value
    if told:
        change["settings"] = {name: value or None for name, value in told.items()}
    areas = [str(area)] if (area := change.get("area")) else []
    known = await known_areas(api) if areas else None
    await api.send("PATCH", "devices", sn, body=change)
    echo(f"{sn} is changed.")
    note_new_areas(areas, known)


def _own_value(own: DeclaredAttribute, text: str) -> object:
    """Parse the value of an attribute; an empty one removes it, if it is removable."""
    if text or own.is_json:
        try:
            return own.parse(text)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    if own.is_optional:
        return None
    *others, last = own.choices or [f"another value, such as {own.name}={own.own.example}"]
    values = f"{', '.join(others)} or {last}" if others else last
    raise click.UsageError(f"{own.name} cannot be removed; set it to {values}.")


def _secret(value: str) -> str | None:
    """Return the content of a file in base64; the secret itself must not be on the command line."""
    if not value:
        return None
    if not value.startswith("@"):
        raise click.UsageError("Put the secret into a file, and give secret=@FILE.")
    try:
        return base64.b64encode(Path(value[1:]).read_bytes()).decode()
    except OSError as error:
        raise click.UsageError(f"{value[1:]} cannot be read: {error.strerror}.") from None
