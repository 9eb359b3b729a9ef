"""Connections of people: how many there are, and whose they are."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.device.refusals import Refusal

from ..rig import Rig, talk
from ..server.sse import Listening
from .managing import AUTH, Person, a_turn


@pytest_twisted.ensureDeferred
async def test_the_oldest_stranger_makes_way(make_rig) -> None:
    """When there are too many, those go first that have shown no token and do nothing."""
    rig = await make_rig(limits={"manage_connections": 6})
    known = Person(rig).get("/api/v1/devices", AUTH)
    assert await known.status() == 200
    streams = [await Listening(rig).begun() for _ in range(2)]
    strangers = [Person(rig, f"198.51.100.{number}").bytes(b"GET /health") for number in range(20)]
    assert [person.is_cut for person in strangers] == [True] * 17 + [False] * 3
    assert not known.is_cut
    assert not any(stream.wire.disconnected for stream in streams)
    assert (await rig.api("GET", "/devices")).status == 200
    assert len(rig.manage.connections) <= 6


@pytest_twisted.ensureDeferred
async def test_an_idle_connection_makes_way_before_a_request_is_turned_away(make_rig) -> None:
    """Keeping connections open shuts nobody out, also with a token."""
    rig = await make_rig(limits={"manage_connections": 4})
    known = [Person(rig).get("/api/v1/devices", AUTH) for _ in range(4)]
    for person in known:
        assert await person.status() == 200
    assert (await rig.api("GET", "/health", headers=(), prefix="")).status == 200
    assert [person.is_cut for person in known] == [True, False, False, False]


@pytest_twisted.ensureDeferred
async def test_requests_in_hand_are_never_cut(make_rig) -> None:
    """If everybody is being served, the newcomer is turned away; it is counted."""
    rig = await make_rig(limits={"manage_connections": 4, "event_streams": 3})
    streams = [await Listening(rig).begun() for _ in range(3)]
    body = Person(rig).send("POST /api/v1/tokens HTTP/1.1", AUTH, "Content-Length: 10")
    await a_turn()
    newcomers = [Person(rig) for _ in range(3)]
    assert not any(stream.wire.disconnected for stream in streams)
    assert [person.is_cut for person in (body, *newcomers)] == [False, True, True, True]
    figures = rig.daemon.refusals.counts
    assert figures[Refusal.MANAGE_CONNECTIONS] == 3


@pytest_twisted.ensureDeferred
async def test_one_address_has_a_share(make_rig) -> None:
    """One address makes way for itself, and keeps nobody else out."""
    limits = {"manage_connections": 8, "manage_connections_per_address": 3}
    rig = await make_rig(limits=limits, proxies={"trusted": ["203.0.113.1"]})
    other = Person(rig, "198.51.100.1")
    many = [Person(rig, "198.51.100.2") for _ in range(9)]
    assert [person.is_cut for person in many] == [True] * 6 + [False] * 3
    assert not other.is_cut
    proxied = [Person(rig, "203.0.113.1") for _ in range(4)]
    assert not any(person.is_cut for person in (*proxied, other))


@pytest_twisted.ensureDeferred
async def test_places_are_free_again(make_rig) -> None:
    """Connections that end are not counted any more, however they end."""
    rig = await make_rig(limits={"manage_connections": 4})
    for _ in range(3):
        people = [Person(rig) for _ in range(6)]
        for person in people:
            person.leave()
        assert len(rig.manage.connections) == 0


@pytest_twisted.ensureDeferred
async def test_there_are_only_so_many_readers_of_events(make_rig) -> None:
    """One more is asked to try later; when another goes there is room."""
    rig = await make_rig(limits={"event_streams": 2})
    first, second = [await Listening(rig).begun() for _ in range(2)]
    refused = await rig.api("GET", "/events")
    assert refused.status == 503
    assert "limits.event_streams" in refused.json["detail"]
    first.hang_up()
    await Listening(rig).begun()
    assert not second.wire.disconnected


@pytest_twisted.ensureDeferred
async def test_readers_of_events_leave_room_for_others(make_rig) -> None:
    """However many streams are configured, a quarter of the connections is for other requests."""
    rig = await make_rig(limits={"event_streams": 100, "manage_connections": 8})
    for _ in range(6):
        await Listening(rig).begun()
    assert (await rig.api("GET", "/events")).status == 503
    assert (await rig.api("GET", "/devices")).status == 200


# Whose address it is.

PROXY, INNER, CLIENT, INVENTED = "192.0.2.1", "10.0.0.7", "203.0.113.5", "198.51.100.66"
TRUSTED = {"trusted": [PROXY, "10.0.0.0/8"]}


async def recorded(rig: Rig, *headers: str, peer: str) -> str:
    """The detail of the audit record of a change that came with some headers."""
    body = b'{"alias": "Gate 4"}'
    head = ["PUT /api/v1/devices/T1 HTTP/1.1", AUTH, f"Content-Length: {len(body)}", *headers]
    raw = "\r\n".join(head).encode() + b"\r\n\r\n" + body
    response = await talk(rig.manage, raw, peer)
    assert response.status == 200, response.raw
    return [item["detail"] for item in await rig.items("/audit")][-1]


@pytest.mark.parametrize(
    ("peer", "headers", "client"),
    [
        (PROXY, [f"X-Forwarded-For: {CLIENT}"], CLIENT),
        (PROXY, [f"X-Forwarded-For: {INVENTED}, {CLIENT}"], CLIENT),
        (PROXY, [f"X-Forwarded-For: {INVENTED}", f"x-forwarded-for: {CLIENT}, {INNER}"], CLIENT),
        (PROXY, ["X-Forwarded-For: [2001:DB8::5]:443"], "2001:db8::5"),
        (PROXY, [], PROXY),
        (CLIENT, [f"X-Forwarded-For: {INVENTED}"], CLIENT),
        (CLIENT, [f"X-Forwarded-For: {INVENTED}, {PROXY}"], CLIENT),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_audit_log_names_the_client_behind_a_trusted_proxy(
    make_rig, peer: str, headers: list[str], client: str
) -> None:
    """Who is named is the client; what an untrusted peer says of others is ignored."""
    rig = await make_rig(proxies=TRUSTED)
    assert (await recorded(rig, *headers, peer=peer)).endswith(f"by API from {client}")


@pytest_twisted.ensureDeferred
async def test_refusals_name_the_client_behind_a_trusted_proxy(make_rig) -> None:
    """Who comes without a token is recorded by their own address, at the head and after it."""
    rig = await make_rig(proxies=TRUSTED)
    forwarded = f"X-Forwarded-For: {CLIENT}"
    for framing in ("Content-Length: 0", "Content-Length: 5"):
        raw = f"POST /api/v1/tokens HTTP/1.1\r\n{forwarded}\r\n{framing}\r\n\r\n".encode()
        assert (await talk(rig.manage, raw, PROXY)).status == 401
    await rig.daemon.refusals.stopService()
    (record,) = await rig.items("/audit")
    assert (record["actor"], record["action"]) == (f"address {CLIENT}", "refused")
    assert record["detail"].startswith("2 times")


@pytest_twisted.ensureDeferred
async def test_a_trusted_proxy_that_names_nobody_is_refused(make_rig) -> None:
    """An address that is none is a mistake of the proxy, and is never recorded."""
    rig = await make_rig(proxies=TRUSTED)
    raw = f"GET /api/v1/devices HTTP/1.1\r\n{AUTH}\r\nX-Forwarded-For: <b>\r\n\r\n".encode()
    assert (await talk(rig.manage, raw, PROXY)).status == 400
