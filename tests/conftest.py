"""What tests of several floors share."""

from __future__ import annotations

import gc
import os
import pathlib
import sys
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_twisted
from hypothesis import settings
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)

# Fixtures that stand in modules of their own; pytest finds them by their names here.
from .compiled import statements_are_compiled_once  # noqa: F401 - a fixture
from .migrated import new_databases_are_copies, real_migrations  # noqa: F401 - fixtures
from .passwords import hash_cheaply
from .postgres import (  # noqa: F401 - fixtures
    database,
    empty_postgres_url,
    in_memory,
    own_postgres,
    postgres,
    postgres_url,
)
from .rig import IN_MEMORY, Rig
from .templates import templates_are_compiled_once  # noqa: F401 - a fixture
from .warm import TRACED

YOUNG = 20_000
"""Number of new objects after which the garbage collector examines them."""

SLOW_SECONDS = 2.0
"""A test that takes longer, with others beside it, is named at the end of the run: mark what takes
over a second alone as `long`."""

# A slow machine is not a mistake in what is tested.
settings.register_profile("zkpush", deadline=None, print_blob=True)
settings.load_profile("zkpush")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that rewrites golden files (tests/golden/README.md)."""
    parser.addoption(
        "--rewrite-golden",
        action="store_true",
        help="Write the outputs of the present code into the files of tests/golden.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Put the folders of tests into memory, where there is room: thousands wait for no disk.

    Nothing here can tell the difference: a process that is killed leaves what it wrote on either.
    """
    memory = in_memory()
    if memory is not None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", memory)
    hash_cheaply()
    _begin_logging()
    gc.disable()  # until all tests are collected: nothing is freed before that


def _begin_logging() -> None:
    """Write critical messages to standard error, and keep no others.

    Until logging begins, Twisted keeps 65,536 messages, each with the object that logged it: the
    daemons of hundreds of tests.
    """
    critical = LogLevelFilterPredicate(defaultLogLevel=LogLevel.critical)
    observer = FilteringLogObserver(textFileLogObserver(sys.stderr), [critical])
    with warnings.catch_warnings():  # which pytest shows, and not the log
        globalLogBeginner.beginLoggingTo([observer], discardBuffer=True, redirectStandardIO=False)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run half as many more tests at once than there are processors, for many of them wait."""
    return max(2, len(os.sched_getaffinity(0)) * 3 // 2)


def pytest_collection_finish() -> None:
    """Exempt the collected tests and all modules from garbage collection: no test frees them.

    Otherwise each full collection visits a million objects, which takes a tenth of the time of
    all tests. The other objects are examined less often: a daemon makes a hundred thousand.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)
    gc.enable()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the slow tests that everybody waits for, so that they get marked or quicker."""
    slow = [
        (report.duration, report.nodeid)
        for report in terminalreporter.stats.get("passed", [])
        if report.when == "call"
        and report.duration > SLOW_SECONDS
        and "long" not in report.keywords
    ]
    if slow:
        terminalreporter.section("slow, and not marked long (a busy machine adds some)")
    for seconds, name in sorted(slow, reverse=True):
        terminalreporter.write_line(f"{seconds:.1f} s  {name}")


@pytest.fixture
def no_cover(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count no coverage in a test (pytest-cov knows the name), nor in processes that it starts.

    To count doubles the time of a process. This is for tests that take long and repeat what
    others reach, and for those that kill their processes, which then report no coverage.
    """
    monkeypatch.delenv(TRACED, raising=False)


@pytest_twisted.async_yield_fixture
async def make_rig(
    tmp_path: pathlib.Path,
) -> AsyncIterator[Callable[..., Awaitable[Rig]]]:
    """Make daemons inside the test; they are stopped after it."""
    rigs: list[Rig] = []

    async def make(**settings: object) -> Rig:
        rig = Rig(tmp_path, **settings)
        await rig.start()
        rigs.append(rig)
        return rig

    yield make
    for rig in rigs:
        await rig.stop()


@pytest_twisted.async_yield_fixture
async def rig(make_rig: Callable[..., Awaitable[Rig]]) -> AsyncIterator[Rig]:
    """A daemon inside the test that admits every terminal."""
    yield await make_rig()


@pytest_twisted.async_yield_fixture(params=["sqlite", "postgresql"])
async def either(
    request: pytest.FixtureRequest, make_rig: Callable[..., Awaitable[Rig]]
) -> AsyncIterator[Rig]:
    """A daemon on each database."""
    is_sqlite = request.param == "sqlite"
    yield await make_rig(
        database=IN_MEMORY if is_sqlite else request.getfixturevalue("postgres_url")
    )
