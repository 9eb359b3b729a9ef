"""Two daemons on one PostgreSQL, one of them killed under load."""

from __future__ import annotations

import pathlib

import pytest

from ..daemon.misbehaving import (
    APART_ON_A_NODE,
    WITHIN_ON_A_NODE,
    Load,
    behave,
    check_load,
    end_pauses,
    environment,
    inline,
    naming,
    rejects_lines,
)
from ..daemon.process import Daemon
from ..daemon.test_process import wait_until
from ..keys import KEY

pytestmark = pytest.mark.usefixtures("no_cover")


@pytest.mark.long
@pytest.mark.parametrize(("ways", "is_inline"), [APART_ON_A_NODE, WITHIN_ON_A_NODE])
def test_a_node_that_is_killed_takes_no_acknowledged_record_with_it(
    tmp_path: pathlib.Path, postgres_url: str, ways: tuple[str, ...], is_inline: bool
) -> None:
    """Terminals go on with the other node; what either acknowledged is stored, and once."""
    key = tmp_path / "key"
    key.write_text(KEY.hex())
    key.chmod(0o600)
    env = {"ZKPUSH_KEY_FILE": str(key), **environment(tmp_path)}
    flags = ("--database", postgres_url, *(inline(tmp_path) if is_inline else ()))
    behave(tmp_path)
    load: Load | None = None
    for way in (*ways, None):
        with naming(way), Daemon(tmp_path / "one", *flags, env=env) as one:
            if load is not None:
                check_load(one, load, tmp_path, postgres_url)
            if way is None:
                return
            behave(tmp_path, way)
            with (
                Daemon(tmp_path / "other", *flags, env=env) as other,
                Load(one, other) as load,
            ):
                wait_until(lambda load=load: load.acknowledged >= 30)
                one.kill()
                killed_at = load.acknowledged
                wait_until(
                    lambda load=load, killed_at=killed_at: load.acknowledged >= killed_at + 30
                )
                load.end()
                assert load.refusals == set()
                assert load.punches <= set(other.pins())
                other.kill()
            assert bool(load.rejected) == rejects_lines(way, is_inline)
        behave(tmp_path)
        end_pauses(tmp_path, postgres_url)
