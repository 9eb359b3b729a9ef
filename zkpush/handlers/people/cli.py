"""`zkpush users`: people on the terminals."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import click

from ...cli import completion
from ...cli.areas import known_areas, note_new_areas
from ...cli.arguments import as_json, first, serial_number
from ...cli.codewords import CodeParam, in_words
from ...cli.confirming import confirm, yes
from ...cli.groups import OLDEST_FIRST, ListCommand, WordGroup
from ...cli.names import former_name, note_reuse
from ...cli.output import echo, print_list, print_object
from ...cli.records import ListForm, list_options, print_records
from ...cli.replies import ApiFailure
from ...cli.running import with_api
from ...cli.tables import Column
from ...cli.times import shown_instant
from ...counting import counted
from ...protocol.codes import Privilege
from .conflictcli import conflicts, of_others
from .enrolcli import enrol, photo
from .filecli import export, import_
from .userfields import fields_of
from .words import WORDS

if TYPE_CHECKING:
    from ...cli.client import Api

__all__ = ["conflicts", "users"]

_COLUMNS = (
    Column("PIN", "pin"),
    Column("Name", "name", wraps=True),
    Column("Privilege", "privilege_meaning", wraps=True),
    Column("Card", "card"),
    Column("Templates", "templates", lambda counts: sum(counts.values())),
    Column("Photo", "has_photo", is_spare=True),
    Column("Areas", "areas", lambda areas: ", ".join(areas), is_spare=True),
    Column("Terminal", "device"),
)
_CHANGES = (
    Column("Changed", "at", shown_instant),
    Column("Field", "field"),
    Column("Old", "old", wraps=True),
    Column("New", "new", wraps=True),
    Column("Author", "author"),
)


users = WordGroup(
    "users",
    help=WORDS["users"],
    of_nouns={
        "places": "zkpush.handlers.areas.placescli",
        "send": "zkpush.handlers.areas.sendingcli",
    },
)
users.add_command(enrol)
users.add_command(photo)
users.add_command(export)
users.add_command(import_)


@users.command("list", cls=ListCommand, order="the first seen first")
@click.argument("search", metavar="[TEXT]", required=False)
@click.option("--name", metavar="WORDS", help="Only names with these words, in any case.")
@click.option("--card", metavar="NUMBER", help="Only the holder of this card.")
@click.option("--area", metavar="NAME", help="Only people of this area.")
@click.option(
    "--device",
    metavar="SN",
    callback=serial_number,
    shell_complete=completion.serial_numbers,
    help="Only users who were on this terminal when it last reported.",
)
@click.option(
    "--privilege",
    type=CodeParam(Privilege),
    metavar="N",
    help=f"Only this privilege, as a number or in words: {in_words(Privilege)}.",
)
@click.option(
    "--templates/--no-templates",
    "has_templates",
    default=None,
    help="Only users with templates, or only those without.",
)
@click.option(
    "--photo/--no-photo",
    "has_photo",
    default=None,
    help="Only users with a photo, or only those without.",
)
@first
@as_json
@with_api
async def list_(
    api: Api,
    search: str | None,
    name: str | None,
    card: str | None,
    area: str | None,
    device: str | None,
    privilege: int | None,
    has_templates: bool | None,
    has_photo: bool | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """List the users of all terminals, or search for some.

    TEXT is the beginning of a user ID, part of a name, or a card number. The column Terminal names
    the terminal that reported a user first.

    \b
    Examples:
      zkpush users list --limit 20
      zkpush users list 'ann lee'
      zkpush users list --area North --no-templates
    """
    wanted: dict[str, object] = {
        "search": search,
        "name": name,
        "card": card,
        "area": area,
        "device": device,
        "privilege": privilege,
        "has_templates": has_templates,
        "has_photo": has_photo,
    }
    filters = {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in wanted.items()
        if value is not None
    }
    empty = "There are no users yet. Terminals upload theirs on their own."
    if filters:
        empty = "No users found."
    pages = api.pages("users", limit=limit, filters=filters)
    await print_list(pages, _COLUMNS, as_json=as_json, empty=empty)


@users.command()
@click.argument("pin", metavar="PIN")
@as_json
@with_api
async def show(api: Api, pin: str, as_json: bool) -> None:
    """Show the details of the user with the user ID PIN.

    The password needs the scope `biometrics`.

    \b
    Example:
      zkpush users show 7
    """
    print_object(await api.get("users", pin), as_json=as_json)


@users.command()
@click.argument("pin", metavar="PIN")
@click.argument("pairs", metavar="FIELD=VALUE...", nargs=-1, required=True)
@click.option("--ask", is_flag=True, help="Ask for the password, so that no history keeps it.")
@as_json
@with_api
async def put(api: Api, pin: str, pairs: tuple[str, ...], ask: bool, as_json: bool) -> None:
    """Add the user PIN, or change fields of this user.

    An empty value empties a field. What you set is not overwritten by a terminal.

    \b
    FIELD is one of:
      name            name on the screen of the terminal
      privilege       0 user, 2 registrar, 6 administrator, 10 user-defined,
                      14 super administrator; the number or the words
      card            number of the card
      vice_card       number of a second card
      group           group of access control, from 1
      timezones       16 digits: 0000 for the time periods of the group or 0001
                      for own ones, then three periods, such as 0001000500000000
      verify          verification mode, a number of Appendix 7 of the protocol;
                      -1: that of the group, 0: any
      start_datetime  beginning of the validity, such as 2026-03-01 00:00:00
      end_datetime    its end
      expires         rule by which the validity ends, 0 (never) to 3
      areas           names of areas, separated by commas
      password        for the terminal; better with --ask, so that no shell keeps it

    --ask asks for the password.

    \b
    Examples:
      zkpush users put 7 name='Ann Lee' card=4711 areas=North,South
      zkpush users put 7 privilege=14
    """
    body = fields_of(pairs)
    if ask:
        body["password"] = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    known = await known_areas(api) if body.get("areas") else None
    former = await former_name(api, pin)
    try:
        user = await api.send("PUT", "users", pin, body=body)
    except ApiFailure as failure:
        if failure.status == HTTPStatus.BAD_REQUEST:  # as other commands that are given values
            raise click.UsageError(failure.message) from None
        raise
    note_reuse(pin, user["name"], former)
    if as_json:
        print_object(user, as_json=True)
    else:
        echo(f"User {pin} is stored: {user['name'] or 'without a name'}.")
    note_new_areas(user["areas"], known)


@users.command()
@click.argument("pin", metavar="PIN")
@click.option("--from", "device", metavar="SN", help="Only delete the user from this terminal.")
@click.option("--terminals", is_flag=True, help="Delete the user from the terminals, too.")
@yes
@with_api
async def delete(api: Api, pin: str, device: str | None, terminals: bool, yes: bool) -> None:
    """Remove the user PIN, with templates and photos.

    Terminals that still have the user are listed; they do not add the user again.
    Past attendance keeps the user ID and the name; only `zkpush users erase` takes the name away.
    To delete the user from terminals too, use --terminals, or --from for one of them later.

    \b
    Examples:
      zkpush users delete 7
      zkpush users delete 7 --terminals
      zkpush users delete 7 --from 3434174801234
    """
    if device is not None and terminals:
        raise click.UsageError("--from and --terminals exclude each other.")
    if device is not None:
        is_known = True
        with suppress(ApiFailure):  # a removed user, or a token that may only write
            places = api.pages("users", pin, "places")
            is_known = device in [one["device"] async for page in places for one in page.items]
        queued = await api.send("DELETE", "devices", device, "users", pin)
        echo(f"{counted(len(queued['items']), 'command')} queued for {device}.")
        if not is_known:
            echo(f"User {pin} is not known to be on {device}.", err=True)
        return
    where = ", also from terminals" if terminals else ""
    confirm(f"Remove user {pin}, with templates and photos{where}?", yes=yes)
    query = {"terminals": "true"} if terminals else None
    removed = await api.send("DELETE", "users", pin, query=query)
    echo(f"User {pin} is removed.")
    told = list(dict.fromkeys(one["device"] for one in removed["commands"]))
    if told:
        echo(f"{counted(len(told), 'terminal is', 'terminals are')} told: {', '.join(told)}")
    left = [sn for sn in removed["devices"] if sn not in told]
    if left:
        echo(f"These terminals still have the user: {', '.join(left)}")
    if left and not terminals:
        echo(f"Delete there, unless their areas distribute: zkpush users delete {pin} --from SN")


@users.command()
@click.argument("pin", metavar="PIN")
@click.option("--attendance", is_flag=True, help="Remove the attendance records as well.")
@click.option(
    "--others",
    is_flag=True,
    help="With --attendance, also those of others; see `zkpush conflicts punches`.",
)
@yes
@with_api
async def erase(api: Api, pin: str, attendance: bool, others: bool, yes: bool) -> None:
    """Remove the user PIN everywhere: here, from terminals, from queued commands.

    Templates, photos and attendance photos are deleted. Attendance records stay under the user ID,
    without a name, unless --attendance is given. This cannot be undone. Needs the scope dangerous.

    \b
    Example:
      zkpush users erase 7
    """
    if others and not attendance:
        raise click.UsageError("--others needs --attendance.")
    what = "and all attendance records " if attendance else ""
    what += f"(also {await of_others(api, pin)}) " if others and not yes else ""
    confirm(f"Erase user {pin} {what}for ever?", yes=yes)
    given = {"erase": True, "attendance": attendance, "others": others}
    query = {name: "true" for name, is_given in given.items() if is_given}
    erased = await api.send("DELETE", "users", pin, query=query)
    echo(f"User {pin} is erased here.")
    if erased["commands"]:
        names = ", ".join(erased["devices"])
        queued = counted(len(erased["commands"]), "command that deletes", "commands that delete")
        echo(f"Queued: {queued} the user from {names}.")


@users.command(cls=ListCommand, order=OLDEST_FIRST)
@click.argument("pin", metavar="PIN")
@partial(list_options, has_csv=False)
@with_api
async def history(api: Api, pin: str, form: ListForm) -> None:
    """List the changes of the user PIN: who changed what, and when.

    \b
    Example:
      zkpush users history 7 --last 20
    """
    await print_records(
        api,
        "users",
        pin,
        "history",
        form=form,
        columns=_CHANGES,
        pin=pin,
        empty=f"No changes of user {pin} found.",
    )
