"""Parts of jobs: prepared on a thread of the store, and written in one short unit of work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import attrs

from ...device.modes import REFUSAL, takes_commands
from ...device.queueing import CommandDraft, CommandWriter, Delivery, abilities_of
from ...device.replacing import replace
from ...model import DEFAULT_AREA, Device
from ...persist.commandjobs import JobCommands, SealedCommands, encode_body, seal_commands
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...protocol.dialect import Dialect
from ...protocol.fields import Command
from ...values.commands import NewCommand
from .model import Job, JobCommand, JobOptions, JobTarget, TargetState
from .store import JobStore

MOST_COMMANDS = 100
"""Maximum number of commands in a part."""
FIRST_COMMANDS = 25
"""Maximum number of commands in the first part."""
LEAST_COMMANDS = 10
"""Minimum size of a part on a slow machine, in commands."""
PART_SECONDS = 0.01
"""Intended time to write a part, during which uploads wait."""
MOST_ONE_BY_ONE = 8
"""Maximum number of commands in a part that cannot be inserted together."""
MOST_BYTES = 512 * 1024
"""Size of the commands in a part, in bytes; a larger command is a part of its own."""
_DAMAGED = "The commands of this job are damaged in the database; make a new job."
_MOVED = (
    "The terminal has left the areas to which the caller of this job is limited. Nothing more is "
    "queued for it; a caller of its present area can make a new job."
)
Hurried = tuple[str, int | None]
"""A terminal with a new command, and the earliest time (ms) to send it."""


@attrs.frozen
class _Draft:
    """A command of a job for the terminals of one dialect."""

    draft: CommandDraft
    body: bytes | None
    """Encoded body; None if the command is different for each terminal."""


@attrs.frozen
class PlannedCommand:
    """A command to queue for one terminal."""

    name: str
    params: Mapping[str, str]
    place: int
    """Its number among the commands of the job."""
    repeats: str | None = None
    """The ended command that it repeats."""


@attrs.frozen
class Share:
    """The next commands of one terminal in a part."""

    target: JobTarget
    device: Device
    commands: Sequence[PlannedCommand] = ()
    new: Sequence[tuple[NewCommand, bytes]] = ()
    """The same commands, each with its body, if they may be inserted together."""
    refusal: str | None = None
    """Why the terminal cannot take the commands."""


@attrs.frozen
class JobPart:
    """A part of a job."""

    shares: Sequence[Share]
    sealed: SealedCommands


class PartSize:
    """Number of commands in a part, so that writing one takes about `PART_SECONDS`."""

    def __init__(self) -> None:
        self._fitting = FIRST_COMMANDS

    @property
    def commands(self) -> int:
        """Maximum number of commands in the next part."""
        return min(self._fitting, MOST_COMMANDS)

    def took(self, commands: int, seconds: float) -> None:
        """Adapt to the time that it took to write a part."""
        fitting = MOST_COMMANDS
        if seconds > 0:
            fitting = min(fitting, int(commands * PART_SECONDS / seconds))
        self._fitting = max(fitting, LEAST_COMMANDS)


class JobPartMaker:
    """Makes and writes the parts of jobs."""

    def __init__(self, writer: CommandWriter, seconds: Callable[[], float]) -> None:
        """`seconds` returns the time, on any thread."""
        self._writer = writer
        self._seconds = seconds
        self._size = PartSize()
        self._commands: dict[str, list[JobCommand] | None] = {}
        self._drafts: dict[tuple[str, Dialect], Sequence[_Draft] | str] = {}

    def keep(self, jobs: Collection[str]) -> None:
        """Forget all jobs except these."""
        for job in self._commands.keys() - jobs:
            del self._commands[job]
        for key in [key for key in self._drafts if key[0] not in jobs]:
            del self._drafts[key]

    def make_thd(self, tx: Transaction, job: Job, now: int) -> JobPart | None:
        """Prepare the next part of a job; None if no terminal is chosen."""
        room, size = self._size.commands, MOST_BYTES
        # A terminal takes all commands, or a few of them in a retry.
        most = max(MOST_ONE_BY_ONE, -(-room // max(1, job.number)))
        targets = tx[JobStore].targets(job, TargetState.NEXT, min(room, most))
        if not targets:
            return None
        keys = {target.device_id for target in targets}
        devices = {device.id: device for device in tx[DeviceStore].with_keys(keys)}
        shares: list[Share] = []
        rows: list[tuple[int, str, NewCommand, bytes]] = []
        for target in targets:
            device = devices[target.device_id]
            share = self._share(tx, job, target, device, room, size, now)
            shares.append(share)
            rows += [(device.id, device.sn, new, body) for new, body in share.new]
            room -= max(1, len(share.commands))
            size -= sum(len(body) for _, body in share.new)
            if room <= 0 or size <= 0:
                break
        return JobPart(shares, seal_commands(tx.vault, rows, now))

    def _share(
        self,
        tx: Transaction,
        job: Job,
        target: JobTarget,
        device: Device,
        room: int,
        size: int,
        now: int,
    ) -> Share:
        """Plan the next commands of a terminal, within `room` commands and `size` bytes."""
        if target.retrying:
            limit = min(room, MOST_ONE_BY_ONE)
            again = tx[JobCommands].to_retry(
                job.id,
                device.id,
                job.retry_states,
                job.retry_below,
                limit,
                with_missed=job.options.window is not None,
            )
            if again:
                return Share(
                    target,
                    device,
                    [
                        PlannedCommand(one.command, one.asked, one.job[1], one.id)
                        for one in again
                        if one.job is not None
                    ],
                )
        if target.queued == job.number:
            return Share(target, device)
        drafts = self._drafted(tx, job, device)
        if isinstance(drafts, str):
            return Share(target, device, refusal=drafts)
        abilities = abilities_of(device)
        try:
            for one in drafts[target.queued :][:room]:
                abilities.check(one.draft.command, one.draft.params)
        except ValueError as error:
            return Share(target, device, refusal=str(error))
        delivery = delivery_of(job.options, device, now)
        commands: list[PlannedCommand] = []
        new: list[tuple[NewCommand, bytes]] = []
        for place, one in enumerate(drafts[target.queued :][:room], target.queued):
            if commands and size < len(one.body or b""):
                break
            size -= len(one.body or b"")
            commands.append(PlannedCommand(one.draft.command.name, one.draft.params, place))
            if one.body is not None and delivery is not None:
                made = self._writer.finish(one.draft, delivery, now, (job.id, place))
                new.append((made, one.body))
        is_plain = len(new) == len(commands) and _are_apart([one for one, _ in new])
        return Share(target, device, commands, new if is_plain else ())

    def _drafted(self, tx: Transaction, job: Job, device: Device) -> Sequence[_Draft] | str:
        """Return the commands for a terminal, or why it cannot take them."""
        if not takes_commands(device):
            return REFUSAL
        if job.id not in self._commands:
            self._commands[job.id] = tx[JobStore].commands(job)
        commands = self._commands[job.id]
        if commands is None:
            return _DAMAGED
        key = job.id, device.dialect
        if key not in self._drafts:
            try:
                self._drafts[key] = [self._draft(one, device.dialect) for one in commands]
            except ValueError as error:
                self._drafts[key] = str(error)
        return self._drafts[key]

    def _draft(self, command: JobCommand, dialect: Dialect) -> _Draft:
        draft = self._writer.draft(command.command, command.params, dialect)
        body = None if draft.text is None else encode_body(command.params, draft.text)
        return _Draft(draft, body)

    def write(self, tx: Transaction, job: Job, part: JobPart, now: int) -> list[Hurried]:
        """Queue the commands of a part; returns the terminals with new commands."""
        began = self._seconds()
        together: set[int] = set()
        hurried: list[Hurried] = []
        room = MOST_ONE_BY_ONE
        news: list[tuple[int, Command, NewCommand]] = []
        moved = _moved_thd(tx, job, part)
        for share in part.shares:
            device = share.device
            if device.id in moved:
                tx[JobStore].advance(
                    job, share.target, share.target.queued, TargetState.MOVED, _MOVED
                )
                continue
            if share.refusal is not None:
                _advance(tx, job, share, 0, share.refusal)
                continue
            if share.new:
                if _advance(tx, job, share, len(share.new)):
                    together.add(device.id)
                    news += [(device.id, self._writer.entry(new), new) for new, _ in share.new]
            elif room > 0:
                room -= self._one_by_one(tx, job, share, room, now)
            hurried.append((device.sn, job.options.not_before_at))
        replace(tx, news, now)
        tx[JobCommands].add(part.sealed.of(together), now)
        count = sum(len(share.commands) for share in part.shares)
        self._size.took(count, self._seconds() - began)
        return hurried

    def _one_by_one(self, tx: Transaction, job: Job, share: Share, room: int, now: int) -> int:
        """Queue commands that may replace each other, or need the store; returns their number."""
        target = share.target
        delivery = delivery_of(job.options, share.device, now)
        if delivery is None:  # the window has closed
            state = TargetState.WAITING
            tx[JobStore].advance(job, target, target.queued, state, is_retry=target.retrying)
            return 0
        commands = share.commands[:room]
        again = [one.repeats for one in commands if one.repeats is not None]
        try:
            with tx.connection.begin_nested():
                if not _advance(tx, job, share, len(commands) - len(again), is_retry=bool(again)):
                    return 0
                if tx[JobCommands].repeat(again) != len(again):
                    return 0
                for one in commands:
                    place = job.id, one.place
                    self._writer.add(
                        tx,
                        share.device,
                        one.name,
                        one.params,
                        None,
                        delivery,
                        now,
                        job=place,
                        repeats=one.repeats,
                    )
        except ValueError as error:
            _advance(tx, job, share, 0, str(error))
        return len(commands)


def _moved_thd(tx: Transaction, job: Job, part: JobPart) -> set[int]:
    """Return the terminals of a part that have left the areas of the caller of its job."""
    areas = job.options.areas
    if areas is None:
        return set()
    found = tx[DeviceStore].with_keys({share.device.id for share in part.shares})
    return {device.id for device in found if (device.area or DEFAULT_AREA) not in areas}


def _are_apart(commands: Sequence[NewCommand]) -> bool:
    """Whether no command may replace an earlier one, or raise its priority."""
    priorities: dict[bytes, int] = {}
    seen: set[tuple[bytes, str]] = set()
    for one in commands:
        if one.subject is None:
            continue
        key = one.subject, one.command
        if key in seen or one.priority > priorities.get(one.subject, one.priority):
            return False
        seen.add(key)
        priorities[one.subject] = one.priority
    return True


def _advance(
    tx: Transaction,
    job: Job,
    share: Share,
    number: int,
    refusal: str | None = None,
    *,
    is_retry: bool = False,
) -> bool:
    """Record that commands of a terminal are queued; False if another process was faster."""
    queued = share.target.queued + number
    state = TargetState.QUEUED
    if refusal is not None:
        state = TargetState.REFUSED
    elif is_retry or queued < job.number:
        state = TargetState.NEXT
    return tx[JobStore].advance(job, share.target, queued, state, refusal, is_retry=is_retry)


def delivery_of(options: JobOptions, device: Device, now: int) -> Delivery | None:
    """Return when the commands of a job are sent to a terminal; None if its window is closed."""
    ends_at = None
    if options.window is not None:
        ends_at = options.window.end_at(now, device.timezone)
        if ends_at is None:
            return None
    return Delivery(options.expires_in, options.not_before_at, options.priority, ends_at)
