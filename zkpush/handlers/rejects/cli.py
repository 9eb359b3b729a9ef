"""`zkpush rejects`: uploaded data that the server could not decode."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import attrs
import click

from ...cli import completion
from ...cli.arguments import ListedNumber, as_json, of_device
from ...cli.confirming import confirm, yes
from ...cli.groups import OLDEST_FIRST, ListCommand, WordGroup
from ...cli.onlyone import number_of
from ...cli.output import echo, print_object
from ...cli.records import ListForm, list_options, print_records
from ...cli.replies import Item, ListPage
from ...cli.running import with_api
from ...cli.tables import Column
from ...cli.times import shown_instant
from ...counting import counted
from .words import WORDS

if TYPE_CHECKING:
    from ...cli.client import Api

_COLUMNS = (
    Column("ID", "id"),
    Column("Device", "device"),
    Column("Table", "table"),
    Column("Received", "received_at", shown_instant),
    Column("Last", "last_received_at", shown_instant, is_spare=True),
    Column("Uploads", "rejects"),
    Column("Times", "times"),
    Column("Bytes", "size", is_spare=True),
    Column("Attempts", "attempts", is_spare=True),
    Column("Reason", "reason", is_below=True),
)
_reject_id = click.argument(
    "id",
    type=ListedNumber("rejects list"),
    metavar="[ID]",
    required=False,
    shell_complete=completion.names_of("rejects", "id"),
)
_of_table = click.option(
    "--table", metavar="TABLE", help="Only of this table, such as ATTLOG (punches)."
)


rejects = WordGroup("rejects", help=WORDS["rejects"])


@rejects.command("list", cls=ListCommand, order=OLDEST_FIRST)
@of_device
@_of_table
@click.option("--all", "each", is_flag=True, help="A row for each upload.")
@list_options
@with_api
async def list_(
    api: Api, device: str | None, table: str | None, each: bool, form: ListForm
) -> None:
    """List uploads that were not understood.

    Those of a terminal and table with the same reason are one line, with their number, the ID of
    the newest, and the times of the first and the last. CSV and JSON have each of them.

    \b
    Example:
      zkpush rejects list --device 3434174801234 --last 20
    """
    await print_records(
        api,
        "rejects",
        form=form,
        columns=_COLUMNS,
        filters={"device": device, "table": table},
        empty="No upload that was not understood is kept.",
        change=_each if each else _grouped,
    )


async def _each(pages: AsyncIterator[ListPage]) -> AsyncIterator[ListPage]:
    """Yield the pages, with a number of rejects for each line."""
    async for page in pages:
        yield attrs.evolve(page, items=[{**one, "rejects": 1} for one in page.items])


async def _grouped(pages: AsyncIterator[ListPage]) -> AsyncIterator[ListPage]:
    """Yield one page, with a line for all rejects of a terminal and table with the same reason."""
    groups: dict[tuple[str, str, str], Item] = {}
    async for page in _each(pages):
        for one in page.items:
            key = (one["device"], one["table"], one["reason"])
            before = groups.pop(key, None)
            groups[key] = one if before is None else _together(before, one)
    yield ListPage([*groups.values()], None)


def _together(earlier: Item, later: Item) -> Item:
    return {
        **later,
        "received_at": earlier["received_at"],
        "last_received_at": max(earlier["last_received_at"], later["last_received_at"]),
        "attempts": max(earlier["attempts"], later["attempts"]),
        **{name: earlier[name] + later[name] for name in ("rejects", "times", "size")},
    }


def _words_of(reject: Item) -> str:
    reason = str(reject["reason"]).removesuffix(".")
    return f"{reject['table']} of terminal {reject['device']}, {reason}"


@rejects.command()
@_reject_id
@click.option("--raw", "as_raw", is_flag=True, help="Write the bytes as they came, for a file.")
@as_json
@with_api
async def show(api: Api, id: int | None, as_raw: bool, as_json: bool) -> None:
    """Show an upload that was not understood, with its bytes.

    Bytes that are text are shown as such; control characters are escaped.
    The ID can be left out if there is only one.

    \b
    Examples:
      zkpush rejects show 12
      zkpush rejects show 12 --raw > reject.bin
    """
    id = await number_of(api, id, "upload", "rejects", words_of=_words_of)
    found = await api.get("rejects", str(id))
    raw = None if found["raw"] is None else base64.b64decode(found["raw"])
    if as_raw:
        if raw is None:
            raise click.ClickException(
                "This token may not see the bytes; it needs the scope biometrics, or dangerous for "
                "an answer to a command."
            )
        click.echo(raw, nl=False)
        return
    if not as_json and raw is not None:
        text = raw.decode("utf-8", "backslashreplace")
        found = {**found, "raw": text.removesuffix("\n").split("\n")}
    print_object(found, as_json=as_json)


@rejects.command()
@_reject_id
@yes
@with_api
async def delete(api: Api, id: int | None, yes: bool) -> None:
    """Delete an upload that was not understood; its data is lost.

    Use it for uploads that can never become records. Asks for confirmation on a console, unless
    --yes is given. Needs the scope dangerous. The ID can be left out if there is only one,
    but not with --yes.

    \b
    Example:
      zkpush rejects delete 12
    """
    if id is None and yes:
        raise click.UsageError("--yes needs the ID of the upload. See: zkpush rejects list")
    id = await number_of(api, id, "upload", "rejects", words_of=_words_of)
    confirm(f"The data of the upload {id} is lost for good. Delete it?", yes=yes)
    await api.send("DELETE", "rejects", str(id))
    echo(f"The upload {id} is deleted.")


@rejects.command()
@of_device
@_of_table
@as_json
@with_api
async def retry(api: Api, device: str | None, table: str | None, as_json: bool) -> None:
    """Read what was not understood again, after a change of the server or of a terminal's settings.

    The server does so by itself after an upgrade, with a new plugin, and when the time zone,
    encoding or version of the terminal is changed.

    \b
    Example:
      zkpush rejects retry --device 3434174801234 --table ATTLOG
    """
    counts = await api.send("POST", "rejects", "retry", body={"device": device, "table": table})
    if as_json:
        print_object(counts, as_json=True)
        return
    read, kept, records = counts["read"], counts["kept"], counts["records"]
    if not read and not kept:
        echo("No upload that was not understood is kept.")
        return
    echo(f"{read} understood ({counted(records, 'record')}), {kept} still not.")
    if kept:
        echo("See the reasons: zkpush rejects list")
