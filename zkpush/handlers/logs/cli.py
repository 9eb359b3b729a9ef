"""`zkpush operations`, `zkpush errors` and `zkpush idcards`: logs of terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...cli.codewords import CodeParam, in_words
from ...cli.names import with_names
from ...cli.output import echo
from ...cli.records import record_word
from ...cli.replies import Item
from ...cli.tables import Column, printable
from ...cli.times import shown_instant, shown_wall_time
from ...protocol.codes import Operation
from .words import WORDS

if TYPE_CHECKING:
    from ...cli.client import Api
    from ...cli.records import Pages


class _Objects(Column):
    """What an operation was about: its objects with their names, in words where they are coded."""

    def text(self, item: Item) -> str:
        """Return the text of the cell."""
        objects = {**item["values"], **item["values_meaning"]}
        return printable(", ".join(f"{name}: {value}" for name, value in objects.items() if value))


class _Operator(Column):
    """Who operated the terminal: the user ID with the name, if there is one."""

    def text(self, item: Item) -> str:
        """Return the text of the cell."""
        name = item.get("name")
        return printable(f"{item['operator']} {name}" if name else item[self.key])


def _with_operators(api: Api, pages: Pages) -> Pages:
    return with_names(api, pages, "operator")


_ID, _DEVICE = Column("ID", "id", is_spare=True), Column("Device", "device")

operations = record_word(
    "operations",
    WORDS["operations"],
    (
        _ID,
        _DEVICE,
        Column("Time", "time", shown_wall_time),
        Column("Operation", "meaning", wraps=True),
        _Objects("About", "values", wraps=True),
        _Operator("Operator", "operator_meaning", wraps=True),
    ),
    [
        click.option(
            "--code",
            metavar="CODE",
            type=CodeParam(Operation),
            help="Only this operation: a number, or words such as 'delete user'. `zkpush "
            "operations codes` lists all.",
        )
    ],
    empty="No terminal has reported such operations.",
    change=_with_operators,
)


@operations.command()
def codes() -> None:
    """List the codes of operations, with their meanings.

    \b
    Example:
      zkpush operations codes
    """
    for code in Operation:
        echo(f"{int(code):>3}  {in_words([code]).partition(' ')[2]}")


errors = record_word(
    "errors",
    WORDS["errors"],
    (
        _ID,
        _DEVICE,
        Column("Received", "received_at", shown_instant),
        Column("Code", "code"),
        Column("Meaning", "meaning", wraps=True),
        Column("Message", "message", wraps=True),
    ),
    empty="No terminal has reported such errors.",
)
idcards = record_word(
    "idcards",
    WORDS["idcards"],
    (
        _ID,
        _DEVICE,
        Column("Received", "received_at", shown_instant),
        Column("PIN", "pin"),
        Column("ID number", "id_number"),
        Column("Name", "name", wraps=True),
    ),
    [click.option("--pin", metavar="PIN", help="Only the cards of this user.")],
    empty="No terminal has read such cards. Only models with a reader of identity cards do.",
)
