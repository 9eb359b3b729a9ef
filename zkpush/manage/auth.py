"""Who may do what: bearer tokens and their scopes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from http import HTTPStatus

from ..protocol.fields import Scope
from .problems import ApiError

_SCHEME = "bearer "


class Tokens:
    """The tokens that are known, by their SHA-256."""

    def __init__(self, admin_token: str, others: Mapping[str, frozenset[Scope]] = {}) -> None:
        """`admin_token` has every scope, and each of the others has its own."""
        scopes = {admin_token: frozenset(Scope), **others}
        self._known = {_digest(token): own for token, own in scopes.items()}

    def authorize(self, header: str | None, scope: Scope) -> frozenset[Scope]:
        """Let a caller with the scope pass, and say which others it has.

        `ApiError` 401 or 403 otherwise.
        """
        scopes = self._scopes(header)
        if scopes is None:
            raise ApiError(
                HTTPStatus.UNAUTHORIZED,
                "Send 'Authorization: Bearer TOKEN'; the first token is in DIR/admin.token.",
            )
        if scope not in scopes:
            raise ApiError(HTTPStatus.FORBIDDEN, f"This token has not the scope {scope.value!r}.")
        return scopes

    def _scopes(self, header: str | None) -> frozenset[Scope] | None:
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
