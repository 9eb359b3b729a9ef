"""Structs are described before threads decode them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import msgspec
import pytest

from zkpush import opening
from zkpush.datadir import DataDirectory
from zkpush.structs import prepare_structs

RACE = """
import sys, threading
import msgspec
from zkpush.structs import prepare_structs

sys.setswitchinterval(1e-6)

def struct(name, kind):
    return msgspec.defstruct(name, [(f"f{k}", kind(k), None) for k in range(20)])

for number in range(60):
    inner = [struct(f"Inner{number}_{k}", lambda _: int | None) for k in range(20)]
    outer = struct(f"Outer{number}", lambda k: inner[k] | None)
    prepare_structs()
    barrier = threading.Barrier(4)

    def decode():
        barrier.wait()
        found.append(msgspec.json.decode(b'{"f19": {"f0": 1}}', type=outer).f19.f0)

    found = []
    threads = [threading.Thread(target=decode) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 4
"""
LATE = """
import importlib, pathlib, pkgutil, time
import msgspec
import zkpush.tap
from zkpush.config import Config
from zkpush.containment import PluginHealth
from zkpush.installed import find_plugins

def names(struct=msgspec.Struct):
    for one in struct.__subclasses__():
        yield f"{one.__module__}.{one.__qualname__}"
        yield from names(one)

find_plugins(Config(data=pathlib.Path()), PluginHealth(time.time))
before = {*names()}
for info in pkgutil.walk_packages(importlib.import_module("zkpush").__path__, "zkpush."):
    parts = info.name.split(".")
    if not {"cli", "simulate", "simulator", "testing", "versions", "env"} & {*parts}:
        importlib.import_module(info.name)
print(*sorted({*names()} - before))
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own."""
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)


def test_threads_decode_a_prepared_struct_at_once() -> None:
    """msgspec itself ends the process where they decode one that is not described yet."""
    ran = run(RACE)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_structs_that_cannot_be_decoded_are_passed_over() -> None:
    """They are only made and read."""

    class Odd(msgspec.Struct):
        one: type | int

    prepare_structs()
    assert Odd(3).one == 3


def test_structs_are_prepared_before_the_store_starts(monkeypatch, tmp_path) -> None:
    """The threads of the store decode them."""
    done: list[str] = []

    class StoreOfTest:
        def start(self, brings: object, claimed: object) -> None:
            done.append("started")

    monkeypatch.setattr(opening, "prepare_structs", lambda: done.append("prepared"))
    data = DataDirectory(tmp_path, admin_token="t", key=b"k")
    store: Any = StoreOfTest()
    opening.OpenDatabase(
        data, store, (), is_parent=True, is_alone=False, new=False
    ).privilegedStartService()
    assert done == ["prepared", "started"]


@pytest.mark.long
def test_no_struct_is_declared_after_the_start() -> None:
    """Modules that the daemon imports later have none."""
    ran = run(LATE)
    assert (ran.returncode, ran.stdout.split()) == (0, []), ran.stderr
