"""Modes of terminals that make them work otherwise than they should: problems of theirs.

Many models speak either protocol, as their menu says. In access-control mode they say so in the
exchange (`DeviceType=acc`), or ask for paths of that protocol. Their tables and commands have other
names, and some commands of attendance do harm there: they are sent none.

A terminal whose zone is not known is sent no `Date`. An HTTP proxy in front may add its own, by
which the terminal sets its clock.
"""

from __future__ import annotations

from ..model import Device, Problem
from ..problems import ProblemCode
from ..protocol.dialect import FIRST_FAMILY

ACCESS_CONTROL = "acc"
"""The DeviceType of such a terminal."""
PATHS = frozenset({b"registry", b"push", b"rtdata", b"querydata"})
"""What only such terminals ask for, below /iclock."""
REFUSAL = (
    "This terminal is in access-control mode, and takes no commands of attendance. Set it to "
    "attendance in its menu first: System, Device Type Setting, T&A PUSH."
)


_PROXY_DATE = (
    "An HTTP proxy passes its requests on. The server sends it no Date; many proxies add their own."
)


def takes_commands(device: Device) -> bool:
    """Whether a terminal speaks the attendance protocol, as far as is known."""
    return all(problem.code != ProblemCode.ACCESS_CONTROL for problem in device.problems)


def problems_after(
    device: Device,
    problems: tuple[Problem, ...],
    device_type: str | None,
    now: int,
    *,
    is_proxied: bool,
) -> tuple[Problem, ...]:
    """The problems of a terminal after an exchange in which it may name its type.

    `problems` are those before; `is_proxied` is whether an HTTP proxy has passed the exchange on.
    """
    found = {problem.code: problem for problem in problems}
    if device_type is not None:
        mode = Problem(ProblemCode.ACCESS_CONTROL, "It says DeviceType=acc.", now)
        is_other = device_type.strip().lower() == ACCESS_CONTROL
        _settle(found, mode, there=is_other and device.family == FIRST_FAMILY)
    date = Problem(ProblemCode.PROXY_DATE, _PROXY_DATE, now)
    _settle(found, date, there=is_proxied and device.timezone is None)
    return tuple(found.values())


def _settle(found: dict[str, Problem], problem: Problem, *, there: bool) -> None:
    if there:
        found.setdefault(problem.code, problem)
    else:
        found.pop(problem.code, None)
