"""The condition of a terminal in words, for lists of people."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ...device.registry import Registry
from ...device.silence import Absence, absence_of, is_silent, lacks_session
from ...manage.console.phrases import Phrase
from ...model import Device, DeviceState
from ...persist.online import OnlineWindow

WAITS = Phrase("waits for approval")
BLOCKED = Phrase("blocked")
RETIRED = Phrase("out of use")
ONLINE = Phrase("online")
NO_SESSION = Phrase("online, without a session")
OFFLINE = Phrase("not connected")
SILENT = Phrase("silent")
NEVER = Phrase("never connected")
REFUSED = Phrase("requests are refused")


@attrs.frozen
class SeenTerminal:
    """A terminal with what this process knows of it."""

    device: Device
    words: Phrase
    """Its condition."""
    kind: str
    """Kind of the badge: good, warn, bad or calm."""
    last_seen_at: int | None
    address: str | None

    @property
    def is_refused(self) -> bool:
        """Whether requests come and are refused."""
        return self.words is REFUSED

    @property
    def name(self) -> str:
        """The name for people, or else the serial number."""
        return self.device.alias or self.device.sn

    @property
    def model(self) -> str | None:
        """The model, as far as the terminal has said it."""
        return self.device.options.get("~DeviceName") or self.device.device_type


def seen_terminal(registry: Registry, device: Device, window: OnlineWindow) -> SeenTerminal:
    """Return the condition of a terminal as it is stored."""
    last_seen_at, address = registry.last_seen(device)
    words, kind = OFFLINE, "warn"
    if device.state is DeviceState.PENDING:
        words, kind = WAITS, "warn"
    elif device.state is DeviceState.BLOCKED:
        words, kind = BLOCKED, "calm"
    elif device.state is DeviceState.RETIRED:
        words, kind = RETIRED, "calm"
    elif window.holds(device) and lacks_session(device):
        words, kind = NO_SESSION, "bad"
    elif window.holds(device):
        words, kind = ONLINE, "good"
    elif absence_of(device, last_seen_at, window.now, is_online=False) is Absence.REFUSED:
        words, kind = REFUSED, "bad"
    elif last_seen_at is None:
        words, kind = NEVER, "calm"
    elif is_silent(device, last_seen_at, window.now, is_online=False):
        words, kind = SILENT, "bad"
    return SeenTerminal(device, words, kind, last_seen_at, address)


def seen_terminals(
    registry: Registry, found: Sequence[Device], window: OnlineWindow
) -> list[SeenTerminal]:
    """Return the condition of each terminal."""
    return [seen_terminal(registry, device, window) for device in found]
