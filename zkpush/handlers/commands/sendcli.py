"""`zkpush commands send`: queue a command for terminals, and wait for its result."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import attrs
import click
from twisted.internet.task import deferLater

from ...cli import completion
from ...cli.arguments import as_json, duration, pairs, serial_number
from ...cli.confirming import must_confirm
from ...cli.output import echo, print_object, print_pairs, progress
from ...cli.replies import Item
from ...cli.running import with_api
from ...cli.tables import printable
from ...cli.times import LATER_FORMAT, future_time, zoned_instant
from ...cli.waiting import report_job, wait_for_job
from ...model import DeviceState
from ...protocol.fields import MOST_PRIORITY
from ...values.commands import FINAL_STATES, CommandState
from ..people.model import RULE
from .cataloguecli import ListingCommand

if TYPE_CHECKING:
    from ...cli.client import Api

POLL_SECONDS = 1.0
_WINDOW = re.compile(r"([0-9]{2}:[0-9]{2})-([0-9]{2}:[0-9]{2})\Z", re.ASCII)


def _window(
    context: click.Context, param: click.Parameter, value: str | None
) -> dict[str, str] | None:
    """Read a daily window such as `02:00-04:00`."""
    if value is None:
        return None
    found = _WINDOW.match(value)
    if found is None:
        raise click.BadParameter(f"{value!r} is not a window such as 02:00-04:00.", context, param)
    for time in found.groups():
        if not _is_time_of_day(time):
            raise click.BadParameter(
                f"{time!r} is not a time of day from 00:00 to 23:59.", context, param
            )
    return {"begin": found[1], "end": found[2]}


def _is_time_of_day(text: str) -> bool:
    hours, minutes = map(int, text.split(":"))
    return hours < 24 and minutes < 60


def _warning(command: str, sn: str) -> str | None:
    """Return a warning before an irreversible command is queued for some terminals."""
    if command.startswith("CLEAR "):
        return f"{command} deletes data from {sn}, and it cannot be taken back."
    if command == "SHELL":
        return f"SHELL runs a command on {sn} with all rights."
    return None


@attrs.frozen
class _Words:
    """The arguments of `send`."""

    serials: tuple[str, ...]
    command: str
    params: dict[str, str]


_FIRST_WORDS = frozenset({"DATA", "CLEAR", "SET", "VERIFY", "RELOAD"})
"""First words of commands that have several."""


def _words(context: click.Context, param: click.Parameter, values: tuple[str, ...]) -> _Words:
    """Split the arguments: serial numbers, the command, and its parameters."""
    is_pair = ["=" in value for value in values]
    first = is_pair.index(True) if True in is_pair else len(values)
    *serials, command = values[:first] or ("",)
    if not command:
        raise click.BadParameter("a terminal and a command are needed.", context, param)
    for place, one in enumerate(serials):
        if one in _FIRST_WORDS:
            quoted = f"'{' '.join(values[place:first])}'"
            raise click.BadParameter(f"quote a command of several words: {quoted}.", context, param)
        serial_number(context, param, one)
    return _Words(tuple(serials), command, pairs(context, param, values[first:]))


@click.command(cls=ListingCommand, short_help="Queue a command for terminals.")
@click.argument(
    "words",
    metavar="[SN]... COMMAND [KEY=VALUE]...",
    nargs=-1,
    required=True,
    callback=_words,
    shell_complete=completion.words_to_send,
)
@click.option(
    "--area",
    metavar="NAME",
    shell_complete=completion.names_of("areas"),
    help="To all approved terminals of an area.",
)
@click.option("--all", "to_all", is_flag=True, help="To all approved terminals.")
@click.option(
    "--wave",
    type=click.IntRange(min=1),
    metavar="N",
    help="To N terminals at a time; the next ones follow when these are done.",
)
@click.option(
    "--stop-after",
    type=click.IntRange(min=1),
    metavar="N",
    help="Begin no further wave after N failures. Default: 1.",
)
@click.option(
    "--window",
    metavar="HH:MM-HH:MM",
    callback=_window,
    help="Only at this time of day, by the clock of each terminal.",
)
@click.option(
    "--wait", is_flag=True, help="Wait for the result. Exit status 1 unless the command succeeds."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Stop waiting after this time; the command stays queued. Default: no limit.",
)
@click.option(
    "--expires",
    "expires_in",
    metavar="DURATION",
    callback=duration,
    help="Give up unless the terminal fetches the command within this time, such as 60s, 5m, 2h or "
    "1d. Default: that of the command, 60s for an enrolment and days for most others.",
)
@click.option(
    "--not-before",
    metavar="TIME",
    callback=future_time,
    help=f"Send it at this time or later. {LATER_FORMAT}",
)
@click.option(
    "--priority",
    type=click.IntRange(0, MOST_PRIORITY),
    metavar="N",
    help=f"Send it before commands with a lower priority, 0 to {MOST_PRIORITY}. Default: that "
    "of the command, 0 for most.",
)
@click.option(
    "--confirm",
    "number",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Number of people who may be deleted on the terminals. Needed if they are {RULE}; "
    "the refusal without it names the number.",
)
@click.option(
    "--yes",
    is_flag=True,
    help="Queue CLEAR and SHELL without a question. A script needs it for these.",
)
@as_json
@with_api
async def send(
    api: Api,
    words: _Words,
    area: str | None,
    to_all: bool,
    wave: int | None,
    stop_after: int | None,
    window: dict[str, str] | None,
    wait: bool,
    timeout: float | None,
    expires_in: int | None,
    not_before: str | None,
    priority: int | None,
    number: int | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Queue a command for terminals, and print the ID of the command or, for several, of the job.

    A terminal fetches the command at its next poll. CLEAR and SHELL ask for confirmation; a script,
    where nobody can answer, needs --yes for them. COMMAND is one argument: quote it if it has
    several words. `zkpush commands catalogue COMMAND` explains the parameters of a command, and
    `zkpush jobs` shows the progress of jobs.

    \b
    Examples:
      zkpush commands send 3434174801234 'DATA UPDATE USERINFO' PIN=7 Name=Ann --wait
      zkpush commands send --all REBOOT --wave 20 --window 02:00-04:00
    """
    if timeout is not None and not wait:
        raise click.UsageError("--timeout needs --wait.")
    if bool(words.serials) + (area is not None) + to_all != 1:
        raise click.UsageError(
            "A command and its terminals are needed: either zkpush commands send SN COMMAND, or "
            "--area or --all with COMMAND. `zkpush commands catalogue` lists the commands."
        )
    command, serials = words.command, words.serials
    whom = "all terminals" if to_all else area or ", ".join(serials)
    warning = _warning(command, whom)
    if warning:
        must_confirm(warning, "Queue it?", yes=yes or number is not None)
    body: dict[str, object] = {"command": command, "params": words.params}
    delivery = {"expires_in": expires_in, "not_before": not_before, "priority": priority}
    body |= {name: value for name, value in delivery.items() if value is not None}
    query = {} if number is None else {"confirm": str(number)}
    of_job = {"wave": wave, "stop_after": stop_after, "window": window}
    given = {name: value for name, value in of_job.items() if value is not None}
    if len(serials) != 1 or given:
        where = {"devices": [*serials]} if serials else {"area": area} if area else {"all": True}
        await _send_job(
            api, serials, body | given | where, query, wait=wait, timeout=timeout, as_json=as_json
        )
        return
    queued = await api.send("POST", "devices", serials[0], "commands", body=body, query=query)
    await _tell_unapproved(api, serials)
    if not as_json:
        echo(queued["id"])
    if not wait:
        if as_json:
            print_object(queued, as_json=True)
        return
    ended = await _ended(api, queued, timeout)
    if as_json:
        print_object(ended, as_json=True)
    elif ended["result"]:
        print_pairs(ended["result"])
    if ended["state"] != CommandState.DONE:
        raise click.ClickException(_verdict(ended, timeout, await _last_heard(api, ended)))
    echo(f"{command} is done.", err=True)


async def _tell_unapproved(api: Api, serials: Iterable[str]) -> None:
    """Say which of the terminals get no command, because they are not approved."""
    for sn in serials:
        state = (await api.get("devices", sn))["state"]
        if state != DeviceState.APPROVED:
            echo(
                f"{sn} is {state}: it gets no command until it is approved. Approve it: zkpush "
                f"devices approve {sn}",
                err=True,
            )


async def _send_job(
    api: Api,
    serials: Sequence[str],
    body: dict[str, object],
    query: dict[str, str],
    *,
    wait: bool,
    timeout: float | None,
    as_json: bool,
) -> None:
    """Make a job, and wait for its end if asked to."""
    job = await api.send("POST", "commands", body=body, query=query)
    await _tell_unapproved(api, serials)
    if not as_json:
        echo(job["id"])
        if not wait:
            echo(f"Next: zkpush jobs show {job['id']}", err=True)
    if wait:
        job = await wait_for_job(api, job, timeout)
    if as_json:
        print_object(job, as_json=True)
    if wait:
        report_job(job)


async def _ended(api: Api, command: Item, timeout: float | None) -> Item:
    """Poll a command until it ends or the timeout passes; return its last state."""
    started = api.clock.seconds()
    with progress() as say:
        while command["state"] not in FINAL_STATES:
            waited = api.clock.seconds() - started
            say(f"{command['command']} is {command['state']}", f"{waited:.0f} s")
            if timeout is not None and waited >= timeout:
                break
            left = POLL_SECONDS if timeout is None else min(POLL_SECONDS, timeout - waited)
            await deferLater(api.clock, left)
            command = await api.get("commands", command["id"])
    return command


async def _last_heard(api: Api, command: Item) -> str:
    """Say when the terminal of a command was last heard of, if the command waits for it."""
    if command["state"] != CommandState.QUEUED:
        return ""
    device = await api.get("devices", command["device"])
    if device["online"]:
        return ""
    if device["last_seen_at"] is None:
        return f"; {command['device']} has never connected"
    return f"; {command['device']} was last heard of at {zoned_instant(device['last_seen_at'])}"


def _verdict(command: Item, timeout: float | None, why: str) -> str:
    """Error message for a command that did not succeed; `why` is the reason if it still waits."""
    id, state = command["id"], command["state"]
    if state not in FINAL_STATES:
        return (
            f"The command is still {state} after {timeout:g} seconds{why}. It stays in the queue; "
            f"see: zkpush commands show {id}"
        )
    if command["return_code"] is None:
        return f"The command is {state}. {printable(command.get('reason') or '')}".strip()
    meaning = printable(command["meaning"]) or "a code that the protocol does not list"
    return f"The command {state}: {command['return_code']} ({meaning})"
