"""File descriptors of one process: how many connections of terminals and of people they allow.

Each connection takes one. A fixed number is reserved for the process itself, and people get no more
than a part, so that neither a flood of connections nor the management endpoint can keep the
database, or the terminals, from theirs.
"""

from __future__ import annotations

import resource
from typing import NamedTuple

from .http.ports import MOST_AT_ONCE

OWN_FILES = 64 + 2 * MOST_AT_ONCE
"""Reserved for the database, pictures, logs, ports and threads, and, on either port, for
connections that have made way for others in this turn of the reactor."""
PEOPLE_PART = 4
"""People have one connection in so many, at most, where there are few descriptors."""
FEWEST_CONNECTIONS = 32
"""Connections of terminals without which the daemon does not start."""


class TooFewDescriptors(ValueError):
    """The process may open too few files to serve terminals; the message says what to do."""


class Descriptors(NamedTuple):
    """How the descriptors are shared."""

    limit: int | None
    """What the soft limit has to be; None for no limit."""
    terminals: int
    """Connections of terminals."""
    people: int
    """Connections of people."""
    wanted: int
    """The limit that would allow all that are configured."""


def share_descriptors(
    soft: int | None, hard: int | None, terminals: int, people: int
) -> Descriptors:
    """Share out what a process may open; None is no limit.

    `terminals` and `people` are the configured numbers of connections. `TooFewDescriptors` if fewer
    than `FEWEST_CONNECTIONS` of terminals are possible, and more are configured.
    """
    wanted = terminals + people + OWN_FILES
    if soft is None:
        return Descriptors(None, terminals, people, wanted)
    limit = max(soft, wanted if hard is None else min(wanted, hard))
    room = limit - OWN_FILES
    people = min(people, max(room // PEOPLE_PART, 1)) if people else 0
    possible = min(terminals, room - people)
    if possible < min(terminals, FEWEST_CONNECTIONS):
        raise TooFewDescriptors(
            f"this process may open {limit} files, which is too few to serve terminals; "
            f"it needs {OWN_FILES} for itself and one for each connection. Raise the limit "
            f"(ulimit -n, or LimitNOFILE= of systemd) to {wanted}"
        )
    return Descriptors(limit, possible, people, wanted)


def take_descriptors(terminals: int, people: int) -> Descriptors:
    """Raise the soft limit of this process to what its connections need, as far as possible."""
    soft, hard = (
        None if limit == resource.RLIM_INFINITY else limit
        for limit in resource.getrlimit(resource.RLIMIT_NOFILE)
    )
    found = share_descriptors(soft, hard, terminals, people)
    if soft is not None and found.limit is not None and found.limit > soft:
        resource.setrlimit(
            resource.RLIMIT_NOFILE,
            (found.limit, resource.RLIM_INFINITY if hard is None else hard),
        )
    return found
