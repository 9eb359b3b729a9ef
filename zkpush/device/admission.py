"""What to do with a terminal that nobody has decided about: `--admission`."""

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
    """Records every unknown terminal in one state, or refuses it unrecorded."""

    name: str
    state: DeviceState | None

    def admit(self, sn: str, hello: Hello | None, address: str | None) -> DeviceState | None:
        """The state to record an unknown terminal in; None to refuse and not record it."""
        return self.state


APPROVE = AdmissionPolicy("approve", DeviceState.PENDING)
OPEN = AdmissionPolicy("open", DeviceState.APPROVED)
CLOSED = AdmissionPolicy("closed", None)
