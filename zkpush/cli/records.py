"""Lists of records: their common options, and words of record types that are stored unchanged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import wraps
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from .arguments import of_device
from .groups import OLDEST_FIRST, ListCommand, WordGroup
from .output import print_csv, print_list
from .replies import Item, ListPage
from .running import with_api
from .tables import Column
from .times import of_today

if TYPE_CHECKING:
    from .client import Api


F = TypeVar("F", bound=Callable[..., Any])


@attrs.frozen
class ListForm:
    """Which items of a list to print, and how."""

    last: int | None
    is_today: bool
    limit: int | None
    as_csv: bool
    as_json: bool

    @property
    def is_from_the_end(self) -> bool:
        """Whether the newest items are wanted."""
        return self.last is not None or self.is_today


NO_FILTERS: Mapping[str, str] = MappingProxyType({})


def _filter_options(filters: Mapping[str, str]) -> Callable[[F], F]:
    """Add an option for each filter: `--` and its name."""

    def add(command: F) -> F:
        for name, help_ in reversed([*filters.items()]):
            option = click.option(f"--{name.replace('_', '-')}", name, metavar="VALUE", help=help_)
            command = option(command)
        return command

    return add


def list_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that all lists of records have; the command gets them as `form`."""

    @wraps(command)
    def with_form(
        *args: Any,
        last: int | None,
        is_today: bool,
        limit: int | None,
        as_csv: bool,
        as_json: bool,
        **named: Any,
    ) -> Any:
        if as_csv and as_json:
            raise click.UsageError("--csv and --json exclude each other.")
        if limit is not None and (last is not None or is_today):
            raise click.UsageError("--limit counts from the oldest: use it alone.")
        form = ListForm(last, is_today, limit, as_csv, as_json)
        return command(*args, form=form, **named)

    number = click.IntRange(min=1)
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with all columns."),
        click.option("--limit", type=number, metavar="N", help="Print the oldest N."),
        click.option(
            "--today", "is_today", is_flag=True, help="Only of today, on the clock of this machine."
        ),
        click.option("--last", type=number, metavar="N", help="Print the newest N, newest last."),
    ):
        with_form = option(with_form)
    return with_form


async def print_records(
    api: Api,
    *path: str,
    form: ListForm,
    columns: Sequence[Column],
    empty: str,
    filters: Mapping[str, str | None] | None = None,
    change: Callable[[AsyncIterator[ListPage]], AsyncIterator[ListPage]] = lambda pages: pages,
) -> None:
    """Print a list of records in a form, the newest last; `empty` is printed if there are none.

    `change` changes the pages of a table before they are printed.
    """
    if form.is_from_the_end:
        found = await _newest(api, path, form, filters)
        if form.as_csv:
            await print_csv(api, *path, filters=filters, newest=[one["id"] for one in found])
            return
        pages = _one(found)
    elif form.as_csv:
        await print_csv(api, *path, filters=filters, limit=form.limit)
        return
    else:
        pages = api.pages(*path, limit=form.limit, filters=filters)
    if not form.as_json:
        pages = change(pages)
    await print_list(pages, columns, as_json=form.as_json, empty=empty)


async def _newest(
    api: Api, path: Sequence[str], form: ListForm, filters: Mapping[str, str | None] | None
) -> list[Item]:
    """Return the newest items, newest last."""
    is_of_today, is_older = of_today()
    found: list[Item] = []
    limit = None if form.is_today else form.last
    query = {**(filters or {}), "order": "desc"}
    async for page in api.pages(*path, limit=limit, filters=query):
        found += [one for one in page.items if not form.is_today or is_of_today(one)]
        is_full = form.last is not None and len(found) >= form.last
        if is_full or (form.is_today and any(map(is_older, page.items))):
            break
    return found[: form.last][::-1]


async def _one(items: list[Item]) -> AsyncIterator[ListPage]:
    yield ListPage(items, None)


def record_word(
    name: str, summary: str, columns: Sequence[Column], filters: Mapping[str, str] = NO_FILTERS
) -> click.Group:
    """Make the word of a record type, whose list is at the path of the same name.

    `columns` are those of the table on a screen; CSV and JSON have all fields. `filters` maps
    parameters of the list to the help of their options.
    """
    word = WordGroup(name, help=summary)

    @word.command(
        "list",
        cls=ListCommand,
        order=OLDEST_FIRST,
        help=f"{summary}\n\n\b\nExample:\n  zkpush {name} list --device 3434174801234 --last 20",
    )
    @of_device
    @_filter_options(filters)
    @list_options
    @with_api
    async def list_(api: Api, /, device: str | None, form: ListForm, **wanted: str | None) -> None:
        await print_records(
            api,
            name,
            form=form,
            columns=columns,
            filters={"device": device, **wanted},
            empty="No records found. `zkpush devices list` shows the terminals, and `zkpush doctor "
            "SN` why one sends nothing.",
        )

    return word
