"""Origins of settings: where the value of each key of the configuration comes from."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

import attrs

KEY_FILE, KEY_FILE_MODE = "ZKPUSH_KEY_FILE", "ZKPUSH_KEY_FILE_MODE"
VARIABLES = (KEY_FILE, KEY_FILE_MODE)
"""Environment variables that are settings."""


class SettingOrigin(StrEnum):
    """Where a setting comes from."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> SettingOrigin:
        """Declare an origin with its meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    DEFAULT = "default", "Not set: the default"
    FILE = "file", "Set in the configuration file"
    COMMAND_LINE = "command_line", "Set on the command line of the daemon"
    ENVIRONMENT = "environment", "Set by an environment variable"
    MACHINE = "machine", "Not set: taken from this machine"


@attrs.frozen
class SettingOrigins:
    """Where settings come from; keys of sections have a dot, as in `limits.body_bytes`."""

    file: Path | None = None
    """The configuration file."""
    in_file: frozenset[str] = frozenset()
    """Keys that it sets."""
    flags: frozenset[str] = frozenset()
    """Keys that the command line sets."""
    machine: frozenset[str] = frozenset()
    """Keys without a value, which is taken from this machine."""
    environment: Mapping[str, str] = attrs.field(factory=dict)
    """Values of `VARIABLES`."""

    @classmethod
    def of(
        cls,
        file: Path | None,
        flags: Mapping[str, object],
        machine: frozenset[str],
        environment: Mapping[str, str],
    ) -> SettingOrigins:
        """Find the origins of a configuration that was loaded from the same file and flags."""
        values = {} if file is None else tomllib.loads(file.read_text(encoding="utf-8"))
        given = {name: environment[name] for name in VARIABLES if environment.get(name)}
        return cls(file, frozenset(_keys(values, "")), frozenset(flags), machine, given)

    def origin(self, key: str) -> SettingOrigin:
        """Return where the value of a key comes from."""
        if key in self.flags:
            return SettingOrigin.COMMAND_LINE
        if key in self.in_file:
            return SettingOrigin.FILE
        if key in self.environment:
            return SettingOrigin.ENVIRONMENT
        return SettingOrigin.MACHINE if key in self.machine else SettingOrigin.DEFAULT


def _keys(values: Mapping[str, object], prefix: str) -> Iterator[str]:
    for name, value in values.items():
        yield f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _keys(value, f"{prefix}{name}.")


NO_ORIGINS = SettingOrigins()
"""Every setting has its default."""
