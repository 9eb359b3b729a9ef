"""Terminals that are not served now, and why: one rule for the doctor, lists and pages."""

from __future__ import annotations

from enum import Enum

from ..model import Device, DeviceState
from ..problems import ProblemCode
from ..values.sessions import REPEATED_STATES

SILENT_AFTER = 600_000
"""Milliseconds without a request after which a terminal is silent; it may miss a few polls."""
CAUSES_OF_REFUSALS = (
    ProblemCode.OTHER_ADDRESS,
    ProblemCode.KEY_CHANGED,
    ProblemCode.NO_TOKEN,
    ProblemCode.CANNOT_ENCRYPT,
)
"""Problems of a terminal that say why it is refused: it may make requests all the time."""
NOT_SERVED = frozenset(
    {
        *CAUSES_OF_REFUSALS,
        ProblemCode.ACCESS_CONTROL,
        ProblemCode.OTHER_FAMILY,
        ProblemCode.TOKEN_MISSING,
    }
)
"""Problems of a terminal that makes requests, none of which may be served."""


def lacks_session(device: Device) -> bool:
    """Whether a terminal makes requests and does not begin a session, as last noticed."""
    return any(problem.code == ProblemCode.NO_SESSION for problem in device.problems)


class Absence(Enum):
    """Why nothing comes from a terminal."""

    NEVER = "never"
    SILENT = "silent"
    REFUSED = "refused"
    PENDING = "pending"
    BLOCKED = "blocked"
    NO_SESSION = "no_session"


_BY_STATE = {DeviceState.PENDING: Absence.PENDING, DeviceState.BLOCKED: Absence.BLOCKED}


def absence_of(device: Device, heard: int | None, now: int, *, is_online: bool) -> Absence | None:
    """Return why nothing comes from a terminal, as far as known; None if it is served.

    A retired terminal is not missed. `heard` is when it was last heard of (ms), None if never;
    `now` is in milliseconds.
    """
    if device.state is not DeviceState.APPROVED:
        return _BY_STATE.get(device.state)
    if is_online:
        return Absence.NO_SESSION if _is_ignored(device) else None
    if any(problem.code in NOT_SERVED for problem in device.problems):
        return Absence.REFUSED
    if heard is None:
        return Absence.NEVER
    return Absence.SILENT if now - heard >= SILENT_AFTER else None


def _is_ignored(device: Device) -> bool:
    """Whether nothing of a terminal is taken: records of one that has had a session are."""
    return lacks_session(device) and device.session not in REPEATED_STATES


def is_silent(device: Device, heard: int | None, now: int, *, is_online: bool) -> bool:
    """Whether an approved terminal makes no requests, as far as known; see `absence_of`."""
    found = absence_of(device, heard, now, is_online=is_online)
    return found in (Absence.NEVER, Absence.SILENT)
