"""Receivers of webhooks for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from .servers import Decide, Receiver, ok


@pytest.fixture
def receive() -> Iterator[Callable[..., Receiver]]:
    """Make receivers, which end with the test."""
    made: list[Receiver] = []

    def make(decide: Decide = ok) -> Receiver:
        made.append(Receiver(decide))
        return made[-1]

    yield make
    for receiver in made:
        receiver.stop()
