"""Terminal modes that prevent normal operation, reported as problems.

Many models speak either protocol, as set in their menu. In access-control mode, they send
`DeviceType=acc` in the exchange or request paths of that protocol. Their tables and commands have
other names, and some attendance commands do harm there, so they are sent no commands.

A terminal whose time zone is not known is sent no `Date`. An HTTP proxy in front may add its own
`Date`, and the terminal sets its clock by it.
"""

from __future__ import annotations

from ..interfaces import IStore
from ..model import Device, DeviceState, Problem
from ..persist.devices import DeviceStore
from ..persist.transaction import Transaction
from ..phrases import Phrase
from ..problems import ProblemCode
from ..protocol.dialect import FIRST_FAMILY
from .registry import Registry
from .terminal import Terminal

ACCESS_CONTROL = "acc"
"""The DeviceType of terminals in access-control mode."""
REFUSAL = Phrase(
    "This terminal is in access-control mode, and takes no commands of attendance. Set it to "
    "attendance in its menu first: System, Device Type Setting, T&A PUSH."
)


_PROXY_DATE = Phrase(
    "An HTTP proxy passes its requests on. The server sends it no Date; many proxies add their own."
)


def takes_commands(device: Device) -> bool:
    """Whether a terminal is not known to be in access-control mode."""
    return all(problem.code != ProblemCode.ACCESS_CONTROL for problem in device.problems)


def mode_after(
    device: Device, problems: tuple[Problem, ...], device_type: str | None, now: int
) -> tuple[Problem, ...]:
    """The problems of a terminal after it has named its device type, or has not (None)."""
    found = {problem.code: problem for problem in problems}
    if device_type is not None:
        mode = Problem(
            ProblemCode.ACCESS_CONTROL,
            Phrase("It says that it is for access control (DeviceType=acc)."),
            now,
        )
        is_other = device_type.strip().lower() == ACCESS_CONTROL
        _settle(found, mode, there=is_other and device.family == FIRST_FAMILY)
    return tuple(found.values())


def problems_after(
    device: Device,
    problems: tuple[Problem, ...],
    device_type: str | None,
    now: int,
    *,
    is_proxied: bool,
) -> tuple[Problem, ...]:
    """The problems of a terminal after an exchange, which may name its device type.

    `problems` are the previous ones; `is_proxied` tells whether an HTTP proxy forwarded the
    exchange.
    """
    found = {problem.code: problem for problem in mode_after(device, problems, device_type, now)}
    date = Problem(ProblemCode.PROXY_DATE, _PROXY_DATE, now)
    _settle(found, date, there=is_proxied and device.timezone is None)
    return tuple(found.values())


class PendingModes:
    """Notes the modes of pending terminals, so that people see them before they approve."""

    def __init__(self, store: IStore, registry: Registry) -> None:
        self._store = store
        self._registry = registry

    async def note(self, terminal: Terminal, device_type: str | None) -> None:
        """Store that a pending terminal says that it is in access-control mode, or is not.

        The approval clears it.
        """
        now = self._registry.now()

        def changed(device: Device) -> tuple[Problem, ...] | None:
            problems = mode_after(device, device.problems, device_type, now)
            is_same = problems == device.problems or device.state is not DeviceState.PENDING
            return None if is_same else problems

        def unit(tx: Transaction) -> Device:
            before = tx[DeviceStore].get(terminal.device.id)
            problems = changed(before)
            if problems is None:
                return before
            return tx[DeviceStore].change(before.id, {"problems": problems})

        if changed(terminal.device) is not None:
            terminal.update(await self._store.write(unit))


def _settle(found: dict[str, Problem], problem: Problem, *, there: bool) -> None:
    if there:
        found.setdefault(problem.code, problem)
    else:
        found.pop(problem.code, None)
