"""The server's end of our own suite, as a plugin. What both ends do is in `sealing`."""

from __future__ import annotations

import secrets
from typing import TypeVar

import attrs
import msgspec
from twisted.plugin import IPlugin
from zope.interface import implementer

from ..interfaces import ICipherSuite
from ..protocol.envelope import Direction, Exchanged, NotOpened, Opened, Place
from . import sealing
from .sealing import Parties, Random, SessionKeys, Side

S = TypeVar("S", bound="_State")


class _State(msgspec.Struct, frozen=True, array_like=True):
    """What is between two steps: all of it secret."""

    def __repr__(self) -> str:
        return f"<{self.__class__.__name__}>"


class PendingKeys(_State, frozen=True, array_like=True, tag="keys"):
    """After the public keys: the factors are next."""

    sn: str
    terminal: bytes
    private: bytes
    secret: bytes


class AgreedSession(_State, frozen=True, array_like=True, tag="session"):
    """After the factors: bodies can be sealed and opened."""

    request: bytes
    reply: bytes


_decoder = msgspec.msgpack.Decoder(PendingKeys | AgreedSession)


@implementer(IPlugin, ICipherSuite)
@attrs.frozen
class SealingSuite:
    """X25519, HPKE, HKDF-SHA256, AES-256-GCM: for terminals whose firmware is written to it."""

    random: Random = attrs.field(default=secrets.token_bytes, repr=False)
    name = "x25519-aes256gcm"
    weakness = ""
    exchanges = True

    def check_secret(self, secret: bytes) -> None:
        """Take none, or one of 16 bytes or more; with none, who sits in between is not noticed."""
        sealing.check_secret(secret)

    def covers(self, place: Place, direction: Direction) -> bool:
        """Everything is sealed, polls too."""
        return True

    def begin(self, sn: str, secret: bytes, public_key: bytes) -> Exchanged:
        """Take P1, and answer with a P2 that was never there before."""
        self.check_secret(secret)
        terminal = sealing.decode_public(public_key)
        private = sealing.make_private(self.random)
        answer = sealing.encode_value(sealing.public_of(private))
        return Exchanged(_encode(PendingKeys(sn, terminal, private, secret)), answer)

    def agree(self, state: bytes, factor: bytes) -> Exchanged:
        """Take R1, encrypted under P2, and answer with R2, encrypted under P1."""
        keys = _decode(state, PendingKeys)
        parties = Parties(keys.sn, keys.terminal, sealing.public_of(keys.private))
        theirs = sealing.open_factor(factor, Side.TERMINAL, parties, keys.private)
        ours = self.random(sealing.FACTOR_BYTES)
        answer = sealing.seal_factor(ours, Side.SERVER, parties)
        session = sealing.session_keys(sealing.session_key(parties, theirs, ours, keys.secret))
        return Exchanged(_encode(AgreedSession(session.request, session.reply)), answer)

    def open(self, state: bytes, place: Place, sealed: bytes) -> Opened:
        """Open a request."""
        return sealing.unseal(_keys(state), Direction.REQUEST, place, sealed)

    def seal(self, state: bytes, place: Place, number: int | None, body: bytes) -> bytes:
        """Seal the reply to the request of that number."""
        return sealing.seal(
            _keys(state), Direction.REPLY, place, number or 0, body, random=self.random
        )


def _keys(state: bytes) -> SessionKeys:
    session = _decode(state, AgreedSession)
    return SessionKeys(session.request, session.reply)


def _encode(state: _State) -> bytes:
    return sealing.VERSION + msgspec.msgpack.encode(state)


def _decode(stored: bytes, wanted: type[S]) -> S:
    """The state of a step; `NotOpened` if it is that of another, or of another version."""
    try:
        state = _decoder.decode(stored[len(sealing.VERSION) :])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise NotOpened from None
    if not stored.startswith(sealing.VERSION) or not isinstance(state, wanted):
        raise NotOpened
    return state
