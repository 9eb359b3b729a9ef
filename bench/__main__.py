"""`python -m bench`: measure everything in one run; prints a table and writes bench.json."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import sys

import attrs
from rich.console import Console
from rich.table import Table

from .cases import CASES
from .measure import Result
from .scale import FULL, QUICK


def main() -> int:
    """Measure; 1 if a goal is missed and `--strict` was given."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short run, to see that it runs")
    parser.add_argument("--strict", action="store_true", help="fail if a goal is missed")
    parser.add_argument("--only", action="append", help="a group of cases", default=[])
    arguments = parser.parse_args()
    scale = QUICK if arguments.quick else FULL
    console = Console(width=160)
    results: list[Result] = []
    for case in CASES:
        if not arguments.only or case.__name__ in arguments.only:
            for result in case(scale):
                results.append(result)
                console.print(_line(result), highlight=False)
    console.print(_table(results))
    pathlib.Path("bench.json").write_text(
        json.dumps(
            {
                "machine": {
                    "python": platform.python_version(),
                    "system": platform.platform(),
                    "processors": len(os.sched_getaffinity(0)),
                },
                "results": [{**attrs.asdict(result), "met": result.met} for result in results],
            },
            indent=1,
        )
    )
    return int(arguments.strict and any(result.met is False for result in results))


def _line(result: Result) -> str:
    goal = "" if result.goal is None else f" (goal {_bound(result)})"
    return f"{result.work}: {result.ratio:.2f} {result.unit}{goal}"


def _goal(result: Result) -> str:
    return "" if result.goal is None else f"{_bound(result)} {'✓' if result.met else '✗'}"


def _bound(result: Result) -> str:
    return f"at least {result.goal}" if result.is_least else str(result.goal)


def _table(results: list[Result]) -> Table:
    table = Table(title="What the work costs")
    for column in (
        *("Work", "Measured against", "Ratio", "Goal", "CPU", "Limit", "p50", "p99"),
        *("/s", "Limit /s"),
    ):
        table.add_column(
            column, justify="left" if column in ("Work", "Measured against") else "right"
        )
    for result in results:
        figures = result.figures
        table.add_row(
            result.work,
            result.against,
            f"{result.ratio:.2f} {result.unit}",
            _goal(result),
            *(
                f"{figures[name]:.0f} {unit}" if name in figures else ""
                for name, unit in (("cpu_us", "µs"), ("limit_cpu_us", "µs"))
            ),
            *(
                f"{figures[name]:.1f} ms" if name in figures else ""
                for name in ("p50_ms", "p99_ms")
            ),
            *(
                f"{figures[name]:.0f}" if name in figures else ""
                for name in ("requests_a_second", "limit_requests_a_second")
            ),
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
