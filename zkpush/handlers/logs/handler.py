"""Handler of operations (11.4), errors (11.16) and identity cards (11.6), kept as received.

The deletion of a user on a terminal (operation 9) is only recorded; the person is kept.
"""

from __future__ import annotations

from ...device.logrecords import LogRecordHandler
from .store import STORES

HANDLERS = (LogRecordHandler("logs", STORES),)
