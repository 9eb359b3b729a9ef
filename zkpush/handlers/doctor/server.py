"""Checks of an installation while its daemon runs."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from pathlib import Path

import attrs

from ...device.registry import Registry
from ...device.silence import is_silent
from ...interfaces import IStore
from ...manage.health import HealthCheck
from ...manage.problems import Problems
from ...manage.services import Installation
from ...model import Device, DeviceState, Page
from ...permissions import too_open
from ...persist.checking import check_chain
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...problems import ProblemCode, ServerProblem, advice_of
from ..trace.model import LastRequests
from .advice import EXAMPLE_ZONE, approval, counted, duration, zone_hint
from .delivering import delivering_nothing, may_deliver_nothing
from .model import Check
from .strangers import StrangerRefusals, check_strangers

_OF_STORAGE = frozenset({ProblemCode.CANNOT_STORE, ProblemCode.SPACE_LOW})
_PART = 500
MOST_SHOWN = 3
"""Most faults named by one check."""
MOST_TERMINALS = 10
"""Most terminals named by one check, each with its problems."""
TAMPERED = (
    "Keep a copy of the database as evidence, and run `zkpush database check` for all faults."
)


@attrs.frozen
class ServerFacts:
    """Services whose state is checked."""

    store: IStore
    registry: Registry
    health: HealthCheck
    problems: Problems
    installation: Installation
    strangers: StrangerRefusals
    requests: LastRequests


@attrs.define
class _Terminals:
    """What the database knows of all terminals."""

    count: int = 0
    pending: list[Device] = attrs.Factory(list)
    with_tls: list[Device] = attrs.Factory(list)
    ailing: dict[str, list[str]] = attrs.Factory(dict)
    """Codes of the problems of those that have any, by serial number."""
    doubtful: list[Device] = attrs.Factory(list)
    """Those of which nothing may be stored."""
    blocked: list[str] = attrs.Factory(list)
    """Serial numbers."""
    quiet: list[Device] = attrs.Factory(list)
    """Those that are silent unless their last requests are not stored yet."""

    def add(self, part: Sequence[Device], about: Container[str], now: int) -> None:
        """Add terminals; `about` are those that problems of the server are about."""
        self.count += len(part)
        self.pending += [one for one in part if one.state is DeviceState.PENDING]
        self.blocked += [one.sn for one in part if one.state is DeviceState.BLOCKED]
        self.with_tls += [one for one in part if _tls_of(one) is not None]
        self.ailing |= {
            one.sn: [each.code for each in one.problems]
            for one in part
            if one.problems or one.sn in about
        }
        self.doubtful += [one for one in part if may_deliver_nothing(one)]
        self.quiet += [
            one for one in part if is_silent(one, one.last_seen_at, now, is_online=False)
        ]


async def examine_server(found: ServerFacts) -> list[Check]:
    """Make all checks of an installation."""
    return [
        _ports(found),
        *await _storage(found),
        check_modes(found.installation.secret_paths),
        _certificates(found),
        _zone(found),
        await _audit(found),
        *await _terminals(found),
        *await _strangers(found),
        *await _problems(found),
    ]


def rank_of_server(check: Check) -> int:
    """Return the place of a check among the faults to mend; a missing zone of new terminals and
    certificates come last."""
    return {"zone": 1, "certificates": 1}.get(check.name, 0)


def check_modes(paths: Sequence[Path]) -> Check:
    """Check that secret files and their directory are accessible only to their owner.

    Blocks briefly.
    """
    faults = too_open(paths)
    if faults:
        ways = ", ".join(dict.fromkeys(one.way_out for one in faults))
        return Check(
            "modes",
            "error",
            f"{shown([one.detail for one in faults])}.",
            f"Mend this: {ways}. If others may have read the token or the key, replace them "
            "(`zkpush docs security`).",
        )
    return Check("modes", "ok", "Only their owner may read the secret files.")


def zone_setting(file: Path | None) -> str:
    """Return how to set the zone of new terminals, in the configuration file if there is one."""
    line = f'`timezone = "{EXAMPLE_ZONE}"` (or another zone)'
    if file is not None:
        return f"Write {line} into {file.absolute()}, and restart the daemon"
    return f"Write {line} into a file, and start the daemon with --config and that file"


def check_audit(rows: int, faults: Sequence[str]) -> Check:
    """Make the check of the audit log from the result of its verification."""
    if faults:
        return Check("audit", "error", f"The audit log was changed: {shown(faults)}.", TAMPERED)
    return Check(
        "audit", "ok", f"{counted(rows, 'row')} of the audit log: as the server wrote them."
    )


def shown(texts: Sequence[str], most: int = MOST_SHOWN) -> str:
    """Join the first texts."""
    more = len(texts) - most
    return "; ".join(texts[:most]) + (f"; and {more} more" if more > 0 else "")


def _ports(found: ServerFacts) -> Check:
    urls = found.installation.urls()
    if not urls:
        return Check("ports", "error", "No port is open.", "Restart the daemon, and read its log.")
    return Check("ports", "ok", f"Open: {', '.join(urls)}.")


async def _storage(found: ServerFacts) -> list[Check]:
    state = await found.health.state()
    checks = []
    if state.reasons:
        advice = advice_of(ProblemCode.CANNOT_STORE)
        checks.append(Check("storage", "error", f"{shown(state.reasons)}.", advice))
    if state.warnings:
        advice = advice_of(ProblemCode.SPACE_LOW)
        checks.append(Check("disk", "warning", f"{shown(state.warnings)}.", advice))
    if not checks:
        least = min((space.free for space in state.spaces), default=None)
        free = "" if least is None else f"; at least {least // 2**20} MiB are free"
        checks.append(Check("storage", "ok", f"Database, key and disks can be used{free}."))
    return checks


def _certificates(found: ServerFacts) -> Check:
    doubts = found.installation.certificates()
    if doubts is None:
        return Check("certificates", "ok", "No port uses TLS.")
    if doubts:
        return Check(
            "certificates",
            "warning",
            f"{shown(doubts)}.",
            "Replace the files; the daemon reads them again by itself.",
        )
    return Check("certificates", "ok", "The certificates can be used.")


def _zone(found: ServerFacts) -> Check:
    zone = found.registry.timezone
    if zone is None:
        return Check(
            "zone",
            "warning",
            "The server has no time zone: new terminals have none until somebody sets it.",
            f"{zone_setting(found.installation.origins.file)}. Or set the zone of each terminal: "
            f"`zkpush devices set SN timezone=ZONE` (such as {EXAMPLE_ZONE}).",
        )
    return Check("zone", "ok", f"New terminals get the time zone {zone}.")


async def _audit(found: ServerFacts) -> Check:
    rows, faults = await found.store.read(check_chain)
    return check_audit(rows, faults)


async def _terminals(found: ServerFacts) -> list[Check]:
    """Check for terminals that deliver nothing, and for pending, blocked and ailing ones."""

    def find(tx: Transaction) -> _Terminals:
        about = found.problems.about_thd(tx)
        seen = _Terminals()
        after = 0
        while part := tx[DeviceStore].page(Page(_PART, after)):
            after = part[-1].id
            seen.add(part, about, now)
        return seen

    now = found.registry.now()
    seen = await found.store.read(find)
    silent = [
        one
        for one in seen.quiet
        if one not in seen.with_tls and _is_silent(found.registry, one, now)
    ]
    count, pending = seen.count, seen.pending
    useless = await delivering_nothing(found.requests, seen.doubtful)
    ailing = {sn: codes for sn, codes in seen.ailing.items() if sn not in useless}
    checks: list[Check] = []
    if useless:
        deliver = "delivers" if len(useless) == 1 else "deliver"
        checks.append(
            Check(
                "terminals",
                "error",
                f"{counted(len(useless), 'terminal')} {deliver} nothing: {_with_codes(useless)}. "
                "Their requests arrive, and nothing of them is stored.",
                f"Find out why, one by one: `zkpush doctor {next(iter(useless))}`.",
            )
        )
    if silent:
        names = shown([_last_heard(found.registry, one, now) for one in silent])
        checks.append(
            Check(
                "terminals",
                "error",
                f"Silent: {len(silent)} of {counted(count, 'terminal')}: {names}.",
                f"Find out why: `zkpush doctor {silent[0].sn}`.",
            )
        )
    checks += [
        Check(
            ProblemCode.TLS_ON_PLAIN.value,
            "error",
            f"{one.sn}: {_tls_of(one)}",
            f"{one.sn}: {advice_of(ProblemCode.TLS_ON_PLAIN, one.sn)}",
        )
        for one in seen.with_tls[:MOST_SHOWN]
    ]
    if pending:
        names = shown([one.sn for one in pending])
        checks.append(
            Check(
                "terminals",
                "warning",
                f"Pending: {len(pending)} of {counted(count, 'terminal')}: {names}.",
                f"Approve those that are yours: `{approval(pending[0])}`{zone_hint(pending[0])}.",
            )
        )
    if ailing:
        checks.append(
            Check(
                "terminals",
                "warning",
                f"With problems: {len(ailing)} of {counted(count, 'terminal')}: "
                f"{_with_codes(ailing)}.",
                f"See all problems: `zkpush problems list`. Examine each terminal: `zkpush doctor "
                f"{next(iter(ailing))}`.",
            )
        )
    if not checks:
        words = f"{counted(count, 'terminal')}: none pending, none silent, none with a problem."
        checks.append(Check("terminals", "ok", words))
    if seen.blocked:
        names = f"{len(seen.blocked)} of {counted(count, 'terminal')}: {shown(seen.blocked)}"
        words = f"Blocked, as an operator decided: {names}."
        checks.append(Check("terminals", "ok", words))
    return checks


def _with_codes(found: Mapping[str, Sequence[str]]) -> str:
    """Join terminals, each with the codes of its problems."""
    named = [f"{sn} ({', '.join(codes)})" if codes else sn for sn, codes in found.items()]
    return shown(named, MOST_TERMINALS)


def _is_silent(registry: Registry, device: Device, now: int) -> bool:
    heard, _ = registry.last_seen(device)
    return is_silent(device, heard, now, is_online=registry.is_online(device))


def _last_heard(registry: Registry, device: Device, now: int) -> str:
    """Return a silent terminal, with the time since it was last heard of."""
    heard, _ = registry.last_seen(device)
    if heard is None:
        return f"{device.sn} (never connected)"
    return f"{device.sn} (last heard of {duration(now - heard)} ago)"


def _tls_of(device: Device) -> str | None:
    """Return the detail of the TLS connections of a terminal to a plain port, if there are any."""
    code = ProblemCode.TLS_ON_PLAIN
    return next((one.detail for one in device.problems if one.code == code), None)


async def _strangers(found: ServerFacts) -> list[Check]:
    now = found.registry.now()
    stored = await found.store.read(lambda tx: found.strangers.recent_thd(tx, now))
    refusals = [*found.strangers.unwritten(), *stored]
    return check_strangers(refusals, found.registry.terminals, now)


def _about(problem: ServerProblem) -> str:
    """Return the detail of a problem with its subject, unless the detail names that itself."""
    subject = problem.subject
    values = subject.values.values() if isinstance(subject, Phrase) else ()
    if any(str(value) in problem.detail for value in values):
        return problem.detail
    return f"{subject}: {problem.detail}"


def _named_advice(problem: ServerProblem) -> str:
    """Return the advice on a problem, after the terminals of which one may be the cause."""
    advice = advice_of(problem.code, detail=problem.detail)
    if not problem.candidates:
        return advice
    more = len(problem.candidates) - MOST_SHOWN
    names = ", ".join(problem.candidates[:MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"{names}: {advice}"


async def _problems(found: ServerFacts) -> list[Check]:
    """Make a check for each remaining problem of the server, such as a failing plugin."""
    return [
        Check(
            str(one.code),
            "error",
            _about(one),
            _named_advice(one),
        )
        for one in await found.problems.of_server()
        if one.code not in _OF_STORAGE and one.sn is None
    ]
