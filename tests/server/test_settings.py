"""The settings in force: values, defaults and where each comes from."""

from __future__ import annotations

import pathlib
from typing import Any

import msgspec
import pytest_twisted

from zkpush import config
from zkpush.config import Config
from zkpush.handlers.settings.model import settings_in_force
from zkpush.origins import NO_ORIGINS, SettingOrigin, SettingOrigins
from zkpush.phrases import in_english

from ..rig import Rig

TOML = """
timezone = "Europe/Madrid"
admission = "open"
[limits]
body_bytes = 2000
[options]
Delay = 5
"""


def loaded(folder: pathlib.Path, text: str, **flags: object) -> tuple[Config, SettingOrigins]:
    """A configuration, and its origins."""
    file = folder / "zkpush.toml"
    file.write_text(text)
    given = {"data": folder, **flags}
    settings = config.load(file, given, lambda endpoint: endpoint)
    return settings, SettingOrigins.of(file, given, frozenset(), {"ZKPUSH_KEY_FILE": "/etc/key"})


def listed(settings: Config, origins: SettingOrigins) -> dict[str, Any]:
    """The settings by their keys."""
    return {one.key: one for one in settings_in_force(settings, origins)}


def test_each_value_has_its_origin(tmp_path: pathlib.Path) -> None:
    """The command line goes before the file; a table of the file sets its own keys only."""
    found = listed(*loaded(tmp_path, TOML, admission="closed"))
    origins = {
        "data": SettingOrigin.COMMAND_LINE,
        "admission": SettingOrigin.COMMAND_LINE,
        "timezone": SettingOrigin.FILE,
        "limits.body_bytes": SettingOrigin.FILE,
        "limits.head_bytes": SettingOrigin.DEFAULT,
        "options": SettingOrigin.FILE,
        "ZKPUSH_KEY_FILE": SettingOrigin.ENVIRONMENT,
        "ZKPUSH_KEY_FILE_MODE": SettingOrigin.DEFAULT,
    }
    assert {key: found[key].origin for key in origins} == origins
    assert found["admission"].value == "closed"
    assert found["options"].value == {"Delay": 5}
    assert (found["limits.body_bytes"].value, found["limits.body_bytes"].default) == (
        2000,
        67108864,
    )
    assert found["ZKPUSH_KEY_FILE"].value == "/etc/key"
    assert all(one.meaning and one.origin_meaning for one in found.values())


def test_every_key_of_the_configuration_is_listed(tmp_path: pathlib.Path) -> None:
    """Once, in the order of the manual; every value can be written as JSON."""
    settings, origins = loaded(tmp_path, "")
    keys = [one.key for one in settings_in_force(settings, origins)]
    assert len(keys) == len(set(keys))
    manual = [
        line.split("`")[1]
        for line in pathlib.Path("docs/configuration.md").read_text().splitlines()
        if line.startswith("| `")
    ]
    own = [key for key in manual if key.partition(".")[0] in Config.__struct_fields__]
    assert own
    assert [key for key in own if key not in keys] == []
    msgspec.json.encode(settings_in_force(settings, origins), enc_hook=in_english)


def test_secrets_are_not_shown(tmp_path: pathlib.Path) -> None:
    """Passwords of URLs, and texts of other packages."""

    class Foreign(msgspec.Struct, frozen=True):
        """Settings of a plugin."""

        api_key: str = "hidden-1"
        count: int = 3

    text = TOML + '[foreign]\napi_key = "hidden-2"\n'
    url = "postgresql://zkpush:hidden-3@db.example/hr?password=hidden-4"
    file = tmp_path / "zkpush.toml"
    file.write_text(text)
    given = {"data": tmp_path, "database": url}
    Foreign.__module__ = "visitors.settings"
    settings = config.load(file, given, lambda endpoint: endpoint, sections={"foreign": Foreign})
    found = listed(settings, SettingOrigins.of(file, given, frozenset(), {}))
    whole = msgspec.json.encode([*found.values()], enc_hook=in_english)
    assert b"hidden" not in whole
    assert b"postgresql://zkpush:***@db.example/hr" in whole
    assert found["foreign.api_key"].secret
    assert found["foreign.count"].value == 3


@pytest_twisted.ensureDeferred
async def test_the_api_lists_them(rig: Rig) -> None:
    """For administrators."""
    listing = await rig.items("/settings")
    by_key = {one["key"]: one for one in listing}
    assert by_key["workers"]["value"] == 1
    assert by_key["workers"]["origin"] == "default"
    assert len(listing) == len(settings_in_force(rig.config, NO_ORIGINS))
