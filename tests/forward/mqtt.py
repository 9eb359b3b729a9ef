"""Forwarders to brokers, and the outcome of a delivery."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..rig import Rig
from .receivers import add

if TYPE_CHECKING:
    from .brokers import Broker, Subscriber

Serve = Callable[..., "Broker"]
Listen = Callable[..., "Subscriber"]


async def to(rig: Rig, broker: Broker, **more: Any) -> dict[str, Any]:
    """Add a forwarder to a broker."""
    settings = {**broker.settings, **more}
    return await add(rig, name="home", kind="mqtt", settings=settings)


async def tried(rig: Rig) -> tuple[str, str]:
    """The outcome of a test of the forwarder, and its words."""
    found = (await rig.api("POST", "/forwarders/1/test")).json
    return found["outcome"], found["words"]
