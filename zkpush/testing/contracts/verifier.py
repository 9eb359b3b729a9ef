"""Contract of verifiers."""

from __future__ import annotations

import inspect
import pathlib
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from ...model import Device, DeviceState
from ...plugincheck import plugin_faults
from ...pluginkinds import VERIFIERS
from ...values.people import Verdict, VerifyRequest
from ..clock import NOON
from ..rig import Rig

REQUESTS = {
    "nobody": (None, b""),
    "a user": ("7", b"PIN=7\tVerify=1"),
    "a line": ("7", b"7\t2026-03-01 12:00:00\t0\t1"),
    "noise": (None, bytes(range(256))),
}
DEVICE = Device(id=1, sn="T1", state=DeviceState.APPROVED, timezone="UTC", created_at=1000 * NOON)


class VerifierContract:
    """Contract of a verifier: it returns a `Verdict` for any question of a terminal."""

    def make_verifier(self) -> Any:
        """Make the verifier."""
        raise NotImplementedError("say how the verifier is made")

    def test_it_is_a_sound_plugin(self) -> None:
        """It provides its interface and has a name."""
        assert plugin_faults(VERIFIERS, self.make_verifier()) == []

    @pytest.mark.parametrize("case", REQUESTS)
    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_it_decides_about_anything(self, case: str) -> None:
        """It decides about any body, also without a user, and about users unknown to the store."""
        pin, body = REQUESTS[case]
        request = VerifyRequest(
            pin=pin, user=None, time="2026-03-01 12:00:00", at=1000 * NOON, body=body
        )
        verdict = self.make_verifier().verify(DEVICE, request)
        if isinstance(verdict, Deferred) or inspect.isawaitable(verdict):
            verdict = await verdict
        assert isinstance(verdict, Verdict)

    @pytest.mark.parametrize("body", [body for _, body in REQUESTS.values()], ids=REQUESTS)
    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_a_daemon_answers_what_it_decides(
        self, tmp_path: pathlib.Path, body: bytes
    ) -> None:
        """A terminal gets OK, or the reason in one line; the fallback is not used."""
        verifier = self.make_verifier()
        answers: dict[str, bytes] = {}
        for fallback in ("admit", "refuse"):
            folder = tmp_path / fallback
            folder.mkdir()
            settings = {"verifier": verifier.name, "fallback": fallback}
            rig = await Rig(folder, plugins=[verifier], verification=settings).start()
            try:
                await rig.exchange("T1")
                reply = await rig.post("cdata?SN=T1&type=PostVerifyData", body)
            finally:
                await rig.stop()
            assert reply.status == 200
            assert reply.body == b"OK" or reply.body.count(b"\n") == 1
            answers[fallback] = reply.body
        assert answers["admit"] == answers["refuse"]
