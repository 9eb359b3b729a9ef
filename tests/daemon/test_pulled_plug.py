"""The daemon is killed under load, with a plugin that behaves or misbehaves."""

from __future__ import annotations

import pathlib

import pytest

from .misbehaving import (
    BEHAVES,
    CONTAINED,
    WAYS,
    Load,
    behave,
    check_load,
    end_pauses,
    environment,
    inline,
)
from .process import Daemon
from .test_process import wait_until


@pytest.mark.parametrize(
    ("way", "is_inline"),
    [*[(way, False) for way in WAYS], *[(way, True) for way in CONTAINED]],
)
def test_what_was_acknowledged_is_stored_whenever_the_plug_is_pulled(
    tmp_path: pathlib.Path, database_url: str | None, way: str, is_inline: bool
) -> None:
    """Every acknowledged record is there, and once."""
    flags = () if database_url is None else ("--database", database_url)
    flags += inline(tmp_path) if is_inline else ()
    behave(tmp_path, way)
    env = environment(tmp_path)
    with Daemon(tmp_path, *flags, env=env) as daemon, Load(daemon) as load:
        wait_until(lambda: load.acknowledged >= 40)
        daemon.kill()
    behave(tmp_path)
    end_pauses(tmp_path, database_url)
    with Daemon(tmp_path, *flags, env=env) as daemon:
        check_load(daemon, load, tmp_path, database_url)
    assert bool(load.rejected) == (is_inline and way != BEHAVES)
