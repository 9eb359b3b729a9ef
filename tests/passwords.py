"""Passwords of tests are hashed at the least cost: 0.2 s of processor time are for attackers.

`tests.warm` imports this module: it imports no reactor.
"""

from __future__ import annotations

import functools

from argon2 import PasswordHasher

from zkpush.handlers.accounts import passwords

CheapHasher = functools.partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)


def hash_cheaply() -> None:
    """Hash at the least cost from now on; `tests/console/test_passwords.py` is about the real."""
    passwords.PasswordHasher = CheapHasher
