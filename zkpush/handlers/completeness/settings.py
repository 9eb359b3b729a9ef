"""The section `[completeness]` of the configuration."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ...valuewords import TIME_OF_DAY

_Time = Annotated[str, Meta(pattern=TIME_OF_DAY)]


class Completeness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Comparison of the attendance records of terminals with the stored ones."""

    nightly: Annotated[
        bool, Meta(description="Whether the records of all terminals are compared each night")
    ] = True
    begin: Annotated[
        _Time, Meta(description="Begin of the night, by the clock of each terminal")
    ] = "01:00"
    end: Annotated[
        _Time,
        Meta(description="End of the night. A terminal is asked at a random time within the night"),
    ] = "05:00"
    days: Annotated[
        int,
        Meta(
            ge=1,
            le=62,
            description="Days before the present one that are compared; complete ones are not "
            "compared again",
        ),
    ] = 7
    at_once: Annotated[
        int, Meta(ge=1, le=1000, description="Most terminals that are asked at the same time")
    ] = 5
    ask_again_days: Annotated[
        int,
        Meta(
            ge=1,
            le=3650,
            description="Days until a terminal that cannot count its records is asked again at "
            "night",
        ),
    ] = 30
    keep_days: Annotated[
        Annotated[int, Meta(ge=62, le=36_500)] | None,
        Meta(description="Days after which outcomes are deleted"),
    ] = 400

    def __post_init__(self) -> None:
        """Check the night; `ValueError` if it is empty."""
        if self.begin == self.end:
            raise ValueError("begin and end of the night are the same: use nightly = false instead")


SETTINGS = Completeness
