"""Fixtures of the store's tests, for promises about it."""

from __future__ import annotations

# pytest finds fixtures by their names here.
from ..persist.conftest import data, databases, empty_url, url  # noqa: F401 - fixtures
