"""What an operator changes of a terminal, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from twisted.logger import Logger

from ..interfaces import ITransaction
from ..model import Device, DeviceState, SessionState
from ..problems import ProblemCode
from .places import SETTLED
from .session import Session
from .terminal import Ciphers

_TOLD = frozenset({"settings", "timezone", "encryption", "cipher", "secret"})
"""What of a terminal is told to it in the exchange, or decides how that goes on."""
_OF_KEYS = frozenset({"encryption", "cipher", "secret"})
"""What makes an end of the keys there are."""
_log = Logger()


def change(
    tx: ITransaction, device: Device, values: Mapping[str, object], ciphers: Ciphers
) -> Device:
    """Change a terminal; `ValueError` if a cipher suite and its secret do not fit.

    Approving it takes over the key it last offered, and settles what was wrong with that, and with
    its address; so does saying where it may be. Settings are merged with those it has; None takes
    one back. A change of what it was told makes it read its options again.
    """
    changes, settled = dict(values), set[str]()
    if changes.get("state") is DeviceState.APPROVED:
        changes["comm_key"] = device.offered_comm_key
        settled |= {ProblemCode.KEY_CHANGED, *SETTLED}
    if "networks" in changes:
        settled |= SETTLED
    if settled:
        changes["problems"] = tuple(
            problem for problem in device.problems if problem.code not in settled
        )
    if "settings" in changes:
        merged = {**device.settings, **cast(Mapping[str, object], changes["settings"])}
        changes["settings"] = {name: value for name, value in merged.items() if value is not None}
    if not _TOLD.isdisjoint(changes):
        changes["session"] = renewed(device)
    if not _OF_KEYS.isdisjoint(changes):
        _change_keys(tx, device, changes, ciphers)
    return tx.devices.change(device.id, changes)


def renewed(device: Device) -> SessionState:
    """The state of a terminal's session once something it was told has changed."""
    session = Session(device.session)
    session.renew()
    return session.state


def _change_keys(
    tx: ITransaction, device: Device, changes: dict[str, object], ciphers: Ciphers
) -> None:
    """Begin anew with another policy, suite or secret."""
    name = changes.get("cipher", device.cipher) or ciphers.config.suite
    suite = ciphers.suites.get(str(name))
    if suite is None:
        there = ", ".join(sorted(ciphers.suites))
        raise ValueError(f"There is no cipher suite {name!r}; there are {there}.")
    secret = changes.pop("secret", None)
    if secret is not None:
        tx.sessions.keep_secret(device.id, cast(bytes, secret))
    suite.check_secret(tx.sessions.secret(device.id))
    if suite.weakness:
        _log.warn("{sn} is given {cipher}: {why}", sn=device.sn, cipher=name, why=suite.weakness)
    tx.sessions.drop(device.id)
    changes["generation"] = device.generation + 1
