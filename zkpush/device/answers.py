"""Answers of terminals to commands (spec 13) and their effects.

An answer arrives in the body or in the query string (`zkpush.protocol.replies`). An answer that
names a command of the terminal is recorded, whatever the command's state (`zkpush.device.life`).
Unreadable answers, and answers that name no command of the terminal, are stored as rejects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from twisted.internet import threads
from twisted.logger import Logger

from ..counting import counted
from ..interfaces import IStore
from ..model import Device, Problem
from ..persist.commands import CommandStore
from ..persist.commandschedule import CommandSchedule
from ..persist.devices import DeviceStore
from ..persist.rejects import RejectStore
from ..persist.transaction import Transaction
from ..phrases import Phrase
from ..problems import ProblemCode
from ..protocol.catalogue import Catalogue
from ..protocol.rejects import Reject
from ..protocol.replies import TABLE, CommandReply, encode_query
from ..values.commands import QueuedCommand
from ..values.setaside import SealedRejects
from .functions import FunctionTable, Shortfall
from .life import LifeEvent, answer_event, happen, step_of
from .privacy import Privacy
from .queries import end_query
from .registry import Registry
from .terminal import Terminal

SHORT_ANSWER = 2 * 1024
"""Maximum body size (bytes) decoded on the reactor."""
ANSWERS_AT_ONCE = 100
"""Maximum number of answers stored in one unit of work."""
EFFECTS_AT_ONCE = 10
"""Maximum number of answers with an effect among them."""


@attrs.frozen
class _Taken:
    """Result of storing some answers."""

    count: int
    """Number of answers that were stored: the first ones."""
    device: Device | None
    """The changed terminal, if an answer had an effect."""
    next_due: int | None
    late: int
    """Number of answers to commands that were already answered."""
    unknown: Sequence[str]
    """IDs that name no command of the terminal."""


class CommandAnswers:
    """Records the answers of terminals to commands."""

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        reactor: Any,
        privacy: Privacy,
        functions: FunctionTable,
    ) -> None:
        self._store = store
        self._registry = registry
        self._reactor = reactor
        self._privacy = privacy
        self._functions = functions

    async def take(
        self, terminal: Terminal, body: bytes, arguments: Mapping[str, str] | None = None
    ) -> int:
        """Record answers from a body and the query arguments, with their effects.

        A second answer changes nothing. Answers that cannot be read or attributed become rejects,
        whose number is returned.
        """
        device, now = terminal.device, self._registry.now()
        named = {} if arguments is None else arguments

        def decode() -> tuple[list[CommandReply], SealedRejects | None]:
            encoding = terminal.dialect.encoding_of(body)
            said, rejects = terminal.family.answers(body, encoding, named)
            replies = [self._privacy.kept_reply(reply) for reply in said]
            kept = self._privacy.kept_rejects(rejects)
            address = terminal.address
            return replies, self._store.seal_rejects(device.id, kept, now, address=address)

        if len(body) <= SHORT_ANSWER:
            replies, rejects = decode()
        else:
            replies, rejects = await threads.deferToThreadPool(
                self._reactor, self._reactor.getThreadPool(), decode
            )
        late, unknown = 0, list[str]()
        kept = 0 if rejects is None else rejects.count
        # The first unit of work stores the rejects; the body is acknowledged after the last one.
        start = 0
        while start < len(replies) or rejects is not None:
            some = replies[start : start + ANSWERS_AT_ONCE]
            taken = await self._take_some(device, some, rejects, now)
            start, rejects = start + taken.count, None
            terminal.set_due(taken.next_due)
            if taken.device is not None:
                terminal.update(taken.device)
            late += taken.late
            unknown += taken.unknown
        if late:
            self._log.info(
                "Terminal {sn} answered {count} commands again", sn=device.sn, count=late
            )
        if unknown:
            await self._keep_unknown(terminal, unknown, encode_query(named) + body, now)
            kept += 1
        return kept

    async def _take_some(
        self,
        device: Device,
        replies: Sequence[CommandReply],
        rejects: SealedRejects | None,
        now: int,
    ) -> _Taken:
        """Store some answers and rejects in one unit of work.

        Other terminals are served between the units of a long body. If a later unit fails, the
        terminal sends everything again, and answers already stored change nothing.
        """

        def unit(tx: Transaction) -> _Taken:
            known = tx[CommandStore].known_among(device.id, [reply.id for reply in replies])
            unknown, late, effects = list[str](), 0, 0
            taken = set[str]()
            count = 0
            for reply in replies:
                if effects == EFFECTS_AT_ONCE:
                    break
                count += 1
                command = known.get(reply.id)
                if command is None:
                    unknown.append(reply.id)
                elif reply.id in taken or not self._take(tx, device, command, reply, now):
                    late += 1
                elif command.command in self._functions.of(command.family).effects:
                    effects += 1
                taken.add(reply.id)
            if rejects is not None:
                tx[RejectStore].add_sealed(rejects)
            changed = tx[DeviceStore].get(device.id) if effects else None
            return _Taken(count, changed, tx[CommandSchedule].next_due(device.id), late, unknown)

        return await self._store.write(unit)

    def _take(
        self,
        tx: Transaction,
        device: Device,
        command: QueuedCommand,
        reply: CommandReply,
        now: int,
    ) -> bool:
        """Record an answer with its effect; False if the command was answered before."""
        family = self._registry.families.named(command.family)
        is_success = family.outcome(command.command, reply.return_code).is_success
        step = step_of(answer_event(command, is_success=is_success), command.state)
        if step is None or command.answered_at is not None:
            return False
        functions = self._functions.of(command.family)
        if is_success and command.command in functions.matchers:
            has_all = command.records >= max(1, reply.return_code or 0)
            if step_of(LifeEvent.ACKNOWLEDGED, command.state) is None or has_all:
                return end_query(tx, command, reply.return_code, command.records, now) is not None
            tx[CommandStore].answered(command, reply.return_code, now)
            return True
        # The effect needs the parameters, which a damaged command or one with its body removed
        # lacks.
        is_whole = not command.damaged and command.body_removed_at is None
        effect = functions.effects.get(command.command) if is_whole else None
        outcome = dict(reply.values) if effect is None else effect(tx, device, command, reply, now)
        if isinstance(outcome, Shortfall):
            step = step_of(LifeEvent.SHORT, command.state) or step
            outcome = outcome.result
        result = outcome or None
        answered = tx[CommandStore].answer(
            command, step.state, step.reason, reply.return_code, result, now
        )
        return answered is not None

    async def _keep_unknown(
        self, terminal: Terminal, unknown: Sequence[str], body: bytes, now: int
    ) -> None:
        """Store answers that name no command of the terminal, and report the problem."""
        device = terminal.device
        naming = counted(len(unknown), "answer names", "answers name")
        reason = f"{naming} no command of this terminal"
        rejects = self._privacy.kept_rejects([Reject(TABLE, reason, body)])
        sealed = self._store.seal_rejects(device.id, rejects, now, address=terminal.address)
        # The IDs are left out: terminals choose them freely, and problems are logged.
        problem = Problem(
            ProblemCode.UNKNOWN_ANSWERS,
            Phrase("The terminal answered commands that this server did not send it."),
            now,
        )

        def unit(tx: Transaction) -> None:
            if sealed is not None:
                tx[RejectStore].add_sealed(sealed)

        await self._store.write(unit)
        self._registry.report(terminal, problem)


def answered_by_restart(tx: Transaction, device: Device, catalogue: Catalogue, now: int) -> None:
    """End the sent restart commands when a terminal starts a session unprompted (spec 5).

    Nothing ends while a sent command is unanswered that makes the terminal start a session without
    a restart, because the cause is then ambiguous.
    """
    sent = tx[CommandStore].sent(device.id)
    entries = [catalogue.get(command.command, command.family) for command in sent]
    if any(entry is not None and entry.asks_for_exchange for entry in entries):
        return
    for command, entry in zip(sent, entries, strict=True):
        if entry is not None and entry.restarts:
            happen(tx, command, LifeEvent.RESTARTED, now)
