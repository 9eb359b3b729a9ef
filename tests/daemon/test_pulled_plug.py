"""The daemon is killed under load, with a plugin that behaves or misbehaves."""

from __future__ import annotations

import pathlib

import pytest

from .misbehaving import (
    APART,
    WITHIN,
    Load,
    behave,
    check_load,
    end_pauses,
    environment,
    inline,
    naming,
    rejects_lines,
)
from .process import Daemon
from .test_process import wait_until

pytestmark = pytest.mark.usefixtures("no_cover")


@pytest.mark.long
@pytest.mark.parametrize(("ways", "is_inline"), [APART, WITHIN])
def test_what_was_acknowledged_is_stored_whenever_the_plug_is_pulled(
    tmp_path: pathlib.Path, ways: tuple[str, ...], is_inline: bool
) -> None:
    """Every acknowledged record is there, and once: in each life of the daemon, another way.

    That is on SQLite; `tests/nodes/test_killed_node.py` kills one of two daemons on PostgreSQL.
    """
    flags = inline(tmp_path) if is_inline else ()
    env = environment(tmp_path)
    behave(tmp_path)
    load: Load | None = None
    for way in (*ways, None):
        with naming(way), Daemon(tmp_path, *flags, env=env) as daemon:
            if load is not None:
                check_load(daemon, load, tmp_path, None)
            if way is None:
                return
            behave(tmp_path, way)
            with Load(daemon) as load:
                wait_until(lambda load=load: load.acknowledged >= 40)
                daemon.kill()
            assert bool(load.rejected) == rejects_lines(way, is_inline)
        behave(tmp_path)
        end_pauses(tmp_path, None)
