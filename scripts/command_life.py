"""Print docs/command-life.md: the life of a command, from its table.

`python scripts/command_life.py > docs/command-life.md` after a change of `zkpush.device.life`.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc

from zkpush.declarations import declarations
from zkpush.device import life


def page() -> str:
    """The page: how it works, the table, the reasons of ends, and the entries of commands."""
    return "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    title, _, theory = cleandoc(life.__doc__ or "").partition("\n\n")
    yield f"# {title.rstrip('.')}"
    yield ""
    yield theory
    yield ""
    yield "| State | What happens | Next state | Effect |"
    yield "|---|---|---|---|"
    for row in life.transitions():
        yield f"| {' | '.join(row)} |"
    yield ""
    yield "## Why a command ends"
    yield ""
    yield "The API and the command line show these words. `{attempts}` is how often the command was"
    yield "sent, `{replaced_by}` the ID of the other command."
    yield ""
    yield "| Reason | Words |"
    yield "|---|---|"
    for code, words in life.reasons():
        yield f"| {code} | {words} |"
    yield ""
    yield "## Commands with rules of their own"
    yield ""
    yield "All other commands may be repeated, wait for `commands.lifetime_days`, and have the"
    yield "priority 0."
    yield ""
    yield "| Command | May be repeated | May wait | Priority | Time for its answer |"
    yield "|---|---|---|---|---|"
    for command in declarations().catalogue:
        own = (command.wait_seconds, command.lease_seconds)
        if command.is_repeatable and own == (None, None) and not command.priority:
            continue
        wait, lease = (None if seconds is None else f"{seconds} s" for seconds in own)
        cells = (
            command.name,
            "yes" if command.is_repeatable else "no",
            wait or "`commands.lifetime_days`",
            str(command.priority),
            lease or "`commands.lease_seconds`",
        )
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(page(), end="")
