"""Words of record types that are stored unchanged: `zkpush WORD list`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from .arguments import as_json, serial_number
from .output import Column, print_csv, print_list
from .running import with_api

if TYPE_CHECKING:
    from .client import Api


def record_word(name: str, summary: str, columns: Sequence[Column]) -> click.Group:
    """Make the word of a record type, whose list is at the path of the same name.

    `columns` are those of the table on a screen; CSV and JSON have all fields.
    """

    @click.group(name, help=summary)
    def word() -> None:
        pass

    @word.command("list", help=f"{summary}\n\nRecords come in the order they were stored.")
    @click.option("--device", metavar="SN", callback=serial_number, help="Only from this terminal.")
    @click.option(
        "--limit", type=click.IntRange(min=1), metavar="N", help="Print at most N records."
    )
    @click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with all columns.")
    @as_json
    @with_api
    async def list_(
        api: Api, device: str | None, limit: int | None, as_csv: bool, as_json: bool
    ) -> None:
        if as_csv and as_json:
            raise click.UsageError("--csv and --json exclude each other.")
        filters = {"device": device}
        if as_csv:
            await print_csv(api, name, filters=filters, limit=limit)
            return
        await print_list(
            api.pages(name, limit=limit, filters=filters),
            columns,
            as_json=as_json,
            empty="No records found.",
        )

    return word
