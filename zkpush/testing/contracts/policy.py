"""Contract of admission policies."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
import pytest_twisted

from ...model import DeviceState
from ...plugincheck import plugin_faults
from ...pluginkinds import ADMISSION_POLICIES
from ...protocol.handshake import Hello
from ..rig import Rig
from .substitute import Substitute, substitute

ADDRESS = "192.0.2.7"
HELLOS = {
    "no exchange": None,
    "an empty exchange": Hello(),
    "an old terminal": Hello(push_version="2.2.14", language="69", device_type="att"),
    "a new terminal": Hello(
        push_version="2.4.1", language="69", device_type="att", attributes={"MaskSupport": "1"}
    ),
    "nonsense": Hello(push_version="", language="\ufffd", device_type="x" * 1000),
}
ADDRESSES = (ADDRESS, "2001:db8::7", None)


class _Remembering(Substitute):
    """A policy that records its decisions."""

    def __init__(self, plugin: Any) -> None:
        super().__init__(plugin)
        self.decided: list[DeviceState | None] = []

    def admit(self, sn: str, hello: Hello | None, address: str | None) -> DeviceState | None:
        """Ask the policy."""
        self.decided.append(self.plugin.admit(sn, hello, address))
        return self.decided[-1]


class AdmissionPolicyContract:
    """Contract of a policy: it decides about any terminal, at once, without an exception."""

    def make_policy(self) -> Any:
        """Make the policy."""
        raise NotImplementedError("say how the policy is made")

    def test_it_is_a_sound_plugin(self) -> None:
        """It provides its interface and has a name."""
        assert plugin_faults(ADMISSION_POLICIES, self.make_policy()) == []

    @pytest.mark.parametrize("address", ADDRESSES)
    @pytest.mark.parametrize("hello", HELLOS.values(), ids=HELLOS)
    def test_it_decides_about_anything(self, hello: Hello | None, address: str | None) -> None:
        """Any request gets a decision: a state or None."""
        answer = self.make_policy().admit("T1", hello, address)
        assert answer is None or isinstance(answer, DeviceState)

    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_a_daemon_does_what_it_decides(self, tmp_path: pathlib.Path) -> None:
        """An unknown terminal is recorded in the state that the policy returns, or not at all."""
        policy = substitute(self.make_policy(), _Remembering)
        rig = await Rig(tmp_path, admission=policy.name, plugins=[policy]).start()
        try:
            reply = await rig.exchange("T1", address=ADDRESS)
            states = [device["state"] for device in await rig.items("/devices")]
        finally:
            await rig.stop()
        decided = policy.decided
        assert decided
        assert states == [state.value for state in decided[:1] if state is not None]
        assert (reply.status == 200) == (decided[0] is DeviceState.APPROVED)
