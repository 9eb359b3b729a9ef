"""Arguments shared by several commands."""

from __future__ import annotations

import datetime
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from ..protocol.errors import TerminalError
from ..protocol.serials import check_serial
from . import completion


def serial_number(context: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Check a serial number, so that a typing error is not reported as an unknown terminal."""
    try:
        return None if value is None else check_serial(value)
    except TerminalError as error:
        raise click.BadParameter(str(error), context, param) from None


def pairs(context: click.Context, param: click.Parameter, values: Iterable[str]) -> dict[str, str]:
    """Split each `KEY=VALUE` at its first `=`. A repeated key is a usage error."""
    split: dict[str, str] = {}
    for text in values:
        key, equals, value = text.partition("=")
        if not key or not equals:
            hint = (
                " Quote a command of several words: 'DATA UPDATE USERINFO'."
                if text.isupper() and text.isalpha()
                else ""
            )
            raise click.BadParameter(f"{text!r} is not KEY=VALUE.{hint}", context, param)
        if key in split:
            raise click.BadParameter(f"{key} is given twice.", context, param)
        split[key] = value
    return split


_DURATION = re.compile(r"([1-9][0-9]{0,8})([smhd]?)\Z", re.ASCII)
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 24 * 3600}


def duration(context: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Read a duration such as `60s`, `5m`, `2h` or `1d`; return seconds."""
    if value is None:
        return None
    found = _DURATION.match(value)
    if found is None:
        raise click.BadParameter(f"{value!r} is not a duration such as 60s, 5m, 2h or 1d.")
    return int(found[1]) * _UNITS[found[2]]


def day(context: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Check a day such as `2026-03-01`."""
    try:
        return None if value is None else str(datetime.date.fromisoformat(value))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a day such as 2026-03-01.") from None


class ListedNumber(click.ParamType[int]):
    """The number of something that a command lists, from 1."""

    name = "number"

    def __init__(self, listed_by: str) -> None:
        """`listed_by` is the command without `zkpush`, such as `rejects list`."""
        self._listed_by = listed_by

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Read a number; other text is a usage error that names the list."""
        text = str(value)
        if not (text.isascii() and text.isdigit() and int(text) > 0):
            self.fail(f"{text[:40]!r} is not a number. See: zkpush {self._listed_by}", param, ctx)
        return int(text)


serial = click.argument(
    "sn", metavar="SN", callback=serial_number, shell_complete=completion.serial_numbers
)
of_device = click.option(
    "--device",
    metavar="SN",
    callback=serial_number,
    shell_complete=completion.serial_numbers,
    help="Only of this terminal.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def contents(file: Path) -> bytes:
    """Read a file, or stdin for `-`."""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise click.ClickException(f"Cannot read {file}: {error.strerror}.") from None


first = click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Print the first N.")
"""Limit of a list that is not in the order of time; see `records.list_options` for others."""
