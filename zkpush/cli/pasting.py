"""Commands in messages, with the options by which the caller has named the daemon.

A message may be pasted: with `--data DIR` on the command line, `zkpush doctor T1` alone would find
no daemon, or another one. Options from environment variables need no repetition, and a token is
never repeated.
"""

from __future__ import annotations

import re
import shlex

import click
from click.core import ParameterSource

_COMMAND = re.compile(r"(?<![\w/.-])zkpush (?=([a-z]+)\b)")
_REPEATED = ("data", "url", "ca")
"""Options of `zkpush` that name the daemon."""
_LOCAL = frozenset({"docs", "simulate"})
"""Commands that ask no daemon."""


def pasteable(text: str) -> str:
    """Return a message whose commands reach the daemon that the caller has named."""
    context = click.get_current_context(silent=True)
    root = None if context is None else context.find_root()
    options = "" if root is None else _options(root)
    if root is None or not options or not isinstance(root.command, click.Group):
        return text
    words = {*root.command.list_commands(root)} - _LOCAL

    def with_options(found: re.Match[str]) -> str:
        return f"zkpush {options} " if found[1] in words else found[0]

    return _COMMAND.sub(with_options, text)


def _options(root: click.Context) -> str:
    return " ".join(
        f"--{name} {shlex.quote(str(root.params[name]))}"
        for name in _REPEATED
        if root.get_parameter_source(name) is ParameterSource.COMMANDLINE
    )
