"""The way of a command: queued, leased to a poll, answered, and its effects (12, 13)."""

from __future__ import annotations

import string
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ..config import Commands
from ..interfaces import IStore, ITransaction
from ..model import CommandState, Device, QueuedCommand
from ..protocol.commands import command_text, encode_command, find_command, validate
from ..protocol.errors import CommandError
from ..protocol.handshake import UNKNOWN_DEVICE
from ..protocol.replies import CommandReply, decode_replies
from .registry import Registry
from .session import Verdict
from .terminal import Terminal

NOTHING = b"OK"
_DIGITS = string.digits + string.ascii_lowercase
_RANDOM_DIGITS = 6


class CommandQueue:
    """The commands of all terminals; their state is in the store, changed by compare-and-set."""

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        config: Commands,
        choose: Callable[[str], str],
    ) -> None:
        """`choose` picks a character at random: ids must not repeat, across restarts and nodes."""
        self._store = store
        self._registry = registry
        self._config = config
        self._choose = choose

    async def add(self, sn: str, name: str, params: Mapping[str, str]) -> QueuedCommand:
        """Queue a command for a terminal.

        `CommandError` if the protocol does not have it so; `LookupError` for an unknown terminal.
        """
        command = validate(name, params)
        now = self._registry.now()
        command_id = self._new_id(now)

        def unit(tx: ITransaction) -> QueuedCommand:
            device = tx.devices.find(sn)
            if device is None:
                raise LookupError(f"There is no terminal {sn}.")
            return tx.commands.add(device.id, command_id, command.name, params, now)

        queued = await self._store.write(unit)
        terminal = self._registry.known(sn)
        if terminal is not None:
            terminal.next_due = 0
        return queued

    async def cancel(self, command_id: str) -> QueuedCommand | None:
        """End a command that is not ended yet; None if there is no such command, or it is."""
        now = self._registry.now()

        def unit(tx: ITransaction) -> QueuedCommand | None:
            command = tx.commands.get(command_id)
            device = None if command is None else tx.devices.find(command.device)
            if device is None:
                return None
            return tx.commands.finish(
                device.id, command_id, CommandState.CANCELLED, None, None, now
            )

        return await self._store.write(unit)

    def poll(self, terminal: Terminal) -> bytes | Coroutine[Deferred[Any], Any, bytes]:
        """The reply to a poll (12): the commands that are due, `OK`, or the wish for an exchange.

        A poll with nothing to do is answered at once, and does not touch the database.
        """
        if terminal.session.poll is Verdict.ASK_FOR_EXCHANGE:
            return UNKNOWN_DEVICE
        if terminal.next_due is None or terminal.next_due > self._registry.now():
            return NOTHING
        return self._send(terminal)

    async def _send(self, terminal: Terminal) -> bytes:
        """Lease the commands that are due, and give their lines."""
        now = self._registry.now()
        device, config = terminal.device, self._config
        encoding = terminal.dialect.encoding

        def unit(tx: ITransaction) -> tuple[bytes, int | None]:
            tx.commands.expire(device.id, now, config.attempts)
            due = tx.commands.due(device.id, now, config.batch_count)
            batch, body = self._batch(due, encoding)
            for queued in due:
                if not _sendable(queued):
                    tx.commands.finish(
                        device.id, queued.id, CommandState.FAILED, None, _UNKNOWN, now
                    )
            tx.commands.lease(batch, now + config.lease_seconds * 1000, now)
            return body, tx.commands.next_due(device.id)

        body, terminal.next_due = await self._store.write(unit)
        return body or NOTHING

    async def answer(self, terminal: Terminal, body: bytes) -> None:
        """Take what a terminal says of commands (13), with its effects.

        A late, doubled or foreign answer changes nothing. What cannot be read is kept as a reject.
        """
        replies, rejects = decode_replies(body, terminal.dialect.encoding)
        device, now = terminal.device, self._registry.now()

        def unit(tx: ITransaction) -> tuple[Device, int | None, list[str]]:
            unknown = []
            for reply in replies:
                ended = self._finish(tx, device, reply, now)
                if ended is None:
                    unknown.append(reply.id)
                elif ended.state is CommandState.DONE and ended.command in _EFFECTS:
                    _EFFECTS[ended.command](tx, device, reply)
            tx.rejects.add(device.id, rejects, now)
            return tx.devices.get(device.id), tx.commands.next_due(device.id), unknown

        changed, terminal.next_due, unknown = await self._store.write(unit)
        terminal.update(changed)
        if unknown:
            self._log.info(
                "Terminal {sn} answered {count} commands that it has not open: {ids}",
                sn=device.sn,
                count=len(unknown),
                ids=", ".join(unknown[:5]),
            )

    @staticmethod
    def _finish(
        tx: ITransaction, device: Device, reply: CommandReply, now: int
    ) -> QueuedCommand | None:
        state = CommandState.DONE if reply.return_code >= 0 else CommandState.FAILED
        return tx.commands.finish(
            device.id, reply.id, state, reply.return_code, reply.values or None, now
        )

    def _batch(
        self, due: Sequence[QueuedCommand], encoding: str
    ) -> tuple[list[QueuedCommand], bytes]:
        """The commands that go together, in order: up to the configured bytes, or one alone."""
        batch: list[QueuedCommand] = []
        lines = b""
        for queued in filter(_sendable, due):
            command = find_command(queued.command)
            line = encode_command(queued.id, command_text(command, queued.params), encoding)
            if batch and len(lines) + len(line) > self._config.batch_bytes:
                break
            batch.append(queued)
            lines += line
            if command.ends_batch:
                break
        return batch, lines

    def _new_id(self, now: int) -> str:
        """A CmdID (12): the time in base 36, so that ids sort, then random characters."""
        digits = ""
        while now:
            now, digit = divmod(now, len(_DIGITS))
            digits = _DIGITS[digit] + digits
        return digits + "".join(self._choose(_DIGITS) for _ in range(_RANDOM_DIGITS))


_UNKNOWN = {"error": "this version of zkpush does not know the command"}


def _sendable(queued: QueuedCommand) -> bool:
    """Whether a stored command is one of this version's: it may have been queued by a later one."""
    try:
        validate(queued.command, queued.params)
    except CommandError:
        return False
    return True


def _keep_options(tx: ITransaction, device: Device, reply: CommandReply) -> None:
    """INFO is answered with the options of the terminal (12.4.3)."""
    tx.devices.merge_options(device.id, reply.values)


_EFFECTS: dict[str, Callable[[ITransaction, Device, CommandReply], None]] = {"INFO": _keep_options}
