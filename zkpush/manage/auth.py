"""Who may do what: bearer tokens and their scopes.

Theory of operation. Every process that serves the API has all tokens in memory, by their SHA-256,
and looks twice a second at what there is in the store: so a token that is revoked on one node is
in force nowhere within a second, and no request costs a query. A token that a process has not heard
of is looked for in the store before it is refused, so that one that was made elsewhere a moment ago
is good at once; not for ever, lest strangers keep the database busy.
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
from ..protocol.fields import Scope
from ..values.tokens import StoredToken

ADMIN = "admin"
"""The name of the token in `DIR/admin.token`."""
PREFIX = "zkp_"
"""What tokens begin with, so that those who look for leaked ones know them."""
LOOK_EVERY = 0.5
"""Seconds between two looks at the tokens of the store."""
USED_EVERY = 30.0
"""Seconds between two writes of when tokens were last used."""
ASK_PER_MINUTE = 1200
"""How often a minute the store is asked for tokens that nobody knows."""
_SCHEME = "bearer "
_SCOPES = {scope.value: scope for scope in Scope}


def digest_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def offered(header: str | None) -> bytes | None:
    """The digest of the token in an `Authorization` header; None if there is none."""
    if header is None or not header.lower().startswith(_SCHEME):
        return None
    return digest_of(header[len(_SCHEME) :].strip())


@attrs.frozen
class _Known:
    """A token."""

    name: str
    scopes: frozenset[Scope]
    id: int | None = None
    """None for the one that is not in the store."""
    expires_at: int | None = None

    @classmethod
    def of(cls, stored: StoredToken) -> _Known:
        """Of a token in the store; a scope of a later version is good for nothing here."""
        scopes = frozenset(_SCOPES[name] for name in stored.scopes if name in _SCOPES)
        return cls(stored.name, scopes, stored.id, stored.expires_at)


class Tokens(PeriodicService):
    """The tokens that are good."""

    _log = Logger()

    def __init__(self, admin_token: str, store: IStore, clock: IReactorTime) -> None:
        """`admin_token` has every scope; the others are in the store."""
        super().__init__(clock)
        self._own = {digest_of(admin_token): _Known(ADMIN, frozenset(Scope))}
        self._known: Mapping[bytes, _Known] = self._own
        self._store = store
        self._wall = wall_clock(clock)
        self._following = DeferredLock()
        self._asking = Allowance(ASK_PER_MINUTE, clock.seconds())
        self._used: dict[int, int] = {}
        self._changed: list[Callable[[], None]] = []
        self.every(LOOK_EVERY, self.follow, "Changes of tokens wait", now=True)
        self.every(USED_EVERY, self._write_used, "Times of use of tokens wait")

    async def finish(self) -> None:
        """Write when tokens were last used."""
        await self._write_used()

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` whenever some tokens may be good no more."""
        self._changed.append(changed)

    def caller(
        self, digest: bytes | None, address: str | None = None, client: str | None = None
    ) -> Caller | None:
        """Who offers a token of this digest, by what this process knows; None if it is not good."""
        known = None if digest is None else self._known.get(digest)
        if known is None or (known.expires_at is not None and known.expires_at <= self._now()):
            return None
        return Caller(name=known.name, scopes=known.scopes, address=address, client=client)

    async def find(
        self, digest: bytes | None, address: str | None, client: str | None
    ) -> Caller | None:
        """Who offers a token of this digest, and uses it now; None if it is not good."""
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
        """When (ms) a token was last used, also if it is not written yet."""
        return self._used.get(token.id, token.last_used_at)

    async def follow(self) -> None:
        """Take over what is in the store now."""
        await self._following.run(self._follow)

    async def followed(self) -> None:
        """Wait for the looks at the store that are under way."""
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
