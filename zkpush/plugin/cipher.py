"""Cipher suites: plugins that encrypt the sessions of terminals (6, 7, Appendix 8).

All methods run on the reactor and must not block. A suite is stateless: the bytes that one step
returns are passed to the next. Invalid bytes from a terminal raise `NotOpened`; any other exception
refuses the request as a failure of the plugin.
"""

from __future__ import annotations

from ..interfaces import ICipherSuite
from ..protocol.envelope import Direction, Exchanged, NotOpened, Opened, Place

__all__ = ["Direction", "Exchanged", "ICipherSuite", "NotOpened", "Opened", "Place"]
