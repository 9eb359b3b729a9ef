"""Commands on a simulated terminal itself: options, door, restart (12.3, 12.4, 12.7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...protocol.codes import Operation, ReturnCode
from ...protocol.fields import Command
from ...simulator.answer import Answer, ReturnCodeError
from ...simulator.operation import NOBODY
from ...simulator.parameters import read_values

if TYPE_CHECKING:
    from ...simulator.terminal import SimulatedTerminal


async def check(terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]) -> Answer:
    """Read the server's options again, and resend the data types whose stamp is 0."""

    async def then() -> None:
        await terminal.exchange()
        await terminal.upload()

    return Answer(then=then)


async def log(terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]) -> Answer:
    """Send new data."""
    return Answer(then=terminal.upload)


async def reboot(
    terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]
) -> Answer:
    """Restart; afterwards the terminal makes the handshake again."""
    return Answer(then=terminal.restart)


async def set_option(
    terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]
) -> Answer:
    """Set one option, in memory and in the options file."""
    values = read_values(command, params, terminal.model.encoding)
    terminal.settings[values["key"]] = values["value"]
    terminal.files.write_options(terminal.settings)
    return Answer()


async def reload_options(
    terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]
) -> Answer:
    """Reload the options file, which may have been replaced (12.5.2)."""
    terminal.settings = terminal.files.read_options()
    return Answer()


async def info(terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]) -> Answer:
    """Answer with all options."""
    return Answer(values=terminal.options())


async def get_option(
    terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]
) -> Answer:
    """Answer with one option; a code if the terminal does not have it."""
    key = read_values(command, params, terminal.model.encoding)["key"]
    options = terminal.options()
    if key not in options:
        raise ReturnCodeError(ReturnCode.PARAMETER_INCORRECT)
    return Answer(values={key: options[key]})


async def unlock(
    terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]
) -> Answer:
    """Open the door."""
    terminal.door.opened += 1
    terminal.operate(Operation.UNLOCK, NOBODY)
    return Answer()


async def end_alarm(
    terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]
) -> Answer:
    """End the alarm."""
    terminal.door.alarm = False
    return Answer()


EXECUTE = {
    "CHECK": check,
    "LOG": log,
    "SET OPTION": set_option,
    "RELOAD OPTIONS": reload_options,
    "GET OPTION FROM": get_option,
    "INFO": info,
    "REBOOT": reboot,
    "AC_UNLOCK": unlock,
    "AC_UNALARM": end_alarm,
}
