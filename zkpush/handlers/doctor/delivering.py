"""Terminals that make requests, and of whose uploads nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence

from ...consequences import is_over
from ...device.silence import NOT_SERVED
from ...model import Device, DeviceState
from ...problems import ProblemCode
from ..trace.model import LastRequests, TracedRequest
from .refusing import UNSERVED_AFTER

CANDIDATES = NOT_SERVED | {ProblemCode.UNKNOWN_REQUESTS}
"""Problems of a terminal of whose uploads nothing may be stored."""
MOST_EXAMINED = 100
"""Most terminals whose last requests are read for one examination of the installation."""
_ANSWERS = "devicecmd"
"""Last part of the path of answers to commands, which hold no records."""


def may_deliver_nothing(device: Device) -> bool:
    """Whether a problem of an approved terminal may keep all that it uploads from being stored."""
    return device.state is DeviceState.APPROVED and any(
        one.code in CANDIDATES and not is_over(one.detail) for one in device.problems
    )


async def delivering_nothing(
    requests: LastRequests, candidates: Sequence[Device]
) -> dict[str, list[str]]:
    """Return the serial numbers of those that deliver nothing, each with its problems."""
    return {
        device.sn: [one.code for one in device.problems if one.code in CANDIDATES]
        for device in candidates[:MOST_EXAMINED]
        if _delivers_nothing(device, await requests.of(device))
    }


def _delivers_nothing(device: Device, trace: Sequence[TracedRequest]) -> bool:
    """Whether its last upload was not served, or no request for some time."""
    if any(one.code == ProblemCode.ACCESS_CONTROL for one in device.problems):
        return True
    if any(not one.is_served for one in [*filter(_is_upload, trace)][-1:]):
        return True
    served = max((one.at for one in trace if one.is_served), default=0)
    return any(one.at - served >= UNSERVED_AFTER for one in trace[-1:])


def _is_upload(one: TracedRequest) -> bool:
    return one.content.method == "POST" and one.content.path.rpartition("/")[2] != _ANSWERS
