"""`zkpush conflicts`: terminals that contradict the stored data of a user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...cli import completion
from ...cli.arguments import ListedNumber
from ...cli.groups import OLDEST_FIRST, ListCommand, WordGroup
from ...cli.output import echo
from ...cli.records import ListForm, list_options, print_records
from ...cli.running import with_api
from ...cli.tables import Column
from ...cli.times import shown_instant
from .userfields import fields_of
from .words import WORDS

if TYPE_CHECKING:
    from ...cli.client import Api


def _stored_side(sides: list[dict[str, Any]]) -> str:
    """Show the stored values of a conflict, each with its author."""
    return "; ".join(_side(side) for side in sides[:-1])


def _terminal_side(sides: list[dict[str, Any]]) -> str:
    """Show what the terminal says."""
    return _side(sides[-1])


def _side(side: dict[str, Any]) -> str:
    values = ", ".join(f"{name}={value}" for name, value in side["fields"].items())
    return f"{values} ({side['author']})"


_CONFLICTS = (
    Column("ID", "id"),
    Column("PIN", "pin"),
    Column("Since", "at", shown_instant),
    Column("Stored", "sides", _stored_side, wraps=True),
    Column("Terminal says", "sides", _terminal_side, wraps=True),
)


conflicts = WordGroup("conflicts", help=WORDS["conflicts"])


@conflicts.command("list", cls=ListCommand, order=OLDEST_FIRST)
@click.option("--pin", metavar="PIN", help="Only about this user.")
@list_options
@with_api
async def list_conflicts(api: Api, pin: str | None, form: ListForm) -> None:
    """List open conflicts: what is stored, and what a terminal says instead.

    \b
    Example:
      zkpush conflicts list
    """
    await print_records(
        api,
        "conflicts",
        form=form,
        columns=_CONFLICTS,
        filters={"pin": pin},
        pin=pin,
        empty="No conflicts found.",
    )


@conflicts.command()
@click.argument(
    "id",
    type=ListedNumber("conflicts list"),
    metavar="ID",
    shell_complete=completion.names_of("conflicts", "id"),
)
@click.argument("pairs", metavar="[FIELD=VALUE]...", nargs=-1)
@click.option("--keep", type=click.Choice(["stored", "terminal"]), help="Keep this side.")
@with_api
async def settle(api: Api, id: int, pairs: tuple[str, ...], keep: str | None) -> None:
    """Settle the conflict ID: keep one side, or give the right values.

    FIELD is a field of `zkpush users put`, such as name, card or privilege. What you choose is not
    overwritten by a terminal. If the user ID belongs to two people, first delete the user at the
    terminal, and enrol the person there under another user ID. Then keep what is stored.

    \b
    Examples:
      zkpush conflicts settle 3 --keep stored
      zkpush conflicts settle 3 name='Ann Lee' card=4712
    """
    if (keep is None) == (not pairs):
        raise click.UsageError(
            "Say what is right: --keep stored, --keep terminal, or the values as field=value. "
            f"`zkpush conflicts list` shows both sides of {id}."
        )
    body = {"keep": keep} if keep is not None else {"fields": fields_of(pairs)}
    user = await api.send("POST", "conflicts", str(id), body=body)
    kept = {"stored": "the stored values stay", "terminal": "those of the terminal are taken"}
    done = kept.get(keep or "", "the values that you gave are taken")
    echo(f"The conflict {id} of user {user['pin']} is settled: {done}.")
