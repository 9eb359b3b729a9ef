"""The command that counts the attendance records of a period (12.3.3)."""

from __future__ import annotations

from ...protocol.fields import Command, Field
from ...protocol.parameters import count_of
from ..attendance.tables import PERIOD

COMMANDS = (
    Command(
        name="VERIFY SUM ATTLOG",
        has_effect=True,
        section="12.3.3",
        reply="VERIFY SUM",
        meaning="Count the attendance records of a period; the server compares the counts",
        parameters=PERIOD,
        answers=(
            *PERIOD,
            count_of("AttlogSum", "Records that the terminal counts"),
            count_of("stored", "Records that are stored"),
            Field(
                wire="agrees",
                name="agrees",
                pattern="yes|no",
                form="yes or no",
                meaning="yes where both counts are the same",
            ),
        ),
    ),
)
