"""Rules of forwarders that name a terminal which was replaced."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from .model import ForwardRules


def with_successor(rules: ForwardRules, old: str, new: str) -> ForwardRules:
    """Add a terminal to the rules that name another one, which it has replaced."""
    directions = rules.directions
    if directions is not None:
        cases = tuple(
            case
            if case.devices is None
            else msgspec.structs.replace(case, devices=[*_named(case.devices, old, new)])
            for case in directions.cases
        )
        directions = msgspec.structs.replace(directions, cases=cases)
    devices = None if rules.devices is None else _named(rules.devices, old, new)
    return msgspec.structs.replace(rules, devices=devices, directions=directions)


def _named(devices: Sequence[str], old: str, new: str) -> Sequence[str]:
    if old not in devices or new in devices:
        return devices
    return [*devices, new]
