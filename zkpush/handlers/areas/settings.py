"""The section `[areas]` of the configuration."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class AreaSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Terminals of areas that distribute people."""

    repair: Annotated[
        bool,
        Meta(
            description="Whether a terminal that counts other numbers of users, fingerprints or "
            "faces than are recorded is asked for what it holds, and receives again what it has "
            "lost. If false, only `zkpush areas repair` and `zkpush devices repair` do that"
        ),
    ] = True
    packages: Annotated[
        bool,
        Meta(
            description="Whether many people go to a terminal as packages (PutFile), if the "
            "terminal executes these"
        ),
    ] = True
    query_days: Annotated[
        Annotated[int, Meta(ge=1, le=3650)] | None,
        Meta(
            description="Days after which each terminal is asked for all its users, whatever it "
            "counts. Unset: never"
        ),
    ] = None


SETTINGS = AreaSettings
