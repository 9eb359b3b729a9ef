"""Tokens that are limited to areas see and change nothing of other areas, on every route."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest_twisted

from zkpush.protocol.fields import Scope

from ..rig import Rig

MINE, OTHER = "NORTH1", "SOUTHNEEDLE"
NEEDLES = (b"SOUTHNEEDLE", b"Needlename", b"887766", b"needle-alias", b"South", b"99177")
"""Text of the other area: serial number, name, card, alias, area and user ID."""
OPEN = {
    "GET /commands",
    "GET /commands/catalogue",
    "GET /devices",
    "GET /devices/{sn}",
    "GET /devices/{sn}/commands",
    "POST /devices/{sn}/door",
    "POST /devices/{sn}/reboot",
    "POST /devices/{sn}/resend",
    "PUT /devices/{sn}/users/{pin}",
    "DELETE /devices/{sn}/users/{pin}",
    "GET /attendance",
    "GET /photos",
    "GET /operations",
    "GET /errors",
    "GET /idcards",
    "GET /openapi.json",
    "GET /users",
    "GET /users/{pin}",
}
"""Routes that say how they are limited; all others are refused."""
BODIES: Mapping[str, object] = {
    "POST /devices/{sn}/door": {},
    "POST /devices/{sn}/resend": {"table": "ATTLOG"},
}
CSV, NDJSON = "Accept: text/csv", "Accept: application/x-ndjson"


async def plant(rig: Rig) -> list[str]:
    """Fill two areas, and one person who is in both; the headers of a token for the first."""
    for sn, area, pin, name, card in (
        (OTHER, "South", "99177", "Needlename", "887766"),
        (MINE, "North", "1", "Ann", "11"),
    ):
        await rig.api("PUT", f"/devices/{sn}", {"state": "approved", "area": area})
        await rig.exchange(sn)
        rows = f"USER PIN={pin}\tName={name}\tCard={card}\nUSER PIN=5\tName=Both\n"
        rows += f"FP PIN={pin}\tFID=1\tSize=4\tValid=1\tTMP=b25l\n"
        rows += f"OPLOG 4\t0\t2026-03-01 08:00:00\t{pin}\t0\t0\t0\n"
        await rig.post(f"cdata?SN={sn}&table=OPERLOG&Stamp=1", rows.encode())
        punch = f"{pin}\t2026-03-01 08:00:00\t0\t1\n".encode()
        await rig.post(f"cdata?SN={sn}&table=ATTLOG&Stamp=1", punch)
        photo = f"PIN=20260301080000-{pin}.jpg\nSN={sn}\nsize=3\nCMD=uploadphoto\0".encode()
        await rig.post(f"cdata?SN={sn}&table=ATTPHOTO&Stamp=1", photo + b"\xff\xd8\xff")
        await rig.post(f"cdata?SN={sn}&table=ERRORLOG&Stamp=1", b"ERRORLOG ErrCode=1\tErrMsg=x\n")
        body = {"command": "DATA UPDATE USERINFO", "params": {"PIN": pin, "Name": name}}
        await rig.api("POST", f"/devices/{sn}/commands", body)
    await rig.api("PATCH", f"/devices/{OTHER}", {"alias": "needle-alias"})
    await rig.api("PUT", "/users/5", {"areas": ["North", "South"]})
    scopes = [scope.value for scope in Scope]
    body = {"name": "north", "scopes": scopes, "areas": ["North"]}
    made = await rig.api("POST", "/tokens", body)
    assert (made.status, made.json["areas"]) == (201, ["North"])
    return [f"Authorization: Bearer {made.json['token']}"]


async def operations(rig: Rig) -> list[tuple[str, dict[str, Any]]]:
    """All routes that need a token, with their descriptions."""
    paths = (await rig.api("GET", "/openapi.json")).json["paths"]
    return [
        (f"{method.upper()} {path.removeprefix('/api/v1')}", described)
        for path, methods in paths.items()
        for method, described in methods.items()
        if described["security"]
    ]


def filled(path: str, sn: str, pin: str) -> str:
    """Fill the variables of a path."""
    values = {"sn": sn, "pin": pin, "name": "South", "id": "1"}
    return re.sub(r"{(\w+)}", lambda name: values.get(name[1], "1"), path)


@pytest_twisted.ensureDeferred
async def test_no_route_shows_anything_of_another_area(rig: Rig) -> None:
    """Each is refused, or limited: neither its reply nor its error has what the other area has."""
    headers = await plant(rig)
    found = set()
    for name, described in await operations(rig):
        method, path = name.split()
        queries = [""]
        if method == "GET":
            names = {one["name"] for one in described["parameters"] if one["in"] == "query"}
            some = ("device=SOUTHNEEDLE", "pin=99177", "order=desc", "limit=1", "retired=true")
            queries += [f"?{one}" for one in some if one.partition("=")[0] in names]
        for accept in ([], [CSV], [NDJSON]):
            for sn, pin in ((MINE, "1"), (MINE, "5"), (OTHER, "99177"), (MINE, "99177")):
                for query in queries:
                    target = filled(path, sn, pin) + query
                    reply = await rig.api(
                        method, target, BODIES.get(name), headers=[*headers, *accept]
                    )
                    assert reply.status < 500, (name, reply.raw)
                    if reply.status != 403:
                        found.add(name)
                    hidden = [n for n in NEEDLES if n in reply.raw and n.decode() not in target]
                    assert hidden == [], (name, target, reply.raw)
            if method != "GET":
                break
    assert found == OPEN


@pytest_twisted.ensureDeferred
async def test_a_new_route_is_refused_until_it_says_how_it_is_limited(rig: Rig) -> None:
    """Every route that is not among the limited ones is 403, before its body is read."""
    headers = await plant(rig)
    for name, _ in await operations(rig):
        if name in OPEN:
            continue
        method, path = name.split()
        for sn, pin in ((MINE, "1"), (OTHER, "99177")):
            reply = await rig.api(method, filled(path, sn, pin), b"x" * 9, headers=headers)
            assert reply.status == 403, (name, reply.raw)
            assert "limited to areas" in reply.json["detail"]


@pytest_twisted.ensureDeferred
async def test_what_is_of_the_area_is_seen_and_changed(rig: Rig) -> None:
    """Lists have the items of the area, whole and in parts; terminals and people can be used."""
    headers = await plant(rig)

    async def items(path: str) -> list[dict[str, Any]]:
        reply = await rig.api("GET", path, headers=headers)
        assert reply.status == 200, reply.raw
        return list(reply.json["items"])

    assert [one["sn"] for one in await items("/devices")] == [MINE]
    assert [(one["pin"], one["areas"]) for one in await items("/users")] == [
        ("5", ["North"]),
        ("1", ["North"]),
    ]
    for path in ("/attendance", "/photos", "/operations", "/errors", "/commands"):
        for query in ("", "?order=desc", "?limit=1", f"?device={MINE}"):
            assert [one["device"] for one in await items(path + query)] == [MINE], path
    for accept in (CSV, NDJSON):
        reply = await rig.api("GET", "/attendance", headers=[*headers, accept])
        assert reply.body.count(b"\n") == (2 if accept == CSV else 1)
        assert MINE.encode() in reply.body
    for place in ("/users/1", "/users/5", f"/devices/{MINE}"):
        assert (await rig.api("GET", place, headers=headers)).status == 200
    put = await rig.api("PUT", f"/devices/{MINE}/users/5", headers=headers)
    assert put.status == 202
    assert (await rig.api("POST", f"/devices/{MINE}/reboot", headers=headers)).status == 202


@pytest_twisted.ensureDeferred
async def test_another_area_is_as_if_it_were_not(rig: Rig) -> None:
    """A terminal or person of another area is answered like one that does not exist."""
    headers = await plant(rig)

    async def told(method: str, path: str) -> tuple[int, str]:
        reply = await rig.api(method, path, headers=headers)
        return reply.status, reply.json["detail"].replace("SOUTHNEEDLE", "NONE1").replace(
            "99177", "404"
        )

    for method, theirs, none in (
        ("GET", f"/devices/{OTHER}", "/devices/NONE1"),
        ("POST", f"/devices/{OTHER}/reboot", "/devices/NONE1/reboot"),
        ("GET", "/users/99177", "/users/404"),
        ("PUT", f"/devices/{MINE}/users/99177", f"/devices/{MINE}/users/404"),
        ("GET", f"/attendance?device={OTHER}", "/attendance?device=NONE1"),
        ("GET", f"/attendance?device={OTHER}&x=1", "/attendance?device=NONE1&x=1"),
        ("GET", f"/devices/{OTHER}/commands", "/devices/NONE1/commands"),
    ):
        assert await told(method, theirs) == await told(method, none)
    assert await rig.items(f"/devices/{OTHER}/commands") != []


@pytest_twisted.ensureDeferred
async def test_who_moves_out_of_the_area_is_gone_at_once(rig: Rig) -> None:
    """The present area decides, and a terminal without one is in the area `default`."""
    headers = await plant(rig)
    await rig.api("PATCH", f"/devices/{MINE}", {"area": None})
    assert (await rig.api("GET", f"/devices/{MINE}", headers=headers)).status == 404
    assert (await rig.api("GET", "/attendance", headers=headers)).json["items"] == []
    body = {"name": "rest", "scopes": ["read"], "areas": ["default"]}
    token = (await rig.api("POST", "/tokens", body)).json["token"]
    rest = [f"Authorization: Bearer {token}"]
    assert (await rig.api("GET", f"/devices/{MINE}", headers=rest)).status == 200
