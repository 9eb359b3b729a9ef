"""Data that terminals report about themselves (8, 9), and commands on them (12.2 to 12.7)."""

from __future__ import annotations

from ...protocol.fields import Command, Field, Scope, Writing
from ...protocol.parameters import AT_ONCE, DAY, clear_command, plain_command
from ...protocol.reports import INFO, OPTION_RULES, OPTIONS

URGENT = 8
"""Priority of commands for a person waiting at a door."""

TABLES = (OPTIONS, INFO)

_OPTION_NAME = Field(
    wire="key",
    name="key",
    required=True,
    pattern=r"~?[A-Za-z_][A-Za-z0-9_.]{0,63}",
    form="the name of an option, such as VOLUME or ~MaxUserCount",
    meaning="Name of the option",
)

COMMANDS = (
    clear_command("DATA", "12.2.3", "Clear all data of the terminal", ends_batch=True),
    plain_command(
        "CHECK",
        "12.3.1",
        "Read the options again, and upload again what the server asks for",
        ends_batch=True,
        asks_for_exchange=True,
    ),
    plain_command("LOG", "12.3.2", "Check for new data and upload it now"),
    Command(
        name="SET OPTION",
        has_effect=True,
        section="12.4.1",
        reply="SET OPTION",
        meaning="Set one option of the terminal",
        scope_rules=OPTION_RULES,
        writing=Writing.OPTION,
        key=("key",),
        parameters=(
            _OPTION_NAME,
            Field(
                wire="value",
                name="value",
                required=True,
                secret=Scope.DANGEROUS,
                meaning="Its value; may be empty",
            ),
        ),
    ),
    Command(
        name="GET OPTION FROM",
        has_effect=True,
        section="12.4.2",
        reply="GET OPTION FROM",
        meaning="Upload one option of the terminal; not every firmware has this",
        writing=Writing.VALUES,
        bare=("key",),
        parameters=(_OPTION_NAME,),
    ),
    plain_command("RELOAD OPTIONS", "12.4.2", "Read the options of the terminal's own file again"),
    plain_command("INFO", "12.4.3", "Upload all options of the terminal", has_effect=True),
    plain_command(
        "REBOOT",
        "12.7.1",
        "Restart the terminal",
        ends_batch=True,
        is_repeatable=False,
        wait_seconds=DAY,
        restarts=True,
    ),
    plain_command(
        "AC_UNLOCK",
        "12.7.2",
        "Open the door",
        scope=Scope.DANGEROUS,
        is_repeatable=False,
        wait_seconds=AT_ONCE,
        priority=URGENT,
    ),
    plain_command(
        "AC_UNALARM",
        "12.7.3",
        "End the alarm",
        scope=Scope.DANGEROUS,
        is_repeatable=False,
        wait_seconds=AT_ONCE,
        priority=URGENT,
    ),
)
