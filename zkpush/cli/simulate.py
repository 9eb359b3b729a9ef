"""`zkpush simulate`: simulated terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..counting import agreeing, counted
from ..enginewords import ENGINE_WORDS
from ..simulator.faults import SYNTAX, Faults, parse_faults
from ..simulator.model import ATT, MODELS
from .groups import LeafCommand
from .output import echo, print_pairs
from .running import run

if TYPE_CHECKING:
    from pathlib import Path

    from ..simulator.fleet import FleetPlan
    from .target import Given

SECONDS = 60.0
"""Default duration of a simulation."""
_STATUS = (
    "Exit status: 0 if every record was acknowledged and no request failed, 1 otherwise, 2 wrong "
    "usage."
)


def check_models(
    context: click.Context, option: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    """Split model names at commas; `click.BadParameter` for an unknown model."""
    if value is None:
        return None
    names = tuple(name.strip() for name in value.split(","))
    for name in names:
        if name not in MODELS:
            raise click.BadParameter(f"{name!r} is not a model; models are {', '.join(MODELS)}.")
    return names


def check_faults(context: click.Context, option: click.Parameter, value: str | None) -> Faults:
    """Parse the faults to inject; `click.BadParameter` for an invalid fault."""
    try:
        return Faults() if value is None else parse_faults(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


@click.command(cls=LeafCommand, status=_STATUS, short_help=ENGINE_WORDS["simulate"])
@click.option(
    "--server",
    required=True,
    metavar="URL",
    help="URL of the server's port for terminals, such as http://127.0.0.1:8081.",
)
@click.option(
    "--devices",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Number of terminals.",
)
@click.option(
    "--users",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    metavar="N",
    help="Number of users of each terminal.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    metavar="R",
    help="Attendance records per second, of all terminals together.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="S",
    help="Seed of the random data: another seed makes other terminals and other records.",
)
@click.option(
    "--duration",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help=f"Stop after this time. Default: {SECONDS:.0f}; no limit with --punches.",
)
@click.option(
    "--punches",
    type=click.IntRange(min=1),
    metavar="N",
    help="Stop after N attendance records.",
)
@click.option(
    "--models",
    callback=check_models,
    metavar="NAME,…",
    help="Models of the terminals, assigned in turn. "
    + " ".join(f"{name}: {model.meaning}." for name, model in MODELS.items())
    + f" Default: {ATT.name}; all models with --everything.",
)
@click.option(
    "--everything",
    is_flag=True,
    help="Send all users and every kind of record that the models have, not only attendance: once "
    "when a terminal connects, then occasionally.",
)
@click.option(
    "--encrypt",
    is_flag=True,
    help="Encrypt the sessions of models with protocol 2.4.0 or later (see `zkpush docs "
    "encryption`).",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Stop at replies that the protocol does not allow: a bare OK to the exchange, CRLF, no LF "
    "at the end. Without it, terminals live with them as real firmware does, and quote each once.",
)
@click.option(
    "--faults",
    callback=check_faults,
    metavar="NAME=VALUE,…",
    help=f"Faults to inject.\n\n\b\n{SYNTAX}",
)
@click.pass_obj
def simulate(
    given: Given,
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
    strict: bool,
    faults: Faults,
) -> None:
    """Run simulated terminals that push invented attendance records to a test server.

    The records look like real ones: do not use a production server. The server must admit the
    terminals: start it with --admission open, or approve them.

    With --everything, the terminals also hold and upload users, fingerprints, faces, finger veins,
    unified templates, user photos, comparison photos, attendance photos, operation logs, error
    logs, identity cards, work codes and messages, as far as the server asks for them. No model has
    all of these: use --devices 4 to have one terminal of each model.

    The terminals execute every command that their model supports.

    \b
    Example:
      zkpush simulate --server http://127.0.0.1:8081 --devices 4 --everything
    """
    from ..simulator.fleet import FleetPlan

    if duration is None and punches is None:
        duration = SECONDS
    if not server.startswith(("http://", "https://")):
        raise click.UsageError("--server must begin with http:// or https://.")
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
        strict=strict,
        faults=faults,
    )
    run(lambda reactor: simulation(reactor, plan, given.ca))


async def simulation(reactor: Any, plan: FleetPlan, ca: Path | None = None) -> None:
    """Run a simulation, and print the totals; `ca` is a PEM file of the CAs to trust."""
    from ..simulator.fleet import run_fleet
    from .trust import policy

    said: set[str] = set()

    def report(line: str) -> None:
        """Print each message once: a refused terminal reports it at every attempt."""
        if line not in said:
            said.add(line)
            echo(line, err=True)

    result = await run_fleet(reactor, plan, report, policy(ca))
    if result.fault is not None:
        raise click.ClickException(result.fault)
    totals = ("punches", "acknowledged", "polls", "commands", "failures")
    print_pairs({name: getattr(result, name) for name in totals} | result.others)
    if not result.is_reached:
        raise click.ClickException(
            f"{plan.server} never replied. Start the server, or check --server: it is the URL of "
            "the terminals' port."
        )
    if result.punches != result.acknowledged:
        raise click.ClickException(
            f"{result.punches - result.acknowledged} of {counted(result.punches, 'record')} "
            f"{agreeing(result.punches, 'was', 'were')} not acknowledged."
        )
    if result.waiting:
        raise click.ClickException(
            f"{counted(result.waiting, 'other record was', 'other records were')} not acknowledged."
        )
    if result.failures:
        raise click.ClickException(f"{counted(result.failures, 'request')} failed.")
