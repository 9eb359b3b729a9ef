"""What tests of processes share: databases."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """A database of each kind; None is that of the data directory."""
    if request.param == "sqlite":
        return None
    found: str = request.getfixturevalue("empty_postgres_url")
    return found
