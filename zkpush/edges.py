"""Wrappers of plugins: each call is contained, and an invalid result counts as a failure.

See `zkpush.containment`. The fallback for a failed plugin is decided here, once for each kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from zope.interface import implementer

from .containment import PluginError, PluginHealth, contained
from .interfaces import IAdmissionPolicy, ICipherSuite
from .model import DeviceState
from .protocol.envelope import Direction, Exchanged, NotOpened, Opened, Place
from .protocol.errors import Unavailable
from .protocol.handshake import Hello

T = TypeVar("T")


@implementer(IAdmissionPolicy)
class ContainedPolicy:
    """Wrapper of an admission policy; while it fails, unknown terminals are told to try again."""

    def __init__(self, policy: IAdmissionPolicy, health: PluginHealth) -> None:
        self.name = policy.name
        self._policy = policy
        self._health = health

    def admit(self, sn: str, hello: Hello | None, address: str | None) -> DeviceState | None:
        """Ask the policy; `Unavailable` if it fails."""
        try:
            with contained(
                f"admission policy {self.name}",
                "admitting a terminal",
                sn=sn,
                health=self._health,
            ):
                state: object = self._policy.admit(sn, hello, address)
                if state is not None and not isinstance(state, DeviceState):
                    raise TypeError("the answer is no DeviceState")
                return state
        except PluginError:
            raise Unavailable("This server cannot admit new terminals now; try again.") from None


@implementer(ICipherSuite)
class ContainedSuite:
    """Wrapper of a cipher suite; any failure to open a request is reported as `NotOpened`."""

    def __init__(self, suite: ICipherSuite, health: PluginHealth) -> None:
        self.name = suite.name
        self.weakness = suite.weakness
        self.exchanges = suite.exchanges
        self._suite = suite
        self._health = health

    def check_secret(self, secret: bytes) -> None:
        """Check a configured secret; `ValueError` also if the suite fails."""
        try:
            with self._contained("checking a secret", ValueError):
                self._suite.check_secret(secret)
        except PluginError as error:
            raise ValueError(str(error)) from None

    def covers(self, place: Place, direction: Direction) -> bool:
        """Whether a place is encrypted in a direction; `PluginError` if the suite fails."""
        with self._contained("looking at a request"):
            return self._suite.covers(place, direction)

    def begin(self, sn: str, secret: bytes, public_key: bytes) -> Exchanged:
        """Process a public key; `NotOpened` also if the suite fails."""
        return self._opened("a public key", lambda: self._suite.begin(sn, secret, public_key))

    def agree(self, state: bytes, factor: bytes) -> Exchanged:
        """Process a factor; `NotOpened` also if the suite fails."""
        return self._opened("a factor", lambda: self._suite.agree(state, factor))

    def open(self, state: bytes, place: Place, sealed: bytes) -> Opened:
        """Decrypt a request; `NotOpened` also if the suite fails."""
        return self._opened("opening a request", lambda: self._suite.open(state, place, sealed))

    def seal(self, state: bytes, place: Place, number: int | None, body: bytes) -> bytes:
        """Encrypt a reply; `PluginError` if the suite fails."""
        with self._contained("sealing a reply"):
            return self._suite.seal(state, place, number, body)

    def _opened(self, act: str, call: Callable[[], T]) -> T:
        try:
            with self._contained(act, NotOpened):
                return call()
        except PluginError:
            raise NotOpened from None

    def _contained(self, act: str, *passes: type[Exception]) -> contained:
        return contained(f"cipher suite {self.name}", act, passes=passes, health=self._health)
