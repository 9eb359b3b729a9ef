"""Questions of terminals that capabilities answer, and the type of answerers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any

from .terminal import Terminal


class Question(Enum):
    """A question of a terminal; the value names it in words."""

    USER = "lookup of a user"
    """Which user has this ID (spec 14)? The content is the ID, or None."""
    ADMITTANCE = "background verification"
    """Is this user admitted (spec 12.8.3)? The content is the request body."""


Answerer = Callable[[Terminal, Any], Awaitable[bytes]]
"""Takes the terminal and the content of its question; returns the body of the reply."""
