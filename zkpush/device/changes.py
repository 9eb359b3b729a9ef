"""Changes to a terminal by an operator, and their consequences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

import msgspec
from twisted.logger import Logger

from ..model import DEVICE_ATTRIBUTES, OF_ZONE, Caller, Device, DeviceState, Problem, no_zone
from ..persist.commands import CommandStore
from ..persist.commkeys import CommKeyStore
from ..persist.devices import DeviceStore
from ..persist.sessions import SessionStore
from ..persist.transaction import Transaction
from ..problems import ProblemCode
from ..protocol.addresses import parse_networks
from ..protocol.fields import Scope
from ..protocol.reports import OPTION_RULES
from ..values.sessions import SessionState, SessionToken, TokenPolicy
from . import tokens
from .families import Families
from .life import LifeEvent, happen
from .places import SETTLED
from .session import renewed
from .terminal import Ciphers, is_in

_SECRET = frozenset({"secret"})
"""The secret of a cipher suite: changed like an attribute, but never shown."""
_TOLD = _SECRET | {name for name, one in DEVICE_ATTRIBUTES.items() if one.own.is_told}
"""Attributes that are sent in the exchange or determine how it proceeds."""
_OF_KEYS = _SECRET | {name for name, one in DEVICE_ATTRIBUTES.items() if one.own.ends_keys}
"""Attributes whose change ends the keys of a session."""
_OF_TOKENS = frozenset(
    {ProblemCode.TOKEN_MISSING, ProblemCode.NO_TOKEN, ProblemCode.SECOND_SESSION}
)
PROTECTIONS = _SECRET | {
    name for name, one in DEVICE_ATTRIBUTES.items() if one.own.scope is Scope.ADMIN
}
"""Attributes that protect a terminal from anyone who knows its serial number; changing them needs
the admin scope."""
_log = Logger()


class ScopeNeeded(Exception):
    """A caller lacks the scope for a request."""

    def __init__(self, missing: Iterable[Scope], what: str) -> None:
        """`what` names the action; it must not quote the request."""
        names = ", ".join(sorted(repr(scope.value) for scope in missing))
        super().__init__(f"{what} needs a token with the scope {names}.")


def check_scopes(by: Caller | None, needed: Iterable[Scope], what: str) -> None:
    """Raise `ScopeNeeded` unless the caller has these scopes; the server itself needs none."""
    missing = set() if by is None else set(needed) - by.scopes
    if missing:
        raise ScopeNeeded(missing, what)


def scopes_to_change(values: Mapping[str, object]) -> frozenset[Scope]:
    """The scopes needed for this change of a terminal, beyond `write`."""
    needed = set[Scope]()
    if not PROTECTIONS.isdisjoint(values):
        needed.add(Scope.ADMIN)
    for name, value in cast(Mapping[str, object], values.get("settings", {})).items():
        told = {"key": name, "value": "" if value is None else str(value)}
        needed |= {rule.scope for rule in OPTION_RULES if rule.applies(told)}
    return frozenset(needed)


def scopes_to_remove(tx: Transaction, device: Device) -> frozenset[Scope]:
    """The scopes needed to remove a terminal, beyond `write`: this drops its protection."""
    protected = any(
        getattr(device, name) != default
        for name, default in msgspec.structs.asdict(_UNPROTECTED).items()
        if name in PROTECTIONS
    )
    if protected or tx[SessionStore].secret(device.id):
        return frozenset({Scope.ADMIN})
    return frozenset()


_UNPROTECTED = Device(id=0, sn="", state=DeviceState.PENDING, created_at=0)
"""A newly recorded terminal, without protection."""


def change(
    tx: Transaction,
    device: Device,
    values: Mapping[str, object],
    ciphers: Ciphers,
    families: Families,
    now: int,
) -> Device:
    """Change a terminal; raises `ValueError` if a cipher suite and its secret do not match.

    `now` (ms) dates the problem of an approved terminal whose time zone is not known.

    Approving an unapproved terminal pins the offered pushcommkey if it is the only one, every
    exchange carried it, it came from the networks of the terminal, and none is pinned yet. An
    approved terminal also works without a key, so a stranger may have offered one: then only a
    named key is pinned. A key that is pinned ends the sessions that were begun without it.

    Approving a terminal that claims another family adopts that family, and approving any clears the
    problem of its mode, which its requests raise again. Approving a terminal, or setting its
    networks, clears the problems about its address. Settings are merged with the existing ones;
    None removes one. A change of options makes the terminal read them again.
    """
    changes, settled = dict(values), set[str]()
    raised: tuple[Problem, ...] = ()
    if changes.get("state") is DeviceState.APPROVED:
        settled |= SETTLED | {ProblemCode.ACCESS_CONTROL}
        if device.offered_family is not None:
            changes |= _other_family(tx, device, device.offered_family, now)
            settled.add(ProblemCode.OTHER_FAMILY)
        waited = device.state is not DeviceState.APPROVED
        if waited and "comm_key" not in changes and device.comm_key is None:
            networks = parse_networks(cast(Iterable[str], changes.get("networks", device.networks)))
            offered = tx[CommKeyStore].of(device.id)
            key = offered[0].fingerprint if len(offered) == 1 else None
            if key is not None and is_in(networks, offered[0].address):
                changes["comm_key"] = key
    if "comm_key" in changes:
        tx[CommKeyStore].forget(device.id, cast(str | None, changes["comm_key"]))
        settled |= {ProblemCode.KEY_CHANGED, ProblemCode.SEVERAL_KEYS}
        changes |= _ended(tx, device, cast(str | None, changes["comm_key"]), families)
    if "networks" in changes:
        settled |= SETTLED
    if changes.get("token_policy") is TokenPolicy.CHECK:
        # Start over: forget what the use of tokens has shown so far.
        changes |= {"returns_token": False, "bare_addresses": ()}
        changes["tokens"] = tuple(
            msgspec.structs.replace(token, proved=False, trusted=False)
            for token in cast(tuple[SessionToken, ...], changes.get("tokens", device.tokens))
        )
        settled.add(ProblemCode.SECRETS_WAIT)
    if "token_policy" in changes:
        settled |= _OF_TOKENS
    if "encryption" in changes:
        changes["encrypts"] = False
        settled.add(ProblemCode.SECRETS_WAIT)
    if not _OF_KEYS.isdisjoint(changes):
        settled.add(ProblemCode.NOT_OPENED)
    if "timezone" in changes:  # measured in the previous zone
        changes["clock_skew_seconds"] = None
        settled.add(ProblemCode.CLOCK_WRONG)
    state = changes.get("state", device.state)
    lacks_zone = state is DeviceState.APPROVED and (
        changes.get("timezone", device.timezone) is None
    )
    if not lacks_zone:
        settled |= OF_ZONE
    elif not any(problem.code == ProblemCode.NO_ZONE for problem in device.problems):
        raised = (no_zone(now),)
    left = tuple(problem for problem in device.problems if problem.code not in settled)
    if (*left, *raised) != device.problems:
        changes["problems"] = (*left, *raised)
    if "settings" in changes:
        merged = {**device.settings, **cast(Mapping[str, object], changes["settings"])}
        changes["settings"] = {name: value for name, value in merged.items() if value is not None}
    if not _TOLD.isdisjoint(changes) and "session" not in changes:
        changes["session"] = renewed(families.of(device).session, device.session)
    if not _OF_KEYS.isdisjoint(changes):
        _change_keys(tx, device, changes, ciphers)
    return tx[DeviceStore].change(device.id, changes)


def _ended(
    tx: Transaction, device: Device, comm_key: str | None, families: Families
) -> dict[str, object]:
    """The changes that end the sessions without a pushcommkey that is pinned now.

    The terminal makes its exchanges again where its own session may be one of these.
    """
    if comm_key is None or comm_key == device.comm_key:
        return {}
    kept, changes = tokens.bound_to(device, comm_key), dict[str, object]()
    if kept != device.tokens:
        changes["tokens"] = kept
    if device.encrypts:
        tx[SessionStore].drop(device.id)
        changes["generation"] = device.generation + 1
    if device.encrypts or len(kept) < len(device.tokens):
        changes["session"] = renewed(families.of(device).session, device.session)
    return changes


def _other_family(tx: Transaction, device: Device, family: str, now: int) -> dict[str, object]:
    """The changes to a terminal that is approved for another family.

    It starts as a new terminal; open commands of the previous family are cancelled.
    """
    for command in tx[CommandStore].of_other_families(device.id, family):
        happen(tx, command, LifeEvent.CANCELLED, now)
    tx[SessionStore].drop(device.id)
    return {
        "family": family,
        "offered_family": None,
        "session": SessionState.NEW,
        "generation": device.generation + 1,
        "told_time_zone": None,
    }


def _change_keys(
    tx: Transaction, device: Device, changes: dict[str, object], ciphers: Ciphers
) -> None:
    """Drop the keys after a change of policy, cipher suite or secret."""
    name = changes.get("cipher", device.cipher) or ciphers.config.suite
    suite = ciphers.suites.get(str(name))
    if suite is None:
        there = ", ".join(sorted(ciphers.suites))
        raise ValueError(f"There is no cipher suite {name!r}; there are {there}.")
    secret = changes.pop("secret", None)
    if secret is not None:
        tx[SessionStore].keep_secret(device.id, cast(bytes, secret))
    suite.check_secret(tx[SessionStore].secret(device.id))
    if suite.weakness:
        _log.warn("{sn} is given {cipher}: {why}", sn=device.sn, cipher=name, why=suite.weakness)
    tx[SessionStore].drop(device.id)
    changes["generation"] = device.generation + 1
