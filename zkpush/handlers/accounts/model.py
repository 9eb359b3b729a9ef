"""Accounts and their sessions."""

from __future__ import annotations

import hashlib
import re

import msgspec

SITE_ZONE = "zone"
"""Name of the setting with the time zone of the site."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", re.ASCII)
NAME_RULE = "1 to 64 letters, digits, ., -, _ or @, the first one a letter or digit"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A person who signs in to the console."""

    id: int
    name: str
    scopes: frozenset[str]
    """Names of scopes, possibly of some that only a later version knows."""
    areas: frozenset[str] | None = None
    """Areas that it is limited to; None for no limit."""
    password: str | None
    """Argon2id hash; None until the person has chosen a password."""
    totp: str | None = None
    """Secret of codes (RFC 6238), in base32; None without a second factor."""
    totp_used: int | None = None
    """Number of the last period whose code was used."""
    language: str | None = None
    zone: str | None = None
    created_at: int
    created_by: str
    signed_in_at: int | None = None


class AccountSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session of a person in a browser."""

    id: int
    account_id: int
    created_at: int
    used_at: int
    address: str | None
    agent: str


class AccountLink(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time link to choose a password."""

    account_id: int | None
    """None for the link that makes the first account."""
    scopes: list[str]
    """Names of the scopes of who made the link, which the first account gets."""
    created_by: str
    expires_at: int


def digest_of_secret(secret: str) -> bytes:
    """Return the digest of a secret, which is stored in its place."""
    return hashlib.sha256(secret.encode()).digest()


def check_account_name(name: str) -> str:
    """Return a valid name; `ValueError` if it is not one."""
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"A name has {NAME_RULE}.")
    return name
