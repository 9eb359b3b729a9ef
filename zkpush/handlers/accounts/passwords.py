"""Passwords: hashed with Argon2id on a thread, a few at the same time."""

from __future__ import annotations

from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.threads import deferToThreadPool

from ...manage.console.phrases import Phrase
from ...phrases import counted_phrase

AT_ONCE = 2
"""Maximum number of hashes computed at the same time, each in 64 MiB."""
SHORTEST = 10
"""Minimum length of a password in characters."""
LONGEST = 1000
"""Maximum length of a password in characters."""
_COMMON = frozenset(
    {
        "1234567890", "12345678910", "0123456789", "0987654321", "qwertyuiop", "1q2w3e4r5t",
        "password12", "password123", "password1234", "passwordpassword", "administrator",
        "attendance", "adminadmin", "letmeinletmein", "iloveyou123", "welcome1234",
    }
)  # fmt: skip
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$e75OFZmYvv4aDB+rS0eogA$"
    "UdyNIDHcgGaISqQSEIvyjb0elAyTD9MxJVJte77+Ysk"
)
"""A hash that no password has, so that an unknown name takes as long as a known one."""


def check_password(password: str, name: str) -> Phrase | None:
    """Return why a password is too weak; None if it will do."""
    if len(password) < SHORTEST:
        return counted_phrase(
            "Choose at least %(num)s character.", "Choose at least %(num)s characters.", SHORTEST
        )
    if len(password) > LONGEST:
        return counted_phrase(
            "Choose at most %(num)s character.", "Choose at most %(num)s characters.", LONGEST
        )
    plain = password.casefold()
    if plain in _COMMON or len(set(plain)) < 4 or plain in (name.casefold() * 3, name.casefold()):
        return Phrase("This password is easy to guess. Several words are good, and easy to keep.")
    return None


class Passwords:
    """Hashes and checks passwords."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._hasher = PasswordHasher()
        self._turns = DeferredSemaphore(AT_ONCE)

    async def hash(self, password: str) -> str:
        """Return the hash of a new password."""
        hashed: str = await self._on_thread(self._hasher.hash, password)
        return hashed

    async def check(self, hashed: str | None, password: str) -> bool:
        """Whether a password has this hash; without a hash, False after the same time."""
        is_right: bool = await self._on_thread(self._check_thd, hashed or _NOBODY, password)
        return is_right and hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        """Whether a hash was made with less than the present cost."""
        return self._hasher.check_needs_rehash(hashed)

    def _check_thd(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    def _on_thread(self, function: Any, *arguments: object) -> Deferred[Any]:
        pool = self._reactor.getThreadPool()
        return self._turns.run(deferToThreadPool, self._reactor, pool, function, *arguments)
