"""Nothing is said to be all right of a terminal of which nothing is served."""

from __future__ import annotations

import pytest
import pytest_twisted

from ..rig import Rig
from .situations import OTHER_SERVER, POLL, asks, with_token, working
from .test_doctor import examined
from .test_silence import told


async def with_wrong_token(rig: Rig) -> None:
    """It returns another token with every request."""
    await with_token(rig, OTHER_SERVER)


async def behind_a_prefix(rig: Rig) -> None:
    """A proxy adds a prefix to every path."""
    await working(rig)
    rig.clock.advance(60)
    await asks(rig, f"/zk/iclock/{POLL}")


@pytest.mark.parametrize(
    ("set_up", "cause"),
    [(with_wrong_token, "token not returned"), (behind_a_prefix, "requests")],
)
@pytest_twisted.ensureDeferred
async def test_rows_of_a_terminal_that_is_not_served_refer_to_the_cause(
    rig: Rig, set_up, cause: str
) -> None:
    """Its records and its refusals; not in the two minutes after its last served request."""
    await set_up(rig)
    checks = {one["name"]: one for one in (await examined(rig))["checks"]}
    assert {checks[name]["state"] for name in ("refusals", "records")} == {"ok"}
    rig.clock.advance(120)
    checks = {one["name"]: one for one in (await examined(rig))["checks"]}
    for name in ("refusals", "records"):
        assert (checks[name]["state"], checks[name]["follows"]) == ("warning", cause)
        assert checks[name]["advice"].startswith("It follows from ")
    assert checks["records"]["detail"].startswith("None is stored since 20")
    assert "and none was served since 20" in checks["refusals"]["detail"]


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_mistyped_serial_number_is_answered_with_a_similar_one(rig: Rig) -> None:
    """By the doctor and by lists of a terminal, in the same words."""
    await rig.api("PUT", "/devices/CKX1900001", {"state": "approved"})
    for words in (("doctor", "ckx1900001"), ("problems", "list", "--device", "CKX190001")):
        assert "Did you mean CKX1900001?" in await told(rig, *words)
    assert "Did you mean" not in await told(rig, "doctor", "OTHER7")
