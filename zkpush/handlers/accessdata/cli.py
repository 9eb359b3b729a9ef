"""`zkpush access`: access data of areas."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from ...cli import completion
from ...cli.arguments import as_json, contents, pairs, serial
from ...cli.confirming import confirm, yes
from ...cli.groups import ListCommand, WordGroup
from ...cli.output import echo, print_list, print_object
from ...cli.running import with_api
from ...cli.tables import Column
from ...cli.times import shown_instant
from .declared import ACCESS_TABLES, BY_NAME, AccessTable
from .fields import FieldKind
from .words import WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...cli.client import Api
    from ...cli.replies import Item

_STATE = (
    Column("State", "state", lambda state: state.replace("_", " ")),
    Column("Meaning", "meaning", wraps=True),
    Column("Since", "updated_at", shown_instant, is_spare=True),
)


def _keys(context: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the key of an entry."""
    path = ("areas", context.params.get("area", ""), context.params.get("what", ""))
    (items,) = completion.stored_lists(context, path)
    keys = [str(one["key"]) for one in items]
    return [CompletionItem(key) for key in keys if key.startswith(incomplete)]


_area = click.argument("area", metavar="AREA", shell_complete=completion.names_of("areas"))
_table = click.argument("what", metavar="TABLE", type=click.Choice([*BY_NAME]))
_key = click.argument("key", metavar="KEY", shell_complete=_keys)
_FILE = "@"

access = WordGroup("access", help=WORDS["access"])


@access.command()
@click.argument("what", metavar="[TABLE]", type=click.Choice([*BY_NAME]), required=False)
def tables(what: str | None) -> None:
    """List the tables of access data, or the fields of TABLE.

    \b
    Examples:
      zkpush access tables
      zkpush access tables time-periods
    """
    if what is None:
        for one in ACCESS_TABLES:
            echo(f"{one.name:<14} {one.meaning} (KEY: {one.key})")
        return
    found = BY_NAME[what]
    echo(f"{found.meaning}. KEY: {found.key}, {found.key_form}.")
    width = max(len(field.name) for field in found.fields)
    for field in found.fields:
        needed = ", needed" if field.required else ""
        echo(f"  {field.name:<{width}}  {field.kind.value}{needed}: {field.meaning}")


@access.command("list", cls=ListCommand, order="as they were added")
@_area
@_table
@as_json
@with_api
async def list_(api: Api, area: str, what: str, as_json: bool) -> None:
    """List the entries of TABLE in an area, and on how many terminals they are.

    \b
    Example:
      zkpush access list North time-periods
    """
    await print_list(
        api.pages("areas", area, what),
        (
            Column("Key", "key"),
            Column("Fields", "fields", _shown_fields, wraps=True),
            Column("Terminals", "terminals", _shown_counts, wraps=True),
            Column("Changed", "updated_at", shown_instant, is_spare=True),
        ),
        as_json=as_json,
        empty=f"The area {area} has no {what}.",
    )


@access.command()
@_area
@_table
@_key
@click.argument("values", metavar="FIELD=VALUE...", nargs=-1, required=True, callback=pairs)
@as_json
@with_api
async def put(
    api: Api, area: str, what: str, key: str, values: Mapping[str, str], as_json: bool
) -> None:
    """Define the entry KEY of TABLE in an area, or change fields of it.

    `zkpush access tables TABLE` lists the fields. A new time period is closed on days that are not
    named; a stored one keeps them. An empty value removes a field. `content=@FILE` reads a picture
    from a file. An area that distributes sends the entry to its terminals.

    \b
    Examples:
      zkpush access put North time-periods 5 monday=08:00-17:30 tuesday=08:00-12:00
      zkpush access put North time-periods 5 saturday=09:00-12:00
      zkpush access put North holidays 1 start=12-24 end=12-26 time_period=5
      zkpush access put North groups 2 verify=1 time_periods=5
      zkpush access put North work-codes 10 name=Assembly
      zkpush access put North pictures 1 content=@notice.jpg
    """
    body: dict[str, object] = {}
    async for page in api.pages("areas", area, what):
        for item in page.items:
            if item["key"] == key:
                body = _sent_fields(BY_NAME[what], item)
    entry = await api.send("PUT", "areas", area, what, key, body=body | _read(what, values))
    if as_json:
        print_object(entry, as_json=True)
        return
    echo(f"{BY_NAME[what].one.capitalize()} {key} of the area {area} is stored.")
    fields = _sent_fields(BY_NAME[what], entry)
    assumed = {name: fields[name] for name in fields if name not in values and name not in body}
    if assumed:
        echo(f"Not named: {_shown_fields(assumed)}.")
    if any(entry["terminals"].values()):
        echo(f"Next: zkpush access where {area} {what} {key}")


@access.command()
@_area
@_table
@_key
@yes
@with_api
async def delete(api: Api, area: str, what: str, key: str, yes: bool) -> None:
    """Delete the entry KEY of TABLE in an area, and on the terminals of an area that distributes.

    Terminals have no command that deletes a time period, holiday, group or combination; they keep
    it.

    \b
    Example:
      zkpush access delete North work-codes 10
    """
    one = BY_NAME[what].one
    confirm(f"Delete {one} {key} of the area {area}?", yes=yes)
    await api.send("DELETE", "areas", area, what, key)
    echo(f"{one.capitalize()} {key} of the area {area} is deleted.")


@access.command(cls=ListCommand, order="by serial number")
@_area
@_table
@_key
@as_json
@with_api
async def where(api: Api, area: str, what: str, key: str, as_json: bool) -> None:
    """List the terminals where the entry KEY of TABLE is, or is to be.

    \b
    Example:
      zkpush access where North time-periods 5
    """
    await print_list(
        api.pages("areas", area, what, key, "terminals"),
        (Column("Terminal", "device"), *_STATE),
        as_json=as_json,
        empty="It is on no terminal: the area does not distribute, or has no terminals.",
    )


@access.command(cls=ListCommand, order="by table and key")
@serial
@as_json
@with_api
async def device(api: Api, sn: str, as_json: bool) -> None:
    """List the access data that is on a terminal, or is to be there.

    \b
    Example:
      zkpush access device 3434174801234
    """
    await print_list(
        api.pages("devices", sn, "access-data"),
        (Column("Table", "table"), Column("Key", "key"), *_STATE),
        as_json=as_json,
        empty=f"{sn} has no access data of its area.",
    )


def _read(what: str, fields: Mapping[str, str]) -> dict[str, object]:
    """Return fields as the API takes them: text, and pictures from files."""
    pictures = {one.name for one in BY_NAME[what].fields if one.kind is FieldKind.PICTURE}
    found: dict[str, object] = {}
    for name, text in fields.items():
        if name in pictures and text.startswith(_FILE):
            found[name] = base64.b64encode(contents(Path(text.removeprefix(_FILE)))).decode()
        else:
            found[name] = text or None
    return found


def _sent_fields(table: AccessTable, item: Item) -> dict[str, object]:
    """Return the fields of a listed entry as they are sent again."""
    return {
        one.name: item["fields"][one.name] for one in table.fields if one.name in item["fields"]
    }


def _shown_fields(fields: Mapping[str, object]) -> str:
    texts: list[str] = []
    for name, value in fields.items():
        if name.endswith("_meaning"):
            texts[-1] += f" ({value})"
        else:
            shown = ",".join(map(str, value)) if isinstance(value, list) else value
            texts.append(f"{name}={'yes' if shown is True else 'no' if shown is False else shown}")
    return ", ".join(texts)


def _shown_counts(counts: Mapping[str, int]) -> str:
    found = [f"{number} {state.replace('_', ' ')}" for state, number in counts.items() if number]
    return ", ".join(found) or "-"
