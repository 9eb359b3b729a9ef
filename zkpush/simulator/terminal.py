"""A simulated terminal."""

from __future__ import annotations

import random

from twisted.internet.interfaces import IReactorTime

from ..protocol.commands import decode_commands
from ..protocol.handshake import UNKNOWN_DEVICE, decode_options
from ..protocol.records import encode_pairs
from ..protocol.replies import encode_reply
from ..protocol.tables import ATTLOG, BIODATA, STAMPS, USER
from . import status
from .attendance import Punch, identify, punch
from .clock import TerminalClock
from .link import Link, LinkError
from .model import ATT, Model
from .orders import Orders
from .outbox import Outbox
from .people import People
from .record import OPERLOG, Record
from .upload import most, write_upload

NOT_SUPPORTED = -1002


class ExchangeWanted(Exception):
    """The server asked for a new exchange."""


class SimulatedTerminal:
    """Holds users and records as a terminal does, and talks to a server over a link."""

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
    ) -> None:
        """`people` are those that other terminals know, too; without them it has its own."""
        self.sn = sn
        self.users = users
        """How many people are in its surroundings; user 1 is the administrator."""
        self.model = model
        self.clock = TerminalClock(clock)
        self.outbox = Outbox()
        self.told: dict[str, str] = {}
        """The options of the last exchange."""
        self.orders = self._understand({})
        """What they mean."""
        self.packets = 0
        """How many packets the server has acknowledged."""
        self.polls = 0
        self.executed: list[bytes] = []
        """The commands that were executed."""
        self._link = link
        self._chance = chance
        self._people = people or People(chance)
        self._pushed: dict[str, str] = {}
        self._looked = self.clock.now()

    @property
    def waiting(self) -> int:
        """How many records are not acknowledged yet, of those that are asked for."""
        return self.outbox.waiting

    @property
    def sent(self) -> int:
        """How many punches the server has acknowledged."""
        return self.outbox.acknowledged[ATTLOG.name]

    @property
    def due(self) -> bool:
        """Whether it is to send its new records now (11.1)."""
        return self.orders.due(self._looked, self.clock.now())

    @property
    def delay(self) -> float:
        """Seconds between two polls."""
        return self.orders.delay

    @property
    def holds(self) -> int:
        """How many users it holds: where nobody has been enrolled, all of its surroundings."""
        return self.outbox.count(USER) or self.users

    def keep(self, record: Record) -> None:
        """Keep a record until the server has it, and after that."""
        self.outbox.add(record)

    def punch(self) -> Punch:
        """Somebody is verified."""
        pin = str(self._chance.randint(1, self.users))
        time = self.clock.next(pin)
        if self.model.identity_cards:
            made = identify(self._chance, self._people.person(pin), time)
        else:
            made = punch(self._chance, pin, time)
        self.keep(made.record())
        return made

    async def exchange(self) -> None:
        """Make the exchange (5), then push options (8); until both are done, it is not made."""
        self.told = {}
        reply = await self._link.get("cdata", **self._hello())
        try:
            told = decode_options(reply)
            self.orders = self._understand(told)
        except ValueError as error:
            raise LinkError(str(error)) from None
        self.clock.zone = self.orders.zone
        self.outbox.obey(self.orders.choose)
        for data_type in self.orders.again():
            self.outbox.again(data_type)
        self._pushed = {}
        if self.orders.wants_options and not self.model.old:
            await self._push(self._options())
        self.told = told

    async def upload(self) -> None:
        """Send the records that are not acknowledged (11); what fails stays, to be sent again."""
        self._looked = self.clock.now()
        changed = False
        for data_type, _, _ in STAMPS:
            while records := self.outbox.part(data_type, most(data_type)):
                upload = write_upload(
                    self.model,
                    self.sn,
                    data_type,
                    records,
                    in_base64=self.orders.wants_base64,
                )
                await self._send(upload.path, upload.body, upload.arguments)
                self.outbox.acknowledge(records)
                self.packets += upload.packed
                changed = changed or data_type in (OPERLOG, BIODATA.name)
        if changed and self._pushed:
            await self._push(status.changing(self._options()))

    async def poll(self) -> bool:
        """Ask for commands (12), execute and answer them; True if there were some."""
        self.polls += 1
        info = status.info(self.model, self.holds, self.outbox)
        reply = await self._link.get("getrequest", INFO=info)
        self._check(reply)
        try:
            commands = decode_commands(reply)
        except ValueError as error:
            raise LinkError(str(error)) from None
        for command_id, text in commands:
            await self._execute(command_id, text)
        return bool(commands)

    def _hello(self) -> dict[str, str]:
        """What it says of itself in the exchange; old firmware says nothing."""
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
        return Orders(told, self.model, self._options())

    async def _push(self, options: dict[str, str]) -> None:
        """Push the options that are not what was pushed last."""
        changed = {
            name: value for name, value in options.items() if self._pushed.get(name) != value
        }
        if changed:
            body = encode_pairs(changed.items()).encode()
            await self._send("cdata", body, {"table": "options"})
            self._pushed |= changed

    async def _send(self, path: str, body: bytes, arguments: dict[str, str]) -> None:
        reply = await self._link.post(path, body, **arguments)
        self._check(reply)
        if b"OK" not in reply:
            raise LinkError(f"the upload was not acknowledged: {reply[:40]!r}")

    @staticmethod
    def _check(reply: bytes) -> None:
        if reply.strip() == UNKNOWN_DEVICE:
            raise ExchangeWanted

    async def _execute(self, command_id: str, text: bytes) -> None:
        self.executed.append(text)
        name = text.decode("utf-8", "replace")
        known = name in ("CHECK", "INFO", "LOG", "REBOOT")
        options = self._options() if name == "INFO" else None
        answer = encode_reply(command_id, 0 if known else NOT_SUPPORTED, name, options)
        await self._link.post("devicecmd", answer)
        if name in ("CHECK", "REBOOT"):
            await self.exchange()
        if name in ("CHECK", "LOG"):
            await self.upload()

    def _options(self) -> dict[str, str]:
        return status.options(self.model, self.sn, self.holds, self.outbox)
