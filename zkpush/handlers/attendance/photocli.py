"""`zkpush photos`: attendance photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...cli import completion
from ...cli.arguments import ListedNumber
from ...cli.newfiles import new_file, told_progress
from ...cli.output import progress
from ...cli.records import record_word
from ...cli.running import with_api
from ...cli.tables import Column
from ...cli.times import shown_wall_time
from .words import WORDS

if TYPE_CHECKING:
    from ...cli.client import Api

photos = record_word(
    "photos",
    WORDS["photos"],
    (
        Column("ID", "id"),
        Column("Device", "device"),
        Column("PIN", "pin"),
        Column("Time", "time", shown_wall_time),
        Column("Kind", "kind_meaning", wraps=True, is_spare=True),
        Column("Name", "name", wraps=True),
        Column("Size", "size"),
    ),
    [click.option("--pin", metavar="PIN", help="Only of this user.")],
    empty="There are no attendance photos. Only terminals with a camera send them, if they are "
    "set to.",
)


@photos.command()
@click.argument(
    "id",
    metavar="ID",
    type=ListedNumber("photos list"),
    shell_complete=completion.names_of("photos", "id"),
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@with_api
async def save(api: Api, id: int, file: Path) -> None:
    """Save the picture of an attendance photo to FILE, readable only by its owner.

    Needs a token with the scope `biometrics`; the audit log records it.

    \b
    Example:
      zkpush photos save 3 punch.jpg
    """
    from ...cli.downloads import download

    with new_file(file) as out, progress() as say:
        moved = told_progress(f"Fetching photo {id}", say)
        await download(api, "photos", str(id), "content", take=out.write, moved=moved)
