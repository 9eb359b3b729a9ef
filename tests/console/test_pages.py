"""What holds for every page, enumerated from the routes."""

from __future__ import annotations

import re

import pytest
import pytest_twisted

from zkpush.protocol.fields import Scope

from ..rig import Rig, Wire
from ..server.sse import Listening
from .browser import HOST, Browser, document, location, signed_in
from .walk import (
    NAMES,
    NOT_THERE,
    console_of,
    english_left,
    files_of,
    forms_of_console,
    pages_of,
    path_of,
    scope_of,
    targets_of,
)

MOST_BYTES = 50_000


async def filled(rig: Rig) -> None:
    """Give the daemon a terminal with people, punches and a reject, and one that waits."""
    await rig.exchange("T1")
    await rig.api("PUT", "/users/1", {"name": "Eve"})
    await rig.api("DELETE", "/users/1")
    await rig.api("PUT", "/users/1", {"name": "Ann"})
    line = b"1\t2026-03-01 08:00:00\t0\t1\t0\t0\t0\t0\t0\t0\t\n"
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", line)
    await rig.post("cdata?SN=T1&table=OPERLOG&Stamp=1", b"USER PIN=1\tName=Ann\tPri=0\n")
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=2", b"1\tno time of any day\t0\t1\n")
    job = await rig.api("POST", "/commands", {"command": "INFO", "devices": ["T1"]})
    NAMES["job_id"] = job.json["id"]
    command = await rig.api("POST", "/devices/T1/commands", {"command": "LOG"})
    NAMES["command_id"] = command.json["id"]
    added = await rig.api("POST", "/files?name=update.bin", b"firmware")
    NAMES["file_id"] = str(added.json["id"])
    receiver = {"name": "payroll", "url": "https://payroll.example/punches"}
    made = await rig.api("POST", "/forwarders", receiver)
    assert made.status == 201, made.raw
    code = await rig.api("PUT", "/areas/default/work-codes/10", {"name": "Assembly"})
    assert code.status == 200, code.raw


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_every_page_is_valid_small_and_safe(rig: Rig) -> None:
    """With all scopes each page is there: valid HTML below 50 KB, with the headers of security."""
    await filled(rig)
    browser = await signed_in(rig)
    for page in pages_of(rig):
        if page.path == "/sign-in":
            continue
        shown = await browser.get(path_of(page.path))
        assert shown.status == (410 if page.path in NOT_THERE else 200), page.path
        assert len(shown.body) < MOST_BYTES, page.path
        policy = shown.header(b"Content-Security-Policy") or b""
        assert b"default-src 'none'" in policy
        assert b"unsafe" not in policy
        assert shown.header(b"X-Frame-Options") == b"DENY"
        assert shown.header(b"Cache-Control") == b"no-store"
        tree = document(shown)
        assert [*tree.iter("style")] == []
        assert [node for node in tree.iter() if "style" in node.attrib] == []
        assert [node for node in tree.iter("script") if node.text] == []
        assert len([*tree.iter("h1")]) == 1, page.path
        ids = [node.attrib["id"] for node in tree.iter() if "id" in node.attrib]
        assert len(ids) == len(set(ids)), page.path
        for node in tree.iter():
            for name in ("src", "href", "action"):
                target = node.attrib.get(name, "/console/")
                assert target.startswith(("/console/", "#", "otpauth:")), (page.path, target)


def scopes_without(scope: Scope) -> set[Scope]:
    """All scopes but one, and but `read`, which includes it, in place of `attendance`."""
    return {*Scope} - {scope} - ({Scope.READ} if scope is Scope.ATTENDANCE else set())


@pytest.mark.long
@pytest.mark.parametrize("scope", Scope, ids=lambda scope: scope.value)
@pytest_twisted.ensureDeferred
async def test_who_lacks_a_scope_neither_sees_nor_does_what_needs_it(
    rig: Rig, scope: Scope
) -> None:
    """Its pages and forms are refused, and no page has a link or a button that leads to them."""
    await filled(rig)
    browser = await signed_in(rig, *(each.value for each in scopes_without(scope)))
    own = (await browser.get("/account")).body.decode()
    token = re.search(r'name="csrf" content="([0-9a-f]+)"', own)
    assert token is not None
    refused = 0
    for page in [*pages_of(rig), *files_of(rig)]:
        shown = await browser.get(path_of(page.path))
        if page.scope is scope:
            assert shown.status == 403, page.path
            refused += 1
        elif not page.is_file and scope not in (Scope.READ, Scope.ATTENDANCE):
            text = shown.body.decode()
            needed = {path: scope_of(rig, *path) for path in targets_of(text)}
            assert [path for path, other in needed.items() if other is scope] == [], page.path
    for form in forms_of_console(rig):
        if form.scope is scope:
            sent = await browser.post(
                path_of(form.path), {"csrf": "" if token is None else token[1]}
            )
            assert sent.status == 403, form.path
            refused += 1
    assert refused


@pytest_twisted.ensureDeferred
async def test_no_page_is_there_without_a_session(rig: Rig) -> None:
    """Without a session each page with a scope leads to the sign-in, and no form does anything."""
    browser = Browser(rig)
    for page in [*pages_of(rig), *files_of(rig)]:
        if page.scope is not None:
            assert location(await browser.get(path_of(page.path))).startswith("/sign-in")
    for form in forms_of_console(rig):
        if form.scope is not None:
            assert location(await browser.post(path_of(form.path), {})) == "/sign-in"


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_every_text_is_translated(rig: Rig) -> None:
    """In the artificial language no English word is left, but data, which is marked as such."""
    await filled(rig)
    browser = await signed_in(rig)
    await browser.get("/?lang=en-XA")
    for page in pages_of(rig):
        if page.path == "/sign-in":
            continue
        left = english_left(document(await browser.get(path_of(page.path))))
        assert left == [], page.path


@pytest_twisted.ensureDeferred
async def test_live_parts_need_a_session_and_a_scope(rig: Rig) -> None:
    """The live stream is refused without a session, and for parts that do not exist."""
    assert (await Browser(rig).get("/live?part=x")).status == 401
    browser = await signed_in(rig, "read")
    assert (await browser.get("/live?part=x")).status == 404
    for name, (_, part) in console_of(rig).parts.items():
        if part.scope not in (Scope.READ, Scope.ATTENDANCE):
            assert (await browser.get(f"/live?part={name}")).status == 403


@pytest_twisted.ensureDeferred
async def test_open_consoles_have_a_limit_of_their_own(make_rig) -> None:
    """One console more is not live; readers of events have their own limit beside them."""
    rig = await make_rig(limits={"console_streams": 1, "event_streams": 1})
    browser = await signed_in(rig)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    wire = Wire("127.0.0.1")
    channel = rig.manage.buildProtocol(wire.getPeer())
    channel.makeConnection(wire)
    channel.dataReceived(
        f"GET /console/live?part=overview-counts HTTP/1.1\r\nHost: {HOST}\r\n"
        f"Cookie: {cookies}\r\n\r\n".encode()
    )
    while b"text/event-stream" not in wire.value():
        await wire.changed()
    assert (await browser.get("/live?part=overview-counts")).status == 204
    reader = await Listening(rig).begun()
    assert (await rig.api("GET", "/events")).status == 503
    reader.hang_up()
    console_of(rig).hub.end()
