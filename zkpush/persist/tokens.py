"""API tokens in the store: only their digests, never the tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import RowMapping, Select, delete, or_, select, update

from ..model import Page
from ..values.tokens import NewToken, StoredToken
from .databases import insert
from .paging import part_of
from .schema import tokens

if TYPE_CHECKING:
    from .transaction import Transaction


class TokenStore:
    """API tokens by their SHA-256."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def add(self, token: NewToken, now: int) -> StoredToken | None:
        """Store a token; return None if the name is taken."""
        statement = insert(self._connection, tokens).values(
            name=token.name,
            digest=token.digest,
            scopes=msgspec.json.encode(sorted(token.scopes)).decode(),
            created_at=now,
            created_by=token.created_by,
            expires_at=token.expires_at,
            areas=None
            if token.areas is None
            else msgspec.json.encode(sorted(token.areas)).decode(),
        )
        row = self._connection.execute(
            statement.on_conflict_do_nothing(index_elements=[tokens.c.name]).returning(tokens)
        ).one_or_none()
        return None if row is None else _token(row._mapping)

    def find(self, digest: bytes) -> StoredToken | None:
        """Find a token by its digest."""
        found = self._tokens(select(tokens).where(tokens.c.digest == digest))
        return found[0] if found else None

    def all(self) -> Sequence[StoredToken]:
        """Return all tokens."""
        return self._tokens(select(tokens))

    def page(self, part: Page) -> Sequence[StoredToken]:
        """List tokens by id."""
        return self._tokens(part_of(select(tokens), tokens.c.id, part))

    def remove(self, name: str) -> bool:
        """Delete a token; return False if there is none of that name."""
        removed = delete(tokens).where(tokens.c.name == name).returning(tokens.c.id)
        return self._connection.execute(removed).one_or_none() is not None

    def used(self, times: Mapping[int, int]) -> None:
        """Record when (ms) tokens were last used, by id."""
        for token_id in sorted(times):  # same order in all processes, to prevent deadlocks
            at = times[token_id]
            is_newer = or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at < at)
            self._connection.execute(
                update(tokens).where(tokens.c.id == token_id, is_newer).values(last_used_at=at)
            )

    def _tokens(self, query: Select[Any]) -> list[StoredToken]:
        return [_token(row._mapping) for row in self._connection.execute(query)]


def _token(row: RowMapping) -> StoredToken:
    values: dict[str, Any] = {str(name): value for name, value in row.items()}
    values["digest"] = bytes(values["digest"])
    values["scopes"] = msgspec.json.decode(values["scopes"], type=frozenset[str])
    if values["areas"] is not None:
        values["areas"] = msgspec.json.decode(values["areas"], type=frozenset[str])
    return StoredToken(**values)
