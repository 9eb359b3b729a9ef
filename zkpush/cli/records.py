"""Lists of records: their common options, and words of record types that are stored unchanged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import attrs
import click

from .arguments import of_device
from .groups import OLDEST_FIRST, ListCommand, WordGroup
from .output import print_csv, print_empty, print_list
from .replies import ApiFailure, Item, ListPage
from .running import with_api
from .tables import Column
from .times import TIME_FORMAT, Period, point_in_time

if TYPE_CHECKING:
    from .client import Api


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


Pages = AsyncIterator[ListPage]
Change = Callable[["Api", Pages], Pages]
"""Changes the pages of a table, and may ask the API for more."""


def no_change(api: Api, pages: Pages) -> Pages:
    """Leave the pages as they are."""
    return pages


@attrs.frozen
class ListForm:
    """Which items of a list to print, and how."""

    last: int | None
    since: str | None
    until: str | None
    is_today: bool
    as_csv: bool
    as_json: bool

    @property
    def selects(self) -> bool:
        """Whether only some of the items are wanted."""
        return any((self.last, self.since, self.until, self.is_today))

    def period(self, served: Collection[str]) -> Period | None:
        """Return the wanted period, without the bounds that the server checks; None for any."""
        if self.is_today:
            return Period.of_today()
        since = None if "since" in served else self.since
        until = None if "until" in served else self.until
        return Period.between(since, until) if since or until else None


def _all_of(options: Sequence[Decorator]) -> Decorator:
    """Return the decorator that adds all these options, in this order."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def list_options(command: Callable[..., Any], *, has_csv: bool = True) -> Callable[..., Any]:
    """Add the options that all lists of items with a time have; the command gets them as `form`."""

    @wraps(command)
    def with_form(
        *args: Any,
        last: int | None,
        since: str | None,
        until: str | None,
        is_today: bool,
        as_json: bool,
        as_csv: bool = False,
        **named: Any,
    ) -> Any:
        if as_csv and as_json:
            raise click.UsageError("--csv and --json exclude each other.")
        if is_today and (since or until):
            raise click.UsageError("--today excludes --since and --until.")
        if since and until and Period.between(since, until).is_reversed:
            raise click.UsageError("--since, --until: the period ends before it begins.")
        form = ListForm(last, since, until, is_today, as_csv, as_json)
        return command(*args, form=form, **named)

    options = [
        click.option(
            "--last",
            "--limit",
            "last",
            type=click.IntRange(min=1),
            metavar="N",
            help="Print the newest N.",
        ),
        click.option("--today", "is_today", is_flag=True, help="Only of today."),
        click.option(
            "--since",
            metavar="TIME",
            callback=point_in_time,
            help=f"From this time on. {TIME_FORMAT}",
        ),
        click.option("--until", metavar="TIME", callback=point_in_time, help="Before this time."),
        click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with all columns."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    ]
    for option in reversed(options):
        if has_csv or option is not options[-2]:
            with_form = option(with_form)
    return with_form


async def print_records(
    api: Api,
    *path: str,
    form: ListForm,
    columns: Sequence[Column],
    empty: str,
    filters: Mapping[str, str | None] | None = None,
    served: Collection[str] = (),
    pin: str | None = None,
    change: Callable[[AsyncIterator[ListPage]], AsyncIterator[ListPage]] = lambda pages: pages,
) -> None:
    """Print a list in a form, the newest item last; `empty` is printed if there are none.

    `served` are the bounds of the period, `since` and `until`, that the list of the API has as
    filters. `pin` is the user whose items are listed: if there are none, and no such user, that is
    said. `change` changes the pages of a table before they are printed.
    """
    wanted = {**(filters or {}), "order": "asc"}
    wanted |= {"since": form.since} if "since" in served else {}
    wanted |= {"until": form.until} if "until" in served else {}
    if form.selects:
        found = await _newest(api, path, form.last, form.period(served), wanted)
        if form.as_csv:
            await print_csv(api, *path, filters=wanted, newest=[one["id"] for one in found])
            return
        pages = _one(found)
    elif form.as_csv:
        await print_csv(api, *path, filters=wanted)
        return
    else:
        pages = api.pages(*path, filters=wanted)
    if not form.as_json:
        pages = change(pages)
    is_empty = await print_list(pages, columns, as_json=form.as_json, empty=None)
    if is_empty and not form.as_json:
        print_empty(await no_user(api, pin) or empty)


async def no_user(api: Api, pin: str | None) -> str | None:
    """Return a message if there is no user with this ID; None for None."""
    if pin is None:
        return None
    try:
        await api.get("users", pin)
    except ApiFailure as failure:
        if failure.status == HTTPStatus.NOT_FOUND:
            return failure.message
        raise
    return None


async def _newest(
    api: Api,
    path: Sequence[str],
    last: int | None,
    period: Period | None,
    filters: Mapping[str, str | None],
) -> list[Item]:
    """Return the newest items of a period, newest last."""
    found: list[Item] = []
    limit = last if period is None else None
    async for page in api.pages(*path, limit=limit, filters={**filters, "order": "desc"}):
        found += [one for one in page.items if period is None or period.has(one)]
        if last is not None and len(found) >= last:
            break
        if period is not None and any(map(period.begins_after, page.items)):
            break
    return found[:last][::-1]


async def _one(items: list[Item]) -> AsyncIterator[ListPage]:
    yield ListPage(items, None)


SENDS_NOTHING = (
    "No records found. `zkpush devices list` shows the terminals, and `zkpush doctor SN` why one "
    "sends nothing."
)
"""Message of an empty list of records that every terminal sends sooner or later."""


def record_word(
    name: str,
    summary: str,
    columns: Sequence[Column],
    filters: Sequence[Decorator] = (),
    *,
    empty: str = SENDS_NOTHING,
    change: Change = no_change,
) -> WordGroup:
    """Make the word of a record type, whose list is at the path of the same name.

    `columns` are those of the table on a screen; CSV and JSON have all fields. `filters` are the
    options for parameters of the list. `empty` is printed if there are no records. `change` changes
    the pages of a table before they are printed.
    """
    word = WordGroup(name, help=summary)

    @word.command(
        "list",
        cls=ListCommand,
        order=OLDEST_FIRST,
        help=f"{summary}\n\n\b\nExample:\n  zkpush {name} list --device 3434174801234 --last 20",
    )
    @of_device
    @_all_of(filters)
    @list_options
    @with_api
    async def list_(api: Api, /, device: str | None, form: ListForm, **given: object) -> None:
        wanted = {key: None if value is None else str(value) for key, value in given.items()}
        await print_records(
            api,
            name,
            form=form,
            columns=columns,
            filters={"device": device, **wanted},
            pin=wanted.get("pin"),
            empty=empty,
            change=lambda pages: change(api, pages),
        )

    return word
