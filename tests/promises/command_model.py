"""Model of the command queue of one terminal, as its operator and its firmware see it.

The model shares no code with the server: it restates the table of docs/command-life.md.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

LEASE, ATTEMPTS, LIFETIME = 300, 2, 24 * 3600
ONCE = {"AC_UNLOCK": (60, 8), "REBOOT": (24 * 3600, 0)}
"""Unrepeatable commands, each with the seconds that it may wait and its priority."""
UPDATE, DELETE = "DATA UPDATE USERINFO", "DATA DELETE USERINFO"


class Promise(enum.Enum):
    """A promise of the command queue."""

    ONCE = "an unrepeatable command is sent once, and is unknown without an answer"
    IN_TIME = "a command is sent neither before its time nor after its deadline"
    RECORDED = "the first answer of the terminal is recorded, whatever the state"
    WITHDRAWN = "a cancelled or replaced command is not sent again"
    IN_TURN = "a poll takes all commands that are due, in their order"


END_OF = {
    "unknown": Promise.ONCE,
    "expired": Promise.IN_TIME,
    "done": Promise.RECORDED,
    "failed": Promise.RECORDED,
    "cancelled": Promise.WITHDRAWN,
}
"""The promise that each end state keeps."""


class Broken(AssertionError):
    """A broken promise, with what was seen."""

    def __init__(self, promise: Promise, detail: object) -> None:
        super().__init__(f"{promise.value}: {detail}")
        self.promise = promise


@dataclass(eq=False)
class ModelCommand:
    """A command, as the model knows it; times are in seconds since the epoch."""

    terminal: ModelTerminal
    id: str
    seq: int
    name: str
    params: dict[str, str]
    begins: float
    deadline: float
    priority: int
    state: str = "queued"
    sent: int = 0
    """Number of times it was sent."""
    sent_at: float = 0
    lease: float = 0
    replaced: bool = False
    restarted: bool = False
    """Whether a new session ended it."""
    code: int | None = None
    line: bytes | None = None
    executed: int = 0

    @property
    def person(self) -> str | None:
        return self.params.get("PIN")

    @property
    def is_open(self) -> bool:
        return self.state in ("queued", "sent")

    def answer(self, code: int) -> None:
        """Record an answer; only the first one counts."""
        is_over = self.state in ("done", "failed") and not self.restarted
        if self.code is None and not is_over:
            self.code, self.restarted = code, False
            if self.state not in ("cancelled", "expired"):
                self.state = "done" if code == 0 else "failed"

    def cancel(self) -> None:
        """End the command if it is open."""
        if self.is_open:
            self.state = "cancelled"


@dataclass(eq=False)
class ModelTerminal:
    """A terminal with its commands, oldest first."""

    sn: str
    commands: list[ModelCommand] = field(default_factory=list)

    def take(self, now: float) -> list[ModelCommand]:
        """Poll: end what is over, and send what is due; returns the sent commands in order."""
        taken = self._due(now, at_poll=True)
        for one in taken:
            one.state, one.sent, one.sent_at, one.lease = "sent", one.sent + 1, now, now + LEASE
        return taken

    def sweep(self, now: float) -> None:
        """End what is over without a poll."""
        self._due(now, at_poll=False)

    def start_session(self) -> None:
        """Begin a new session, which answers a REBOOT."""
        for one in self.commands:
            if one.name == "REBOOT" and one.state == "sent":
                one.state, one.restarted = "done", True

    def queue(self, new: ModelCommand) -> None:
        """Add a command, which replaces those before it that set nothing else."""
        own = [one for one in self.commands if one.is_open and one.person == new.person is not None]
        while own and _covers(new, own[-1]):
            old = own.pop()
            if old.state == "queued":
                old.state = "cancelled"
            old.replaced = True
        for one in own:
            one.priority = max(one.priority, new.priority)
        self.commands.append(new)

    def in_order(self) -> list[ModelCommand]:
        """All commands in the order in which polls take them."""
        return sorted(self.commands, key=lambda one: (-one.priority, one.seq))

    def _due(self, now: float, *, at_poll: bool) -> list[ModelCommand]:
        taken = []
        behind = [one for one in self.commands if at_poll and self._stays_behind(one, now)]
        for one in self.in_order():
            if one in behind:
                continue
            is_late = now > one.deadline
            if one.state == "queued":
                if is_late and (not at_poll or one.begins <= now):
                    one.state = "expired"
                elif one.begins <= now:
                    taken.append(one)
            elif one.state == "sent" and one.lease <= now:
                if one.name in ONCE:
                    one.state = "unknown"
                elif one.replaced:
                    one.state = "cancelled"
                elif one.sent >= ATTEMPTS or is_late:
                    one.state = "expired"
                elif at_poll and self._is_overtaken(one):
                    one.state = "unknown"
                elif at_poll:
                    taken.append(one)
        ends = next((i for i, one in enumerate(taken) if one.name == "REBOOT"), len(taken))
        return taken[: ends + 1]

    def _stays_behind(self, late: ModelCommand, now: float) -> bool:
        """Whether the terminal may get an earlier command of the same person again."""
        return any(
            one.state == "sent" and one.lease > now and not one.replaced
            for one in self.commands[: late.seq]
            if one.person == late.person is not None
        )

    def _is_overtaken(self, early: ModelCommand) -> bool:
        """Whether to repeat the command would undo what the terminal has done since."""
        return any(
            one.code is not None and one.state != "failed" and one.sent_at >= early.sent_at
            for one in self.commands[early.seq + 1 :]
            if one.person == early.person is not None
        )


def _covers(new: ModelCommand, old: ModelCommand) -> bool:
    """Whether a new command replaces an earlier one."""
    return (
        new.name == old.name == UPDATE
        and set(old.params) <= set(new.params)
        and new.begins <= old.begins
        and old.deadline <= new.deadline
        and old.priority <= new.priority
    )
