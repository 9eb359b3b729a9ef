"""Commands and parameters that a site defines in its configuration."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from zkpush.config import ConfigError
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
