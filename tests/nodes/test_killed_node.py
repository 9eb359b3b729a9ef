"""Two daemons on one PostgreSQL, one of them killed under load."""

from __future__ import annotations

import pathlib

import pytest

from ..daemon.misbehaving import (
    BEHAVES,
    BREAKS_TRANSACTIONS,
    WAYS,
    Load,
    behave,
    check_load,
    end_pauses,
    environment,
    inline,
)
from ..daemon.process import Daemon
from ..daemon.test_process import wait_until
from ..keys import KEY


@pytest.mark.parametrize(
    ("way", "is_inline"),
    [*[(way, False) for way in WAYS], *[(way, True) for way in BREAKS_TRANSACTIONS]],
)
def test_a_node_that_is_killed_takes_no_acknowledged_record_with_it(
    tmp_path: pathlib.Path, postgres_url: str, way: str, is_inline: bool
) -> None:
    """Terminals go on with the other node; what either acknowledged is stored, and once."""
    key = tmp_path / "key"
    key.write_text(KEY.hex())
    key.chmod(0o600)
    env = {"ZKPUSH_KEY_FILE": str(key), **environment(tmp_path)}
    flags = ("--database", postgres_url, *(inline(tmp_path) if is_inline else ()))
    behave(tmp_path, way)
    with (
        Daemon(tmp_path / "one", *flags, env=env) as one,
        Daemon(tmp_path / "other", *flags, env=env) as other,
        Load(one, other) as load,
    ):
        wait_until(lambda: load.acknowledged >= 30)
        one.kill()
        killed_at = load.acknowledged
        wait_until(lambda: load.acknowledged >= killed_at + 30)
        load.end()
        assert load.refusals == set()
        assert load.punches <= set(other.pins())
        other.kill()
    behave(tmp_path)
    end_pauses(tmp_path, postgres_url)
    with Daemon(tmp_path / "one", *flags, env=env) as one:
        check_load(one, load, tmp_path, postgres_url)
    assert bool(load.rejected) == (is_inline and way != BEHAVES)
