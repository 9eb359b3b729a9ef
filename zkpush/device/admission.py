"""Admission policies for unknown terminals: `--admission`."""

from __future__ import annotations

import attrs
from twisted.plugin import IPlugin
from zope.interface import implementer

from ..interfaces import IAdmissionPolicy
from ..model import DeviceState
from ..protocol.handshake import Hello


@implementer(IPlugin, IAdmissionPolicy)
@attrs.frozen
class AdmissionPolicy:
    """Records all unknown terminals in one state, or refuses them unrecorded."""

    name: str
    state: DeviceState | None

    def admit(self, sn: str, hello: Hello | None, address: str | None) -> DeviceState | None:
        """Return the state for an unknown terminal, or None to refuse it unrecorded."""
        return self.state


APPROVE = AdmissionPolicy("approve", DeviceState.PENDING)
OPEN = AdmissionPolicy("open", DeviceState.APPROVED)
CLOSED = AdmissionPolicy("closed", None)
