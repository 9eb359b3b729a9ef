"""Accounts that are limited to areas see and change nothing of other areas, on every page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import unescape
from urllib.parse import urlencode

import pytest_twisted

from zkpush.manage.console.pages import SITE_PAGE, ConsoleForm, ConsolePage
from zkpush.manage.limits import WholeSite

from ..promises.limited import MINE, OTHER, Planted, plant, rows_of_the_other, shown
from ..rig import Response, Rig, Wire
from .browser import HOST, Browser, location, signed_in
from .walk import console_of

OWN: Mapping[str, tuple[str, ...]] = {
    "sn": (MINE, OTHER, MINE),
    "pin": ("1", "99177", "5"),
    "day": ("2026-03-01",) * 3,
    "session_id": ("999",) * 3,
}
"""Values of the variables in paths: of the areas of the account, of the other one, and of both."""
IDS = {
    "command_id": "/commands/{id}",
    "photo_id": "/photos/{id}/content",
    "conflict_id": "/conflicts/{id}",
}
"""Variables of ids, with the paths of the API that show what they name."""
QUERIES = (
    "",
    "?q=Needle",
    "?person=Needle",
    "?person=99177",
    f"?device={OTHER}",
    "?area=Southside",
)
ENTERED: Mapping[str, Mapping[str, object]] = {
    "/people/new": {"pin": "99177", "name": "x", "areas": ["Southside"]},
    "/people/<pin>/edit": {"name": "x", "areas": ["North", "Southside"]},
    "/people/<pin>/remove": {"confirm": "99177"},
    "/people/<pin>/erase": {"confirm": "99177", "attendance": "true"},
    "/people/conflicts/<int:conflict_id>": {"keep": "terminal"},
    "/terminals/<sn>": {"alias": "x", "timezone": ""},
    "/terminals/<sn>/approve": {"timezone": "UTC", "alias": "x"},
}
"""What is entered in forms that may reach the other area."""


def routes(rig: Rig) -> Sequence[ConsolePage | ConsoleForm]:
    """All pages and forms that need an account."""
    return [route for _, route in console_of(rig).pages if route.scope is not None]


def values_of(planted: Planted) -> dict[str, tuple[str, ...]]:
    """The values of all variables of the pages that are served."""
    ids = {
        name: (planted.mine[path], planted.others[path], planted.mine[path])
        for name, path in IDS.items()
    }
    return {**OWN, **ids}


def path_of(route: ConsolePage | ConsoleForm, values: Mapping[str, tuple[str, ...]], n: int) -> str:
    """A path of own things, or of those of the other area."""
    return re.sub(
        r"<(?:\w+:)?(\w+)>", lambda found: values.get(found[1], ("1",) * 3)[n], route.path
    )


async def limited(rig: Rig) -> tuple[Planted, Browser, str]:
    """Two areas, a browser of an account for the first, and the token of its forms."""
    planted = await plant(rig)
    line = b"99178\t2026-03-01 09:00:00\t0\t1\n"
    await rig.post(f"cdata?SN={MINE}&table=ATTLOG&Stamp=5", line)
    browser = await signed_in(rig, name="north", areas=["North"])
    home = location(await browser.get("/"))
    assert home == "/terminals"
    page = await browser.get(home)
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', page.body.decode())
    assert token is not None
    return planted, browser, token[1]


def check_links(rig: Rig, reply: Response, page: str) -> None:
    """Assert that a page links to, and has forms of, only what is served to limited accounts."""
    text = reply.body.decode()
    found = [("GET", path) for path in re.findall(r'href="(/console/[^"?#]*)', text)]
    found += [("POST", path) for path in re.findall(r'action="(/console/[^"?#]*)', text)]
    for method, path in {*found}:
        if "/static/" in path or (method == "POST" and f'method="get" action="{path}' in text):
            continue
        rules = [
            one
            for _, one in console_of(rig).pages
            if re.fullmatch(re.sub(r"<[^>]+>", "[^/]+", one.path), unescape(path)[8:])
        ]
        kinds = {one.method: one for one in rules if one.scope is not None}
        if method in kinds and path != "/console/":
            assert not isinstance(kinds[method].limited, WholeSite), (page, path)


@pytest_twisted.ensureDeferred
async def test_no_page_shows_or_changes_anything_of_another_area(rig: Rig) -> None:
    """Each is refused, or shows only the areas of the account; the rows of others stay."""
    planted, browser, token = await limited(rig)
    values, before = values_of(planted), await rows_of_the_other(rig)
    served = set()
    ordered = sorted(routes(rig), key=lambda one: (one.method, "erase" in one.path))
    for route in ordered:
        if route.path in ("/account/password", "/"):
            continue
        for n in range(3):
            path = path_of(route, values, n)
            if isinstance(route, ConsolePage):
                replies = [(path + query, await browser.get(path + query)) for query in QUERIES]
            else:
                entered = {"csrf": token, "confirmed": "yes", **ENTERED.get(route.path, {})}
                replies = [(f"{path} {entered}", await browser.post(path, entered))]
            for asked, reply in replies:
                assert reply.status < 500, (asked, reply.raw)
                if isinstance(route.limited, WholeSite):
                    assert reply.status == 403, asked
                elif reply.status < 400:
                    served.add(f"{route.method} {route.path}")
                    is_own = n != 1 or (OTHER not in path and "99177" not in path)
                    assert is_own, asked
                assert shown(reply.raw, asked) == [], (asked, reply.raw)
                if reply.status == 200 and not getattr(route, "is_file", False):
                    check_links(rig, reply, asked)
    assert len(served) > 25
    after = await rows_of_the_other(rig)
    for table, rows in before.items():
        assert after[table] == rows, table


@pytest_twisted.ensureDeferred
async def test_every_page_says_how_it_is_limited(rig: Rig) -> None:
    """A new page, form or live part is refused to limited accounts until it says how."""
    assert [one.claim for one in routes(rig) if one.limited is None] == []
    parts = [part for _, part in console_of(rig).parts.values()]
    assert [part.name for part in parts if part.limited is None] == []
    _, browser, _ = await limited(rig)
    assert (await browser.get("/jobs")).status == 403
    links = (await browser.get("/terminals")).body.decode()
    assert 'href="/console/jobs"' not in links
    assert 'href="/console/people"' in links


@pytest_twisted.ensureDeferred
async def test_live_parts_are_of_the_areas(rig: Rig) -> None:
    """A part of another area is empty, one of the whole site is refused, the own one is shown."""
    planted, browser, _ = await limited(rig)
    arguments = {
        "terminals-state": (MINE, OTHER),
        "trace-requests": (MINE, OTHER),
        "doctor-checks": (MINE, OTHER),
        "commands-state": values_of(planted)["command_id"],
    }
    parts = {name: part for name, (_, part) in console_of(rig).parts.items()}
    assert {name for name, one in parts.items() if one.limited is not SITE_PAGE} == {*arguments}
    for name in parts.keys() - arguments.keys():
        assert (await browser.get(f"/live?part={name}")).status == 403
    names = [f"{name}:{one}" for name, both in arguments.items() for one in both]
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    wire = Wire("127.0.0.1")
    channel = rig.manage.buildProtocol(wire.getPeer())
    channel.makeConnection(wire)
    channel.dataReceived(
        f"GET /console/live?{urlencode([('part', name) for name in names])} HTTP/1.1\r\n"
        f"Host: {HOST}\r\nCookie: {cookies}\r\n\r\n".encode()
    )
    while not all(f"event: {name}\n".encode() in wire.value() for name in names):
        await wire.changed()
    text = wire.value()
    for name, (own, other, *_) in arguments.items():
        assert f"event: {name}:{other}\ndata: \n\n".encode() in text
        assert f"event: {name}:{own}\ndata: \n\n".encode() not in text
    assert shown(text.replace(OTHER.encode(), b"")) == []
    console_of(rig).hub.end()
