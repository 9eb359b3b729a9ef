"""Containment of plugins: whatever one raises ends at the edge where it was called.

Each call into a plugin stands in `with contained(...)`, which turns any exception into a
`PluginError` and logs the plugin, what it was asked to do, the terminal and the table. That holds
for `SystemExit`, `MemoryError` and their like, too. Cancellation is no failure and passes.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Literal

import attrs
from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from .redaction import describe

_CANCELLED = (CancelledError, asyncio.CancelledError, GeneratorExit)
_log = Logger()


class PluginError(Exception):
    """A plugin raised something, or returned what it may not; the message quotes nothing of it."""


@attrs.define
class Messages:
    """Whether logs show what the exceptions of plugins say, which may quote secrets."""

    shown: bool = False


MESSAGES = Messages()
"""The setting of this process (`plugins.log_messages`), as the log itself is the process's."""


@attrs.frozen
class PluginFailure:
    """The last failure of a plugin that has not succeeded since."""

    error: str
    """The class of what it raised."""
    since: float
    """Seconds since the epoch: the first failure after a success."""


class PluginHealth:
    """Which plugins of this process have failed since they last succeeded."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` returns the time, in seconds since the epoch."""
        self._now = now
        self.failures: dict[str, PluginFailure] = {}
        """By what `contained` calls the plugin, such as `verifier even`."""

    def failed(self, plugin: str, error: BaseException) -> None:
        """Note a failure."""
        known = self.failures.get(plugin)
        since = self._now() if known is None else known.since
        self.failures[plugin] = PluginFailure(type(error).__name__, since)

    def succeeded(self, plugin: str) -> None:
        """Note a success: the failures before it are over."""
        if self.failures:
            self.failures.pop(plugin, None)


class contained:
    """Context of a call into a plugin; raises `PluginError` for anything that leaves it."""

    def __init__(
        self,
        plugin: str,
        act: str,
        *,
        passes: tuple[type[Exception], ...] = (),
        sn: str | None = None,
        table: str | None = None,
        health: PluginHealth | None = None,
    ) -> None:
        """`plugin` is its kind and name, `act` what it is asked; `passes` are errors that its
        interface declares: those are left as they are."""
        self._plugin = plugin
        self._act = act
        self._passes = passes
        self._sn = sn
        self._table = table
        self._health = health

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Literal[False]:
        if error is None:
            if self._health is not None:
                self._health.succeeded(self._plugin)
            return False
        if isinstance(error, (*_CANCELLED, *self._passes)):
            return False
        if self._health is not None:
            self._health.failed(self._plugin, error)
        report(self._plugin, self._act, error, sn=self._sn, table=self._table)
        raise PluginError(f"the {self._plugin} failed ({type(error).__name__})") from None


def report(
    plugin: str,
    act: str,
    error: BaseException,
    sn: str | None = None,
    table: str | None = None,
) -> None:
    """Log a failure of a plugin: what it says only if that is switched on."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    about = "".join(
        f", {noun} {value}" for noun, value in (("terminal", sn), ("table", table)) if value
    )
    details = ""
    if MESSAGES.shown:
        details = "\n" + "".join(traceback.format_exception(error)).rstrip()
    _log.error(
        "The {plugin} failed: {act}{about}: {error}{where}{details}",
        plugin=plugin,
        act=act,
        about=about,
        error=describe(error),
        where=where,
        details=details,
    )
