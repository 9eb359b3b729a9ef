"""Remote attendance (14): a terminal requests a user that it does not have."""

from __future__ import annotations

import re
from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ...device.allowance import Allowance
from ...device.refusals import Refusal, RefusalLog
from ...device.registry import Registry
from ...device.terminal import Terminal
from ...interfaces import IStore
from ...model import Device, Page
from ...persist.audit import AuditStore
from ...persist.transaction import Transaction
from ...protocol.codes import BiometricType
from ...protocol.commands import command_text
from ...protocol.errors import Refused, TerminalError, TooManyRequests, UnknownUser
from ...protocol.text import shown
from ...settings.features import RemoteAttendance
from ...values.people import Person
from .model import Template
from .packages import text_of
from .store import PeopleStore
from .tables import FP, REMOTE_USER, USER
from .wording import put_template

ACTION = "remote attendance"
"""Action in the audit log."""
_NO_VALUE = re.compile(r"[\t\r\n\0]")


class RemoteUsers:
    """Sends single users to terminals on request, and records each request in the audit log."""

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        settings: RemoteAttendance,
        clock: IReactorTime,
        door: RefusalLog,
    ) -> None:
        self._door = door
        self._store = store
        self._registry = registry
        self._settings = settings
        self._clock = clock
        self._allowances: dict[int, Allowance] = {}

    async def answer(self, terminal: Terminal, pin: str | None) -> bytes:
        """Return the lines of a user for an approved terminal (14), and record it in the audit log.

        Raises `Refused` if remote attendance is off, `TerminalError` without a valid user ID,
        `TooManyRequests` or `UnknownUser`. The messages reveal nothing more, because anyone at the
        keypad may ask.
        """
        device = terminal.device
        if not self._settings.enabled:
            self._refused(Refusal.REMOTE_OFF, device)
            raise Refused("Remote attendance is switched off on this server.")
        pin = _check_pin(pin)
        self._check_rate(device)
        fingerprint = self._registry.hybrid(device).of(BiometricType.FINGERPRINT)
        now = self._registry.now()

        def unit(tx: Transaction) -> list[str]:
            lines = _lines(tx, pin, fingerprint.major_version or 0)
            detail = f"{len(lines) - 1} fingerprints" if lines else "refused: there is no such user"
            tx[AuditStore].add(
                f"device {device.sn}", ACTION, tx[AuditStore].person(pin), detail, now
            )
            return lines

        lines = await self._store.write(unit)
        if not lines:
            raise UnknownUser("There is no user with this ID.")
        self._log.info(
            "Terminal {sn} was given user {pin} for remote attendance",
            sn=device.sn,
            pin=shown(pin),
        )
        return "".join(f"{line}\n" for line in lines).encode(terminal.dialect.encoding, "replace")

    def _check_rate(self, device: Device) -> None:
        """Raise `TooManyRequests` if a terminal asks too often."""
        now = self._clock.seconds()
        allowance = self._allowances.setdefault(
            device.id, Allowance(self._settings.per_minute, now)
        )
        if not allowance.take(now):
            self._refused(Refusal.REMOTE_TOO_OFTEN, device)
            raise TooManyRequests(
                "This terminal has asked for too many users; try again in a minute."
            )

    def _refused(self, reason: str, device: Device) -> None:
        _, address = self._registry.last_seen(device)
        self._door.refuse(reason, device.sn, address)


def _check_pin(pin: str | None) -> str:
    if not pin:
        raise TerminalError("PIN= is missing: the ID of a user.")
    try:
        return str(USER.field("pin").decode(pin))
    except ValueError:
        raise TerminalError("PIN= is not the ID of a user.") from None


def _lines(tx: Transaction, pin: str, version: int) -> list[str]:
    """Return the commands that add a user to a terminal; empty for an unknown user.

    `version` is the fingerprint algorithm version of the terminal; 0 means unknown.
    """
    users = tx[PeopleStore].users(Page(1), pin)
    if not users:
        return []
    templates = _fingerprints(tx[PeopleStore].templates(pin), version)
    return [_user_line(users[0]), *(text_of(put_template(template)) for template in templates)]


def _user_line(user: Person) -> str:
    """Format a user as in section 14: all fields, with the defaults of 12.1.1.1."""
    params = {}
    for field in REMOTE_USER.parameters:
        value = getattr(user, field.name, None)
        text = field.kind.encode(field.default if value is None else value)
        params[field.wire] = _NO_VALUE.sub(" ", text)
    return command_text(REMOTE_USER, params)


def _fingerprints(templates: Sequence[Template], version: int) -> list[Template]:
    """Select the usable templates, one for each finger; 12.1.1.3 does not transmit versions.

    Templates of another algorithm version are omitted if the terminal's version is known. A
    template of the terminal's version is preferred to one of unknown version; otherwise the newest
    is used.
    """

    def rank(template: Template) -> tuple[bool, int]:
        return template.major_version == version, template.updated_at or 0

    fingers: dict[int, Template] = {}
    for template in templates:
        if template.form != FP.name or template.template is None:  # not a fingerprint, or damaged
            continue
        if version and template.major_version not in (0, version):
            continue
        before = fingers.get(template.number)
        if before is None or rank(before) <= rank(template):
            fingers[template.number] = template
    return [fingers[finger] for finger in sorted(fingers)]
