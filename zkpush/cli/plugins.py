"""`zkpush plugins`: the plugins of a server with their state, and checks of installed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..enginewords import ENGINE_WORDS
from .arguments import as_json
from .groups import ListCommand, WordGroup
from .output import echo, print_json, print_list
from .running import with_api
from .tables import Column
from .times import shown_instant

if TYPE_CHECKING:
    from ..plugincheck import CheckedPlugin
    from .client import Api

_COLUMNS = (
    Column("Plugin", "name"),
    Column("Kind", "kind", wraps=True),
    Column("Package", "package", is_spare=True),
    Column("Version", "version"),
    Column("State", "state"),
    Column("Waiting", "waiting"),
    Column("Oldest", "oldest_at", shown_instant, is_spare=True),
    Column("Last error", "last_error", is_below=True),
    Column("Brings", "brings", wraps=True, is_spare=True),
)


plugins = WordGroup("plugins", help=ENGINE_WORDS["plugins"])


@plugins.command("list", cls=ListCommand, order="the installed ones, then the missing ones")
@as_json
@with_api
async def list_(api: Api, as_json: bool) -> None:
    """List plugins with their state and their number of pending uploads.

    On a narrow screen, what each brings is left out; --json has everything.

    \b
    Example:
      zkpush plugins list
    """
    await print_list(api.pages("plugins"), _COLUMNS, as_json=as_json, empty="There are no plugins.")


@plugins.command()
@click.argument("name", metavar="[NAME]", required=False)
@as_json
def check(name: str | None, as_json: bool) -> None:
    """Check the plugins that are installed here, without a daemon.

    Imports all of them (or those of NAME: a plugin, a module or a package) and checks interfaces,
    names, tables with their examples, and words of the command line. Exit status 1 if there is a
    fault.

    \b
    Examples:
      zkpush plugins check
      zkpush plugins check areas
    """
    found = _installed()
    if name is not None:
        known = sorted({one.name for one in found})
        found = [one for one in found if one.answers_to(name)]
        if not found:
            raise click.ClickException(
                f"There is no plugin, module or package {name!r}; there are {', '.join(known)}."
            )
    if as_json:
        print_json([_as_item(one) for one in found])
    else:
        for one in found:
            _show(one)
    faulty = sum(bool(one.faults) for one in found)
    if faulty:
        raise click.ClickException(f"{faulty} of {len(found)} plugins have faults.")


def _installed() -> list[CheckedPlugin]:
    """Check all plugins for the server, and the words that plugins add to the command line."""
    from ..plugincheck import CheckedPlugin, check_plugins
    from ..tablecheck import Fault
    from .words import ENTRY_POINTS, check_words

    words = [
        CheckedPlugin(
            "word",
            word,
            ENTRY_POINTS,
            package,
            None,
            [] if fault is None else [Fault(fault, "Update or remove the package.")],
        )
        for word, package, fault in check_words()
    ]
    return [*check_plugins(), *words]


def _as_item(one: CheckedPlugin) -> dict[str, object]:
    return {
        "name": one.name,
        "kind": one.kind,
        "module": one.module,
        "package": one.package,
        "version": one.version,
        "brings": one.brings,
        "faults": [{"problem": each.problem, "advice": each.advice} for each in one.faults],
    }


def _show(one: CheckedPlugin) -> None:
    version = "" if one.version is None else f" {one.version}"
    state = "FAULTY" if one.faults else "ok"
    echo(f"{state:6}  {one.kind} {one.name} ({one.package}{version})")
    if one.brings:
        echo(f"        Brings: {', '.join(one.brings)}")
    for fault in one.faults:
        echo(f"        {fault.problem}\n        {fault.advice}")
