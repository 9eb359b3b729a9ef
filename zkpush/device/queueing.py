"""Making of commands: validation, text, deadline and subject, for the queue and for jobs."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping

import attrs

from ..model import Caller, Device
from ..persist.audit import AuditStore
from ..persist.commands import CommandStore
from ..persist.transaction import Transaction
from ..protocol.catalogue import Catalogue
from ..protocol.commands import command_text
from ..protocol.dialect import Dialect
from ..protocol.fields import Command, Writing
from ..protocol.fitting import ReportedAbilities
from ..values.commands import NewCommand, QueuedCommand
from . import acts
from .files import new_secret, write_command
from .functions import FunctionTable
from .privacy import Privacy
from .replacing import replace, subject_of

_DIGITS = string.digits + string.ascii_lowercase
_RANDOM_DIGITS = 6


@attrs.frozen
class Delivery:
    """Delivery options of a command; None means the default of its table entry."""

    expires_in: int | None = None
    """Seconds until the command expires, counted from `not_before_at` if that is set."""
    not_before_at: int | None = None
    """Earliest time to send the command, in milliseconds since the epoch."""
    priority: int | None = None
    """Commands of higher priority are sent first."""
    ends_at: int | None = None
    """Latest deadline, in milliseconds since the epoch."""

    @property
    def detail(self) -> str:
        """The options that are set, as text for the audit log."""
        named = attrs.asdict(self).items()
        return "".join(f"; {name} {value}" for name, value in named if value is not None)


BY_DEFAULT = Delivery()


class KeyReused(Exception):
    """An idempotency key was reused for a different request."""


@attrs.frozen
class CommandDraft:
    """A validated command for terminals of one dialect."""

    command: Command
    params: Mapping[str, str]
    subject: bytes | None
    text: str | None
    """Text as sent; None if it differs for each terminal and needs a unit of work."""


class CommandWriter:
    """Validates new commands and writes them into the queue."""

    def __init__(
        self,
        choose: Callable[[str], str],
        privacy: Privacy,
        catalogue: Catalogue,
        functions: FunctionTable,
        lifetime: int,
        base: str = "",
    ) -> None:
        """`choose` picks a random character from a string; it makes command IDs and secrets.

        `lifetime` is the time (ms) that a command waits by default. `base` is what the URLs of
        files begin with.
        """
        self._choose = choose
        self._privacy = privacy
        self._catalogue = catalogue
        self.functions = functions
        self._lifetime = lifetime
        self._base = base

    def draft(self, name: str, params: Mapping[str, str], dialect: Dialect) -> CommandDraft:
        """Validate a command for the terminals of a dialect.

        Raises `CommandError` for a command that the protocol does not allow.
        """
        command = self._catalogue.validate(name, params, dialect)
        self._privacy.check(command, params)
        parameter = command.file_parameter
        fetches = parameter is not None and bool(params.get(parameter))
        is_own = command.is_prepared or command.writing is Writing.UPGRADE or fetches
        text = None if is_own else command_text(command, params)
        return CommandDraft(command, params, subject_of(command, params), text)

    def entry(self, command: NewCommand) -> Command:
        """Return the table entry of a new command."""
        return self._catalogue.find(command.command, command.family)

    def finish(
        self, draft: CommandDraft, delivery: Delivery, now: int, job: tuple[str, int]
    ) -> NewCommand:
        """Return a new command from a draft that has a text."""
        return NewCommand(
            id=self.new_id(now),
            command=draft.command.name,
            family=draft.command.family,
            params=draft.params,
            asked=draft.params,
            text=draft.text or "",
            priority=_priority(draft.command, delivery),
            not_before_at=delivery.not_before_at,
            expires_at=self._deadline(draft.command, delivery, now),
            subject=draft.subject,
            job=job,
        )

    def add(
        self,
        tx: Transaction,
        device: Device,
        name: str,
        params: Mapping[str, str],
        by: Caller | None,
        delivery: Delivery,
        now: int,
        idempotency_key: str | None = None,
        job: tuple[str, int] | None = None,
        repeats: str | None = None,
    ) -> QueuedCommand:
        """Queue a command for a terminal; it replaces earlier ones (`zkpush.device.replacing`).

        `job` is a job and the number of the command in it; `repeats` is the ended command that it
        repeats. Raises `CommandError` for a command that
        the protocol does not allow.
        """
        command = self._catalogue.validate(name, params, device.dialect)
        self._privacy.check(command, params)
        abilities_of(device).check(command, params)
        command_id, secret = self.new_id(now), new_secret(self._choose)
        sent = params
        if command.is_prepared:
            prepare = self.functions.of(command.family).prepares[name]
            sent = prepare(tx, device, params, command_id, now)
        is_made = command.makes_file and command.file_parameter not in params
        text, file = write_command(
            tx, command, sent, command_id, secret, base=self._base, is_made=is_made
        )
        new = NewCommand(
            id=command_id,
            command=name,
            family=command.family,
            params=sent,
            asked=params,
            text=text,
            file=file,
            idempotency_key=idempotency_key,
            priority=_priority(command, delivery),
            not_before_at=delivery.not_before_at,
            expires_at=self._deadline(command, delivery, now),
            subject=subject_of(command, params),
            job=job,
            repeats=repeats,
        )
        (replaced,) = replace(tx, [(device.id, command, new)], now)
        if by is not None:
            detail = f"{command_id}: {acts.command_detail(command, params, tx[AuditStore].person)}"
            detail += delivery.detail + "".join(f"; replaces {one}" for one in replaced)
            acts.record(tx, by, acts.QUEUE_COMMAND, f"terminal {device.sn}", detail, now)
        return tx[CommandStore].add(device.id, new, now)

    def _deadline(self, command: Command, delivery: Delivery, now: int) -> int:
        """The deadline (ms) after which a new command is no longer sent."""
        seconds = delivery.expires_in or command.wait_seconds
        wait = self._lifetime if seconds is None else seconds * 1000
        deadline = max(now, delivery.not_before_at or 0) + wait
        return deadline if delivery.ends_at is None else min(deadline, delivery.ends_at)

    def new_id(self, now: int) -> str:
        """A new CmdID (spec 12): the time in base 36, so that IDs sort, and random characters."""
        digits = ""
        while now:
            now, digit = divmod(now, len(_DIGITS))
            digits = _DIGITS[digit] + digits
        return digits + "".join(self._choose(_DIGITS) for _ in range(_RANDOM_DIGITS))


def abilities_of(device: Device) -> ReportedAbilities:
    """What a terminal has reported that it can do."""
    return ReportedAbilities.of(device.options, device.attributes)


def _priority(command: Command, delivery: Delivery) -> int:
    return command.priority if delivery.priority is None else delivery.priority
