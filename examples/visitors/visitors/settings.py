"""The section `[visitors]` of the configuration."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class VisitorSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Visitors of reception terminals."""

    keep_days: Annotated[
        Annotated[int, Meta(ge=1, le=3650)] | None,
        Meta(description="Days after which visitors are deleted. Unset: never"),
    ] = None


SETTINGS = VisitorSettings
