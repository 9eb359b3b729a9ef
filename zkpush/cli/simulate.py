"""`zkpush simulate`: terminals in software."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..simulator.faults import SYNTAX, Faults, parse_faults
from ..simulator.model import ATT, MODELS
from .output import echo, print_pairs
from .running import run

if TYPE_CHECKING:
    from ..simulator.fleet import FleetPlan

SECONDS = 60.0
"""How long a simulation takes where nothing else is said."""


def check_models(
    context: click.Context, option: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    """Split the names of models between commas; `click.BadParameter` for one that is none."""
    if value is None:
        return None
    names = tuple(name.strip() for name in value.split(","))
    for name in names:
        if name not in MODELS:
            raise click.BadParameter(f"{name!r} is not a model; there are {', '.join(MODELS)}.")
    return names


def check_faults(context: click.Context, option: click.Parameter, value: str | None) -> Faults:
    """Read what is to go wrong; `click.BadParameter` for what is no fault."""
    try:
        return Faults() if value is None else parse_faults(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


@click.command(short_help="Push made-up records to a server, to try it.")
@click.option(
    "--server",
    required=True,
    metavar="URL",
    help="Where the server takes terminals, such as http://127.0.0.1:8081.",
)
@click.option("--devices", type=click.IntRange(1), default=1, show_default=True, metavar="N")
@click.option(
    "--users",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    metavar="N",
    help="Users of each terminal.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    metavar="R",
    help="Records a second, of all terminals together.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="S",
    help="Another seed makes other terminals and other records.",
)
@click.option(
    "--duration",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help=f"Stop after so long. Default: {SECONDS:.0f}, or no end with --punches.",
)
@click.option(
    "--punches", type=click.IntRange(min=1), metavar="N", help="Stop after so many records."
)
@click.option(
    "--models",
    callback=check_models,
    metavar="NAME,…",
    help="The models that the terminals are of, in turn. "
    + " ".join(f"{name}: {model.meaning}." for name, model in MODELS.items())
    + f" Default: {ATT.name}, or all of them with --everything.",
)
@click.option(
    "--everything",
    is_flag=True,
    help="Send every kind of record that the models have, not only attendance: each once when a "
    "terminal connects, with all its users, then now and then beside the attendance.",
)
@click.option(
    "--encrypt",
    is_flag=True,
    help="Encrypt all sessions (docs/encryption.md), of models of version 2.4.0 or above.",
)
@click.option(
    "--faults",
    callback=check_faults,
    metavar="NAME=VALUE,…",
    help=f"What goes wrong on purpose: {SYNTAX}",
)
def simulate(
    server: str,
    devices: int,
    users: int,
    rate: float,
    seed: int,
    duration: float | None,
    punches: int | None,
    models: tuple[str, ...] | None,
    everything: bool,
    encrypt: bool,
    faults: Faults,
) -> None:
    """Let terminals in software push made-up attendance records to a server, to try it.

    With --everything they hold people as real ones do, and send users, fingerprints, faces, finger
    veins, unified templates, user photos, comparison and attendance photos, operations, errors,
    identity cards, work codes and messages; what the server does not ask for, they keep. No model
    has all of it: let there be four --devices, one of each.

    They execute every command that the server has, as far as their model can: hold, delete and send
    people and templates, count, fetch files and firmware, enrol.

    The records look like real ones: do not use a server that people rely on. The server has to
    admit the terminals: start it with --admission open, or approve them. Exit status 0 means that
    every record was acknowledged, and no request failed.
    """
    from ..simulator.fleet import FleetPlan

    if duration is None and punches is None:
        duration = SECONDS
    if not server.startswith(("http://", "https://")):
        raise click.UsageError("--server begins with http:// or https://.")
    plan = FleetPlan(
        server=server,
        devices=devices,
        users=users,
        rate=rate,
        seed=seed,
        duration=duration,
        punches=punches,
        models=models or (tuple(MODELS) if everything else (ATT.name,)),
        everything=everything,
        encrypt=encrypt,
        faults=faults,
    )
    run(lambda reactor: simulation(reactor, plan))


async def simulation(reactor: Any, plan: FleetPlan) -> None:
    """Run a simulation, and print what came of it."""
    from ..simulator.fleet import run_fleet

    said: set[str] = set()

    def report(line: str) -> None:
        """Say a thing once: a terminal that is refused says so at each of its tries."""
        if line not in said:
            said.add(line)
            echo(line, err=True)

    result = await run_fleet(reactor, plan, report)
    counted = ("punches", "acknowledged", "polls", "commands", "failures")
    print_pairs({name: getattr(result, name) for name in counted} | result.others)
    if result.punches != result.acknowledged:
        raise click.ClickException(
            f"{result.punches - result.acknowledged} of {result.punches} records were not "
            "acknowledged."
        )
    if result.waiting:
        raise click.ClickException(f"{result.waiting} other records were not acknowledged.")
    if result.failures:
        raise click.ClickException(f"{result.failures} requests failed.")
