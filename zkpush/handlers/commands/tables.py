"""Commands that belong to no table or part of a terminal."""

from __future__ import annotations

from ...protocol.fields import Command, Field, Scope, Writing
from ...protocol.parameters import DAY

COMMANDS = (
    Command(
        name="RAW",
        section="12",
        reply="RAW",
        meaning="Send one line as it is, for a command that is not in this list",
        scope=Scope.DANGEROUS,
        writing=Writing.RAW,
        ends_batch=True,
        is_repeatable=False,
        wait_seconds=DAY,
        parameters=(
            Field(
                wire="line",
                name="line",
                required=True,
                secret=Scope.DANGEROUS,
                pattern=r"(?!C:)[^\s][^\r\n\0]*",
                form="one line of a command, without `C:ID:` before it",
                meaning="The command and its parameters, as after `C:ID:`",
                label="The line",
            ),
        ),
    ),
)
