"""The services of the daemon that routes of nouns use."""

from __future__ import annotations

import attrs

from ..device.queue import CommandQueue
from ..device.registry import Registry
from ..interfaces import IStore
from .readings import SecretAccessLog


@attrs.frozen
class ApiServices:
    """What `routes(services)` of an `api` part gets."""

    store: IStore
    registry: Registry
    queue: CommandQueue
    secret_access: SecretAccessLog
    """Records in the audit log that a caller was shown secrets."""
