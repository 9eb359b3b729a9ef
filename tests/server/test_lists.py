"""Lists that people build on: cursors, orders, filters, and whole lists as CSV and NDJSON."""

from __future__ import annotations

import csv
import io
import itertools
import json
from typing import Any

import pytest
import pytest_twisted

from zkpush.manage import lists

from ..filled import fill
from ..rig import TOKEN, Response, Rig

AUTH = f"Authorization: Bearer {TOKEN}"
CSV = (AUTH, "Accept: text/csv")
NDJSON = (AUTH, "Accept: application/x-ndjson")


async def punch(rig: Rig, *seconds: int, pin: str = "7", sn: str = "T1") -> None:
    """Punches at seconds of one hour."""
    lines = "".join(
        f"{pin}\t2026-01-05 08:{second // 60:02}:{second % 60:02}\t0\t1\n" for second in seconds
    )
    await rig.post(f"cdata?SN={sn}&table=ATTLOG&Stamp=1", lines.encode())


async def listed(rig: Rig, query: str = "", path: str = "/attendance") -> Any:
    """A part of a list."""
    response = await rig.api("GET", f"{path}?{query}")
    assert response.status == 200, response.raw
    return response.json


def seconds(items: list[dict[str, Any]]) -> list[int]:
    """The seconds of punches."""
    return [int(item["time"][14:16]) * 60 + int(item["time"][17:]) for item in items]


async def walk(rig: Rig, query: str, after: str) -> tuple[list[int], str]:
    """All parts of a list; and the cursor of the last one."""
    found = []
    while True:
        part = await listed(rig, f"limit=3&{query}&after={after}")
        found += seconds(part["items"])
        if part["next"] is None:
            return found, part["cursor"]
        after = part["next"]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest_twisted.ensureDeferred
async def test_a_poller_goes_on_from_its_last_cursor_for_ever(rig: Rig, order: str) -> None:
    """Each walk ends with a cursor, and a walk from there has what was stored since, once."""
    await rig.exchange()
    stored, cursor = 0, "0"
    for count in (0, 7, 0, 3, 1, 6):
        await punch(rig, *range(stored, stored + count))
        found, cursor = await walk(rig, f"order={order}", cursor)
        expected = [*range(stored, stored + count)]
        assert found == (expected if order == "asc" else expected[::-1])
        stored += count


@pytest_twisted.ensureDeferred
async def test_a_walk_newest_first_is_not_disturbed_by_what_is_stored_meanwhile(rig: Rig) -> None:
    """Nothing comes twice; what came meanwhile follows from the cursor of the last part."""
    await rig.exchange()
    await punch(rig, *range(6))
    first = await listed(rig, "limit=4&order=desc")
    await punch(rig, 10, 11)
    rest = await listed(rig, f"limit=4&order=desc&after={first['next']}")
    assert seconds(first["items"] + rest["items"]) == [5, 4, 3, 2, 1, 0]
    assert rest["next"] is None
    later = await listed(rig, f"after={rest['cursor']}")
    assert seconds(later["items"]) == [10, 11]


@pytest_twisted.ensureDeferred
async def test_next_is_null_exactly_at_the_end(rig: Rig) -> None:
    """A part that ends with the last item says so, although it is full."""
    await rig.exchange()
    await punch(rig, *range(4))
    assert (await listed(rig, "limit=4"))["next"] is None
    assert (await listed(rig, "limit=3"))["next"] is not None


MISTAKES = {
    "limit=0": ("limit", "1"),
    "limit=1001": ("limit", "1000"),
    "after=x": ("after", "cursor"),
    "after=99999999999999999999": ("after", "cursor"),
    "order=newest": ("order", "desc"),
    "since=yesterday": ("since", "2026-03-01"),
    "until=2026-01-05T08:00:00+01:00": ("until", "%2B"),
    "received_since=1": ("received_since", "2026-03-01"),
    "doubt=yes": ("doubt", "ambiguous"),
    "record_type=2": ("record_type", "verification"),
    "device=T9": ("device", "T9"),
    "user=1": ("user", "pin"),
}


@pytest.mark.parametrize("query", MISTAKES)
@pytest_twisted.ensureDeferred
async def test_a_wrong_parameter_is_named_with_what_is_allowed(rig: Rig, query: str) -> None:
    """The answer is 400, for a part and for a whole list alike."""
    for headers in ((AUTH,), CSV):
        response = await rig.api("GET", f"/attendance?{query}", headers=headers)
        assert response.status == 400, response.raw
        for word in MISTAKES[query]:
            assert word in response.json["detail"]


MANY = (
    ("/attendance", "limit=x&order=up&doubt=2", ("limit", "order", "doubt")),
    ("/attendance", "since=a&until=b&received_since=c", ("since", "until", "received_since")),
    ("/attendance", "user=1&since=a&after=z&device=T9", ("argument user", "since", "after", "T9")),
    ("/audit", "until=y&since=z", ("until", "since")),
    (
        "/commands",
        "state=x&command=REBOT&device=T9",
        ("state: 'x' is not one of cancelled", "mean REBOOT", "T9"),
    ),
    ("/rejects", "limit=0&limit=1&table=ATLOG", ("limit is there twice", "mean ATTLOG")),
    ("/entries", "order=1&table=WORKCODES", ("order", "mean WORKCODE")),
    ("/problems", "order=1&code=no+zones&device=T9", ("order", "mean no zone", "T9")),
    ("/events", "kinds=a,b&last_event_id=x", ("'a', 'b'", "'x'")),
)


@pytest.mark.parametrize(("path", "query", "words"), MANY)
@pytest_twisted.ensureDeferred
async def test_all_mistakes_of_a_query_are_named_at_once(
    rig: Rig, path: str, query: str, words: tuple[str, ...]
) -> None:
    """Whether a type, a time, a cursor, or only the database tells the mistake."""
    response = await rig.api("GET", f"{path}?{query}")
    assert response.status == 400, response.raw
    for word in words:
        assert word in response.json["detail"]


CLOSED = {
    "/attendance": ("device", "doubt", "record_type"),
    "/photos": ("device",),
    "/operations": ("device",),
    "/errors": ("device",),
    "/idcards": ("device",),
    "/entries": ("device", "table"),
    "/rejects": ("device", "table"),
    "/problems": ("device", "code"),
    "/commands": ("device", "state", "command"),
    "/attendance/verify": ("device", "state"),
    "/users": ("device",),
}
"""Filters with a known set of values."""
OPEN = {
    "/attendance": {"pin", "history", "area"},
    "/devices": {"retired", "state"},
    "/photos": {"pin"},
    "/commands": {"job"},
    "/attendance/verify": {"run"},
    "/operations": {"code"},
    "/idcards": {"pin"},
    "/conflicts": {"pin"},
    "/conflicts/punches": {"pin", "undecided"},
    "/audit": {"pin", "actor", "action", "device"},
    "/users": {
        "search",
        "name",
        "area",
        "card",
        "privilege",
        "has_templates",
        "has_photo",
        "secrets",
    },
}
"""Filters of any value: a person or an action may come later, a job may have no command yet.

The audit log names terminals that are no longer there."""
OF_ALL = {"limit", "after", "order", "since", "until", "received_since"}


@pytest.mark.parametrize(("path", "name"), [(path, one) for path in CLOSED for one in CLOSED[path]])
@pytest_twisted.ensureDeferred
async def test_a_value_that_cannot_occur_is_a_mistake(rig: Rig, path: str, name: str) -> None:
    """The answer is not an empty list, in any form."""
    for headers in ((AUTH,), CSV, NDJSON):
        response = await rig.api("GET", f"{path}?{name}=foo", headers=headers)
        assert response.status == 400, response.raw
        assert f"{name}: " in response.json["detail"]
        assert "'foo'" in response.json["detail"]


@pytest_twisted.ensureDeferred
async def test_every_filter_of_every_list_is_checked_or_open(rig: Rig) -> None:
    """A new filter has to say which it is."""
    description = (await rig.api("GET", "/openapi.json")).json
    for path, methods in description["paths"].items():
        if "get" not in methods or "{" in path:
            continue
        names = {
            one["name"] for one in methods["get"].get("parameters", ()) if one["in"] == "query"
        }
        if "after" not in names:
            continue
        place = path.removeprefix("/api/v1")
        assert names - OF_ALL == {*CLOSED.get(place, ()), *OPEN.get(place, ())}, place


@pytest_twisted.ensureDeferred
async def test_a_known_value_without_items_is_an_empty_list(rig: Rig) -> None:
    """What can occur and has not is no mistake."""
    await rig.exchange()
    for query in (
        "/problems?code=forwarder+failing",
        "/problems?code=clock+wrong",
        "/rejects?table=ATTLOG",
        "/entries?table=WORKCODE",
        "/commands?command=REBOOT",
    ):
        assert (await listed(rig, *query.split("?")[::-1]))["items"] == []


@pytest_twisted.ensureDeferred
async def test_a_table_that_only_a_terminal_knows_can_be_listed(rig: Rig) -> None:
    """Rejects of unknown tables are found by the name that the terminal sent."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=FOO&Stamp=1", b"PIN=7\tX=1\n")
    assert len((await listed(rig, "table=FOO", "/rejects"))["items"]) == 1
    await rig.exchange("T2")
    assert (await listed(rig, "table=FOO&device=T2", "/rejects"))["items"] == []


@pytest_twisted.ensureDeferred
async def test_all_mistakes_of_a_body_are_named_at_once(rig: Rig) -> None:
    """Unknown, missing and wrong members alike."""
    body = {"scopes": "read", "expires_at": 7, "colour": "red"}
    response = await rig.api("POST", "/tokens", body)
    assert response.status == 400
    for words in ("member `colour`", "`name` is missing", "scopes: ", "expires_at: "):
        assert words in response.json["detail"]


@pytest_twisted.ensureDeferred
async def test_verifications_are_listed_only_where_they_are_asked_for(rig: Rig) -> None:
    """A check of an identity card (record type 1) is no punch, in JSON, CSV and NDJSON."""
    await rig.exchange()
    lines = "".join(
        f"7\t2026-01-05 08:00:0{second}\t1\t1\t0\t0\t0\t999999200001011239\t{kind}\n"
        for second, kind in enumerate((0, 1, 0, 1))
    )
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", lines.encode())
    await punch(rig, 30)
    for query, expected in (
        ("", [0, 2, 30]),
        ("record_type=attendance", [0, 2, 30]),
        ("record_type=verification", [1, 3]),
        ("record_type=all", [0, 1, 2, 3, 30]),
    ):
        assert seconds((await listed(rig, query))["items"]) == expected
        for rows in (await as_csv(rig, query), await as_lines(rig, query)):
            assert seconds(rows) == expected


def rows_of(response: Response) -> list[dict[str, str]]:
    """The rows of CSV."""
    assert response.status == 200, response.raw
    return list(csv.DictReader(io.StringIO(response.body.decode(), newline="")))


async def as_csv(rig: Rig, query: str = "", path: str = "/attendance") -> list[dict[str, str]]:
    """A list as CSV."""
    return rows_of(await rig.api("GET", f"{path}?{query}", headers=CSV))


async def as_lines(rig: Rig, query: str = "", path: str = "/attendance") -> list[dict[str, Any]]:
    """A list as lines of JSON."""
    response = await rig.api("GET", f"{path}?{query}", headers=NDJSON)
    assert response.status == 200, response.raw
    return [json.loads(line) for line in response.body.splitlines()]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest_twisted.ensureDeferred
async def test_csv_and_ndjson_have_the_whole_list(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    """One request has all slices of the filtered list, and the cursor to go on from."""
    monkeypatch.setattr(lists, "SLICE", 4)
    await rig.exchange()
    await punch(rig, *range(8))
    await punch(rig, *range(20, 25), pin="8")
    everything = [*range(8), *range(20, 25)]
    if order == "desc":
        everything.reverse()
    for rows in (await as_csv(rig, f"order={order}"), await as_lines(rig, f"order={order}")):
        assert seconds(rows) == everything
    assert seconds(await as_csv(rig, "pin=8")) == [*range(20, 25)]
    assert seconds(await as_lines(rig, f"limit=6&order={order}")) == everything[:6]
    response = await rig.api("GET", f"/attendance?order={order}", headers=CSV)
    await punch(rig, 40)
    cursor = response.header(b"X-Cursor").decode()
    assert seconds(await as_csv(rig, f"after={cursor}&order={order}")) == [40]


@pytest_twisted.ensureDeferred
async def test_a_list_that_grows_meanwhile_has_an_end(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stored while a list is sent is not in it, and follows from its cursor."""
    monkeypatch.setattr(lists, "SLICE", 2)
    await rig.exchange()
    await punch(rig, *range(4))
    sent = lists.Slices.next
    stored = iter(range(10, 60))

    async def slow(self: Any) -> bytes:
        text = await sent(self)
        await punch(rig, next(stored))
        return text

    monkeypatch.setattr(lists.Slices, "next", slow)
    assert seconds(await as_csv(rig)) == [0, 1, 2, 3]


@pytest_twisted.ensureDeferred
async def test_a_list_that_breaks_is_cut_and_not_ended(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody takes the beginning of a list for the whole: its last chunk does not come."""
    monkeypatch.setattr(lists, "SLICE", 2)
    await rig.exchange()
    await punch(rig, *range(12))
    sent, slices = lists.Slices.next, itertools.count()

    async def broken(self: Any) -> bytes:
        text = await sent(self)
        if next(slices):
            await rig.store.stop()
        return text

    monkeypatch.setattr(lists.Slices, "next", broken)
    with pytest.raises(ValueError, match="cut"):
        await rig.api("GET", "/attendance", headers=CSV)


LISTS = (
    "/devices",
    "/attendance",
    "/photos",
    "/users",
    "/operations",
    "/errors",
    "/idcards",
    "/entries",
    "/rejects",
    "/files",
    "/plugins",
    "/tokens",
    "/audit",
    "/problems",
    "/devices/T1/commands",
)


def besides_exports(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items of a list, of the audit log without the exports that the test makes itself."""
    return [one for one in items if one.get("action") != "export"]


@pytest.mark.parametrize("path", LISTS)
@pytest_twisted.ensureDeferred
async def test_every_list_has_the_same_cursors_orders_and_forms(rig: Rig, path: str) -> None:
    """Parts, orders, CSV and NDJSON agree on the items."""
    await fill(rig)
    await rig.get("nowhere?SN=T1")  # a second problem
    everything = (await listed(rig, "order=asc", path))["items"]
    assert len(everything) >= 2
    backwards = (await listed(rig, "order=desc", path))["items"]
    assert backwards == everything[::-1]
    first = await listed(rig, "order=asc&limit=1", path)
    second = await listed(rig, f"order=asc&limit=1&after={first['next']}", path)
    assert first["items"] + second["items"] == everything[:2]
    assert besides_exports(await as_lines(rig, "order=asc", path)) == everything
    rows = besides_exports(await as_csv(rig, "order=asc", path))
    assert len(rows) == len(everything)
    assert set(rows[0]) >= set(everything[0]) - {"damaged"}
