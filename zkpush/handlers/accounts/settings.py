"""The section `[accounts]` of the configuration."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class AccountSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Accounts of the console."""

    idle_minutes: Annotated[
        int,
        Meta(ge=1, le=10_080, description="Minutes without a request after which a session ends"),
    ] = 120
    session_hours: Annotated[
        int, Meta(ge=1, le=720, description="Hours after which a session ends in any case")
    ] = 24
    link_minutes: Annotated[
        int, Meta(ge=1, le=10_080, description="Minutes for which a one-time link is valid")
    ] = 60


SETTINGS = AccountSettings
