"""Remote attendance (14): a terminal asks for a user who is not on it, and gets what it needs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..config import RemoteAttendance
from ..interfaces import IStore, ITransaction
from ..model import Page, Record
from ..protocol.codes import BiometricType
from ..protocol.commands import command_text
from ..protocol.errors import Refused, TerminalError, TooManyRequests, UnknownUser
from ..protocol.tables import FP, USER
from ..protocol.tables.remote import REMOTE_USER
from .packages import template_command
from .registry import Registry
from .terminal import Terminal

ACTION = "remote attendance"
"""What it is called in the audit log."""
MINUTE = 60.0
_NO_VALUE = re.compile(r"[\t\r\n\0]")


class Allowance:
    """How often one terminal may still ask: a token bucket that holds the tokens of a minute."""

    def __init__(self, per_minute: int, now: float) -> None:
        """Times are in seconds."""
        self._per_minute = per_minute
        self._credit = per_minute * MINUTE
        """A token costs `MINUTE`: whole seconds then add up without rounding."""
        self._at = now
        self._told_at: float | None = None

    def take(self, now: float) -> bool:
        """Take a token, if there is one."""
        passed, self._at = max(0.0, now - self._at), now  # clocks are set back, too
        per_minute = self._per_minute
        self._credit = min(per_minute * MINUTE, self._credit + passed * per_minute)
        if self._credit < MINUTE:
            return False
        self._credit -= MINUTE
        return True

    def tells(self, now: float) -> bool:
        """Whether a refusal is to be recorded: one a minute is."""
        if self._told_at is not None and 0 <= now - self._told_at < MINUTE:
            return False
        self._told_at = now
        return True


class RemoteUsers:
    """Gives terminals the users they ask for, one at a time, and records each in the audit log."""

    _log = Logger()

    def __init__(
        self, store: IStore, registry: Registry, settings: RemoteAttendance, clock: IReactorTime
    ) -> None:
        self._store = store
        self._registry = registry
        self._settings = settings
        self._clock = clock
        self._allowances: dict[int, Allowance] = {}

    async def answer(self, terminal: Terminal, pin: str | None) -> bytes:
        """The lines of a user for an approved terminal (14); it is in the audit log then.

        `Refused` where this is switched off, `TerminalError` without a user ID, `TooManyRequests`,
        `UnknownUser`. No refusal says more than that: who asks may be anybody at a keypad.
        """
        device = terminal.device
        if not self._settings.enabled:
            raise Refused("Remote attendance is switched off on this server.")
        pin = _check_pin(pin)
        await self._check_rate(terminal, pin)
        fingerprint = self._registry.hybrid(device).of(BiometricType.FINGERPRINT)
        now = self._registry.now()

        def unit(tx: ITransaction) -> list[str]:
            lines = _lines(tx, pin, fingerprint.major_version)
            detail = f"{len(lines) - 1} fingerprints" if lines else "refused: there is no such user"
            tx.audit.add(f"device {device.sn}", ACTION, f"user {pin}", detail, now)
            return lines

        lines = await self._store.write(unit)
        if not lines:
            raise UnknownUser("There is no user with this ID.")
        self._log.info(
            "Terminal {sn} was given user {pin} for remote attendance", sn=device.sn, pin=pin
        )
        return "".join(f"{line}\n" for line in lines).encode(terminal.dialect.encoding, "replace")

    async def _check_rate(self, terminal: Terminal, pin: str) -> None:
        """`TooManyRequests` for a terminal that asks too often; that is in the audit log, too."""
        device, per_minute = terminal.device, self._settings.per_minute
        now = self._clock.seconds()
        allowance = self._allowances.setdefault(device.id, Allowance(per_minute, now))
        if allowance.take(now):
            return
        if allowance.tells(now):
            self._log.warn("Terminal {sn} asks for too many users", sn=device.sn)
            detail = f"refused: more than {per_minute} a minute"
            now_ms = self._registry.now()
            await self._store.write(
                lambda tx: tx.audit.add(
                    f"device {device.sn}", ACTION, f"user {pin}", detail, now_ms
                )
            )
        raise TooManyRequests("This terminal has asked for too many users; try again in a minute.")


def _check_pin(pin: str | None) -> str:
    if not pin:
        raise TerminalError("PIN= is missing: the ID of a user.")
    try:
        return str(USER.field("pin").decode(pin))
    except ValueError:
        raise TerminalError("PIN= is not the ID of a user.") from None


def _lines(tx: ITransaction, pin: str, version: int) -> list[str]:
    """The commands that put a user on a terminal with an algorithm version, which 0 is unknown.

    None for an unknown user.
    """
    users = tx.people.users(Page(1), pin)
    if not users:
        return []
    templates = _fingerprints(tx.people.templates(pin), version)
    return [_user_line(users[0]), *(template_command(template) for template in templates)]


def _user_line(user: Record) -> str:
    """Section 14's form of a user: all its fields, with the defaults of 12.1.1.1."""
    params = {}
    for field in REMOTE_USER.parameters:
        value = user.get(field.name)
        text = field.kind.encode(field.default if value is None else value)
        params[field.wire] = _NO_VALUE.sub(" ", text)
    return command_text(REMOTE_USER, params)


def _fingerprints(templates: Sequence[Record], version: int) -> list[Record]:
    """The templates that a terminal can use, one for each finger: 12.1.1.3 takes no version.

    Those of another algorithm version are left out, if the terminal has said its own. One whose
    version nobody has said yields to one of the right version; else the newest counts.
    """

    def rank(template: Record) -> tuple[bool, int]:
        return template["major_version"] == version, int(str(template["updated_at"] or 0))

    fingers: dict[int, Record] = {}
    for template in templates:
        if template["form"] != FP.name:
            continue
        if version and template["major_version"] not in (0, version):
            continue
        finger = int(str(template["number"]))
        if finger not in fingers or rank(fingers[finger]) <= rank(template):
            fingers[finger] = template
    return [fingers[finger] for finger in sorted(fingers)]
