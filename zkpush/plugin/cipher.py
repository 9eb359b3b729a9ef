"""Cipher suites: plugins that encrypt the sessions of terminals (6, 7, Appendix 8).

All methods run on the reactor and must not block. A suite keeps no state of its own: what a later
step needs is in the bytes that it returned before. Whatever is wrong with bytes from a terminal,
`NotOpened` is raised; any other exception refuses the request as a failure of the plugin.
"""

from __future__ import annotations

from ..interfaces import ICipherSuite
from ..protocol.envelope import Direction, Exchanged, NotOpened, Opened, Place

__all__ = ["Direction", "Exchanged", "ICipherSuite", "NotOpened", "Opened", "Place"]
