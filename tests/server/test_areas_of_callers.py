"""Areas to which callers and forwarders are limited: a mistyped name is refused."""

from __future__ import annotations

import pytest
import pytest_twisted

from ..rig import Rig

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
async def test_a_mistyped_area_is_refused_and_a_new_one_is_not(rig: Rig, path: str) -> None:
    """It would see or send nothing, and nobody would know why; also when it is changed."""
    await rig.api("PUT", "/areas/Warehouse", {"description": "The hall"})
    refused = await rig.api("POST", path, limited(path, "Warehuose"))
    assert refused.status == 400
    assert "There is no area 'Warehuose'; did you mean Warehouse?" in refused.json["detail"]
    assert await rig.items(path) == [one for one in await rig.items(path) if "admin" in str(one)]
    added = await rig.api("POST", path, limited(path, "Gate"))
    assert added.status == 201, added.raw
    if path != "/tokens":  # they are not changed
        key = added.json["id"] if path == "/forwarders" else "limited"
        change = limited(path, "Warehuose")
        change = {name: change[name] for name in ("areas", "rules") if name in change}
        assert (await rig.api("PATCH", f"{path}/{key}", change)).status == 400
