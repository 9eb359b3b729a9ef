"""Verifiers: plugins that decide whether a recognised user is admitted (12.8.3).

`verify` runs on the reactor and must not block. It returns a `Verdict` or a Deferred of one, or is
a coroutine. If it raises or is late, the configured fallback answers.
"""

from __future__ import annotations

from ..interfaces import IVerifier
from ..model import Device
from ..values.people import Person, Verdict, VerifyRequest

__all__ = ["Device", "IVerifier", "Person", "Verdict", "VerifyRequest"]
