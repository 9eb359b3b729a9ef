"""`python -m bench.worst`: search for the upload of 64 KiB that costs the server most.

Recipes of all tables are varied at random; those that cost most, compared with a plain attendance
upload of the same length, are varied further. The cost is the processor time to decode an upload
and to store it in SQLite, in this process. The worst of each table are kept in `worst.json`, from
which `make bench` takes its row.
"""

from __future__ import annotations

import argparse
import pathlib
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from zkpush.capabilities import load
from zkpush.capability import ICapability
from zkpush.daemon import settle
from zkpush.device.contents import ContentsReader
from zkpush.device.families import Families
from zkpush.device.handlers import HandlerSet
from zkpush.device.intake import ContentsWriter
from zkpush.device.privacy import Privacy
from zkpush.discovery import is_ours, sound_plugins
from zkpush.interfaces import ITerminalFamily
from zkpush.model import Device, DeviceState
from zkpush.persist.devices import DeviceStore
from zkpush.persist.inbox import seal_items
from zkpush.persist.migrate import migrate_thd
from zkpush.persist.rejects import seal_rejects
from zkpush.persist.sqlite import open_sqlite
from zkpush.persist.transaction import Transaction
from zkpush.persist.vault import Vault
from zkpush.protocol.dialect import Dialect
from zkpush.protocol.fields import Kind, Layout, Table
from zkpush.protocol.omission import TemplateRules
from zkpush.protocol.packets import PacketLimits
from zkpush.protocol.rejects import Reject
from zkpush.protocol.requests import Upload
from zkpush.protocol.tableset import TableSet
from zkpush.values.setaside import InboxItem, SealedItems, SealedRejects

from . import recipes
from .recipes import DIGITS, NUMBER, Recipe

T = TypeVar("T")
LENGTH = 64 * 1024
NOW = 1_772_366_400_000
RUNS = 3
"""Of which the cheapest counts."""
KEPT = 3
"""Recipes of each table that are varied further."""
_VALUES = ("", "0", "1", "-1", "{n}", "{b}", "AA==", "AAAA", "2026-01-05 08:00:00", "289515406")
_VALUES += ("x" * 40, "\xff", "\xff" * 20, "[15CD5B07]", " ", "=", ",", "a b", "\0", "null")
_LINES = ("a", "{b}", "{n}\t{n}", "\t", " ", "\0", "\xff", "{b}=", "{b}=,{b}=", "{b} {n} 0 1")
_LINES += ("{b}\t2026-01-05 08:00:00\t0\t1", "{n} 2026-01-05 08:00:00 0 1", "{n}\t2026-01-05")


class _Seals:
    """What a store seals beforehand."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def seal_rejects(
        self,
        device_id: int,
        rejects: Sequence[Reject],
        now: int,
        attempts: int = 0,
        address: str | None = None,
    ) -> SealedRejects | None:
        parts = self._vault, device_id, rejects, now, attempts, address
        return seal_rejects(*parts) if rejects else None

    def seal_items(self, items: Sequence[InboxItem]) -> SealedItems | None:
        return seal_items(self._vault, items) if items else None


class Workbench:
    """The parts of the server that an upload goes through, on a database of its own."""

    def __init__(self, folder: pathlib.Path) -> None:
        known = load(filter(is_ours, sound_plugins(ICapability)))
        handlers = HandlerSet(known.handlers)
        self.tables = handlers.tables
        self._database = open_sqlite(f"sqlite:///{folder / 'worst.sqlite'}", bytes(32))
        vault = migrate_thd(self._database)
        self._database.prepare_thd()
        connection = self._database.engine.connect()
        self._tx = Transaction(self._database, vault, connection, lambda: NOW, writes=True)
        self.reader = ContentsReader(
            _Seals(vault),  # type: ignore[arg-type]  # stands in for it
            handlers,
            PacketLimits(),
            Privacy(True, TemplateRules(TableSet(handlers.tables), known.catalogue)),
            lambda names: None,
            Families(filter(is_ours, sound_plugins(ITerminalFamily))),
        )
        self.writer = ContentsWriter(self.reader)
        self._devices = 0

    def cost(self, upload: Upload) -> float:
        """Processor seconds to decode and store an upload of a terminal that is new."""
        self._devices += 1
        device = self._write(
            lambda tx: tx[DeviceStore].add(f"T{self._devices}", DeviceState.APPROVED, "UTC", NOW)
        )
        begun = time.thread_time()
        self._store(device, upload)
        return time.thread_time() - begun

    def _store(self, device: Device, upload: Upload) -> None:
        reader, writer, dialect = self.reader, self.writer, Dialect()
        contents = reader.decode(upload, dialect)
        sealed = reader.seal(device, contents, dialect, NOW)
        portion = writer.portion(device, contents, sealed, NOW)
        self._write(lambda tx: writer.persist(tx, portion))

    def _write(self, unit: Callable[[Transaction], T]) -> T:
        tx = self._tx
        tx.begin()
        done = unit(tx)
        tx.flush()
        tx.commit()
        return done


class Search:
    """A search that is guided by cost."""

    def __init__(self, bench: Workbench, seed: int) -> None:
        self._bench = bench
        self._random = random.Random(seed)
        self._number = 0
        self._found: dict[str, list[Recipe]] = {}
        for _ in range(RUNS):  # the first ones take longer
            self._plain_cost()

    def _plain_cost(self) -> float:
        self._number += 100_000
        body = recipes.plain_text(LENGTH, self._number)
        return self._bench.cost(Upload("ATTLOG", body, stamp="1"))

    def measured(self, recipe: Recipe) -> Recipe:
        """A recipe with how many times a plain upload it costs, measured in turns with it."""
        costs, plain = [], []
        for _ in range(RUNS):
            plain.append(self._plain_cost())
            self._number += 100_000
            body = recipe.body(LENGTH, self._number)
            upload = Upload(recipe.table, body, stamp="1", packed=bool(recipe.packed))
            costs.append(self._bench.cost(upload))
        return Recipe(
            recipe.table,
            recipe.lines,
            recipe.head,
            recipe.packed,
            round(min(costs) / min(plain), 2),
        )

    def run(self, seconds: float, begin: list[Recipe]) -> list[Recipe]:
        """Search for so long; returns the worst of each table."""
        until = time.monotonic() + seconds
        for recipe in [*begin, *self.seeds()]:
            self._keep(self.measured(recipe))
        while time.monotonic() < until:
            name = self._random.choice([*self._found])
            self._keep(self.measured(self._varied(self._random.choice(self._found[name]))))
        return [found[0] for found in self._found.values()]

    def _keep(self, recipe: Recipe) -> None:
        found = self._found.setdefault(recipe.table, [])
        if any(one.lines == recipe.lines and one.packed == recipe.packed for one in found):
            return
        if not found or recipe.ratio > found[0].ratio:
            print(f"{recipe.ratio:7.2f}  {recipe.query()}  {recipe.lines!r:.100}", flush=True)
        found.append(recipe)
        found.sort(key=lambda one: -one.ratio)
        del found[KEPT:]

    def seeds(self) -> list[Recipe]:
        """The shortest records of each table, and lines of none."""
        seeds = []
        for table in self._bench.tables:
            least = [field for field in table.fields if field.required]
            seeds += [Recipe(table.name, (_line(table, least),)), Recipe(table.name, ("a",))]
            seeds.append(Recipe(table.name, (_line(table, list(table.fields)),)))
            for line in (_line(table, least), f"{_line(table, least)}\tx=\xff"):
                seeds.append(Recipe(table.name, (_padded(table, line),)))
        seeds += [Recipe(name, (line,)) for name in ("OPERLOG", "ATTLOG") for line in _LINES]
        seeds.append(
            Recipe("ATTPHOTO", ("x",), head="PIN=20081119172119-4.jpg\nSN=T1\n\0\xff\xd8\xff")
        )
        seeds.append(Recipe("NEW", ("x",)))
        return seeds

    def _varied(self, recipe: Recipe) -> Recipe:
        """Another recipe, a step away."""
        pick = self._random
        lines = list(recipe.lines)
        place = pick.randrange(len(lines))
        table = pick.choice(self._bench.tables)
        match pick.randrange(9):
            case 0:
                lines.append(_line(table, [field for field in table.fields if field.required]))
            case 1:
                lines.append(pick.choice(_LINES))
            case 2 if len(lines) > 1:
                del lines[place]
            case 3:
                field = pick.choice(table.fields)
                lines[place] += f"\t{field.wire}={pick.choice(_VALUES)}"
            case 4:
                parts = lines[place].split("\t")
                del parts[pick.randrange(len(parts))]
                lines[place] = "\t".join(parts)
            case 5:
                parts = lines[place].split("\t")
                chosen = pick.randrange(len(parts))
                name, equals, _ = parts[chosen].partition("=")
                parts[chosen] = f"{name}{equals}{pick.choice(_VALUES)}"
                lines[place] = "\t".join(parts)
            case 6:
                own = next((one for one in self._bench.tables if one.name == recipe.table), table)
                lines[place] = _padded(own, lines[place])
            case 7:
                lines[place] = lines[place].replace("\t", pick.choice(" ,\t"))
            case _:
                packed = pick.choice(("", "text", "tar"))
                return Recipe(recipe.table, recipe.lines, recipe.head, packed)
        return Recipe(recipe.table, tuple(lines), recipe.head, recipe.packed)


def _padded(table: Table, line: str) -> str:
    """A record that is as long as a table asks for, so that it is stored however many there are."""
    missing = table.least_bytes - len(line)
    if missing <= 0:
        return line
    if table.layout is Layout.KEYED and "\t" in line:
        missing -= len("\ty=")
        return f"{line}\ty={'a' * missing}"
    return line + "a" * missing


def _line(table: Table, fields: list) -> str:  # type: ignore[type-arg]  # rows of a table
    """A record of a table, of some of its fields."""
    values = {
        Kind.INTEGER: "1",
        Kind.NUMBER: "1",
        Kind.TIME: "2026-01-05 08:00:00",
        Kind.MOMENT: "289515406",
        Kind.CARD: "1",
        Kind.BASE64: "AAAA",
    }
    keys = [values.get(field.kind, DIGITS.decode()) for field in fields]
    if table.layout is Layout.COLUMNS:
        return "\t".join(keys)
    separator = "," if table.layout is Layout.PAIRS else "\t"
    pairs = [f"{field.wire}={key}" for field, key in zip(fields, keys, strict=True)]
    return separator.join(pairs) or f"{NUMBER.decode()}=1"


def main() -> int:
    """Search, print what is found, and keep it if that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.worst", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="to search for (60)")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers (1)")
    parser.add_argument("--keep", action="store_true", help="write worst.json")
    given = parser.parse_args()
    begin = recipes.load() if recipes.CORPUS.exists() else []
    with tempfile.TemporaryDirectory(prefix="zkpush-worst-") as folder:
        bench = Workbench(pathlib.Path(folder))
        settle()  # as the daemon does
        search = Search(bench, given.seed)
        found = search.run(given.seconds, begin)
    for recipe in sorted(found, key=lambda one: -one.ratio):
        print(f"{recipe.ratio:7.2f}  {recipe.query()}  {recipe.lines!r:.100}")
    if given.keep:
        recipes.save(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
