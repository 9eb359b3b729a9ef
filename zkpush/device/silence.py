"""When a terminal counts as silent: one rule for the doctor and for lists."""

from __future__ import annotations

from ..model import Device, DeviceState
from ..problems import ProblemCode

SILENT_AFTER = 600_000
"""Milliseconds without a request after which a terminal is silent; it may miss a few polls."""
CAUSES_OF_REFUSALS = (
    ProblemCode.OTHER_ADDRESS,
    ProblemCode.KEY_CHANGED,
    ProblemCode.NO_TOKEN,
    ProblemCode.CANNOT_ENCRYPT,
)
"""Problems of a terminal that say why it is refused: it may make requests all the time."""


def is_silent(device: Device, heard: int | None, now: int, *, is_online: bool) -> bool:
    """Whether an approved terminal makes no requests, as far as known.

    `heard` is when it was last heard of (ms), None if never; `now` is in milliseconds.
    """
    if device.state is not DeviceState.APPROVED or is_online:
        return False
    if any(problem.code in CAUSES_OF_REFUSALS for problem in device.problems):
        return False
    return heard is None or now - heard >= SILENT_AFTER
