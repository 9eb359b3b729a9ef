"""How passwords of accounts are kept."""

from __future__ import annotations

import time

import pytest
import pytest_twisted
from argon2 import PasswordHasher
from twisted.internet import reactor

from zkpush.handlers.accounts import passwords
from zkpush.handlers.accounts.passwords import Passwords

from ..passwords import CheapHasher
from .browser import PASSWORD

OWASP = "$argon2id$v=19$m=65536,t=3,p=4$"
"""More than the least that OWASP's Password Storage Cheat Sheet asks for (m=47104, t=1, p=1)."""


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> Passwords:
    """Passwords as they are in production; other tests hash at the least cost."""
    monkeypatch.setattr(passwords, "PasswordHasher", PasswordHasher)
    return Passwords(reactor)


@pytest_twisted.ensureDeferred
async def test_a_hash_is_expensive(real: Passwords) -> None:
    """Argon2id with a salt of its own; the right password has it, and no other one."""
    one, other = await real.hash(PASSWORD), await real.hash(PASSWORD)
    assert one.startswith(OWASP)
    assert one != other
    assert await real.check(one, PASSWORD)
    assert not await real.check(one, f"{PASSWORD} ")
    assert not real.is_outdated(one)


@pytest_twisted.ensureDeferred
async def test_an_unknown_name_costs_as_much_as_a_known_one(real: Passwords) -> None:
    """So the time of an answer does not say whether there is an account."""
    known = await real.hash(PASSWORD)
    spent = []
    for hashed in (known, None):
        begun = time.process_time()
        assert not await real.check(hashed, "another password")
        spent.append(time.process_time() - begun)
    assert spent[1] > spent[0] / 4


@pytest_twisted.ensureDeferred
async def test_a_hash_that_was_cheaper_is_outdated(real: Passwords) -> None:
    """It still opens, and says that it is to be made anew."""
    cheap = CheapHasher().hash(PASSWORD)
    assert await real.check(cheap, PASSWORD)
    assert real.is_outdated(cheap)
