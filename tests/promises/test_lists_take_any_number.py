"""Numbers and times from outside are checked where they come in: none of them is a 500."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import pytest_twisted

from zkpush.persist.tokens import TokenStore
from zkpush.values.tokens import NewToken

from ..rig import TOKEN, Rig, talk
from ..server.sse import Listening

TOO_LARGE = (2**63, 2**64, 10**30, "9" * 400)
"""Numbers that no database takes."""
NO_CURSORS = (*TOO_LARGE, -1, -(2**63) - 1, "abc", "", "0x10", "1_0", "١٢", "1.5.5", "NaN", "\0")
EXTREMES = (*NO_CURSORS, 0, 2**63 - 1, 2**31, "null", "a" * 3000, "\ud7ff", "/", "%", "\r\n")
TIMES = (
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59Z",
    "0001-01-01",
    "9999-12-31T23:59:59.999999+00:00",
    "99999-01-01",
    "",
    "-1",
    str(2**63),
)
FAR = "9999-12-31T23:59:59-01:00"
"""A time in the year 10000 of UTC."""
TABLE = "/areas/{name}/{table}"
AUTH = f"Authorization: Bearer {TOKEN}"


async def operations(rig: Rig) -> list[tuple[str, str, list[str], list[str]]]:
    """Method, path, names in the path, and arguments of everything the API describes."""
    described = (await rig.api("GET", "/openapi.json")).json
    found = []
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            arguments = [each["name"] for each in operation["parameters"] if each["in"] == "query"]
            found.append((method.upper(), path, re.findall(r"{(\w+)}", path), arguments))
    assert len(found) > 30
    return found


def filled(path: str, value: object) -> str:
    """A path with the same value in each of its places."""
    return re.sub(r"{\w+}", quote(str(value), safe=""), path)


async def lists(rig: Rig) -> Iterator[str]:
    """The paths of all lists, of a terminal and an area that exist."""
    await rig.exchange("T1")
    return [
        path.replace("{sn}", "T1").replace("{id}", "1").replace(TABLE, "/areas/default/messages")
        for method, path, _, arguments in await operations(rig)
        if method == "GET" and "after" in arguments
    ]


@pytest_twisted.ensureDeferred
async def test_a_cursor_out_of_range_is_400_on_every_list(rig: Rig) -> None:
    """`after` that is too large, negative or no number is explained, wherever there is one."""
    paths = await lists(rig)
    assert len(paths) > 12
    for path, value in itertools.product(paths, NO_CURSORS):
        query = f"{path}?after={quote(str(value), safe='')}"
        response = await rig.api("GET", query, prefix="")
        assert response.status == 400, (query, response.raw)
        assert response.json["detail"].startswith("after: "), query
        assert "cursor" in response.json["detail"]


@pytest_twisted.ensureDeferred
async def test_the_largest_cursor_is_the_end_of_every_list(rig: Rig) -> None:
    """`after` of 63 bits is in range, and nothing comes after it."""
    for path in await lists(rig):
        largest = str(2**63 - 1)
        response = await rig.api("GET", f"{path}?after={largest}", prefix="")
        end = {"items": [], "next": None, "cursor": largest}
        assert (response.status, response.json) == (200, end), path


@pytest.mark.parametrize("value", [0, -1, 1001, 2**63, 10**30, "abc", ""])
@pytest_twisted.ensureDeferred
async def test_a_limit_out_of_range_is_400_on_every_list(rig: Rig, value: object) -> None:
    """`limit` is 1 to 1000."""
    for path in await lists(rig):
        response = await rig.api("GET", f"{path}?limit={value}", prefix="")
        assert response.status == 400, path
        assert response.json["detail"].startswith("limit: ")


async def asked(rig: Rig, method: str, target: str) -> int:
    """The status of a request; one that is refused says why."""
    if target.split("?")[0].endswith("/events"):
        listening = Listening(rig, "?" + target.partition("?")[2])
        await listening.until(lambda: listening.head)
        status = int(listening.head.split(b" ")[1])
        listening.hang_up()
        return status
    response = await rig.api(method, target, prefix="")
    if response.status >= 400:
        assert response.json["detail"], target
    return response.status


@pytest.mark.long
@pytest.mark.usefixtures("no_cover")
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest_twisted.ensureDeferred
async def test_no_value_in_a_path_or_argument_is_a_failure(
    make_rig, request: pytest.FixtureRequest, database: str
) -> None:
    """Every route answers extreme numbers, times and texts, and none of them with a 5xx."""
    on = {"database": request.getfixturevalue("postgres_url")} if database == "postgresql" else {}
    rig = await make_rig(**on)
    await rig.exchange("T1")
    statuses = set()
    for method, path, names, arguments in await operations(rig):
        targets = [filled(path, value) for value in EXTREMES] if names else []
        for name, value in itertools.product(arguments, (*EXTREMES, *TIMES)):
            targets.append(f"{filled(path, 'T1')}?{name}={quote(str(value), safe='')}")
        for target in targets:
            status = await asked(rig, method, target)
            assert status < 500, (method, target)
            statuses.add(status)
    assert {200, 400, 404} <= statuses


@pytest.mark.parametrize("path", ["/photos/{}/content", "/files/{}", "/files/{}/content"])
@pytest_twisted.ensureDeferred
async def test_an_id_out_of_range_is_explained(rig: Rig, path: str) -> None:
    """An id that no row can have is a mistake, and not a failure."""
    for value in TOO_LARGE:
        response = await rig.api("GET", path.format(value))
        assert response.status == 400, value
        assert response.json["detail"].startswith("id: ")
    assert (await rig.api("GET", path.format(2**63 - 1))).status == 404


@pytest.mark.parametrize("query", ["attendance?since=", "attendance?until=", "audit?since="])
@pytest_twisted.ensureDeferred
async def test_a_time_that_cannot_be_written_in_utc_is_explained(rig: Rig, query: str) -> None:
    """Offsets that lead out of the years 1 to 9999 are mistakes."""
    for time in (FAR, "0001-01-01T00:00:00+01:00"):
        response = await rig.api("GET", f"/{query}{quote(time)}")
        assert response.status == 400
        assert "years 1 to 9999" in response.json["detail"]


@pytest_twisted.ensureDeferred
async def test_a_far_expiry_stores_nothing(rig: Rig) -> None:
    """A token that would expire after the year 9999 is refused, and is not made."""
    body = {"name": "far", "scopes": ["read"], "expires_at": FAR}
    response = await rig.api("POST", "/tokens", body)
    assert response.status == 400
    assert "years 1 to 9999" in response.json["detail"]
    assert await rig.items("/tokens") == []
    assert [each["action"] for each in await rig.items("/audit")] == []


@pytest.mark.parametrize("expires_at", [253402304400000, 2**62, -(2**62)])
@pytest_twisted.ensureDeferred
async def test_a_stored_expiry_out_of_range_breaks_no_list(rig: Rig, expires_at: int) -> None:
    """A token that an earlier version stored is listed, with the last or first time there is."""
    new = NewToken(
        name="old",
        digest=b"d" * 32,
        scopes=frozenset({"read"}),
        created_by="token admin",
        expires_at=expires_at,
    )
    await rig.store.write(lambda tx: tx[TokenStore].add(new, 0))
    (item,) = await rig.items("/tokens")
    assert item["expires_at"] == (
        "9999-12-31T23:59:59.999Z" if expires_at > 0 else "0001-01-01T00:00:00.000Z"
    )


@pytest.mark.parametrize("value", [*TOO_LARGE, -1, 2**63 - 1, 10**400, 1.5, "1e999", "NaN"])
@pytest_twisted.ensureDeferred
async def test_a_number_in_a_body_is_range_checked(rig: Rig, value: object) -> None:
    """Settings and parameters of commands out of range are explained, and change nothing."""
    await rig.exchange("T1")
    before = await rig.items("/devices")
    bodies = {
        "PATCH /devices/T1": {"settings": {"Delay": value}},
        "POST /devices/T1/commands": {"command": "UPGRADE", "params": {"file": f"{value}"}},
    }
    for target, body in bodies.items():
        method, path = target.split()
        content = json.dumps(body).encode()
        head = f"{method} /api/v1{path} HTTP/1.1\r\nHost: s\r\n{AUTH}\r\n"
        raw = f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content
        response = await talk(rig.manage, raw)
        assert response.status == 400, response.raw
        assert response.json["detail"]
    assert await rig.items("/devices") == before


@pytest.mark.parametrize(
    ("field", "most"),
    [("alias", "ä" * 200), ("area", "ä" * 200), ("networks", ["192.0.2.0/24"] * 256)],
)
@pytest_twisted.ensureDeferred
async def test_what_every_list_shows_of_a_terminal_is_short(
    rig: Rig, field: str, most: str | list[str]
) -> None:
    """One more is refused, and the terminal stays as it was."""
    await rig.api("PUT", "/devices/T7", {})
    changed = await rig.api("PATCH", "/devices/T7", {field: most})
    refused = await rig.api("PATCH", "/devices/T7", {field: most + most[:1]})
    assert (changed.status, refused.status) == (200, 400)
    assert field in refused.json["detail"]
    shown = await rig.api("GET", "/devices/T7")
    assert shown.json[field] == changed.json[field]
