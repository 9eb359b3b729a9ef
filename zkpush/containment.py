"""Containment of plugins: no exception of a plugin passes the call into it.

Each call into a plugin is made inside `with contained(...)`, which turns any exception into a
`PluginError` and logs the plugin, the operation, the terminal and the table. This includes
`SystemExit`, `MemoryError` and the like. Cancellation is not a failure and passes through.
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
    """A plugin raised an exception, or returned an invalid value; the message quotes no data."""


@attrs.define
class Messages:
    """Whether logs show the messages of plugins' exceptions, which may quote secrets."""

    shown: bool = False


MESSAGES = Messages()
"""The setting `plugins.log_messages`; global, as the log is."""


@attrs.frozen
class PluginFailure:
    """The last failure of a plugin, which has not succeeded since."""

    error: str
    """Class name of the exception."""
    since: float
    """Time of the first failure after a success, in seconds since the epoch."""


class PluginHealth:
    """The plugins of this process whose last call failed."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` returns the time, in seconds since the epoch."""
        self._now = now
        self.failures: dict[str, PluginFailure] = {}
        """Failures by kind and name of the plugin, such as `verifier even`."""

    def failed(self, plugin: str, error: BaseException) -> None:
        """Record a failure."""
        known = self.failures.get(plugin)
        since = self._now() if known is None else known.since
        self.failures[plugin] = PluginFailure(type(error).__name__, since)

    def succeeded(self, plugin: str) -> None:
        """Record a success, which ends earlier failures."""
        if self.failures:
            self.failures.pop(plugin, None)


class contained:
    """Context of a call into a plugin; raises `PluginError` for any exception in it."""

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
        """`plugin` is its kind and name; `act` is the operation, for the log.

        `passes` are exceptions that the interface of the plugin declares; they pass unchanged.
        """
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
    """Log a failure of a plugin; its message is included only if that is switched on."""
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
