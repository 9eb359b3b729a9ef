"""Terminals: what they say of themselves."""
