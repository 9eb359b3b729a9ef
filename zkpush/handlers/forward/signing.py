"""Signatures of webhooks: Standard Webhooks 1.0 (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
KEY_BYTES = 32
_SHORTEST, _LONGEST = 24, 64
"""Lengths of a key in bytes that the specification permits."""


def write_secret(key: bytes) -> str:
    """Write a key as a secret."""
    return PREFIX + base64.b64encode(key).decode()


def parse_secret(secret: str) -> bytes:
    """Return the key of a secret; `ValueError` if it is malformed, without quoting it."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise ValueError(f"A secret is {PREFIX} and the base64 of 24 to 64 random bytes.")
    return key


def sign(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the signatures of a message by all secrets, for the header `webhook-signature`.

    `timestamp` is in seconds since the epoch.
    """
    signed = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    return " ".join(
        "v1," + base64.b64encode(hmac.digest(parse_secret(one), signed, hashlib.sha256)).decode()
        for one in secrets
    )
