"""The site keys of tests."""

from zkpush.testing.rig import KEY

__all__ = ["KEY", "OTHER_KEY"]

OTHER_KEY = bytes(range(32, 64))
