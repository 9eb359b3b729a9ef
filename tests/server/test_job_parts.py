"""Parts of jobs: what is read for one, and how many commands are written at once."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from zkpush.handlers.jobs import parts
from zkpush.persist.devices import DeviceStore

from ..rig import Rig
from .test_jobs import counts, post, terminals


def updates(number: int) -> list[dict[str, Any]]:
    """Commands for as many people."""
    return [
        {"command": "DATA UPDATE USERINFO", "params": {"PIN": str(pin), "Name": "Ann"}}
        for pin in range(1, number + 1)
    ]


def watch(monkeypatch: pytest.MonkeyPatch, rig: Rig, seconds: float = 0) -> list[int]:
    """Record the number of commands in each part; each command takes a time to write."""
    sizes: list[int] = []
    real = parts.replace

    def replace(tx: Any, news: Any, now: int) -> Any:
        sizes.append(len(news))
        rig.clock.rightNow += seconds * len(news)
        return real(tx, news, now)

    monkeypatch.setattr(parts, "replace", replace)
    return sizes


@pytest_twisted.ensureDeferred
async def test_a_part_reads_the_terminals_of_its_commands_only(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job of many terminals reads each of them a few times, and not once for each part."""
    read: list[int] = []
    real = DeviceStore.with_keys

    def with_keys(self: DeviceStore, keys: Any) -> Any:
        read.append(len(keys))
        return real(self, keys)

    monkeypatch.setattr(DeviceStore, "with_keys", with_keys)
    devices = await terminals(rig, 60)
    job = await post(rig, devices=devices, commands=updates(20))
    assert await counts(rig, job) == {"queued": 1200}
    assert sum(read) <= 2 * len(devices)


@pytest_twisted.ensureDeferred
async def test_parts_fit_the_speed_of_the_machine(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts grow while they are written quickly, up to a limit."""
    sizes = watch(monkeypatch, rig)
    job = await post(rig, devices=await terminals(rig, 10), commands=updates(50))
    assert await counts(rig, job) == {"queued": 500}
    assert [size for size in sizes if size] == [25, 100, 100, 100, 100, 75]


@pytest.mark.parametrize(("milliseconds", "most"), [(0.48, 20), (5, parts.LEAST_COMMANDS)])
@pytest_twisted.ensureDeferred
async def test_slow_parts_are_followed_by_small_ones(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, milliseconds: float, most: int
) -> None:
    """On a slow machine a part has as many commands as it writes in 10 ms, and at least ten."""
    sizes = watch(monkeypatch, rig, milliseconds / 1000)
    job = await post(rig, devices=await terminals(rig, 4), commands=updates(50))
    assert await counts(rig, job) == {"queued": 200}
    assert set(sizes[1:-1]) == {most}
