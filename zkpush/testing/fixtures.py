"""Fixtures of a daemon in memory. Import them in a `conftest.py`:

from zkpush.testing.fixtures import make_rig, rig  # noqa: F401 - fixtures
"""

from __future__ import annotations

import pathlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_twisted

from .rig import Rig


# pytest_twisted has no types.
@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def make_rig(tmp_path: pathlib.Path) -> AsyncIterator[Callable[..., Awaitable[Rig]]]:
    """Factory of daemons, with the arguments of `Rig`; they are stopped after the test."""
    rigs: list[Rig] = []

    async def make(**settings: object) -> Rig:
        folder = tmp_path / f"rig{len(rigs)}"
        folder.mkdir()
        rigs.append(Rig(folder, **settings))  # type: ignore[arg-type]  # checked by the caller
        return await rigs[-1].start()

    yield make
    for rig in rigs:
        await rig.stop()


# pytest_twisted has no types.
@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def rig(make_rig: Callable[..., Awaitable[Rig]]) -> AsyncIterator[Rig]:
    """A daemon that admits every terminal."""
    yield await make_rig()
