"""`zkpush devices`: list, approve and configure terminals."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import attrs
import click

from ...cli.arguments import as_json, serial
from ...cli.groups import ListCommand, WordGroup
from ...cli.output import echo, print_list, print_object
from ...cli.plain import plain
from ...cli.replies import ApiFailure, ListPage
from ...cli.running import with_api
from ...cli.tables import Column
from ...cli.times import TIME_FORMAT, point_in_time, shown_instant, with_local_times, zoned_instant
from ...counting import agreeing, counted
from ...protocol.exchange import STAMPS
from .fleetcli import replace, retire
from .setcli import set_
from .words import WORDS

if TYPE_CHECKING:
    from ...cli.client import Api

_COLUMNS = (
    Column("SN", "sn"),
    Column("Alias", "alias", wraps=True),
    Column("Area", "area", wraps=True, is_spare=True),
    Column("State", "state"),
    Column("Online", "online"),
    Column("Last seen", "last_seen_at", shown_instant),
    Column("Queued", "pending_commands", is_spare=True),
    Column(
        "Problems", "problems", lambda problems: [each["code"] for each in problems], wraps=True
    ),
)
_TABLES = {
    "attendance": "ATTLOG",
    "operations": "OPERLOG",
    "photos": "ATTPHOTO",
    "templates": "BIODATA",
    "idcards": "IDCARD",
    "errors": "ERRORLOG",
    **{table: table for table, _, _ in STAMPS},
}


devices = WordGroup(
    "devices",
    help=WORDS["devices"],
    of_nouns={
        "adopt": "zkpush.handlers.areas.copycli",
        "copy": "zkpush.handlers.areas.copycli",
        "repair": "zkpush.handlers.areas.placescli",
        "trace": "zkpush.handlers.trace.cli",
        "users": "zkpush.handlers.areas.placescli",
    },
)


for _command in (replace, retire, set_):
    devices.add_command(_command)


@devices.command("list", cls=ListCommand, order="the first seen first")
@click.option("--retired", is_flag=True, help="Also retired terminals.")
@click.option(
    "--state",
    type=click.Choice(["pending", "approved", "blocked", "retired"]),
    help="Only terminals in this state.",
)
@as_json
@with_api
async def list_(api: Api, retired: bool, state: str | None, as_json: bool) -> None:
    """List the terminals.

    Online is yes if a terminal makes requests, refused if it makes some and its state
    refuses them all (it is pending, blocked or retired), and "no session" if it makes
    some and does not begin a session, so that it fetches no commands. Queued is the
    number of commands that a terminal has not answered yet.

    \b
    Examples:
      zkpush devices list
      zkpush devices list --state pending
    """
    empty = "There are no terminals yet. A terminal that connects appears here as pending."
    pages = api.pages("devices", filters={"retired": "true" if retired else None, "state": state})
    await print_list(
        pages if as_json else _with_presence(pages),
        _COLUMNS,
        as_json=as_json,
        empty=empty if state is None else f"No terminal is {state}.",
    )


async def _with_presence(pages: AsyncIterator[ListPage]) -> AsyncIterator[ListPage]:
    """Yield pages of terminals whose presence says whether they are served."""
    async for page in pages:
        items = [{**one, "online": presence(one)} for one in page.items]
        yield attrs.evolve(page, items=items)


def presence(device: Mapping[str, Any]) -> object:
    """Return whether a terminal is online, or why nothing is served to one that is."""
    if device["online"] and device["state"] != "approved":
        return "refused"
    codes = {problem["code"] for problem in device["problems"]}
    return "no session" if device["online"] and "no session" in codes else device["online"]


@devices.command()
@serial
@as_json
@with_api
async def show(api: Api, sn: str, as_json: bool) -> None:
    """Show the details of a terminal.

    \b
    Example:
      zkpush devices show 3434174801234
    """
    device = await api.get("devices", sn)
    if not as_json:
        device["problems"] = [
            f"{problem['code']} (since {zoned_instant(problem['since_at'])}): "
            f"{with_local_times(problem['detail'])}"
            for problem in device["problems"]
        ]
        device["comm_key"] = _comm_key_lines(device["comm_key"])
        device["functions"] = {
            name: "not reported" if has is None else has
            for name, has in device["functions"].items()
        }
        device["hybrid"]["types"] = [_biometric_line(one) for one in device["hybrid"]["types"]]
        device["attributes"].pop("functions", None)  # the bits of what `functions` has in words
    print_object(device, as_json=as_json)


@devices.command()
@serial
@click.option("--add", is_flag=True, help="Add the terminal if it has not connected yet.")
@click.option(
    "--key",
    "comm_key",
    metavar="FINGERPRINT",
    help="Pin the pushcommkey with this fingerprint, which `zkpush devices show SN` prints; any "
    "other is refused.",
)
@click.option(
    "--timezone", metavar="ZONE", help="IANA time zone of its clock, such as Europe/Berlin."
)
@with_api
async def approve(api: Api, sn: str, add: bool, comm_key: str | None, timezone: str | None) -> None:
    """Approve a terminal: the server accepts its data from now on.

    The time zone determines the UTC times of records and the time sent to the terminal. Without
    --timezone, the command asks for the zone on a console, and offers the present one: at first
    that of the server, unless that is a UTC that nobody chose. In a script, the present zone is
    kept.

    If the terminal is pending and every exchange under its serial number offered the same
    pushcommkey, approval pins it. If several keys were offered, if one exchange had none, if it
    came from outside the networks of the terminal, or if the terminal is already approved, choose a
    key with --key.

    \b
    Example:
      zkpush devices approve 3434174801234 --timezone Europe/Berlin
    """
    body: dict[str, object] = {"state": "approved"}
    if comm_key is not None:
        body["comm_key"] = comm_key
    try:
        zone = timezone or await _ask_zone(api, sn, add=add)
        if zone is not None:
            body["timezone"] = zone
        device = await api.send("PUT" if add else "PATCH", "devices", sn, body=body)
    except ApiFailure as failure:
        if failure.status == HTTPStatus.NOT_FOUND:
            raise ApiFailure(
                failure.status,
                f"{failure.message.rstrip('.')}. To approve it before it connects, give --add.",
            ) from None
        raise
    echo(f"{sn} is approved.")
    if device["timezone"] is None:
        echo(
            "Its time zone is not known: its records have no UTC time, and it is told no time. "
            f"Set the zone, such as Europe/Berlin: zkpush devices set {sn} timezone=ZONE",
            err=True,
        )
    keys = device["comm_key"]
    lines = _comm_key_lines(keys)
    if keys["pinned"] is None and not keys["offered"]:
        return
    if all(one["fingerprint"] == keys["pinned"] for one in keys["offered"]):
        echo("Its pushcommkey is pinned. Check that the address is that of the terminal:")
    elif keys["pinned"] is None:
        echo("No pushcommkey is pinned. To pin an offered one, give its fingerprint with --key:")
    else:
        echo("Its pinned pushcommkey stays. To pin another, give its fingerprint with --key:")
    for line in lines:
        echo(f"  {line}")


async def _ask_zone(api: Api, sn: str, *, add: bool) -> str | None:
    """Ask for the zone of a terminal, if the console is interactive; offer its present zone."""
    if not sys.stdin.isatty():
        return None
    offered = None
    if not add:
        offered = (await api.get("devices", sn))["timezone"]
    answer: str = click.prompt(
        "Time zone of the terminal, such as Europe/Berlin (empty: not known)",
        default=offered or "",
        show_default=offered is not None,
        err=True,
    )
    return answer.strip() or None


@devices.command()
@serial
@click.option(
    "--since",
    metavar="TIME",
    callback=point_in_time,
    help=f"Only records of this time or later. {TIME_FORMAT}",
)
@click.option(
    "--until", metavar="TIME", callback=point_in_time, help="Only records before this time."
)
@with_api
async def recompute(api: Api, sn: str, since: str | None, until: str | None) -> None:
    """Recompute the UTC times of a terminal's records with its present time zone.

    Use it after correcting a wrong zone. Times of the terminal's own clock do not change.

    \b
    Example:
      zkpush devices recompute 3434174801234 --since 2026-03-01
    """
    body = {"since": since, "until": until}
    counts = await api.send("POST", "devices", sn, "recompute", body=body)
    echo(
        f"{counts['changed']} of {counted(counts['checked'], 'record')} of {sn} "
        f"{agreeing(counts['changed'], 'has', 'have')} another UTC time now "
        f"({counts['timezone']})."
    )


@devices.command()
@serial
@with_api
async def block(api: Api, sn: str) -> None:
    """Block a terminal: the server refuses its requests. Stored records stay.

    \b
    Example:
      zkpush devices block 3434174801234
    """
    await api.send("PATCH", "devices", sn, body={"state": "blocked"})
    echo(f"{sn} is blocked.")


def _biometric_line(support: Mapping[str, Any]) -> str:
    """Describe a biometric type of a terminal, such as `fingerprint: templates yes, photos no`."""
    facts = (
        f"{name.replace('_', ' ')} {plain(value)}"
        for name, value in support.items()
        if value is not None and not name.startswith("type")
    )
    return f"{support['type_meaning'].lower()}: {', '.join(facts)}"


def _comm_key_lines(keys: Mapping[str, Any]) -> list[str]:
    """Format the pushcommkeys of a terminal, one a line."""
    pinned = keys["pinned"]
    lines = [
        f"{key['fingerprint']} {'pinned' if key['fingerprint'] == pinned else 'offered'}, "
        f"{_seen(key)}"
        for key in keys["offered"]
    ]
    if keys["keyless"] is not None:
        lines.append(f"no key, {_seen(keys['keyless'])}")
    if pinned is not None and all(key["fingerprint"] != pinned for key in keys["offered"]):
        lines.insert(0, f"{pinned} pinned, not offered yet")
    return lines


def _seen(offer: Mapping[str, Any]) -> str:
    """Describe where and when a pushcommkey, or none, was offered."""
    address = offer["address"] or "a socket file"
    first, last = (zoned_instant(offer[f"{which}_seen_at"]) for which in ("first", "last"))
    return f"from {address}, {first} to {last}"


_RESEND_HELP = f"""Make a terminal upload all its data of one kind again.

Records that are stored already do not change.

DATA is {", ".join([*_TABLES][: -len(STAMPS)])}, or the name of a table of the protocol:
{", ".join(table for table, _, _ in STAMPS)}.

\b
Example:
  zkpush devices resend 3434174801234 attendance
"""


@devices.command(help=_RESEND_HELP)
@serial
@click.argument("data", metavar="DATA", type=click.Choice(list(_TABLES), case_sensitive=False))
@with_api
async def resend(api: Api, sn: str, data: str) -> None:
    """Make a terminal upload all its data of one kind again."""
    command = await api.send("POST", "devices", sn, "resend", body={"table": _TABLES[data]})
    echo(f"{sn} will upload {data} again after its next poll (command {command['id']}).")
