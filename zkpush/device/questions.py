"""Questions of terminals that a capability answers, and the type of the answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any

from .terminal import Terminal


class Question(Enum):
    """A question of a terminal; the value says what it asks for."""

    USER = "lookup of a user"
    """Which user has this ID (14)? Its content is the ID, or None."""
    ADMITTANCE = "background verification"
    """Is this user to be let in (12.8.3)? Its content is the body of the request."""


Answerer = Callable[[Terminal, Any], Awaitable[bytes]]
"""Takes the terminal and the content of its question; returns the body of the reply."""
