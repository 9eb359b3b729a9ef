"""The search for costly uploads: its recipes, and the worst that it has found."""

from __future__ import annotations

import pathlib
import sys

import pytest

from bench import recipes
from bench.recipes import Recipe
from bench.worst import Search, Workbench
from zkpush.protocol.packets import expand
from zkpush.protocol.requests import Upload

CORPUS = recipes.load()


@pytest.mark.parametrize("packed", ["", "text", "tar"])
def test_a_recipe_makes_uploads_of_any_length(packed: str) -> None:
    """Its lines are repeated with running numbers, in order, up to the length; packed or not."""
    recipe = Recipe("OPERLOG", ("USER PIN={n}", "FP PIN={b}"), packed=packed)
    body = recipe.body(60, 35)
    text = b"".join(member.data for member in expand(body)) if packed else body
    assert text == b"FP PIN=z\nUSER PIN=36\nFP PIN=11\nUSER PIN=38\nFP PIN=13\n"
    assert recipe.body(10_000) != recipe.body(10_000, 1)


def test_plain_uploads_have_as_many_bytes_and_no_record_twice() -> None:
    """What the others are compared with is as long, and all new."""
    one, other = recipes.plain_text(10_000), recipes.plain_text(10_000, 1_000_000)
    assert 9_900 < len(one) <= 10_000
    assert not set(one.splitlines()) & set(other.splitlines())


def test_the_corpus_has_an_upload_of_every_table() -> None:
    """No table is left out of the benchmark."""
    tables = {recipe.table for recipe in CORPUS}
    assert {"ATTLOG", "OPERLOG", "USER", "FP", "BIODATA", "USERPIC", "BIOPHOTO"} <= tables
    assert {"IDCARD", "ATTPHOTO", "options", "INFO", "NEW"} <= tables
    assert any(recipe.packed for recipe in CORPUS)


class CountingWorkbench(Workbench):
    """A workbench on which an upload costs as much as it calls functions."""

    def cost(self, upload: Upload) -> float:
        """The number of calls."""
        calls = 0

        def count(_frame: object, event: str, _argument: object) -> None:
            nonlocal calls
            calls += event == "call"

        sys.setprofile(count)
        try:
            super().cost(upload)
        finally:
            sys.setprofile(None)
        return calls


def test_a_search_keeps_what_costs_most(tmp_path: pathlib.Path) -> None:
    """Of two recipes of a table, the one that costs more is found, with its ratio."""
    search = Search(CountingWorkbench(tmp_path), seed=1)
    search.seeds = list  # type: ignore[method-assign]
    cheap, dear = Recipe("OPERLOG", ("",)), Recipe("OPERLOG", ("USER PIN={n}",))
    (found,) = search.run(0, [cheap, dear])
    assert found.lines == dear.lines
    assert 0 < search.measured(cheap).ratio < found.ratio
