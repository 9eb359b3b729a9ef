"""Everything a terminal sees is the same on zkpush's own channel and on twisted.web's."""

from __future__ import annotations

import pytest

from ..rig import LEAN, TWISTED_WEB


@pytest.fixture(params=[LEAN, TWISTED_WEB])
def channel(request: pytest.FixtureRequest) -> str:
    """Each of the channels."""
    name: str = request.param
    return name
