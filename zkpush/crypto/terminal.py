"""Terminal end of our suite, for the simulator; independent of the server."""

from __future__ import annotations

import secrets

import attrs

from ..protocol.envelope import Direction, NotOpened, Place
from . import sealing
from .sealing import Parties, Random, SessionKeys, Side


@attrs.frozen
class SealedRequest:
    """Request to send; its number is needed to open the reply."""

    number: int
    sealed: bytes


@attrs.define(eq=False)
class TerminalCipher:
    """Encrypted sessions of one terminal: `begin` at each reconnect, then the steps in order."""

    sn: str
    secret: bytes = attrs.field(default=b"", repr=False)
    _random: Random = attrs.field(default=secrets.token_bytes, repr=False)
    _private: bytes = attrs.field(default=b"", init=False, repr=False)
    _factor: bytes = attrs.field(default=b"", init=False, repr=False)
    _parties: Parties | None = attrs.field(default=None, init=False, repr=False)
    keys: SessionKeys | None = attrs.field(default=None, init=False, repr=False)
    sent: int = attrs.field(default=0, init=False)
    """Number of the last request. With these three fields, a session survives a restart."""
    replied: int = attrs.field(default=0, init=False)
    """Number of the last request whose reply was opened."""

    def __attrs_post_init__(self) -> None:
        sealing.check_secret(self.secret)

    @property
    def ready(self) -> bool:
        """Whether a session has been agreed on."""
        return self.keys is not None

    def begin(self) -> bytes:
        """Discard the session and create new keys; return P1, to be sent."""
        self._private = sealing.make_private(self._random)
        self._factor, self._parties, self.keys = b"", None, None
        self.sent = self.replied = 0
        return sealing.encode_value(sealing.public_of(self._private))

    def factor(self, public_key: bytes) -> bytes:
        """Process P2; return R1, encrypted under it, to be sent."""
        if not self._private or self._parties is not None:
            raise NotOpened
        server = sealing.decode_public(public_key)
        parties = Parties(self.sn, sealing.public_of(self._private), server)
        factor = self._random(sealing.FACTOR_BYTES)
        sealed = sealing.seal_factor(factor, Side.TERMINAL, parties)
        self._parties, self._factor = parties, factor
        return sealed

    def agree(self, factor: bytes) -> None:
        """Process R2, encrypted under P1; the session begins."""
        if self._parties is None or self.ready:
            raise NotOpened
        theirs = sealing.open_factor(factor, Side.SERVER, self._parties, self._private)
        key = sealing.session_key(self._parties, self._factor, theirs, self.secret)
        self.keys = sealing.session_keys(key)
        self._private, self._factor = b"", b""

    def seal(self, place: Place, body: bytes = b"") -> SealedRequest:
        """Seal a request; a resent request is sealed again with a new number."""
        if self.keys is None:
            raise NotOpened
        number = self.sent + 1
        sealed = sealing.seal(
            self.keys, Direction.REQUEST, place, number, body, random=self._random
        )
        self.sent = number
        return SealedRequest(number, sealed)

    def open(self, place: Place, number: int, sealed: bytes) -> bytes:
        """Open the reply to a request of this session.

        Each reply opens once, and none older than the last one opened.
        """
        if self.keys is None:
            raise NotOpened
        opened = sealing.unseal(self.keys, Direction.REPLY, place, sealed)
        if opened.number != number or not self.replied < number <= self.sent:
            raise NotOpened
        self.replied = number
        return opened.body
