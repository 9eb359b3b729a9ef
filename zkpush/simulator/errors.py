"""Errors of simulated terminals."""

from __future__ import annotations


class LinkError(Exception):
    """A request did not get the expected reply."""
