"""Commands and parameters that a site defines, for firmware with more than the protocol."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from ..protocol.catalogue import Catalogue
from ..protocol.fields import Command, Field, Kind, Scope
from ..protocol.parameters import DAY
from ..settings.sitecommands import AddedParameter, SiteCommand, SiteParameter

SECTION = "site"
"""The section of commands that a site defines."""


def with_site_commands(
    catalogue: Catalogue, commands: Sequence[SiteCommand], added: Sequence[AddedParameter]
) -> Catalogue:
    """Return a catalogue with the commands and parameters of a site.

    Raises `ValueError`, which names the key, for a name that exists, a command that does not, or a
    pattern that is no regular expression.
    """
    if not commands and not added:
        return catalogue
    known = {command.name: command for command in catalogue}
    every = list(catalogue)
    for one in added:
        where = f"commands.site_parameters: {one.command}"
        command = known.get(one.command)
        if command is None:
            raise ValueError(f"{where} is not a command")
        changed = _with_parameter(command, one, where)
        every[every.index(command)] = known[one.command] = changed
    for new in commands:
        if new.name.upper() in {name.upper() for name in known}:
            raise ValueError(f"commands.site: there is a command {new.name} already")
        command = Command(
            name=new.name,
            section=SECTION,
            reply=new.name,
            meaning=new.meaning,
            scope=Scope(new.scope),
            is_repeatable=new.repeatable,
            wait_seconds=new.wait_seconds or DAY,
        )
        for parameter in new.parameters:
            command = _with_parameter(command, parameter, f"commands.site: {new.name}")
        known[new.name] = command
        every.append(command)
    return Catalogue(every)


def _with_parameter(command: Command, parameter: SiteParameter, where: str) -> Command:
    """Return a command with one more parameter."""
    names = {field.wire.upper() for field in command.parameters}
    if parameter.name.upper() in names:
        raise ValueError(f"{where} has a parameter {parameter.name} already")
    if parameter.pattern is not None:
        try:
            re.compile(parameter.pattern)
        except re.error as error:
            raise ValueError(f"{where}: the pattern of {parameter.name}: {error}") from None
    kind = Kind[parameter.kind.upper()]
    field = Field(
        wire=parameter.name,
        name=parameter.name,
        meaning=parameter.meaning,
        kind=kind,
        required=parameter.required,
        minimum=parameter.minimum,
        maximum=parameter.maximum,
        pattern=parameter.pattern,
        secret=None if parameter.secret == "none" else Scope(parameter.secret),  # noqa: S105
        holds_template=kind is Kind.BASE64,
    )
    return msgspec.structs.replace(command, parameters=(*command.parameters, field))
