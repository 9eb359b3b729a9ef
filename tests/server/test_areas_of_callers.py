"""Areas to which callers, forwarders and lists are limited: one that does not exist is refused."""

from __future__ import annotations

import pytest
import pytest_twisted

from ..rig import TOKEN, Rig

ALL = [f"Authorization: Bearer {TOKEN}"]
NEW = {
    "/tokens": {"name": "limited", "scopes": ["read"]},
    "/accounts": {"name": "limited", "scopes": ["read"]},
    "/forwarders": {"name": "limited", "kind": "webhook", "url": "https://example.org/"},
}


def limited(path: str, area: str) -> dict[str, object]:
    """The request that adds something limited to an area."""
    limit = {"rules": {"areas": [area]}} if path == "/forwarders" else {"areas": [area]}
    return {**NEW[path], **limit}


@pytest.mark.parametrize("path", NEW)
@pytest_twisted.ensureDeferred
async def test_an_area_that_does_not_exist_is_refused(rig: Rig, path: str) -> None:
    """It would see or send nothing, and nobody would know why; also when it is changed."""
    await rig.api("PUT", "/areas/Warehouse", {"description": "The hall"})
    refused = await rig.api("POST", path, limited(path, "Warehuose"))
    assert refused.status == 400
    assert refused.json["detail"] == (
        "areas: There is no area 'Warehuose'; did you mean Warehouse? If it is a new one, add it "
        "first: `zkpush areas put Warehuose`."
    )
    refused = await rig.api("POST", path, limited(path, "Gate 7"))
    assert refused.json["detail"] == (
        "areas: There is no area 'Gate 7'. Add it first: `zkpush areas put 'Gate 7'`."
    )
    assert await rig.items(path) == [one for one in await rig.items(path) if "admin" in str(one)]
    added = await rig.api("POST", path, limited(path, "Warehouse"))
    assert added.status == 201, added.raw
    if path != "/tokens":  # they are not changed
        key = added.json["id"] if path == "/forwarders" else "limited"
        change = limited(path, "Warehuose")
        change = {name: change[name] for name in ("areas", "rules") if name in change}
        assert (await rig.api("PATCH", f"{path}/{key}", change)).status == 400
        await rig.api("DELETE", "/areas/Warehouse")
        change = limited(path, "Warehouse")
        change = {name: change[name] for name in ("areas", "rules") if name in change}
        assert (await rig.api("PATCH", f"{path}/{key}", change)).status == 200, "it has it already"


@pytest.mark.parametrize("path", ["/attendance", "/users"])
@pytest_twisted.ensureDeferred
async def test_a_list_of_an_area_that_does_not_exist_is_refused(rig: Rig, path: str) -> None:
    """In each form; callers who are limited to areas learn only their own."""
    for area in ("Warehouse", "Gate"):
        await rig.api("PUT", f"/areas/{area}", {})
    for form in ("application/json", "text/csv"):
        refused = await rig.api("GET", f"{path}?area=Warehuose", headers=[*ALL, f"Accept: {form}"])
        assert refused.status == 400
        assert refused.json["detail"].startswith(
            "area: There is no area 'Warehuose'; did you mean Warehouse? "
        )
    assert await rig.items(f"{path}?area=Warehouse") == []
    body = {"name": "limited", "scopes": ["read"], "areas": ["Gate"]}
    mine = [f"Authorization: Bearer {(await rig.api('POST', '/tokens', body)).json['token']}"]
    assert (await rig.api("GET", f"{path}?area=Gate", headers=mine)).json["items"] == []
    details = {
        (await rig.api("GET", f"{path}?area={area}", headers=mine)).json["detail"].split("'")[2]
        for area in ("Warehouse", "Warehuose")
    }
    assert details == {" is not one of your areas, which are Gate."}
