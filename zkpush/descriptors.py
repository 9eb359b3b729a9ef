"""File descriptors of one process, shared between connections of terminals and of people.

Each connection takes one descriptor. A fixed number is reserved for the process itself, and people
get a limited part. So neither a flood of connections nor the management endpoint can exhaust the
descriptors of the database or of the terminals.
"""

from __future__ import annotations

import resource
from typing import NamedTuple

from .counting import counted
from .http.ports import MOST_AT_ONCE

OWN_FILES = 64 + 2 * MOST_AT_ONCE
"""Descriptors reserved for the database, pictures, logs, ports and threads, and, on both ports, for
connections that were cut for new ones in the current turn of the reactor."""
PEOPLE_PART = 4
"""Divisor: where descriptors are scarce, people get at most this fraction of the connections."""
FEWEST_CONNECTIONS = 32
"""Minimum number of terminal connections; the daemon does not start with fewer."""


class TooFewDescriptors(ValueError):
    """The process may open too few files to serve terminals; the message says what to do."""


class Descriptors(NamedTuple):
    """Division of the descriptors."""

    limit: int | None
    """Required soft limit; None for no limit."""
    terminals: int
    """Maximum number of connections of terminals."""
    people: int
    """Maximum number of connections of people."""
    wanted: int
    """Limit that would allow all configured connections."""


def share_descriptors(
    soft: int | None, hard: int | None, terminals: int, people: int
) -> Descriptors:
    """Divide the descriptors that a process may open; a limit of None is no limit.

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
            f"this process may open {counted(limit, 'file')}, which is too few to serve terminals; "
            f"it needs {OWN_FILES} for itself and one for each connection. Raise the limit "
            f"(ulimit -n, or LimitNOFILE= of systemd) to {wanted}"
        )
    return Descriptors(limit, possible, people, wanted)


def take_descriptors(terminals: int, people: int) -> Descriptors:
    """Raise the soft limit of this process as far as its connections need and the system allows."""
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
