"""`zkpush conflicts`: terminals that contradict the stored data of a user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...cli import completion
from ...cli.arguments import ListedNumber
from ...cli.groups import OLDEST_FIRST, ListCommand, WordGroup
from ...cli.onlyone import number_of
from ...cli.output import echo
from ...cli.records import ListForm, list_options, print_records
from ...cli.running import with_api
from ...cli.tables import Column
from ...cli.times import shown_instant
from ...counting import counted
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


def _words_of(conflict: dict[str, Any]) -> str:
    sides = conflict["sides"]
    return f"user {conflict['pin']}, {_stored_side(sides)}, or {_terminal_side(sides)}"


_CONFLICTS = (
    Column("ID", "id"),
    Column("PIN", "pin"),
    Column("Since", "at", shown_instant),
    Column("Stored", "sides", _stored_side, wraps=True),
    Column("Terminal says", "sides", _terminal_side, wraps=True),
)


_OWNERS = ["person", "other", "later"]
_CLAIMS = (
    Column("ID", "id"),
    Column("PIN", "pin"),
    Column("Device", "device"),
    Column("Has, or had", "name", wraps=True),
    Column("Received since", "since", shown_instant),
    Column("Until", "until", shown_instant),
    Column("Punches", "punches"),
    Column("Whose", "owner"),
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
    metavar="[ID]",
    required=False,
    shell_complete=completion.names_of("conflicts", "id"),
)
@click.argument("pairs", metavar="[FIELD=VALUE]...", nargs=-1)
@click.option("--keep", type=click.Choice(["stored", "terminal"]), help="Keep this side.")
@click.option(
    "--punches",
    type=click.Choice(_OWNERS),
    help="Whose the doubtful punches are: the stored person's or the other one's; see "
    "`zkpush conflicts punches`.",
)
@click.option(
    "--one-person",
    is_flag=True,
    help="It is one person, whose name is wrong here or at the terminal.",
)
@with_api
async def settle(
    api: Api,
    id: int | None,
    pairs: tuple[str, ...],
    keep: str | None,
    punches: str | None,
    one_person: bool,
) -> None:
    """Settle the conflict ID: keep one side, or give the right values.

    FIELD is a field of `zkpush users put`, such as name, card or privilege. What you choose is not
    overwritten by a terminal.

    Is it one person, and a name is wrong? Then give --one-person with the side that has the right
    name: templates and punches of the terminal are the person's. An area that distributes sends the
    terminal the right name; elsewhere correct it at the terminal.

    Does the user ID belong to two people? First delete the user at the terminal, and enrol the
    person there under another user ID. Then keep what is stored.

    The ID can be left out with --keep if there is only one conflict.

    \b
    Examples:
      zkpush conflicts settle 3 --keep stored --one-person
      zkpush conflicts settle 3 --keep stored --punches other
      zkpush conflicts settle 3 name='Ann Lee' card=4712
    """
    if (keep is None) == (not pairs):
        raise click.UsageError(
            "Say what is right: --keep stored, --keep terminal, or the values as field=value. "
            "`zkpush conflicts list` shows both sides."
        )
    id = await number_of(api, id, "conflict", "conflicts", words_of=_words_of)
    body: dict[str, Any] = {"keep": keep} if keep is not None else {"fields": fields_of(pairs)}
    if punches is not None:
        body["punches"] = punches
    if one_person:
        body["one_person"] = True
    user = await api.send("POST", "conflicts", str(id), body=body)
    kept = {"stored": "the stored values stay", "terminal": "those of the terminal are taken"}
    done = kept.get(keep or "", "the values that you gave are taken")
    echo(f"The conflict {id} of user {user['pin']} is settled: {done}.")


@conflicts.command("punches", cls=ListCommand, order=OLDEST_FIRST)
@click.option("--pin", metavar="PIN", help="Only of this user ID.")
@click.option("--undecided", is_flag=True, help="Only those about which nobody has decided.")
@list_options
@with_api
async def list_punches(api: Api, pin: str | None, undecided: bool, form: ListForm) -> None:
    """List punches that came from terminals while they had somebody else under the user ID.

    They are doubtful until somebody decides whose they are, also after the conflict is settled.

    \b
    Example:
      zkpush conflicts punches --undecided
    """
    await print_records(
        api,
        "conflicts",
        "punches",
        form=form,
        columns=_CLAIMS,
        filters={"pin": pin, "undecided": "true" if undecided else None},
        pin=pin,
        empty="No such punches found.",
    )


@conflicts.command()
@click.argument(
    "id",
    type=ListedNumber("conflicts punches"),
    metavar="ID",
    shell_complete=completion.names_of("conflicts/punches", "id"),
)
@click.argument("owner", metavar="person|other|later", type=click.Choice(_OWNERS))
@click.option(
    "--one-person",
    is_flag=True,
    help="With person: the terminal has the stored person, under another name.",
)
@with_api
async def decide(api: Api, id: int, owner: str, one_person: bool) -> None:
    """Decide whose the punches ID are; the decision can be changed.

    person: the stored person's. other: those of whom the terminal had; they stay stored, and the
    console does not count them. later: they are doubtful again. With --one-person, the terminal has
    nobody else any more; other and later take that back.

    \b
    Examples:
      zkpush conflicts decide 3 other
      zkpush conflicts decide 3 person --one-person
    """
    body: dict[str, Any] = {"owner": owner}
    if one_person:
        body["one_person"] = True
    found = await api.send("POST", "conflicts", "punches", str(id), body=body)
    words = counted(found["punches"], "punch is", "punches are")
    whose = {
        "person": f"user {found['pin']}'s",
        "other": f"those of {found['name'] or 'somebody else'}",
        "later": "doubtful",
    }
    echo(f"{words} {whose[owner]}.")


async def of_others(api: Api, pin: str) -> str:
    """Say how many punches are, or may be, other people's, with the names of these."""
    told = []
    async for page in api.pages("conflicts", "punches", filters={"pin": pin}):
        for one in page.items:
            if one["owner"] != "person":
                words = counted(one["punches"], "punch", "punches")
                told.append(f"{words} of {one['name'] or 'somebody else'} at {one['device']}")
    return ", ".join(told) or "those of other people, of whom there are none"
