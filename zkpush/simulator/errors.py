"""Errors of simulated terminals."""

from __future__ import annotations


class LinkError(Exception):
    """A request did not get the expected reply."""


class WrongServer(LinkError):
    """The URL is not that of a port for terminals; the text says what to correct."""
