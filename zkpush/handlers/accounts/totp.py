"""Codes of an authenticator app: time-based one-time passwords (RFC 6238), of six digits."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import quote

PERIOD = 30
"""Seconds for which a code is valid."""
DIGITS = 6
AROUND = 1
"""Periods before and after the present one whose codes are taken, for clocks that differ."""
SECRET_BYTES = 20


def code_at(secret: str, number: int) -> str:
    """Return the code of a period; `secret` is base32 without padding (RFC 4226, 5.3)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, number.to_bytes(8, "big"), hashlib.sha1)
    place = digest[-1] & 15
    value = int.from_bytes(digest[place : place + 4], "big") & 0x7FFF_FFFF
    return f"{value % 10**DIGITS:0{DIGITS}}"


def period_of(secret: str, code: str, now: float, last: int | None) -> int | None:
    """Return the number of the period whose code this is; None if it is wrong or was used.

    `now` is in seconds; `last` is the number of the last period whose code was used.
    """
    given = code.replace(" ", "")
    present = int(now // PERIOD)
    try:
        for number in range(present - AROUND, present + AROUND + 1):
            is_right = hmac.compare_digest(code_at(secret, number).encode(), given.encode())
            if is_right and (last is None or number > last):
                return number
    except ValueError:  # the secret is no base32
        return None
    return None


def new_secret(random: bytes) -> str:
    """Write a new secret in base32."""
    return base64.b32encode(random).decode().rstrip("=")


def uri_of(secret: str, name: str, host: str) -> str:
    """Return the `otpauth:` URI that an app reads."""
    label = quote(f"zkpush:{name}@{host}", safe=":@")
    return f"otpauth://totp/{label}?secret={secret}&issuer=zkpush"
