"""Groups of commands that belong partly to nouns."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class NounGroup(click.Group):
    """Command group that imports the commands of nouns when they are used."""

    def __init__(self, *args: Any, of_nouns: Mapping[str, str], **kwargs: Any) -> None:
        """`of_nouns` maps commands to the modules that define them under the same name."""
        super().__init__(*args, **kwargs)
        self._of_nouns = of_nouns

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*super().list_commands(ctx), *self._of_nouns})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command, and import it if it is part of a noun."""
        module = self._of_nouns.get(cmd_name)
        if module is None:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(module), cmd_name)
        return command
