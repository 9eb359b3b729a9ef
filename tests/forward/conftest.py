"""Receivers of webhooks, brokers and subscribers for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from .mqtt import Listen, Serve
from .servers import Decide, Receiver, ok

if TYPE_CHECKING:
    from .brokers import Broker, Subscriber


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


@pytest.fixture
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Make brokers, which end with the test."""
    from .brokers import Broker

    made: list[Broker] = []

    def make(*lines: str, **more: Any) -> Broker:
        made.append(Broker(tmp_path_factory.mktemp("broker"), *lines, **more))
        return made[-1]

    yield make
    for broker in made:
        broker.stop()


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Make subscribers, which end with the test."""
    from .brokers import Subscriber

    made: list[Subscriber] = []

    def make(broker: Broker, **more: Any) -> Subscriber:
        made.append(Subscriber(broker, **more))
        return made[-1]

    yield make
    for subscriber in made:
        subscriber.stop()
