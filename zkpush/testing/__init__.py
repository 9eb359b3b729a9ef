"""For the tests of plugins: a daemon in memory, and contract suites for what plugins provide.

Needs `pip install zkpush[testing]`. Nothing in zkpush itself imports this package.

| Name | What it is |
|---|---|
| `Rig` | a daemon in memory, whose clock tests advance; `rig.terminal()` is a simulated terminal |
| `make_rig`, `rig` | pytest fixtures of it, in `zkpush.testing.fixtures` |
| contract suites | what zkpush expects of each kind of plugin, in `zkpush.testing.contracts` |
"""

from __future__ import annotations

import pytest

from .clock import NOON, TurnedReactor
from .rig import KEY, TOKEN, Rig
from .wire import Response

__all__ = [
    "KEY",
    "NOON",
    "TOKEN",
    "Response",
    "Rig",
    "TurnedReactor",
]

# Rewritten assertions show the compared values.
pytest.register_assert_rewrite(f"{__name__}.contracts")
