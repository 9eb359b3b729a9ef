"""API authentication: bearer tokens and their scopes.

Theory of operation. Every process that serves the API keeps the SHA-256 of all tokens in memory and
reads the store twice a second. A token revoked on one node is therefore rejected everywhere within
a second, and no request costs a query. An unknown token is looked up in the store before it is
refused, so that a token created on another node works at once. The rate of these lookups is
limited, so that strangers cannot keep the database busy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import attrs
from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..clock import wall_clock
from ..device.allowance import Allowance
from ..interfaces import IStore
from ..model import Caller
from ..periodic import PeriodicService
from ..persist.tokens import TokenStore
from ..phrases import Phrase
from ..protocol.fields import Scope, scopes_named
from ..values.tokens import StoredToken
from .limits import AreaLimits

ADMIN = "admin"
"""Name of the token in `DIR/admin.token`."""
PREFIX = "zkp_"
"""Prefix of tokens, by which scanners for leaked secrets recognise them."""
LOOK_EVERY = 0.5
"""Seconds between two reads of the tokens in the store."""
USED_EVERY = 30.0
"""Seconds between two writes of the times when tokens were last used."""
ASK_PER_MINUTE = 1200
"""Maximum number of lookups of unknown tokens in the store per minute."""
_SCHEME = "bearer "


def digest_of(token: str) -> bytes:
    """Return the digest of a token, which is stored in place of the token."""
    return hashlib.sha256(token.encode()).digest()


def offered(header: str | None) -> bytes | None:
    """Return the digest of the token in an `Authorization` header; None without one."""
    if header is None or not header.lower().startswith(_SCHEME):
        return None
    return digest_of(header[len(_SCHEME) :].strip())


@attrs.frozen
class _Known:
    """A valid token, in memory."""

    name: str
    scopes: frozenset[Scope]
    id: int | None = None
    """Row id; None for the token that is not in the store."""
    expires_at: int | None = None
    areas: frozenset[str] | None = None

    @classmethod
    def of(cls, stored: StoredToken) -> _Known:
        """Make the entry of a stored token; scopes of a later version are ignored."""
        return cls(
            stored.name, scopes_named(stored.scopes), stored.id, stored.expires_at, stored.areas
        )


class Tokens(PeriodicService):
    """The valid tokens."""

    _log = Logger()

    def __init__(self, admin_token: str, store: IStore, clock: IReactorTime) -> None:
        """`admin_token` has every scope; the other tokens are in the store."""
        super().__init__(clock)
        self._own = {digest_of(admin_token): _Known(ADMIN, frozenset(Scope))}
        self._known: Mapping[bytes, _Known] = self._own
        self._store = store
        self.limits = AreaLimits(store)
        """Checks requests of tokens that are limited to areas."""
        self._wall = wall_clock(clock)
        self._following = DeferredLock()
        self._asking = Allowance(ASK_PER_MINUTE, clock.seconds())
        self._used: dict[int, int] = {}
        self._changed: list[Callable[[], None]] = []
        self.every(LOOK_EVERY, self.follow, Phrase("Changes of tokens wait"), now=True)
        self.every(USED_EVERY, self._write_used, Phrase("Times of use of tokens wait"))

    async def finish(self) -> None:
        """Write the times when tokens were last used."""
        await self._write_used()

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` whenever tokens may have become invalid."""
        self._changed.append(changed)

    def caller(
        self, digest: bytes | None, address: str | None = None, client: str | None = None
    ) -> Caller | None:
        """Return the caller for a token digest from memory; None if the token is invalid."""
        known = None if digest is None else self._known.get(digest)
        if known is None or (known.expires_at is not None and known.expires_at <= self._now()):
            return None
        return Caller(
            name=known.name,
            scopes=known.scopes,
            address=address,
            client=client,
            areas=known.areas,
        )

    async def find(
        self, digest: bytes | None, address: str | None, client: str | None
    ) -> Caller | None:
        """Return the caller for a token digest and record the use; None if the token is invalid."""
        if digest is None:
            return None
        if digest not in self._known and self._asking.take(self._clock.seconds()):
            await self.follow()
        caller = self.caller(digest, address, client)
        if caller is not None:
            token_id = self._known[digest].id
            if token_id is not None:
                self._used[token_id] = self._now()
        return caller

    def last_used(self, token: StoredToken) -> int | None:
        """Return when (ms) a token was last used, including uses not written yet."""
        return self._used.get(token.id, token.last_used_at)

    async def follow(self) -> None:
        """Load the tokens from the store now."""
        await self._following.run(self._follow)

    async def followed(self) -> None:
        """Wait until running reads of the store have ended."""
        await self._following.run(lambda: None)

    async def _follow(self) -> None:
        stored = await self._store.read(lambda tx: tx[TokenStore].all())
        before = self._known
        self._known = {**{token.digest: _Known.of(token) for token in stored}, **self._own}
        is_less = any(self._known.get(digest) != known for digest, known in before.items())
        if is_less or any(token.expires_at is not None for token in stored):
            for changed in self._changed:
                changed()

    async def _write_used(self) -> None:
        used, self._used = self._used, {}
        if not used:
            return
        try:
            await self._store.write(lambda tx: tx[TokenStore].used(used))
        except BaseException:
            self._used = {**used, **self._used}
            raise

    def _now(self) -> int:
        return int(self._wall() * 1000)
