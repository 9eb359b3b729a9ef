"""`zkpush commands catalogue`: the commands for terminals and their parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...cli import completion
from ...cli.arguments import as_json
from ...cli.groups import LeafCommand, ListCommand
from ...cli.output import echo, print_json, print_list, print_pairs
from ...cli.replies import Item
from ...cli.running import with_api
from ...cli.tables import Column, ListTable
from ...protocol.suggestions import did_you_mean

if TYPE_CHECKING:
    from ...cli.client import Api


_MORE = (
    "The configuration of the server may add commands and parameters (commands.site, "
    "commands.site_parameters): `zkpush commands catalogue` lists them, too."
)


class ListingCommand(LeafCommand):
    """Click command whose help ends with the catalogue of commands for terminals."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the catalogue of the installed capabilities."""
        from ...declarations import declarations

        known = declarations().catalogue.commands
        widest = max(len(command.name) for command in known)
        lines = [f"  {command.name:<{widest}}  {command.meaning}" for command in known]
        self.epilog = "\n".join(["\b", "Commands:", *lines, "", _MORE])
        super().format_epilog(ctx, formatter)


@click.command(
    cls=ListCommand, order="by terminal family, section of the specification and version"
)
@click.argument(
    "command",
    metavar="[COMMAND]",
    required=False,
    shell_complete=completion.commands,
)
@as_json
@with_api
async def catalogue(api: Api, command: str | None, as_json: bool) -> None:
    """List all commands with their parameters, or explain the parameters of COMMAND.

    Those of the site are included. In the list, `*` marks a required parameter.

    \b
    Examples:
      zkpush commands catalogue
      zkpush commands catalogue 'DATA UPDATE USERINFO'
    """
    if command is None:
        await print_list(
            api.pages("commands", "catalogue"),
            (
                Column("Command", "command"),
                Column("Scope", "scope"),
                Column("Parameters", "params", _parameters, wraps=True),
                Column("Meaning", "meaning", wraps=True),
            ),
            as_json=as_json,
            empty="There are no commands.",
        )
        return
    entries = [item async for page in api.pages("commands", "catalogue") for item in page.items]
    found = [one for one in entries if one["command"].upper() == command.upper()]
    if not found:
        meant = did_you_mean(command, [one["command"] for one in entries])
        hint = meant[:1].upper() + meant[1:] or "`zkpush commands catalogue` lists the commands."
        raise click.ClickException(f"There is no command {command!r}. {hint}")
    if as_json:
        print_json(found)
        return
    for entry in found:
        _explain(entry)


def _explain(entry: Item) -> None:
    """Print a command with its parameters."""
    scopes = [entry["scope"], *(f"{one['scope']} {one['meaning']}" for one in entry["more_scopes"])]
    print_pairs(
        {
            "command": entry["command"],
            "meaning": entry["meaning"],
            "section": entry["section"],
            "scope": scopes,
            "needs": f"one of {', '.join(entry['one_of'])}" if entry["one_of"] else "",
            "unanswered": "sent again" if entry["repeatable"] else "ends as unknown",
        }
    )
    if not entry["params"]:
        echo("\nIt has no parameters.")
        return
    echo("")
    table = ListTable(
        (
            Column("Parameter", "name"),
            Column("Required", "required"),
            Column("Value", "value", wraps=True),
            Column("Meaning", "meaning", wraps=True),
        )
    )
    table.print({**param, "value": _value(param)} for param in entry["params"])
    for param in entry["params"]:
        if param["values"]:
            echo(f"\n{param['name']} is one of:")
            print_pairs({f"  {value}": meaning for value, meaning in param["values"].items()})


def _value(param: Item) -> str:
    """Describe the values that a parameter takes."""
    if param["values"]:
        return f"{param['format']}, see below"
    if param["choices"]:
        return f"one of {', '.join(map(str, param['choices']))}"
    words = [param["form"] or param["format"]]
    words += [
        f"{title} {param[key]}"
        for title, key in (("from", "minimum"), ("to", "maximum"))
        if param[key] is not None
    ]
    if param["most_bytes"] is not None:
        words.append(f"of at most {param['most_bytes']} bytes")
    return " ".join(words)


def _parameters(params: list[Item]) -> str:
    """Names of the parameters; `*` marks the required ones."""
    return " ".join(param["name"] + ("*" if param["required"] else "") for param in params)
