"""Fixtures: a daemon in memory."""

from zkpush.testing.fixtures import make_rig, rig  # noqa: F401 - fixtures
