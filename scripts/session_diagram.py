"""Print docs/session.md: the session of a terminal, from its tables.

`python scripts/session_diagram.py > docs/session.md` after a change of
`zkpush.resources.attendance.session`.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc

from zkpush.device.session import transitions
from zkpush.resources.attendance import session
from zkpush.values.sessions import SessionState


def page() -> str:
    """The page: the theory of operation, a diagram, and the table that it is drawn from."""
    return "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    title, _, theory = cleandoc(session.__doc__ or "").partition("\n\n")
    rows = transitions(session.SESSION)
    yield f"# {title.rstrip('.')}"
    yield ""
    yield theory
    yield ""
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {SessionState.NEW}"
    for before, what, after, outcome in rows:
        yield f"    {before} --> {after}: {what} / {outcome}"
    yield "```"
    yield ""
    yield "| State | What happens | Next state | Effect |"
    yield "|---|---|---|---|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


if __name__ == "__main__":
    print(page(), end="")
