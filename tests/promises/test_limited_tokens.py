"""Tokens that are limited to areas see and change nothing of other areas, on every route."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import msgspec
import pytest
import pytest_twisted

from zkpush.manage.limits import WholeSite
from zkpush.manage.routes import Route

from ..rig import Rig
from ..server.sse import Listening
from .limited import MINE, OTHER, Planted, plant, rows_of_the_other, shown

FORMS = ("Accept: text/csv", "Accept: application/x-ndjson")
TRIED: Mapping[str, Sequence[object]] = {
    "PUT /devices/<sn>": [{"alias": "x"}, {"area": "Southside"}],
    "PATCH /devices/<sn>": [{"alias": "x"}, {"area": "Southside"}, {"area": None}],
    "DELETE /devices/<sn>": [None],
    "POST /devices/<sn>/recompute": [{}],
    "POST /devices/<sn>/resend": [{"table": "ATTLOG"}],
    "POST /devices/<sn>/door": [{}],
    "POST /devices/<sn>/reboot": [None],
    "POST /devices/<sn>/repair": [None],
    "POST /devices/<sn>/copy": [{"from": OTHER}],
    "POST /devices/<sn>/replace": [{"by": OTHER}, {"by": OTHER, "has_records": True}],
    "POST /devices/<sn>/retire": [{}],
    "POST /devices/<sn>/commands": [
        {"command": "DATA UPDATE USERINFO", "params": {"PIN": "99177", "Name": "x"}},
        {"command": "DATA DELETE USERINFO", "params": {"PIN": "99177"}},
        {"command": "LOG"},
        {"command": "PutFile", "params": {"Action": "SyncData", "TableName": "USERINFO"}},
        {
            "command": "PutFile",
            "params": {"Action": "SyncData", "TableName": "USERINFO", "People": "99177"},
        },
        {"command": "UPGRADE", "params": {"file": "1"}},
    ],
    "POST /commands": [
        {"command": "INFO", "devices": [OTHER]},
        {"command": "INFO", "devices": [MINE, OTHER]},
        {"command": "INFO", "area": "Southside"},
        {"command": "INFO", "all": True},
        {
            "command": "DATA UPDATE USERINFO",
            "params": {"PIN": "99177", "Name": "x"},
            "all": True,
        },
    ],
    "DELETE /commands/<id>": [None],
    "DELETE /jobs/<id>": [None],
    "POST /jobs/<id>/retry": [{}],
    "POST /attendance/verify": [
        {"devices": [OTHER]},
        {"devices": [MINE, OTHER]},
        {"area": "Southside"},
        {"all": True},
    ],
    "PUT /areas/<name>": [{"description": "x"}, {"distributes": True}],
    "POST /areas/<name>/repair": [None],
    "PUT /areas/<name>/<table>/<key>": [{"name": "x"}],
    "DELETE /areas/<name>/<table>/<key>": [None],
    "PUT /users/<pin>": [
        {"name": "x"},
        {"areas": ["Southside"]},
        {"areas": ["North"]},
    ],
    "DELETE /users/<pin>": [None],
    "PUT /users/<pin>/photo": [b"\xff\xd8\xff"],
    "DELETE /users/<pin>/photo": [None],
    "POST /users/<pin>/enrol": [{"device": OTHER, "what": "card"}],
    "POST /users/<pin>/send": [{"devices": [OTHER]}, {"devices": [MINE, OTHER]}, {"all": True}],
    "PUT /devices/<sn>/users/<pin>": [None],
    "DELETE /devices/<sn>/users/<pin>": [None],
    "POST /conflicts/<int:id>": [{"keep": "terminal"}],
    "POST /conflicts/punches/<int:id>": [{"owner": "other"}],
    "DELETE /users/<pin>/earlier/<int:id>": [None],
    "DELETE /rejects/<int:id>": [None],
    "POST /rejects/retry": [{"device": OTHER}, {}, {"device": MINE}],
}
"""How a limited caller may try to change the other area, on each route that it may use."""
NAMED = ("sn", "pin", "name", "id", "table", "key")


def routes(rig: Rig) -> list[Route]:
    """All routes that need a token."""
    found: list[Route] = [*rig.manage.pages.api.routes]
    return [route for route in found if route.scope is not None]


def paths(planted: Planted, route: Route) -> list[str]:
    """The path of a route for own things, for those of the other area, and for mixtures."""
    path = re.sub(r"<(?:int:)?(\w+)>", r"{\1}", route.path)
    names = [name for name in NAMED if f"{{{name}}}" in path]
    values = {
        "sn": (MINE, OTHER),
        "pin": ("1", "99177", "5"),
        "name": ("North", "Southside"),
        "table": ("work-codes",),
        "key": ("10",),
        "id": (planted.mine.get(path, "1"), planted.others.get(path, "2")),
    }
    found = [path]
    for name in names:
        found = [one.replace(f"{{{name}}}", text) for one in found for text in values[name]]
    return found


def queries(route: Route) -> list[str]:
    """No query, and those that may reach the other area."""
    names = () if route.query is None else route.query.__struct_fields__
    some = {
        "device": OTHER,
        "pin": "99177",
        "pins": "99177,1",
        "area": "Southside",
        "search": "Needle",
        "order": "desc",
        "limit": "1",
        "retired": "true",
        "history": f"true&device={OTHER}",
    }
    return ["", *(f"?{name}={text}" for name, text in some.items() if name in names)]


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_no_route_shows_or_changes_anything_of_another_area(rig: Rig) -> None:
    """Each is refused, or limited: no reply or error shows the other area, and its rows stay."""
    planted = await plant(rig)
    before = await rows_of_the_other(rig)
    assert sum(map(len, before.values())) > 20
    served, asked = set(), 0
    for route in sorted(routes(rig), key=_ends_something):
        name = f"{route.method} {route.path}"
        if name == "GET /events":
            continue
        bodies: Sequence[object] = [None]
        if route.method != "GET" and not isinstance(route.limited, WholeSite):
            bodies = TRIED[name]
        for path in paths(planted, route):
            for query in queries(route) if route.method == "GET" else [""]:
                for body in bodies:
                    for form in ("", *route.forms):
                        reply = await planted.ask(
                            route.method, path + query, body, *([f"Accept: {form}"] if form else [])
                        )
                        asked += 1
                        assert reply.status < 500, (name, path, reply.raw)
                        if isinstance(route.limited, WholeSite):
                            assert reply.status == 403, name
                            assert route.limited.why in reply.json["detail"]
                        elif reply.status < 300:
                            served.add(name)
                        text = f"{path}{query}{msgspec.json.encode(body).decode()}"
                        assert shown(reply.raw, text) == [], (name, text, reply.raw)
                        if shown(reply.raw):
                            assert reply.status >= 400, (name, text, reply.raw)
    assert asked > 400
    after = await rows_of_the_other(rig)
    for table, rows in before.items():
        assert after[table] == rows, table
    assert TRIED.keys() - served <= NEVER_SERVED


def _ends_something(route: Route) -> int:
    """Order routes such that those which end something come after those which need it."""
    methods = ("GET", "POST", "PATCH", "PUT", "DELETE")
    ends = ("POST /devices/<sn>/retire", "DELETE /users/<pin>")
    is_end = f"{route.method} {route.path}" in ends
    return len(methods) if is_end else methods.index(route.method)


NEVER_SERVED = {
    "PUT /users/<pin>/photo",
    "DELETE /users/<pin>/photo",
    "POST /areas/<name>/repair",
    "POST /devices/<sn>/repair",
    "POST /devices/<sn>/copy",
    "POST /devices/<sn>/replace",
    "POST /users/<pin>/enrol",
    "DELETE /devices/<sn>",
}
"""Routes that have nothing to do here, or only with the other area."""


@pytest_twisted.ensureDeferred
async def test_an_area_of_one_s_own_is_repaired(rig: Rig) -> None:
    """Once it distributes; another area is not there."""
    planted = await plant(rig)
    for area in ("North", "Southside"):
        assert (await rig.api("PUT", f"/areas/{area}", {"distributes": True})).status == 200
    statuses = [
        (await planted.ask("POST", f"/areas/{area}/repair")).status
        for area in ("North", "Southside", "Nowhere")
    ]
    assert statuses[0] in (200, 202)
    assert statuses[1] == statuses[2] == 404


@pytest_twisted.ensureDeferred
async def test_a_new_route_is_refused_until_it_says_how_it_is_limited(rig: Rig) -> None:
    """All routes say it; one that does not is 403 to limited callers, before its body is read."""
    planted = await plant(rig)
    found = rig.manage.pages.api.routes
    assert [one.rule for one in found if one.limited is None and one.scope is not None] == []
    found[:] = [attrs.evolve(one, limited=None) for one in found]
    for route in routes(rig):
        reply = await planted.ask(route.method, paths(planted, route)[0], b"x" * 9)
        assert reply.status == 403, (route.rule, reply.raw)
        assert "limited to areas" in reply.json["detail"]


@pytest_twisted.ensureDeferred
async def test_what_is_of_the_area_is_seen_and_changed(rig: Rig) -> None:
    """Lists have the items of the area, whole and in parts; terminals and people can be used."""
    planted = await plant(rig)

    async def items(path: str) -> list[dict[str, Any]]:
        reply = await planted.ask("GET", path)
        assert reply.status == 200, reply.raw
        return list(reply.json["items"])

    assert [one["sn"] for one in await items("/devices")] == [MINE]
    assert [one["name"] for one in await items("/areas")] == ["North"]
    assert sorted((one["pin"], *one["areas"]) for one in await items("/users")) == [
        ("1", "North"),
        ("5", "North"),
    ]
    for path in (
        "/attendance",
        "/photos",
        "/operations",
        "/errors",
        "/rejects",
        "/conflicts",
        "/attendance/verify",
    ):
        for query in ("", "?order=desc", "?limit=1", *([f"?device={MINE}"] * (path[1] != "c"))):
            assert {one["device"] for one in await items(path + query)} == {MINE}, path + query
    assert {one["device"] for one in await items("/commands")} == {MINE}
    (job,) = await items("/jobs")
    assert job["id"] == planted.mine["/jobs/{id}"]
    reply = await planted.ask("GET", "/attendance", None, FORMS[0])
    assert reply.body.count(b"\n") == 2
    assert MINE.encode() in reply.body
    for place in ("/users/1", "/users/5", f"/devices/{MINE}", "/areas/North", "/users/5/history"):
        assert (await planted.ask("GET", place)).status == 200, place
    for method, place, body in (
        ("PUT", f"/devices/{MINE}/users/5", None),
        ("POST", f"/devices/{MINE}/reboot", None),
        ("POST", "/commands", {"command": "INFO", "all": True}),
        ("PUT", "/areas/North", {"description": "The north"}),
        ("PUT", "/users/5", {"name": "Of both"}),
        ("PATCH", f"/devices/{MINE}", {"alias": "Gate"}),
    ):
        reply = await planted.ask(method, place, body)
        assert reply.status in (200, 202), (place, reply.raw)


@pytest_twisted.ensureDeferred
async def test_pages_of_a_limited_list_are_as_long_as_any(rig: Rig) -> None:
    """Cursors lead through all rows of the area, and pages are full."""
    planted = await plant(rig)
    for second in range(20):
        for sn, pin in ((OTHER, "99177"), (MINE, "1")):
            line = f"{pin}\t2026-03-02 08:00:{second:02}\t0\t1\n".encode()
            await rig.post(f"cdata?SN={sn}&table=ATTLOG&Stamp=3", line)
    for order in ("asc", "desc"):
        found, query = [], f"?limit=7&order={order}"
        for _ in range(3):
            reply = (await planted.ask("GET", f"/attendance{query}")).json
            assert len(reply["items"]) == 7
            found += [one["time"] for one in reply["items"]]
            query = f"?limit=7&order={order}&after={reply['next']}"
        assert reply["next"] is None
        assert len(set(found)) == 21
        assert found == sorted(found, reverse=order == "desc")


@pytest_twisted.ensureDeferred
async def test_another_area_is_as_if_it_were_not(rig: Rig) -> None:
    """A terminal or person of another area is answered like one that does not exist."""
    planted = await plant(rig)

    async def told(method: str, path: str) -> tuple[int, str]:
        reply = await planted.ask(method, path)
        text = reply.json["detail"].replace(OTHER, "NONE1").replace("99177", "404")
        return reply.status, text.replace("Southside", "Nowhere")

    for method, theirs, none in (
        ("GET", f"/devices/{OTHER}", "/devices/NONE1"),
        ("POST", f"/devices/{OTHER}/reboot", "/devices/NONE1/reboot"),
        ("GET", "/users/99177", "/users/404"),
        ("DELETE", "/users/99177", "/users/404"),
        ("PUT", f"/devices/{MINE}/users/99177", f"/devices/{MINE}/users/404"),
        ("GET", f"/attendance?device={OTHER}", "/attendance?device=NONE1"),
        ("GET", f"/attendance?device={OTHER}&x=1", "/attendance?device=NONE1&x=1"),
        ("GET", f"/devices/{OTHER}/commands", "/devices/NONE1/commands"),
        ("GET", "/areas/Southside", "/areas/Nowhere"),
    ):
        assert await told(method, theirs) == await told(method, none)
    assert await rig.items(f"/devices/{OTHER}/commands") != []


@pytest_twisted.ensureDeferred
async def test_who_moves_out_of_the_area_is_gone_at_once(rig: Rig) -> None:
    """The present area decides, and a terminal without one is in the area `default`."""
    planted = await plant(rig)
    await rig.api("PATCH", f"/devices/{MINE}", {"area": None})
    assert (await planted.ask("GET", f"/devices/{MINE}")).status == 404
    assert (await planted.ask("GET", "/attendance")).json["items"] == []
    body = {"name": "rest", "scopes": ["read"], "areas": ["default"]}
    token = (await rig.api("POST", "/tokens", body)).json["token"]
    rest = [f"Authorization: Bearer {token}"]
    assert (await rig.api("GET", f"/devices/{MINE}", headers=rest)).status == 200


@pytest_twisted.ensureDeferred
async def test_people_stay_in_their_other_areas(rig: Rig) -> None:
    """A limited caller puts nobody into another area and takes nobody from one."""
    planted = await plant(rig)

    async def areas(pin: str) -> list[str]:
        found: list[str] = (await rig.api("GET", f"/users/{pin}")).json["areas"]
        return found

    refused = await planted.ask("PUT", "/users/1", {"areas": ["North", "Southside"]})
    assert (refused.status, await areas("1")) == (400, ["North"])
    assert "'Southside' is not one of your areas" in refused.json["detail"]
    added = await planted.ask("PUT", "/users/77", {"name": "New"})
    assert (added.status, added.json["areas"]) == (200, ["North"])
    taken = await planted.ask("PUT", "/users/99177", {"name": "Thief"})
    assert (taken.status, await areas("99177")) == (409, ["Southside"])
    both = await planted.ask("DELETE", "/users/5")
    assert (both.status, await areas("5")) == (409, ["North", "Southside"])
    out = await planted.ask("PUT", "/users/5", {"areas": []})
    assert (out.status, out.json["areas"], await areas("5")) == (200, [], ["Southside"])
    assert (await planted.ask("GET", "/users/5")).status == 404
    assert (await planted.ask("DELETE", "/users/77")).status == 200


@pytest_twisted.ensureDeferred
async def test_a_terminal_stays_in_the_areas_of_the_caller(rig: Rig) -> None:
    """A limited caller moves it to no other area; one whose areas are two moves it between them."""
    planted = await plant(rig)
    for area in ("Southside", None):
        refused = await planted.ask("PATCH", f"/devices/{MINE}", {"area": area})
        assert refused.status == 400
        assert "area: " in refused.json["detail"]
    body = {"name": "two", "scopes": ["read", "write"], "areas": ["North", "default"]}
    token = (await rig.api("POST", "/tokens", body)).json["token"]
    moved = await rig.api(
        "PATCH", f"/devices/{MINE}", {"area": None}, headers=[f"Authorization: Bearer {token}"]
    )
    assert (moved.status, moved.json["area"]) == (200, None)


@pytest_twisted.ensureDeferred
async def test_commands_for_all_terminals_reach_those_of_the_area(rig: Rig) -> None:
    """`all` means the areas of the caller, and an area that is none of them is refused."""
    planted = await plant(rig)
    job = (await planted.ask("POST", "/commands", {"command": "LOG", "all": True})).json
    assert job["devices"] == 1
    queued = await rig.items(f"/commands?job={job['id']}")
    assert {one["device"] for one in queued} <= {MINE}
    refused = await planted.ask("POST", "/commands", {"command": "LOG", "area": "Southside"})
    assert (refused.status, "one of your areas" in refused.json["detail"]) == (400, True)


@pytest_twisted.ensureDeferred
async def test_listeners_hear_of_their_areas_only(rig: Rig) -> None:
    """Past and new events of another area are left out, and the cursor goes on behind them."""
    planted = await plant(rig)
    token = planted.headers[0].rpartition(" ")[2]
    kinds = "attendance,command,device,problem,user,verification"
    old = await Listening(rig, f"?kinds={kinds}&last_event_id=0.0", token=token).begun()
    heard = [data for _, kind, data in await old.hear(5) if kind == "attendance"]
    assert [one["device"] for one in heard] == [MINE]
    new = await Listening(rig, f"?kinds={kinds}", token=token).begun()
    for sn, pin in ((OTHER, "99177"), (MINE, "1"), (OTHER, "99177")):
        line = f"{pin}\t2026-03-03 08:00:00\t0\t1\n".encode()
        await rig.post(f"cdata?SN={sn}&table=ATTLOG&Stamp=9", line)
    told = await new.hear(1)
    while new.last != old.last:
        rig.clock.advance(1)
        await rig.store.read(lambda tx: None)
    assert [(kind, data["device"]) for _, kind, data in told] == [("attendance", MINE)]
    assert [data for _, kind, data in old.told if kind == "attendance"][-1]["device"] == MINE
    for listener in (old, new):
        assert shown(listener.text.encode()) == []
        listener.hang_up()
