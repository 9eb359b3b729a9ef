"""Errors of simulated terminals."""

from __future__ import annotations


class LinkError(Exception):
    """A request without the expected reply."""
