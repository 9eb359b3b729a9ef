"""Words and their commands: help with the exit status, and commands that belong to nouns."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

STATUS = "Exit status: 0 success, 1 failure (the message is on stderr), 2 wrong usage."


LONGEST_SUMMARY = 400
"""Maximum number of characters of the summary of a command in a list; longer ones would be cut."""


class LeafCommand(click.Command):
    """Command whose help ends with the meaning of its exit status."""

    def __init__(self, *args: Any, status: str = STATUS, **kwargs: Any) -> None:
        """`status` is what the exit status means, in one sentence."""
        super().__init__(*args, **kwargs)
        self._status = status

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; an option of `zkpush` itself is shown in its place."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            root, name = ctx.find_root(), error.option_name
            for param in root.command.params:
                if name in param.opts and root is not ctx:
                    program, _, words = ctx.command_path.partition(" ")
                    raise click.UsageError(
                        f"{name} stands before the command: {program} {name} {param.metavar} "
                        f"{words}",
                        ctx,
                    ) from None
            raise

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the epilog, and the meaning of the exit status."""
        super().format_epilog(ctx, formatter)
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(self._status)


OLDEST_FIRST = "the oldest first"


class ListCommand(LeafCommand):
    """Command that lists items, whose help says in which order.

    docs/command-line.md has a table of the orders, which follows from these declarations.
    """

    def __init__(self, *args: Any, order: str, **kwargs: Any) -> None:
        """`order` is the order in words, such as `OLDEST_FIRST`."""
        super().__init__(*args, **kwargs)
        self.order = order

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the epilog, the order, and the meaning of the exit status."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(f"Order: {self.order}.")
        super().format_epilog(ctx, formatter)


class SuggestingGroup(click.Group):
    """Group that suggests commands for a mistyped one, without importing any."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of the arguments; a usage error if there is none."""
        name = args[0]
        is_asked = not name.startswith("-") and not ctx.resilient_parsing
        if is_asked and self.get_command(ctx, name) is None:
            # Only here: help is printed without what phrases need.
            from ..protocol.suggestions import did_you_mean

            meant = did_you_mean(name, self.list_commands(ctx))
            more = f" {meant[0].upper()}{meant[1:]}" if meant else ""
            ctx.fail(f"No such command {name!r}.{more}")
        return super().resolve_command(ctx, args)


class WordGroup(SuggestingGroup):
    """Group of commands, some of which are imported from nouns when they are used."""

    command_class = LeafCommand

    def __init__(self, *args: Any, of_nouns: Mapping[str, str] = {}, **kwargs: Any) -> None:
        """`of_nouns` maps commands to the modules that define them under the same name."""
        super().__init__(*args, **kwargs)
        self._of_nouns = of_nouns

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*super().list_commands(ctx), *self._of_nouns})

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their summaries, which are never cut."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [
            (name, command.get_short_help_str(LONGEST_SUMMARY))
            for name, command in commands
            if command is not None
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command, and import it if it is part of a noun."""
        module = self._of_nouns.get(cmd_name)
        if module is None:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(module), cmd_name)
        return command
