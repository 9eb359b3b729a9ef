"""Running the coroutine of a command on the reactor, with the exit status of click."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import click
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from .starting import started_target
from .target import Given, Target

if TYPE_CHECKING:
    from .client import Api

P = ParamSpec("P")
Work = Coroutine[Deferred[Any], Any, None]


def run(work: Callable[[Any], Work]) -> None:
    """Run `work(reactor)` and re-raise its exception, which click turns into an exit status.

    An interrupt cancels the work, so that it can clean up, and raises `click.Abort`.
    """
    raised: list[BaseException] = [click.Abort()]

    async def watched(reactor: Any) -> None:
        working = Deferred.fromCoroutine(work(reactor))
        interrupted = []

        def interrupt() -> None:
            interrupted.append(True)
            working.cancel()

        reactor.addSystemEventTrigger("before", "shutdown", interrupt)
        try:
            await working
        except (Exception, SystemExit) as error:
            if not interrupted:
                raised[:] = [error]
        else:
            raised.clear()

    with suppress(SystemExit):
        react(watched)
    for error in raised:
        raise error


def with_api(work: Callable[Concatenate[Api, P], Work]) -> Callable[P, None]:
    """Make a click callback of a coroutine whose first argument is the API."""
    return _with_api(work, Given.target)


def with_started_api(work: Callable[Concatenate[Api, P], Work]) -> Callable[P, None]:
    """Do the same; first, wait for a daemon of this machine that is just being started."""
    return _with_api(work, started_target)


def _with_api(
    work: Callable[Concatenate[Api, P], Work], locate: Callable[[Given], Target]
) -> Callable[P, None]:
    @wraps(work)
    def command(*args: P.args, **kwargs: P.kwargs) -> None:
        from .client import Api

        given: Given = click.get_current_context().obj
        target = locate(given)
        run(lambda reactor: work(Api(target, reactor), *args, **kwargs))

    return command
