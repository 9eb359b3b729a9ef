"""A simulated terminal."""

from __future__ import annotations

import random
from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime

from ..handlers.attendance.tables import ATTLOG
from ..handlers.people.tables import BIODATA, USER
from ..protocol.codes import Operation
from ..protocol.commands import decode_commands
from ..protocol.exchange import STAMPS
from ..protocol.handshake import UNKNOWN_DEVICE, decode_options
from ..protocol.records import encode_pairs
from . import status
from .attendance import SimulatedPunch, identify, punch
from .clock import TerminalClock
from .door import Door
from .errors import LinkError
from .executor import Executor
from .faults import Faults, Mischief
from .files import Files
from .link import Link
from .model import ATT, Model
from .operation import NOBODY, operated
from .orders import Orders
from .outbox import Outbox
from .people import People
from .record import OPERLOG, Record
from .tolerance import Warn, read_commands, read_options
from .upload import most, write_upload


class ExchangeWanted(Exception):
    """The server requested a new exchange."""


class SimulatedTerminal:
    """Holds users and records like a real terminal, and talks to a server over a link."""

    def __init__(
        self,
        sn: str,
        users: int,
        link: Link,
        clock: IReactorTime,
        chance: random.Random,
        *,
        model: Model = ATT,
        people: People | None = None,
        mischief: Mischief | None = None,
        warn: Warn | None = None,
    ) -> None:
        """`people` may be shared with other terminals; the default is a set of its own.

        Without `mischief`, no faults are injected. `warn` is called for protocol errors that real
        firmware tolerates; without it, the terminal is strict.
        """
        self._warn = warn
        self.sn = sn
        self.users = users
        """Number of people around the terminal; user 1 is the administrator."""
        self.model = model
        self.clock = TerminalClock(clock)
        self.outbox = Outbox()
        self.settings: dict[str, str] = {}
        """Options set by commands."""
        self._settled = False
        self.told: dict[str, str] = {}
        """Options of the last exchange."""
        self.orders = self._understand({})
        """The same options, interpreted."""
        self.packets = 0
        """Number of packets that the server has acknowledged."""
        self.polls = 0
        self.executed: list[bytes] = []
        """Executed commands."""
        self._mischief = mischief or Mischief(Faults(), chance)
        self.executor = Executor(self, self._mischief, clock)
        self.link = link
        self.chance = chance
        self.door = Door()
        self.files = Files(sn)
        self.people = people or People(chance, users)
        self._pushed: dict[str, str] = {}
        self._looked = self.clock.now()

    @property
    def waiting(self) -> int:
        """Number of requested records that are not acknowledged yet."""
        return self.outbox.waiting

    @property
    def sent(self) -> int:
        """Number of punches that the server has acknowledged."""
        return self.outbox.acknowledged[ATTLOG.name]

    @property
    def due(self) -> bool:
        """Whether to send new records now (11.1)."""
        return self.orders.due(self._looked, self.clock.now())

    @property
    def delay(self) -> float:
        """Seconds between two polls."""
        return self.orders.delay

    @property
    def holds(self) -> int:
        """Number of its users; all people around it if nobody was enrolled."""
        return self.outbox.count(USER) or (0 if self._settled else self.users)

    def settle(self) -> None:
        """Create users for the people around the terminal, if nobody was enrolled.

        They are not sent: the server queries or changes them.
        """
        if not self._settled and not self.outbox.count(USER):
            for number in range(1, self.users + 1):
                person = self.people.person(str(number))
                form = person.user(card_bytes=self.model.old)
                self.keep(Record(form, USER.transfer[:1], sent=True, given=True))
        self._settled = True

    def operate(self, operation: Operation, operator: str, *operands: object) -> None:
        """Record an operation at the terminal (11.4); equal ones have different times."""
        # The server takes equal operations of one second for one.
        time = self.clock.next(f"{operation.name} {operator} {operands}")
        self.keep(operated(self.model, time, operation, operator, *operands))

    def keep(self, record: Record) -> None:
        """Store a record, and queue it until the server has it."""
        self.outbox.add(record)

    def punch(self) -> SimulatedPunch:
        """Make a punch."""
        pin = str(self.chance.randint(1, self.users))
        time = self.clock.next(pin)
        if self.model.identity_cards:
            made = identify(self.chance, self.people.person(pin), time)
        else:
            made = punch(self.chance, pin, time)
        record = made.record()
        record.hidden = self._mischief.hides_punch()
        self.keep(record)
        return made

    async def exchange(self) -> None:
        """Make the exchange (5) and the key exchanges (6, 7), then push the options (8).

        The exchange counts as made only after all of these.
        """
        self.told = {}
        self.link.start_over()
        reply = await self.link.get("cdata", **self._hello())
        try:
            told = self._read_options(reply)
            self.orders = self._understand(told)
        except ValueError as error:
            raise LinkError(str(error)) from None
        if self.link.can_encrypt and self.orders.encrypts:
            await self.link.agree()
        self.clock.zone = self.orders.zone
        self.outbox.obey(self.orders.choose)
        for data_type in self.orders.again():
            self.outbox.again(data_type)
        self._pushed = {}
        if self.orders.wants_options and not self.model.old:
            await self._push(self.options())
        self.told = told

    async def upload(self) -> None:
        """Send the unacknowledged records (11); records of a failed upload stay queued."""
        self._looked = self.clock.now()
        changed = False
        for data_type, _, _ in STAMPS:
            while records := self.outbox.part(data_type, most(data_type)):
                await self._upload(data_type, records)
                self.outbox.acknowledge(records)
                changed = changed or data_type in (OPERLOG, BIODATA.name)
        if changed and self._pushed:
            await self._push(status.changing(self.options()))

    async def send(self, records: Sequence[Record]) -> None:
        """Send queried records (12.1.3), acknowledged or not."""
        for data_type, _, _ in STAMPS:
            wanted = [record for record in records if record.form.data_type == data_type]
            for start in range(0, len(wanted), most(data_type)):
                await self._upload(data_type, wanted[start : start + most(data_type)])

    async def restart(self) -> None:
        """Restart: record the operation, then make the exchange."""
        self.operate(Operation.STARTUP, NOBODY)
        await self.exchange()

    async def poll(self) -> bool:
        """Poll for commands (12), execute and answer them; return whether there were any."""
        self.polls += 1
        info = status.info(self.model, self.holds, self.outbox)
        reply = await self.link.get("getrequest", INFO=info)
        if self._mischief.loses_poll():
            return False
        self._check(reply)
        try:
            commands = self._read_commands(reply)
        except ValueError as error:
            raise LinkError(str(error)) from None
        for command_id, text in commands:
            self.executed.append(text)
            await self.executor.execute(command_id, text)
        return bool(commands)

    def _read_options(self, reply: bytes) -> dict[str, str]:
        return decode_options(reply) if self._warn is None else read_options(reply, self._warn)

    def _read_commands(self, reply: bytes) -> list[tuple[str, bytes]]:
        return decode_commands(reply) if self._warn is None else read_commands(reply, self._warn)

    def _hello(self) -> dict[str, str]:
        """Return the arguments of the exchange; old firmware sends none."""
        model = self.model
        said = {
            "options": "all",
            "pushver": model.version and str(model.version),
            "language": None if model.old else model.language,
            "DeviceType": model.device_type,
            "PushOptionsFlag": None if model.old else "1",
        }
        return {name: value for name, value in said.items() if value is not None}

    def _understand(self, told: dict[str, str]) -> Orders:
        return Orders(told, self.model, self.options())

    async def _push(self, options: dict[str, str]) -> None:
        """Push the options that have changed since the last push."""
        changed = {
            name: value for name, value in options.items() if self._pushed.get(name) != value
        }
        if changed:
            body = encode_pairs(changed.items()).encode()
            await self._send("cdata", body, {"table": "options"})
            self._pushed |= changed

    async def _upload(self, data_type: str, records: Sequence[Record]) -> None:
        in_base64 = self.orders.wants_base64
        upload = write_upload(self.model, self.sn, data_type, records, in_base64=in_base64)
        await self._send(upload.path, upload.body, upload.arguments)
        self.packets += upload.packed

    async def _send(self, path: str, body: bytes, arguments: dict[str, str]) -> None:
        reply = await self.link.post(path, body, **arguments)
        self._check(reply)
        if b"OK" not in reply:
            raise LinkError(f"the upload was not acknowledged: {reply[:40]!r}")

    @staticmethod
    def _check(reply: bytes) -> None:
        if reply.strip() == UNKNOWN_DEVICE:
            raise ExchangeWanted

    def options(self) -> dict[str, str]:
        """Return all options (8): derived from model and records, or set by commands."""
        told = status.options(self.model, self.sn, self.holds, self.outbox)
        return told | self.settings
