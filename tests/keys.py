"""The site keys of tests."""

KEY = bytes(range(32))
OTHER_KEY = bytes(range(32, 64))
