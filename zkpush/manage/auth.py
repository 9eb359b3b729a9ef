"""Who may do what: bearer tokens and their scopes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from http import HTTPStatus

from ..protocol.fields import Scope
from .problems import ApiError

_SCHEME = "bearer "


class Tokens:
    """The tokens that are known, by their SHA-256."""

    def __init__(self, admin_token: str) -> None:
        """`admin_token` has every scope."""
        self._known: dict[bytes, frozenset[Scope]] = {_digest(admin_token): frozenset(Scope)}

    def authorize(self, header: str | None, scope: Scope) -> None:
        """Let a caller with the scope pass; `ApiError` 401 or 403 otherwise."""
        scopes = self._scopes(header)
        if scopes is None:
            raise ApiError(
                HTTPStatus.UNAUTHORIZED,
                "Send 'Authorization: Bearer TOKEN'; the first token is in DIR/admin.token.",
            )
        if scope not in scopes:
            raise ApiError(HTTPStatus.FORBIDDEN, f"This token has not the scope {scope.value!r}.")

    def _scopes(self, header: str | None) -> Iterable[Scope] | None:
        if header is None or not header.lower().startswith(_SCHEME):
            return None
        offered = _digest(header[len(_SCHEME) :].strip())
        found = None
        for digest, scopes in self._known.items():
            if hmac.compare_digest(digest, offered):
                found = scopes
        return found


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
