"""Admission policies: plugins that decide whether to admit unknown terminals.

`admit` runs on the reactor and must not block. While it raises, unknown terminals are told to try
again (503).
"""

from __future__ import annotations

from ..interfaces import IAdmissionPolicy
from ..model import DeviceState
from ..protocol.handshake import Hello

__all__ = ["DeviceState", "Hello", "IAdmissionPolicy"]
