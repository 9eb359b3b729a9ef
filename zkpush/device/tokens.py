"""Session tokens of terminals: issuing, proving and judging them (spec 6, 7, 10, 12.8).

Theory of operation. Every exchange issues a token. A token returned in a request is *proved*: the
client that made that exchange returns tokens. This ends the older tokens of the same address and
the token that the exchange carried. Until then they stay valid, because a reply may be lost.

Any client can make an exchange in a terminal's name, so a token proves no more than its exchange
did. A token is *trusted* if it is the first one proved, if its exchange carried a trusted token or
the pinned pushcommkey, or if its exchange came from the address of a trusted token. Other tokens
never displace a trusted one, or one that will be trusted once it is returned. Commands that hold
secrets go only to sessions with a trusted token.

A pushcommkey that is pinned ends the tokens of all exchanges without it: who captured an exchange
with an earlier key, or made one without a key, has nothing left.

By default, tokens are required from a terminal once it *returns* them: once a token is proved from
an address where the terminal was served without one before, or from any address if it never was. If
the terminal was served without a token at another address, the exchange is another client's: its
token is not trusted, and does not count against the terminal.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable

import msgspec

from ..model import Device
from ..values.sessions import SessionToken, TokenPolicy

MOST_UNPROVED = 4
"""Maximum number of issued tokens that have not been returned yet."""
MOST_PROVED = 4
MOST_BARE = 2
"""Maximum number of remembered addresses without a token; two show that there is more than one."""


def digest_of(token: bytes) -> str:
    """Return the stored form of a token: its SHA-256 digest in hex."""
    return hashlib.sha256(token).hexdigest()


def token_of(cookie: bytes) -> bytes | None:
    """Return the token in a Cookie header; None if there is none."""
    for part in cookie.split(b";"):
        name, _, value = part.strip().partition(b"=")
        if name == b"token":
            return value.strip(b'"')
    return None


def find(device: Device, cookie: bytes | None) -> SessionToken | None:
    """Find the token of this terminal that a request carries; None if there is none."""
    token = None if cookie is None else token_of(cookie)
    if token is None:
        return None
    digest = digest_of(token)
    found = None
    for one in device.tokens:
        if hmac.compare_digest(digest, one.digest):
            found = one
    return found


def is_judged(device: Device) -> bool:
    """Whether a request without a valid token is refused."""
    if device.token_policy is TokenPolicy.CHECK:
        return device.returns_token
    return device.token_policy is TokenPolicy.REQUIRE


def continues(
    device: Device, address: str | None, cookie: bytes | None, comm_key: str | None
) -> bool:
    """Whether an exchange comes from the terminal itself, as far as tokens show.

    For a terminal that returns tokens, this is so if the new token would be trusted.
    """
    trusted = _trusted(device)
    if is_bound(device, comm_key) or not trusted or not is_judged(device):
        return True
    carried = find(device, cookie)
    return _follows(trusted, address, None if carried is None else carried.digest)


def _trusted(device: Device) -> list[SessionToken]:
    """The trusted tokens of a terminal."""
    return [one for one in device.tokens if one.proved and one.trusted]


def _follows(trusted: Iterable[SessionToken], address: str | None, carried: str | None) -> bool:
    """Whether an exchange came from the address of a trusted token, or carried one."""
    return any(one.address == address or one.digest == carried for one in trusted)


def is_bound(device: Device, comm_key: str | None) -> bool:
    """Whether an exchange with this pushcommkey (its fingerprint) has the pinned one."""
    return device.comm_key is not None and device.comm_key == comm_key


def issue(
    device: Device,
    token: str,
    address: str | None,
    cookie: bytes | None,
    comm_key: str | None = None,
) -> tuple[SessionToken, ...]:
    """Return the tokens with a new one, of an exchange with this pushcommkey (its fingerprint)."""
    carried = find(device, cookie)
    new = SessionToken(
        digest=digest_of(token.encode()),
        address=address,
        trusted=is_bound(device, comm_key),
        follows=carried.digest if carried is not None and carried.proved else None,
        comm_key=comm_key,
    )
    unproved = [new, *(one for one in device.tokens if not one.proved)]
    trusted = _trusted(device)
    while len(unproved) > MOST_UNPROVED:
        # Drop from the address with the most tokens, so that none displaces those of another.
        _, *waiting = unproved
        strange = [
            one
            for one in waiting
            if not (one.trusted or _follows(trusted, one.address, one.follows))
        ]
        dropped = strange or waiting
        crowded, _ = Counter(one.address for one in dropped).most_common(1)[0]
        unproved.remove([one for one in dropped if one.address == crowded][-1])
    return (*unproved, *(one for one in device.tokens if one.proved))


def continued(
    device: Device, token: str, address: str | None, cookie: bytes | None
) -> tuple[SessionToken, ...]:
    """Return the tokens with a new one, of a step of the key exchange (spec 6, 7).

    A step carries no pushcommkey. Its token has the one of the exchange whose token it carries.
    """
    carried = find(device, cookie)
    return issue(device, token, address, cookie, None if carried is None else carried.comm_key)


def prove(device: Device, digest: str) -> tuple[SessionToken, ...]:
    """Return the tokens after one was proved; raises `LookupError` if it is gone."""
    place = next((i for i, one in enumerate(device.tokens) if one.digest == digest), None)
    if place is None:
        raise LookupError("this token is not one of the terminal's any more")
    token = device.tokens[place]
    if token.proved:
        return device.tokens
    trusted = _trusted(device)
    is_first = not trusted and (is_judged(device) or not is_elsewhere(device, token.address))
    proved = msgspec.structs.replace(
        token,
        proved=True,
        trusted=token.trusted or is_first or _follows(trusted, token.address, token.follows),
    )
    left = [
        one
        for one in device.tokens[place + 1 :]
        if one.digest != token.follows and one.address != token.address
    ]
    others = [one for one in left if one.proved]
    while len(others) >= MOST_PROVED:
        others.remove(next((one for one in others if not one.trusted), others[0]))
    unproved = (*device.tokens[:place], *(one for one in left if not one.proved))
    return (*unproved, *others, proved)


def bound_to(device: Device, comm_key: str) -> tuple[SessionToken, ...]:
    """Return the tokens that are left when a pushcommkey (its fingerprint) is pinned.

    Those of exchanges with another key, or with none, end. The others are the terminal's.
    """
    return tuple(
        msgspec.structs.replace(one, trusted=True)
        for one in device.tokens
        if one.comm_key == comm_key
    )


def is_elsewhere(device: Device, address: str | None) -> bool:
    """Whether the terminal was served without a token at another address than this one."""
    return any(one != bare(address) for one in device.bare_addresses)


def bare(address: str | None) -> str:
    """Return the stored form of an address; empty for a Unix socket."""
    return address or ""
