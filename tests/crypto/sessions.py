"""Sessions for tests: both ends of an exchange, without a wire."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from zkpush.crypto.suite import SealingSuite
from zkpush.crypto.terminal import TerminalCipher
from zkpush.protocol.envelope import Place, place_of
from zkpush.protocol.requests import parse_arguments

SN = "CKJG223560021"
SECRET = b"a secret of this site, 32 bytes."
SUITE = SealingSuite()


@attrs.frozen
class Agreed:
    """A terminal and the state that the server has of its session."""

    terminal: TerminalCipher
    state: bytes


def agree(sn: str = SN, secret: bytes = b"", theirs: bytes | None = None) -> Agreed:
    """Make an exchange, every step by a server that has nothing but the bytes of the one before."""
    terminal = TerminalCipher(sn, secret if theirs is None else theirs)
    keys = SealingSuite().begin(sn, secret, terminal.begin())
    session = SealingSuite().agree(bytes(keys.state), terminal.factor(keys.answer))
    terminal.agree(session.answer)
    return Agreed(terminal, bytes(session.state))


def place(target: str = f"cdata?SN={SN}&table=ATTLOG&Stamp=9999", method: str = "POST") -> Place:
    """The place of a request."""
    path, _, query = f"/iclock/{target}".partition("?")
    arguments = parse_arguments(query.encode())
    return place_of(arguments.get("SN", ""), method, path.encode(), arguments)


def sequence(*made: bytes) -> Callable[[int], bytes]:
    """What `random` gives, one after the other, where vectors are made."""
    left = list(made)

    def random(length: int) -> bytes:
        value = left.pop(0)
        assert len(value) == length
        return value

    return random
