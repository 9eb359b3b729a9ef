"""`zkpush docs`: the documentation of the installed version."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import click

from ..protocol.suggestions import did_you_mean
from .groups import LeafCommand
from .output import echo
from .tables import screen_width

_OF_SOURCE = Path(__file__).parents[2] / "docs"
"""The pages in a checkout of the source."""


@click.command(cls=LeafCommand)
@click.argument(
    "page",
    metavar="[PAGE]",
    required=False,
    shell_complete=lambda context, param, incomplete: [
        name for name in pages() if name.startswith(incomplete)
    ],
)
def docs(page: str | None) -> None:
    """Read the documentation. Without PAGE, lists the pages.

    The pages are Markdown files; the list names their folder.

    \b
    Examples:
      zkpush docs
      zkpush docs forwarding
    """
    found = pages()
    if not found:
        raise click.ClickException(
            "The documentation is not installed; it is in the folder docs of the source."
        )
    if page is None:
        width = max(map(len, found))
        for name, file in found.items():
            echo(f"{name:{width}}  {_title(file)}")
        echo(f"\nThe pages are in {_folder()}. Read one: zkpush docs PAGE", err=True)
        return
    chosen = found.get(page.removesuffix(".md"))
    if chosen is None:
        meant = did_you_mean(page, found)
        hint = f" {meant[:1].upper()}{meant[1:]}" if meant else " `zkpush docs` lists the pages."
        raise click.ClickException(f"There is no page {page!r}.{hint}")
    text = chosen.read_text(encoding="utf-8")
    if screen_width() is None:
        click.echo(text, nl=False)
    else:
        click.echo_via_pager(text)


def pages() -> dict[str, Path]:
    """Return the pages by name."""
    folder = _folder()
    files = sorted(folder.glob("*.md")) if folder.is_dir() else []
    return {file.stem: file for file in files if file.stem != "README"}


def _folder() -> Path:
    installed = Path(sysconfig.get_path("data")) / "share" / "doc" / "zkpush"
    return _OF_SOURCE if _OF_SOURCE.is_dir() else installed


def _title(file: Path) -> str:
    with file.open(encoding="utf-8") as lines:
        return lines.readline().lstrip("# ").strip()
