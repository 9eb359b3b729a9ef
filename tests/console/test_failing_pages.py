"""A page that cannot be shown: the fault of a request is told, that of a page is logged, too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import pytest_twisted
from twisted.logger import LogEvent, globalLogPublisher

from zkpush.handlers.audit.orders import OrderWords

from ..rig import Rig
from .browser import signed_in


@pytest.fixture
def logged() -> Iterator[list[LogEvent]]:
    """The events of the log that have a failure."""
    events: list[LogEvent] = []

    def keep(event: LogEvent) -> None:
        if "log_failure" in event:
            events.append(event)

    globalLogPublisher.addObserver(keep)
    yield events
    globalLogPublisher.removeObserver(keep)


@pytest_twisted.ensureDeferred
async def test_a_page_that_fails_is_logged(
    rig: Rig, logged: list[LogEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reads the log finds the place, although the reader of the page sees one sentence."""

    def fail(self: OrderWords, action: str, detail: str) -> None:
        raise ValueError("one too many")

    monkeypatch.setattr(OrderWords, "phrase", fail)
    await rig.exchange("T1")
    await rig.api("POST", "/devices/T1/commands", {"command": "REBOOT"})
    browser = await signed_in(rig)
    assert (await browser.get("/audit")).status == 400
    assert [one["log_failure"].getErrorMessage() for one in logged] == ["one too many"]


@pytest_twisted.ensureDeferred
async def test_a_request_that_is_wrong_is_not_logged_as_a_failure(
    rig: Rig, logged: list[LogEvent]
) -> None:
    """It is told what is wrong with it."""
    browser = await signed_in(rig)
    assert (await browser.get("/terminals/NONE1")).status == 404
    assert (await browser.get("/people/404")).status == 404
    assert logged == []
