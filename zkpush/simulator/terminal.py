"""A simulated terminal."""

from __future__ import annotations

import datetime
import random
from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime

from ..protocol.commands import decode_commands
from ..protocol.handshake import SEND_EVERYTHING, UNKNOWN_DEVICE, decode_options
from ..protocol.records import encode_pairs, encode_rows
from ..protocol.replies import encode_reply
from ..protocol.tables import ATTLOG
from ..protocol.versions import SERVER
from .link import Link, LinkError

FIRMWARE = "Ver 8.0.4.7-20240115"
MOST_RECORDS = 500
"""Most records in one upload."""
NOT_SUPPORTED = -1002
STATUSES = (0, 1)
VERIFY_MODES = (1, 4, 15)
DEFAULT_DELAY = 10


class ExchangeWanted(Exception):
    """The server asked for a new exchange."""


class SimulatedTerminal:
    """Holds users and records as a terminal does, and talks to a server over a link."""

    def __init__(
        self, sn: str, users: int, link: Link, clock: IReactorTime, chance: random.Random
    ) -> None:
        self.sn = sn
        self.users = users
        self.told: dict[str, str] = {}
        """The options of the last exchange."""
        self.records: list[tuple[object, ...]] = []
        """Every record made, sent or not."""
        self.sent = 0
        """How many of them the server has acknowledged."""
        self.polls = 0
        self.executed: list[bytes] = []
        """The commands that were executed."""
        self._link = link
        self._clock = clock
        self._chance = chance
        self._last: dict[str, float] = {}

    @property
    def waiting(self) -> int:
        """How many records are not acknowledged yet."""
        return len(self.records) - self.sent

    @property
    def delay(self) -> float:
        """Seconds between two polls."""
        return float(self.told.get("Delay", DEFAULT_DELAY))

    def punch(self) -> None:
        """Somebody is verified; nobody twice in one second, because that would be one record."""
        pin = str(self._chance.randint(1, self.users))
        moment = max(int(self._clock.seconds()), int(self._last.get(pin, 0)) + 1)
        self._last[pin] = moment
        local = datetime.datetime.fromtimestamp(moment, self._zone())
        self.records.append(
            (
                pin,
                local.strftime("%Y-%m-%d %H:%M:%S"),
                self._chance.choice(STATUSES),
                self._chance.choice(VERIFY_MODES),
                "0",
                "0",
                "0",
            )
        )

    async def exchange(self) -> None:
        """Make the exchange (5), then push options (8); until both are done, it is not made."""
        self.told = {}
        reply = await self._link.get(
            "cdata",
            options="all",
            pushver=str(SERVER),
            language="69",
            DeviceType="att",
            PushOptionsFlag="1",
        )
        try:
            told = decode_options(reply)
        except ValueError as error:
            raise LinkError(str(error)) from None
        if told.get("ATTLOGStamp") == SEND_EVERYTHING:
            self.sent = 0
        if told.get("PushOptionsFlag") == "1":
            await self._send("options", encode_pairs(self._options().items()).encode())
        self.told = told

    async def upload(self) -> None:
        """Send the records that are not acknowledged (11.2); what fails stays, to be sent again."""
        while self.waiting:
            part = self.records[self.sent : self.sent + MOST_RECORDS]
            stamp = str(self.sent + len(part))
            await self._send("ATTLOG", encode_rows(ATTLOG, part).encode(), Stamp=stamp)
            self.sent += len(part)

    async def poll(self) -> bool:
        """Ask for commands (12), execute and answer them; True if there were some."""
        self.polls += 1
        reply = await self._link.get("getrequest", INFO=self._info())
        self._check(reply)
        try:
            commands = decode_commands(reply)
        except ValueError as error:
            raise LinkError(str(error)) from None
        for command_id, text in commands:
            await self._execute(command_id, text)
        return bool(commands)

    async def _send(self, table: str, body: bytes, **arguments: str) -> None:
        reply = await self._link.post("cdata", body, table=table, **arguments)
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
        return {
            "~DeviceName": "SIM-100",
            "~SerialNumber": self.sn,
            "FirmVer": FIRMWARE,
            "~OEMVendor": "SIMULATED CO., LTD.",
            "FingerFunOn": "1",
            "FaceFunOn": "1",
            "UserCount": str(self.users),
            "TransactionCount": str(len(self.records)),
        }

    def _info(self) -> str:
        values: Sequence[object] = (
            FIRMWARE,
            self.users,
            0,
            len(self.records),
            "127.0.0.1",
            10,
            7,
            1,
            0,
            "111",
        )
        return ",".join(map(str, values))

    def _zone(self) -> datetime.timezone:
        """The zone the server told (5): hours below 12 either way, else minutes."""
        value = int(self.told.get("TimeZone", "0"))
        minutes = value * 60 if abs(value) < 12 else value
        return datetime.timezone(datetime.timedelta(minutes=minutes))
