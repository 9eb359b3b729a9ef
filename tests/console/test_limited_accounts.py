"""Accounts that are limited to areas see and change nothing of other areas, on every page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape, unescape
from urllib.parse import urlencode

import pytest
import pytest_twisted

from zkpush.counting import counted
from zkpush.manage.console.pages import ConsoleForm, ConsolePage
from zkpush.manage.limits import WholeSite

from ..promises.limited import MINE, OTHER, Planted, plant, rows_of_the_other, shown
from ..rig import Response, Rig, Wire
from ..server.test_jobs import runner
from .browser import HOST, Browser, signed_in, text_of
from .walk import console_of

OWN: Mapping[str, tuple[str, ...]] = {
    "sn": (MINE, OTHER, MINE),
    "pin": ("1", "99177", "5"),
    "day": ("2026-03-01",) * 3,
    "session_id": ("999",) * 3,
    "area": ("North", "Southside", "North"),
    "table": ("work-codes",) * 3,
}
"""Values of the variables in paths: of the areas of the account, of the other one, and of both."""
IDS = {
    "command_id": "/commands/{id}",
    "photo_id": "/photos/{id}/content",
    "conflict_id": "/conflicts/{id}",
    "claim_id": "/conflicts/punches/{id}",
    "number": "/users/{pin}/earlier/{id}",
    "job_id": "/jobs/{id}",
    "reject_id": "/rejects/{id}",
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
ENTERED: Mapping[str, Sequence[Mapping[str, object]]] = {
    "/jobs/chosen": [{"device": "T1"}],
    "/people/new": [
        {"pin": "99177", "name": "x", "areas": ["Southside"]},
        {"pin": "99177", "name": "x"},
        {"pin": "7", "name": "x"},
    ],
    "/people/<pin>/edit": [
        {"name": "x", "areas": ["North", "Southside"]},
        {"name": "Ann!", "areas": ["North"]},
    ],
    "/people/<pin>/remove": [{"confirm": "99177"}],
    "/people/<pin>/rights": [{"privilege": "14"}],
    "/people/<pin>/erase": [{"confirm": "99177", "attendance": "true"}],
    "/attendance/people/<pin>/earlier/<int:number>": [{"confirm": "1"}, {"confirm": "99177"}],
    "/people/<pin>/enrol": [
        {"device": OTHER, "what": "card"},
        {"device": "needle", "what": "card"},
        {"device": MINE, "what": "card"},
    ],
    "/people/<pin>/send": [{"device": OTHER}, {"terminals": "needle"}, {"device": MINE}],
    "/people/<pin>/photos/remove": [{"kind": "picture"}],
    "/people/punches/<int:claim_id>": [{"owner": "other"}],
    "/people/conflicts": [{"keep": "terminal", "conflict": [*range(1, 20)]}],
    "/people/conflicts/<int:conflict_id>": [{"keep": "terminal"}],
    "/terminals/<sn>": [{"alias": "x", "timezone": "UTC"}],
    "/terminals/<sn>/approve": [{"timezone": "UTC", "alias": "x"}],
    "/terminals/<sn>/area": [{"area": "Southside"}, {"area": ""}, {"area": "North"}],
    "/terminals/<sn>/settings": [{"Delay": "25"}],
    "/terminals/<sn>/replace": [{"by": OTHER}, {"by": OTHER, "has_records": "true"}],
    "/jobs/new": [
        {"command": "INFO", "target": "device", "devices": OTHER},
        {"command": "INFO", "target": "device", "devices": f"{MINE} {OTHER}"},
        {"command": "INFO", "target": "area", "area": "Southside"},
        {"command": "INFO", "target": "all"},
        {
            "command": "DATA UPDATE USERINFO",
            "target": "all",
            "params.PIN": "99177",
            "params.Name": "x",
        },
    ],
    "/jobs/<job_id>/retry": [{"states": ["failed"]}],
    "/rejects/retry": [{"device": OTHER}, {"device": MINE}, {}],
    "/rejects/<int:reject_id>/delete": [{"sure": "true"}],
    "/areas/<area>": [{"description": "x"}],
    "/areas/<area>/terminals": [{"sn": OTHER}, {"sn": "needle"}, {"sn": MINE}],
    "/areas/<area>/terminals/out": [{"terminal": OTHER}, {"terminal": MINE}],
    "/areas/<area>/people": [{"people": "99177"}, {"people": "Needle"}, {"people": "1, 5"}],
    "/areas/<area>/people/out": [{"pin": "99177"}, {"pin": "5"}],
    "/areas/<area>/distribute": [{"deletions": "0"}],
    "/areas/<area>/confirm": [{"deletions": "0"}],
    "/access/<area>/<table>/edit": [{"key": "10", "params.name": "x"}],
    "/access/<area>/<table>/delete": [{"key": "10"}],
}
"""What is entered in forms that may reach the other area."""
ENDS = ("block", "out", "erase", "remove", "retire", "delete")
"""Words in the paths of forms that end what others need."""
NEVER_SERVED = {
    "POST /account/password",
    "POST /account/code",
    "POST /account/code/remove",
    "POST /people/<pin>/erase",
    "POST /people/<pin>/rights",
    "POST /people/<pin>/terminals",
    "POST /people/<pin>/photos",
    "POST /people/conflicts",
    "GET /people/<pin>/photo",
    "POST /terminals/<sn>/replace",
    "POST /areas/<area>/confirm",
    "POST /areas/<area>/fetch",
    "POST /areas/<area>/repair",
    "POST /areas/<area>/terminals/out",
    "POST /people/<pin>/photos/remove",
}
"""Pages and forms that have nothing to do here, or only with the other area."""


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
    page = await browser.get("/")
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


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_no_page_shows_or_changes_anything_of_another_area(rig: Rig) -> None:
    """Each is refused, or shows only the areas of the account; the rows of others stay."""
    planted, browser, token = await limited(rig)
    values, before = values_of(planted), await rows_of_the_other(rig)
    served = set()
    theirs = {other for own, other, _ in values.values() if own != other}
    ordered = sorted(
        routes(rig), key=lambda one: (one.method, any(word in one.path for word in ENDS))
    )
    for route in ordered:
        if route.claim == "POST /account/password":
            continue
        for n in range(3):
            path = path_of(route, values, n)
            if isinstance(route, ConsolePage):
                replies = [(path + query, await browser.get(path + query)) for query in QUERIES]
            else:
                replies = []
                for fields in ENTERED.get(route.path, [{}]):
                    entered = {"csrf": token, "confirmed": "yes", **fields}
                    replies.append((f"{path} {entered}", await browser.post(path, entered)))
            for asked, reply in replies:
                assert reply.status < 500, (asked, reply.raw)
                if isinstance(route.limited, WholeSite):
                    assert reply.status == 403, asked
                    assert escape(route.limited.why) in reply.body.decode(), asked
                elif reply.status < 400:
                    served.add(route.claim)
                    assert n != 1 or not theirs.intersection(path.split("/")), asked
                held = reply.body + (reply.header(b"Location") or b"")
                assert shown(held, asked) == [], (asked, reply.raw)
                if reply.status == 200 and not getattr(route, "is_file", False):
                    check_links(rig, reply, asked)
    open_ones = {one.claim for one in ordered if not isinstance(one.limited, WholeSite)}
    assert open_ones - served <= {*map(_plain, NEVER_SERVED)}
    after = await rows_of_the_other(rig)
    for table, rows in before.items():
        assert after[table] == rows, table


def _plain(claim: str) -> str:
    """A claim with its variables without names."""
    return re.sub(r"<[^>]*>", "<>", claim)


@pytest_twisted.ensureDeferred
async def test_every_page_says_how_it_is_limited(rig: Rig) -> None:
    """A new page, form or live part is refused to limited accounts until it says how."""
    assert [one.claim for one in routes(rig) if one.limited is None] == []
    parts = [part for _, part in console_of(rig).parts.values()]
    assert [part.name for part in parts if part.limited is None] == []
    _, browser, _ = await limited(rig)
    assert (await browser.get("/audit")).status == 403
    links = (await browser.get("/terminals")).body.decode()
    assert 'href="/console/audit"' not in links
    assert 'href="/console/jobs"' in links


@pytest_twisted.ensureDeferred
async def test_live_parts_are_of_the_areas(rig: Rig) -> None:
    """A part of another area is empty, one of the whole site is refused, the own one is shown."""
    planted, browser, _ = await limited(rig)
    arguments = {
        "terminals-state": (MINE, OTHER),
        "terminals-facts": (MINE, OTHER),
        "trace-requests": (MINE, OTHER),
        "doctor-checks": (MINE, OTHER),
        "commands-state": values_of(planted)["command_id"],
        "jobs-progress": values_of(planted)["job_id"],
        "areas-progress": ("North", "Southside"),
        "areas-fetch": values_of(planted)["command_id"],
        "areas-places": ("1", "99177"),
        "people-enrolment": tuple(
            f"{ids['/users/{pin}/enrol/{id}']}/{pin}"
            for ids, pin in ((planted.mine, "1"), (planted.others, "99177"))
        ),
    }
    whole = ("overview-problems", "overview-counts", "overview-punches")
    parts = {name: part for name, (_, part) in console_of(rig).parts.items()}
    refused = {name for name, one in parts.items() if isinstance(one.limited, WholeSite)}
    assert parts.keys() - refused == {*arguments, *whole}
    for name in refused:
        assert (await browser.get(f"/live?part={name}")).status == 403
    names = [f"{name}:{one}" for name, both in arguments.items() for one in both] + [*whole]
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
    for asked in (OTHER, "Southside", "99177"):
        text = text.replace(f":{asked}\n".encode(), b"\n").replace(f"/{asked}\n".encode(), b"\n")
    assert shown(text) == []
    console_of(rig).hub.end()


@pytest_twisted.ensureDeferred
async def test_the_overview_counts_what_is_of_the_areas(rig: Rig) -> None:
    """Its numbers, problems and punches are as if there were no other area."""
    _, browser, _ = await limited(rig)
    shown_to_all = await signed_in(rig, name="ann")
    await runner(rig).work()
    commands = await rig.items("/commands")
    open_ones = [one["device"] for one in commands if one["state"] in ("queued", "sent")]
    texts = [text_of(await one.get("/")) for one in (browser, shown_to_all)]
    for one, many, own, all_ in (
        ("terminal online", "terminals online", 1, 2),
        ("open command", "open commands", open_ones.count(MINE), len(open_ones)),
        ("upload not understood", "uploads not understood", 2, 3),
        ("punch", "punches", 2, 3),
    ):
        assert counted(own, one, many) in texts[0]
        assert counted(all_, one, many) in texts[1]
    assert "events to deliver" not in texts[0]
    assert "terminal NORTH1" in texts[0]


@pytest_twisted.ensureDeferred
async def test_lists_have_what_is_of_the_areas(rig: Rig) -> None:
    """Jobs, rejects, areas and access data are those of the account, on each page of the list."""
    planted, browser, _ = await limited(rig)
    for path, linked in (
        ("/jobs", [f"/jobs/{planted.mine['/jobs/{id}']}"]),
        ("/areas", ["/areas/North"]),
        ("/access", ["/access/North"]),
    ):
        text = (await browser.get(path)).body.decode()
        assert re.findall(rf'href="/console({path}/[^"/?]+)"', text) == [
            *(["/jobs/new"] if path == "/jobs" else []),
            *linked,
        ]
    rejects = (await browser.get("/rejects")).body.decode()
    assert len(re.findall(r'href="/console/rejects/\d+"', rejects)) == 2
    assert 'href="/console/files' not in (await browser.get("/jobs/new")).body.decode()


@pytest_twisted.ensureDeferred
async def test_reading_again_reads_rejects_of_the_areas(rig: Rig) -> None:
    """A limited account that reads all again leaves the rejects of other areas as they are."""
    _, browser, token = await limited(rig)
    assert (await browser.post("/rejects/retry", {"csrf": token})).status == 303
    attempts = {one["device"]: one["attempts"] for one in await rig.items("/rejects")}
    assert attempts == {MINE: 1, OTHER: 0}
    refused = await browser.post("/rejects/retry", {"csrf": token, "device": OTHER})
    assert refused.status == 404
    (record,) = [one for one in await rig.items("/audit") if one["action"] == "retry rejects"]
    assert record["subject"] == "all terminals of its areas"
