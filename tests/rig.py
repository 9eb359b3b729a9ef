"""A whole daemon inside the test: `zkpush.testing`, and what only our own tests look at."""

from __future__ import annotations

import hashlib
import pathlib
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater

from zkpush import testing
from zkpush.manage.auth import Tokens
from zkpush.manage.retention import Retention
from zkpush.persist.audit import AuditStore
from zkpush.persist.inbox import InboxStore
from zkpush.persist.tokens import TokenStore
from zkpush.protocol.fields import Scope
from zkpush.testing.clock import NOON, TurnedReactor
from zkpush.testing.rig import IN_MEMORY, TOKEN
from zkpush.testing.wire import CONTINUE, TIMEOUT, Response, Wire, everything, is_whole, talk
from zkpush.values.tokens import NewToken

__all__ = [
    "CONTINUE",
    "IN_MEMORY",
    "NOON",
    "TIMEOUT",
    "TOKEN",
    "Response",
    "Rig",
    "TurnedReactor",
    "Wire",
    "everything",
    "is_whole",
    "talk",
]


class Rig(testing.Rig):
    """The daemon that `twistd zkpush` would run, without ports."""

    def __init__(self, folder: pathlib.Path, **settings: Any) -> None:
        super().__init__(folder, **settings)
        (self.retention,) = (job for job in self.daemon.jobs if isinstance(job, Retention))
        (self.tokens,) = (job for job in self.daemon.jobs if isinstance(job, Tokens))

    async def pin(self, comm_key: str, sn: str = "T1") -> Response:
        """Pin a pushcommkey by its fingerprint, as an operator does."""
        fingerprint = hashlib.sha256(comm_key.encode()).hexdigest()
        return await self.api("PATCH", f"/devices/{sn}", {"comm_key": fingerprint})

    async def emptied(self) -> None:
        """Turn the clock until nothing is in the inbox of a record handler."""
        while states := await self.store.read(lambda tx: tx[InboxStore].states()):
            if all(self.daemon.inbox.worker(state.plugin).running is None for state in states):
                self.clock.advance(1)
            await deferLater(reactor, 0.01)

    async def person(self, pin: str) -> str:
        """The pseudonym of a person in the audit log."""
        name: str = await self.store.read(lambda tx: tx[AuditStore].person(pin))
        return name

    async def token(self, name: str, *scopes: Scope) -> str:
        """A new token with these scopes."""
        body = {"name": name, "scopes": [scope.value for scope in scopes]}
        made = await self.api("POST", "/tokens", body)
        assert made.status == 201, made.raw
        token: str = made.json["token"]
        return token

    async def token_of_another_node(self, name: str, *scopes: Scope) -> str:
        """A new token that this process has not read from the store yet."""
        secret = f"zkp_{name}"
        digest = hashlib.sha256(secret.encode()).digest()
        values = frozenset(scope.value for scope in scopes)
        made = NewToken(name=name, digest=digest, scopes=values, created_by="token admin")
        await self.store.write(lambda tx: tx[TokenStore].add(made, NOON * 1000))
        return secret
