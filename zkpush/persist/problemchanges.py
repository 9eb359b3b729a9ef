"""Events about the problems of a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from ..consequences import advice_among
from ..model import Device


def changes_of_problems(before: Device, device: Device) -> Iterator[dict[str, str]]:
    """Iterate over the data of the events for a terminal that was as `before`."""
    was = {problem.code: problem.detail for problem in before.problems}
    now = {problem.code: problem.detail for problem in device.problems}
    for code, detail in was.items():
        if code not in now:
            yield {"device": device.sn, "what": "cleared", "code": code, "detail": detail}
    for code, detail in now.items():
        if was.get(code) != detail:
            yield {
                "device": device.sn,
                "what": "raised",
                "code": code,
                "detail": detail,
                "advice": str(advice_among(code, device, now)),
                **({"was": was[code]} if code in was else {}),
            }
