"""Injected faults: lost, duplicated or late answers, and refused commands."""

from __future__ import annotations

import random
from collections.abc import Mapping

import attrs

from ..protocol.codes import succeeded

SLOWEST = 3600.0
"""Maximum number of seconds that a command may be delayed."""
_ENROLL = "ENROLL_FP"
SYNTAX = (
    "NAME=VALUE pairs, separated by commas, such as\n"
    "lose-answers=0.1,refuse=-1005:0.05,slow=2.\n"
    "P is a probability from 0 to 1:\n"
    "lose-answers=P    lose answers to commands\n"
    "double-answers=P  send answers twice\n"
    "lose-polls=P      lose replies to polls\n"
    "hide-punches=P    keep punches back until the\n"
    "                  server asks for their period\n"
    "slow=S            take S seconds for each command\n"
    "refuse=CODE:P     refuse commands with a return\n"
    "                  code; repeatable; 2 to 7 are for\n"
    "                  ENROLL commands only."
)


@attrs.frozen
class Faults:
    """Rates of the faults, from 0 (never) to 1 (always)."""

    lose_answers: float = 0.0
    double_answers: float = 0.0
    lose_polls: float = 0.0
    hide_punches: float = 0.0
    """Rate of punches that are held back until the server asks for their period."""
    slow: float = 0.0
    """Seconds that a command takes."""
    refuse: Mapping[int, float] = attrs.field(factory=dict)
    """Rates of refusals, by return code."""


def parse_faults(text: str) -> Faults:
    """Parse faults in the form of `SYNTAX`; `ValueError` says what is wrong."""
    rates: dict[str, float] = {}
    refuse: dict[int, float] = {}
    names = {field.name.replace("_", "-") for field in attrs.fields(Faults)} - {"refuse"}
    for part in text.split(","):
        name, equals, value = part.strip().partition("=")
        if name == "refuse":
            code, _, rate = value.partition(":")
            refuse[_code(code)] = _rate(part, rate)
        elif name in names and equals:
            most = SLOWEST if name == "slow" else 1.0
            rates[name.replace("-", "_")] = _rate(part, value, most)
        else:
            raise ValueError(
                f"{part.strip()!r} is not a fault; faults are {', '.join(sorted(names))}, refuse"
            )
    return Faults(**rates, refuse=refuse)


def _code(text: str) -> int:
    try:
        code = int(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a return code") from None
    if succeeded(_ENROLL, code):
        raise ValueError(f"the return code {code} refuses nothing")
    return code


def _rate(part: str, text: str, most: float = 1.0) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= most:
        raise ValueError(f"{part.strip()!r} needs a number from 0 to {most:g}")
    return rate


class Mischief:
    """Decides at random whether a fault occurs."""

    def __init__(self, faults: Faults, chance: random.Random) -> None:
        self.faults = faults
        self._chance = chance

    def loses_answer(self) -> bool:
        """Whether the answer to a command is lost."""
        return self._happens(self.faults.lose_answers)

    def doubles_answer(self) -> bool:
        """Whether the answer to a command is sent twice."""
        return self._happens(self.faults.double_answers)

    def loses_poll(self) -> bool:
        """Whether the reply to a poll is lost."""
        return self._happens(self.faults.lose_polls)

    def hides_punch(self) -> bool:
        """Whether a punch is kept without being uploaded."""
        return self._happens(self.faults.hide_punches)

    def refusal(self, name: str) -> int | None:
        """Return the return code of a refusal; None to execute the command."""
        for code, rate in self.faults.refuse.items():
            if not succeeded(name, code) and self._happens(rate):
                return code
        return None

    def _happens(self, rate: float) -> bool:
        return rate > 0 and self._chance.random() < rate
