"""Commands and parameters that a site defines in its configuration."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
import pytest_twisted

from zkpush.config import ConfigError
from zkpush.maintenance import forget_templates
from zkpush.protocol.fields import Scope

from ..rig import Rig
from .files import order
from .test_effects import answered, shown

VOLUME = {
    "name": "SET VOLUME",
    "meaning": "Set the volume of the loudspeaker",
    "scope": "write",
    "parameters": [
        {
            "name": "Level",
            "meaning": "0 to 9",
            "kind": "integer",
            "required": True,
            "minimum": 0,
            "maximum": 9,
            "secret": "none",
        },
        {"name": "Code", "meaning": "Code of the installer"},
    ],
}
EMAIL = {"command": "DATA UPDATE USERINFO", "name": "Email", "meaning": "Address"}


async def refused(rig: Rig, name: str, **params: str) -> str:
    """The reason for which a command is not queued."""
    request = {"command": name, "params": params}
    reply = await rig.api("POST", "/devices/T1/commands", request)
    assert reply.status == 400, reply.raw
    return reply.json["detail"]


@pytest_twisted.ensureDeferred
async def test_a_site_defined_command_is_a_command(make_rig) -> None:
    """It is in the catalogue, is checked, sent and answered, and keeps its secrets."""
    rig = await make_rig(commands={"site": [VOLUME]})
    await rig.exchange()
    catalogue = (await rig.api("GET", "/commands/catalogue")).json["items"]
    (found,) = [one for one in catalogue if one["command"] == "SET VOLUME"]
    assert [one["name"] for one in found["params"]] == ["Level", "Code"]
    assert "10 is more than 9" in await refused(rig, "SET VOLUME", Level="10")
    assert "needs Level" in await refused(rig, "SET VOLUME")
    command = await order(rig, "SET VOLUME", Level="5", Code="s3cret")
    line = (await rig.get("getrequest?SN=T1")).body.decode()
    assert line == f"C:{command}:SET VOLUME Level=5\tCode=s3cret\n"
    await answered(rig, f"ID={command}&Return=0&CMD=SET VOLUME".encode())
    ended = await shown(rig, command)
    assert (ended["state"], ended["params"]["Code"]) == ("done", "s3cret")
    token = await rig.token("clerk", Scope.READ, Scope.WRITE)
    bearer = [f"Authorization: Bearer {token}"]
    seen = (await rig.api("GET", f"/commands/{command}", headers=bearer)).json
    assert seen["params"] == {"Level": "5", "Code": None}


@pytest_twisted.ensureDeferred
async def test_a_parameter_that_a_site_adds(make_rig) -> None:
    """It is sent behind those of the catalogue."""
    rig = await make_rig(commands={"site_parameters": [EMAIL]})
    await rig.exchange()
    command = await order(rig, "DATA UPDATE USERINFO", PIN="7", Email="ann@example.com")
    line = (await rig.get("getrequest?SN=T1")).body.decode()
    assert line == f"C:{command}:DATA UPDATE USERINFO PIN=7\tEmail=ann@example.com\n"
    await answered(rig, f"ID={command}&Return=0&CMD=DATA".encode())
    assert (await rig.api("GET", "/users/7")).status == 200


@pytest.mark.parametrize(
    ("commands", "mistake"),
    [
        ({"site": [{**VOLUME, "name": "reboot"}]}, "there is a command reboot already"),
        ({"site_parameters": [{**EMAIL, "command": "DATA UPDATE X"}]}, "is not a command"),
        ({"site_parameters": [{**EMAIL, "name": "pin"}]}, "has a parameter pin already"),
        ({"site_parameters": [{**EMAIL, "pattern": "("}]}, "the pattern of Email"),
        ({"site": [{**VOLUME, "name": "A\tB"}]}, "commands.site"),
        ({"site": [{**VOLUME, "colour": "red"}]}, "commands.site"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_mistake_in_the_definition_is_told_at_the_start(
    make_rig, commands: dict[str, Any], mistake: str
) -> None:
    """The daemon does not start, and names the key."""
    with pytest.raises((ValueError, ConfigError), match=mistake):
        await make_rig(commands=commands)


TEMPLATE = "QUJD" * 8
"""Base64 that is shorter than any template: found by its parameter, and not by its length."""
LONG = "QUJD" * 16
"""Base64 as long as a template."""
VEIN = {
    "name": "SET VEIN",
    "meaning": "Store a vein",
    "parameters": [
        {"name": "Vein", "meaning": "A template", "kind": "base64"},
        {"name": "Words", "meaning": "Any text"},
    ],
}
PALM = {
    "command": "DATA UPDATE USERPIC",
    "name": "Palm",
    "meaning": "A template",
    "kind": "base64",
}
SITE = {"site": [VEIN], "site_parameters": [EMAIL, PALM]}
WITH_TEMPLATES = [
    ("SET VEIN", {"Vein": TEMPLATE}),
    ("DATA UPDATE USERPIC", {"PIN": "7", "Content": TEMPLATE, "Palm": TEMPLATE}),
]
"""Commands with a template in a parameter that the site defines."""
WITHOUT = [
    ("SET VEIN", {"Words": LONG}),
    ("DATA UPDATE USERPIC", {"PIN": "8", "Content": TEMPLATE}),
    ("DATA UPDATE USERINFO", {"PIN": "7", "Email": "ann@example.com"}),
    ("RAW", {"line": "DATA UPDATE USERINFO PIN=7\tName=Ann"}),
]


@pytest_twisted.ensureDeferred
async def test_a_server_without_templates_refuses_those_of_the_site(make_rig) -> None:
    """A base64 parameter that the site defines counts as a template."""
    rig = await make_rig(commands=SITE, privacy={"templates": False})
    await rig.exchange()
    for name, params in WITH_TEMPLATES:
        assert "templates are switched off" in await refused(rig, name, **params)
    *declared, (name, params) = WITHOUT
    assert "templates are switched off" in await refused(rig, name, **params)  # RAW
    for name, params in declared:
        await order(rig, name, **params)


async def kept(rig: Rig, commands: dict[str, str]) -> dict[str, tuple[str, bool]]:
    """State of each command, and whether its parameters are still there."""
    seen = {name: await shown(rig, command) for name, command in commands.items()}
    return {name: (one["state"], bool(one["params"])) for name, one in seen.items()}


@pytest_twisted.ensureDeferred
async def test_templates_in_commands_of_the_site_are_forgotten(
    make_rig, tmp_path: pathlib.Path
) -> None:
    """In queued commands, ended ones and jobs, and in lines and parameters without declaration."""
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    old = {**VEIN, "name": "OLD VEIN"}
    rig = await make_rig(database=url, commands={**SITE, "site": [VEIN, old]})
    await rig.exchange()
    found = {}
    for number, (name, params) in enumerate([*WITH_TEMPLATES, *WITHOUT]):
        found[f"{name} {number}"] = await order(rig, name, **params)
    found["OLD VEIN"] = await order(rig, "OLD VEIN", Vein=LONG)
    found["OLD WORDS"] = await order(rig, "OLD VEIN", Words="A few words")
    line = f"DATA UPDATE FINGERTMP PIN=7\tFID=1\tTMP={TEMPLATE}"
    found["RAW"] = await order(rig, "RAW", line=line)
    await answered(rig, f"ID={found['SET VEIN 0']}&Return=0&CMD=X".encode())
    commands = [{"command": "SET VEIN", "params": {"Vein": TEMPLATE}}]
    body = {"devices": ["T1"], "commands": commands, "window": {"begin": "02:00", "end": "04:00"}}
    job = (await rig.api("POST", "/commands", body)).json
    assert job["counts"]["waiting"] == 1
    await rig.stop()
    config = tmp_path / "zkpush.toml"
    parameters = "[" + ", ".join(inline(one) for one in (EMAIL, PALM)) + "]"
    config.write_text(f"[commands]\nsite = [{inline(VEIN)}]\nsite_parameters = {parameters}\n")
    forget_templates(tmp_path, config, url)
    rig = await make_rig(database=url, commands=SITE)
    assert await kept(rig, found) == {
        "SET VEIN 0": ("done", False),
        "DATA UPDATE USERPIC 1": ("cancelled", False),
        "SET VEIN 2": ("queued", True),
        "DATA UPDATE USERPIC 3": ("queued", True),
        "DATA UPDATE USERINFO 4": ("queued", True),
        "RAW 5": ("queued", True),
        "OLD VEIN": ("cancelled", False),
        "OLD WORDS": ("queued", True),
        "RAW": ("cancelled", False),
    }
    ended = (await rig.api("GET", f"/jobs/{job['id']}")).json
    assert (ended["counts"]["waiting"], ended["counts"]["cancelled"]) == (0, 1)


def inline(value: object) -> str:
    """A value as TOML in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {inline(one)}" for name, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return json.dumps(value)
