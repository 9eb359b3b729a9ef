"""Background jobs go on, whatever happens in them."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel, globalLogPublisher

import zkpush
from zkpush.interfaces import StoreError
from zkpush.periodic import PeriodicService
from zkpush.problems import ProblemCode


class Job:
    """A job that does what a test says, and counts its runs."""

    def __init__(self) -> None:
        self.runs = 0
        self.result: Callable[[], object] = lambda: None

    def __call__(self) -> object:
        self.runs += 1
        return self.result()


def raising(error: BaseException) -> Callable[[], object]:
    """Something that raises an error."""

    def run() -> object:
        raise error

    return run


@pytest.fixture
def logged():
    """The levels and texts of what is logged."""
    events: list[tuple[LogLevel, str]] = []

    def observe(event) -> None:
        if event["log_namespace"].startswith(("zkpush", "tests")):
            events.append((event["log_level"], event["log_format"].format(**event)))

    globalLogPublisher.addObserver(observe)
    yield events
    globalLogPublisher.removeObserver(observe)


def started(job: Job, *, now: bool = False) -> tuple[Clock, PeriodicService]:
    """A service that runs a job each ten seconds."""
    clock = Clock()
    service = PeriodicService(clock)
    service.every(10, job, "Things wait", now=now)
    service.startService()
    return clock, service


@pytest.mark.parametrize("now", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_job_runs_at_its_interval_until_the_stop(now: bool) -> None:
    """At the start too, if it is to; and again after another start."""
    job = Job()
    clock, service = started(job, now=now)
    assert job.runs == int(now)
    clock.pump([10] * 3)
    assert job.runs == 3 + now
    await service.stopService()
    clock.pump([10] * 3)
    assert job.runs == 3 + now
    service.startService()
    clock.pump([10] * 2)
    assert job.runs == 5 + 2 * now
    await service.stopService()
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize("error", [StoreError("away"), KeyError(1), SystemExit(3), MemoryError()])
@pytest_twisted.ensureDeferred
async def test_a_job_goes_on_after_an_error_of_any_kind(error: BaseException) -> None:
    """It runs again at its next time."""
    job = Job()
    clock, service = started(job)
    job.result = raising(error)
    clock.pump([10] * 3)
    assert job.runs == 3
    job.result = lambda: Deferred.fromCoroutine(service.finish())
    clock.pump([10] * 3)
    assert job.runs == 6
    await service.stopService()


@pytest_twisted.ensureDeferred
async def test_an_error_is_logged_when_it_begins_and_when_it_ends(logged) -> None:
    """Not each time; another kind of error is logged beside it."""
    job = Job()
    clock, service = started(job)
    for error in [StoreError("away")] * 3 + [KeyError(1)] * 3 + [StoreError("away")] * 3:
        job.result = raising(error)
        clock.advance(10)
    assert logged == [
        (LogLevel.warn, "Things wait: away"),
        (LogLevel.critical, "Things wait"),
    ]
    job.result = lambda: None
    clock.pump([10] * 3)
    assert logged[2:] == [(LogLevel.info, "Things wait: solved")]
    job.result = raising(StoreError("away"))
    clock.pump([10] * 2)
    assert logged[3:] == [(LogLevel.warn, "Things wait: away")]
    await service.stopService()


@pytest_twisted.ensureDeferred
async def test_errors_that_all_differ_do_not_fill_the_log(logged) -> None:
    """An error that names a time or a number is another one each time."""
    job = Job()
    clock, service = started(job)
    for number in range(200):
        job.result = raising(StoreError(f"away {number}"))
        clock.advance(10)
    assert len(logged) < 50
    await service.stopService()


@pytest_twisted.ensureDeferred
async def test_a_job_that_fails_is_a_problem_until_it_succeeds() -> None:
    """Since its first failure; an error of the store is the health check's to report."""
    job = Job()
    clock, service = started(job)
    job.result = raising(StoreError("away"))
    clock.advance(10)
    assert [*service.job_problems()] == []
    job.result = raising(KeyError("secret"))
    clock.pump([10] * 3)
    (problem,) = service.job_problems()
    assert problem.code is ProblemCode.JOB_FAILING
    assert (problem.subject, problem.detail) == ("job PeriodicService", "Things wait: KeyError")
    job.result = lambda: None
    clock.advance(10)
    assert [*service.job_problems()] == []
    await service.stopService()


@pytest_twisted.ensureDeferred
async def test_runs_of_a_job_do_not_overlap() -> None:
    """A run that takes long is followed by the next one at a multiple of the interval."""
    job = Job()
    going: Deferred[None] = Deferred()
    clock, service = started(job)
    job.result = lambda: going
    clock.pump([10] * 5)
    assert job.runs == 1
    job.result = lambda: None
    clock.advance(5)
    going.callback(None)
    assert job.runs == 1
    clock.advance(5)
    assert job.runs == 2
    await service.stopService()


@pytest.mark.parametrize("error", [None, KeyError(1)])
@pytest_twisted.ensureDeferred
async def test_a_stop_waits_for_the_run_that_goes_on(error: BaseException | None) -> None:
    """Then it finishes, however the run has ended."""
    done: list[str] = []

    class Finishing(PeriodicService):
        async def finish(self) -> None:
            done.append("finished")

    clock = Clock()
    service = Finishing(clock)
    going: Deferred[None] = Deferred()
    service.every(10, lambda: going, "Things wait")
    service.startService()
    clock.advance(10)
    stopped = service.stopService()
    stopped.addCallback(lambda _: done.append("stopped"))
    clock.advance(10)
    assert done == []
    if error is None:
        going.callback(None)
    else:
        going.errback(error)
    await stopped
    assert done == ["finished", "stopped"]


@pytest.mark.parametrize("error", [StoreError("away"), KeyError(1)])
@pytest_twisted.ensureDeferred
async def test_a_stop_succeeds_whatever_is_left(logged, error: Exception) -> None:
    """What cannot be finished is logged, and holds up no other part."""

    class Failing(PeriodicService):
        async def finish(self) -> None:
            raise error

    service = Failing(Clock())
    service.startService()
    await service.stopService()
    ((level, text),) = logged
    assert level is (LogLevel.warn if isinstance(error, StoreError) else LogLevel.critical)
    assert text.startswith("Failing could not")


def test_there_is_no_other_kind_of_loop() -> None:
    """`LoopingCall`, which ends for good at the first error, is used in one place."""
    folder = pathlib.Path(zkpush.__file__).parent
    users = [path for path in folder.rglob("*.py") if "LoopingCall" in path.read_text()]
    assert [path.name for path in users] == ["periodic.py"]
