"""Finding plugins: ours as everyone's, the broken ones left out."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from collections.abc import Sequence

import attrs
import pytest
from twisted.logger import LogEvent, globalLogPublisher
from zope.interface import implementer

import twisted.plugins
from zkpush import discovery
from zkpush.capabilities import load
from zkpush.capability import ICapability
from zkpush.device.admission import APPROVE, CLOSED, OPEN
from zkpush.discovery import PluginConflict, by_claim, failed_modules, sound_plugins
from zkpush.interfaces import IAdmissionPolicy, IStoreFactory, IVerifier
from zkpush.model import DeviceState

THEIRS = '''\
"""A policy that somebody else wrote."""

from twisted.plugin import IPlugin
from zope.interface import implementer

from zkpush.interfaces import IAdmissionPolicy


@implementer(IPlugin, IAdmissionPolicy)
class OfficeHours:
    """Takes nobody, whatever the hour."""

    name = "office-hours"

    def admit(self, sn, hello, address):
        """Refuse."""
        return None


office_hours = OfficeHours()
'''
NAMES = """\
from zkpush.interfaces import IAdmissionPolicy
from zkpush.discovery import sound_plugins

print(*sorted(policy.name for policy in sound_plugins(IAdmissionPolicy)))
"""


@implementer(IAdmissionPolicy)
class Broken:
    """Says that it is a policy, and cannot admit."""

    name = "broken"


@implementer(IAdmissionPolicy)
class Failing:
    """A policy whose name cannot be read."""

    @property
    def name(self) -> str:
        """Fail."""
        raise RuntimeError("the name is not configured")

    def admit(self, sn, hello, address) -> DeviceState | None:
        """Admit nobody."""
        return None


@attrs.frozen
class Claims:
    """Something that claims names."""

    title: str
    names: Sequence[str]


@pytest.fixture
def log() -> list[LogEvent]:
    """What is logged during the test."""
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def test_our_record_handlers_are_found() -> None:
    """The tables of the protocol are taken by these handlers, and no table by two."""
    handlers = load(sound_plugins(ICapability)).handlers
    tables = {handler.name: [table.name for table in handler.tables] for handler in handlers}
    taken = [name for names in tables.values() for name in names]
    assert len(taken) == len(set(taken))
    assert (
        tables.items()
        >= {
            "attendance": ["ATTLOG", "ATTPHOTO"],
            "device": ["options", "INFO"],
            "logs": ["OPLOG", "ERRORLOG", "IDCARD"],
            "people": ["USER", "FP", "FACE", "FVEIN", "BIODATA", "USERPIC", "BIOPHOTO"],
            "entries": [
                *("WORKCODE", "SMS", "USER_SMS", "Blacklist", "WHITELIST", "ADPIC", "WALLPAPER"),
            ],
        }.items()
    )


def test_our_stores_are_found() -> None:
    """SQLite is a plugin like every other store."""
    schemes = [scheme for factory in sound_plugins(IStoreFactory) for scheme in factory.schemes]
    assert "sqlite" in schemes


def test_our_admission_policies_are_found() -> None:
    """Every value of --admission is a plugin of that name."""
    policies = sound_plugins(IAdmissionPolicy)
    assert {policy.name: policy.admit("T1", None, None) for policy in policies} == {
        "approve": DeviceState.PENDING,
        "open": DeviceState.APPROVED,
        "closed": None,
    }


def test_our_verifier_is_found() -> None:
    """The default of `verifier` is a plugin like every other one."""
    assert [verifier.name for verifier in sound_plugins(IVerifier)] == ["known"]


@pytest.mark.parametrize(
    ("broken", "reason"), [(Broken(), "admit"), (Failing(), "the name is not configured")]
)
def test_a_broken_plugin_is_left_out(log: list[LogEvent], broken: object, reason: str) -> None:
    """A plugin that lacks something, or fails when it is looked at, costs only itself."""
    assert sound_plugins(IAdmissionPolicy, [APPROVE, broken, OPEN]) == [APPROVE, OPEN]
    (event,) = log
    assert event["log_level"].name == "error"
    assert event["plugin"] is broken
    assert reason in event["error"]


def test_sound_plugins_are_not_reported(log: list[LogEvent]) -> None:
    """Nothing is said of plugins that are as they should be."""
    assert sound_plugins(IAdmissionPolicy, [CLOSED]) == [CLOSED]
    assert log == []


def test_claims_lead_to_their_plugin() -> None:
    """A plugin may claim several names, and one of them more than once."""
    one, other = Claims("one", ["a", "b", "a"]), Claims("other", ["c"])
    assert by_claim([one, other], lambda plugin: plugin.names) == {"a": one, "b": one, "c": other}
    assert by_claim([], lambda plugin: plugin.names) == {}


def test_two_claims_on_one_name_are_refused() -> None:
    """Who claims what somebody else has is told, by the names of both."""
    one, other = Claims("one", ["a", "b"]), Claims("other", ["c", "b"])
    with pytest.raises(PluginConflict) as refused:
        by_claim([one, other], lambda plugin: plugin.names)
    assert str(refused.value) == (f"two plugins claim b: {one!r} and {other!r}; remove one of them")


def test_folders_are_read_once(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """Whatever is sought; another folder is read, too, with all others."""
    reads: list[object] = []
    read = discovery.getCache
    monkeypatch.setattr(discovery, "getCache", lambda where: reads.append(where) or read(where))
    folders = [*twisted.plugins.__path__, str(tmp_path)]
    monkeypatch.setattr(twisted.plugins, "__path__", folders)
    assert sound_plugins(IAdmissionPolicy)
    assert sound_plugins(IVerifier)
    assert failed_modules() == []
    assert len(reads) == 1


def found_from(folder: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """The names of the policies that a process finds with a folder on its path."""
    return subprocess.run(
        [sys.executable, "-c", NAMES],
        env={**os.environ, "PYTHONPATH": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


def test_plugins_of_others_are_found_in_their_folder(tmp_path: pathlib.Path) -> None:
    """A module in `twisted/plugins` of any folder on the path is found; one that fails is not."""
    folder = tmp_path / "twisted" / "plugins"
    folder.mkdir(parents=True)
    (folder / "office_hours.py").write_text(THEIRS)
    (folder / "not_python.py").write_text("def")
    found = found_from(tmp_path)
    assert found.stdout == "approve closed office-hours open\n"
