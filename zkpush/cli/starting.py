"""Waiting for a daemon that was started a moment ago."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

from .output import echo
from .target import Given, NotStarted, Target

FEW_SECONDS = 10.0
"""How long a daemon may take until it holds its data directory."""
STARTING_SECONDS = 60.0
"""How long it may take from then on until it serves the API."""
_STEP = 0.1


def started_target(given: Given) -> Target:
    """Locate the API of a daemon, and wait until it is served; blocks.

    `NotStarted` says what to do if nothing comes. A target that is not of this machine is returned
    as it is.
    """
    begun = time.monotonic()
    is_told = False
    while True:
        waited = time.monotonic() - begun
        try:
            target = given.target()
        except NotStarted as error:
            if waited >= (STARTING_SECONDS if error.is_starting else FEW_SECONDS):
                raise
        else:
            # A killed daemon leaves an address, at which the next one need not listen.
            if target.data is None or waited >= FEW_SECONDS or _answers(target.url):
                return target
        if not is_told:
            echo(f"Waiting for the daemon on {given.data} to start …", err=True)
            is_told = True
        time.sleep(_STEP)


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname, parts.port or 0), timeout=1):
            return True
    except OSError:
        return False
