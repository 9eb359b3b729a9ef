"""Server end of our suite, as a plugin; `sealing` has the operations of both ends."""

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
    """Secret state between two steps."""

    def __repr__(self) -> str:
        return f"<{self.__class__.__name__}>"


class PendingKeys(_State, frozen=True, array_like=True, tag="keys"):
    """State after the public keys; the factors are next."""

    sn: str
    terminal: bytes
    private: bytes
    secret: bytes


class AgreedSession(_State, frozen=True, array_like=True, tag="session"):
    """State after the factors; bodies can be sealed and opened."""

    request: bytes
    reply: bytes


_decoder = msgspec.msgpack.Decoder(PendingKeys | AgreedSession)


@implementer(IPlugin, ICipherSuite)
@attrs.frozen
class SealingSuite:
    """X25519, HPKE, HKDF-SHA256 and AES-256-GCM, for terminals with matching firmware."""

    random: Random = attrs.field(default=secrets.token_bytes, repr=False)
    name = "x25519-aes256gcm"
    weakness = ""
    exchanges = True

    def check_secret(self, secret: bytes) -> None:
        """Accept no secret, or one of at least 16 bytes.

        Without a secret, a man in the middle is not detected.
        """
        sealing.check_secret(secret)

    def covers(self, place: Place, direction: Direction) -> bool:
        """Return True: everything is sealed, including polls."""
        return True

    def begin(self, sn: str, secret: bytes, public_key: bytes) -> Exchanged:
        """Process P1; return a fresh P2."""
        self.check_secret(secret)
        terminal = sealing.decode_public(public_key)
        private = sealing.make_private(self.random)
        answer = sealing.encode_value(sealing.public_of(private))
        return Exchanged(_encode(PendingKeys(sn, terminal, private, secret)), answer)

    def agree(self, state: bytes, factor: bytes) -> Exchanged:
        """Process R1, encrypted under P2; return R2, encrypted under P1."""
        keys = _decode(state, PendingKeys)
        parties = Parties(keys.sn, keys.terminal, sealing.public_of(keys.private))
        theirs = sealing.open_factor(factor, Side.TERMINAL, parties, keys.private)
        ours = self.random(sealing.FACTOR_BYTES)
        answer = sealing.seal_factor(ours, Side.SERVER, parties)
        session = sealing.session_keys(sealing.session_key(parties, theirs, ours, keys.secret))
        return Exchanged(_encode(AgreedSession(session.request, session.reply)), answer)

    def open(self, state: bytes, place: Place, sealed: bytes) -> Opened:
        """Decrypt a request."""
        return sealing.unseal(_keys(state), Direction.REQUEST, place, sealed)

    def seal(self, state: bytes, place: Place, number: int | None, body: bytes) -> bytes:
        """Encrypt the reply to the request with that number."""
        return sealing.seal(
            _keys(state), Direction.REPLY, place, number or 0, body, random=self.random
        )


def _keys(state: bytes) -> SessionKeys:
    session = _decode(state, AgreedSession)
    return SessionKeys(session.request, session.reply)


def _encode(state: _State) -> bytes:
    return sealing.VERSION + msgspec.msgpack.encode(state)


def _decode(stored: bytes, wanted: type[S]) -> S:
    """Decode the state of a step; raises `NotOpened` for another step or version."""
    try:
        state = _decoder.decode(stored[len(sealing.VERSION) :])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise NotOpened from None
    if not stored.startswith(sealing.VERSION) or not isinstance(state, wanted):
        raise NotOpened
    return state
