"""A file goes to the terminal that was told to fetch it; nobody gets it by guessing its path."""

from __future__ import annotations

import gzip
import re

import pytest
import pytest_twisted

from zkpush.protocol.fields import Scope

from ..rig import Response, Rig
from ..server.files import FIRMWARE, add, by_url, fetch, order

PASSWORD, TEMPLATE = "71553", "VGVtcGxhdGUgb2YgQW5u"
PEOPLE = f"USER PIN=7\tName=Ann\tPasswd={PASSWORD}\nFP PIN=7\tFID=3\tTMP={TEMPLATE}\n"
PACKAGE = {"Action": "AppendData"}
HERE, THERE = "10.1.2.3", "203.0.113.9"


async def with_people(rig: Rig, sn: str = "T1") -> None:
    """A terminal with a session, and somebody in the store."""
    await rig.exchange(sn)
    await rig.post(f"cdata?SN={sn}&table=OPERLOG&Stamp=1", PEOPLE.encode())


async def url_polled(rig: Rig, sn: str = "T1") -> str:
    """The URL in the commands that a terminal polls."""
    found = re.search(rb"file/[^/\s]+/[^\s,]+", (await rig.get(f"getrequest?SN={sn}")).body)
    assert found is not None
    return found[0].decode()


async def end(rig: Rig, command: str, code: int = 0) -> None:
    """Answer a command."""
    answer = f"ID={command}&Return={code}&CMD=PutFile"
    assert (await rig.post("devicecmd?SN=T1", answer.encode())).status == 200


def holds_people(response: Response) -> bool:
    """Whether a reply has a package with the password in it."""
    body = response.body
    return body.startswith(b"\x1f\x8b") and PASSWORD.encode() in gzip.decompress(body)


@pytest.mark.parametrize(
    "target",
    [
        "file/1/anything",
        "file/1/people.tgz",
        "file/1/x?SN=T1",
        by_url("file/1/anything"),
        "iclock/file/1/x",
        "file/1.b64/x",
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_guessed_path_gives_nothing(rig: Rig, target: str) -> None:
    """Names, passwords and templates are not at a path that anybody can count up to."""
    await with_people(rig)
    await order(rig, "PutFile", **PACKAGE)
    for address in (HERE, THERE):
        response = await rig.get(target, address=address)
        assert response.status in (403, 404), response.raw
        assert not holds_people(response)


@pytest_twisted.ensureDeferred
async def test_the_terminal_gets_its_package(rig: Rig) -> None:
    """By the URL of its command, with and without its serial number, whole and in parts."""
    await with_people(rig)
    await order(rig, "PutFile", **PACKAGE)
    url = await url_polled(rig)
    for target in (url, f"{url}?SN=T1", by_url(url), by_url(f"http://server/iclock/{url}")):
        assert holds_people(await fetch(rig, target)), target
    whole = (await fetch(rig, url)).body
    parts = [
        (await fetch(rig, url, f"Range: bytes={first}-{first + 39}")).body
        for first in range(0, len(whole), 40)
    ]
    assert b"".join(parts) == whole


@pytest_twisted.ensureDeferred
async def test_a_url_is_a_secret_of_one_command(rig: Rig) -> None:
    """Each has another one of 128 bits or more, and it is good for its terminal only."""
    for sn in ("T1", "T2"):
        await with_people(rig, sn)
    file = await add(rig)
    urls = []
    for sn in ("T1", "T2", "T1"):
        command = await order(rig, "PutFile", sn, url=file["path"], path="/mnt/x")
        urls.append(await url_polled(rig, sn))
        if sn == "T1":
            await rig.api("DELETE", f"/commands/{command}")
    secrets = [url.split("/")[1] for url in urls]
    assert len(set(secrets)) == 3
    assert all(len(set(secret)) > 8 and 36 ** len(secret) >= 2**128 for secret in secrets)
    assert [(await fetch(rig, url)).status for url in urls] == [403, 200, 403]
    assert (await fetch(rig, f"{urls[1]}?SN=T1")).status == 403
    assert (await fetch(rig, by_url(urls[1], "T1"))).status == 403


@pytest_twisted.ensureDeferred
async def test_a_secret_counts_whole(rig: Rig) -> None:
    """No part of it, and none with one character changed, finds the file."""
    await with_people(rig)
    await order(rig, "PutFile", **PACKAGE)
    url = await url_polled(rig)
    secret = url.split("/")[1]
    wrong = [secret[:length] for length in range(1, len(secret))]
    for place in range(len(secret)):
        other = "0" if secret[place] != "0" else "1"
        wrong.append(secret[:place] + other + secret[place + 1 :])
    wrong += [secret + "0", secret.upper(), f"{secret}.b64", f"1{secret}", "%", "_" * len(secret)]
    for one in wrong:
        if one != secret:
            assert (await fetch(rig, url.replace(secret, one))).status in (400, 403, 404), one
    assert (await fetch(rig, url)).status == 200


@pytest.mark.parametrize("end_by", ["done", "failed", "cancel", "too old"])
@pytest_twisted.ensureDeferred
async def test_a_package_is_gone_after_use(rig: Rig, end_by: str) -> None:
    """Its URL is good as long as its command is open, and then the file itself is removed."""
    await with_people(rig)
    command = await order(rig, "PutFile", **PACKAGE)
    url = await url_polled(rig)
    assert holds_people(await fetch(rig, url))
    if end_by == "cancel":
        assert (await rig.api("DELETE", f"/commands/{command}")).status == 204
    elif end_by == "too old":
        rig.clock.advance(31 * 24 * 3600)
        await rig.daemon.queue.end_overdue()
    else:
        await end(rig, command, 0 if end_by == "done" else -1)
    assert (await fetch(rig, url)).status == 403
    named = (await rig.api("GET", f"/commands/{command}")).json["params"]["url"]
    assert (await rig.api("GET", f"/files/{named.split('/')[1]}")).status == 404

    def rows(tx) -> int:
        return tx.connection.exec_driver_sql("SELECT count(*) FROM files").scalar_one()

    assert await rig.store.read(rows) == 0


@pytest_twisted.ensureDeferred
async def test_a_file_is_served_only_where_its_terminal_may_be(rig: Rig) -> None:
    """Not from another network, and not to a terminal that is blocked, whoever has the URL."""
    await with_people(rig)
    await order(rig, "PutFile", **PACKAGE)
    url = await url_polled(rig)
    await rig.api("PATCH", "/devices/T1", {"networks": [f"{HERE}/32"]})
    statuses = [(await rig.get(url, address=address)).status for address in (HERE, THERE)]
    assert statuses == [200, 403]
    await rig.api("PATCH", "/devices/T1", {"state": "blocked"})
    assert (await rig.get(url, address=HERE)).status == 403


@pytest.mark.parametrize(
    ("scopes", "params", "status"),
    [
        ([Scope.DANGEROUS], PACKAGE, 403),
        ([Scope.BIOMETRICS], PACKAGE, 403),
        ([Scope.DANGEROUS], {"Action": "SyncData", "TableName": "USERINFO"}, 403),
        ([Scope.DANGEROUS, Scope.BIOMETRICS], PACKAGE, 202),
        ([Scope.DANGEROUS], {"url": "file/1/fw%201.bin", "path": "x"}, 202),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_package_needs_the_scope_of_what_is_in_it(
    rig: Rig, scopes: list[Scope], params: dict[str, str], status: int
) -> None:
    """Who may send files and not see passwords sends none to a terminal of theirs."""
    await with_people(rig)
    await add(rig)
    token = await rig.token("ops", Scope.READ, Scope.WRITE, *scopes)
    queued = await rig.api(
        "POST",
        "/devices/T1/commands",
        {"command": "PutFile", "params": params},
        headers=(f"Authorization: Bearer {token}",),
    )
    assert queued.status == status, queued.raw
    assert (
        status == 202
        or "biometrics" in queued.json["detail"]
        or "dangerous" in queued.json["detail"]
    )


@pytest_twisted.ensureDeferred
async def test_a_package_is_no_file_of_the_server(rig: Rig) -> None:
    """Nobody reads it by the API, removes it, or sends it to another terminal."""
    await with_people(rig)
    await rig.exchange("T2")
    queued = await order(rig, "PutFile", **PACKAGE)
    name = (await rig.api("GET", f"/commands/{queued}")).json["params"]["url"]
    file_id = name.split("/")[1]
    assert await rig.items("/files") == []
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        assert (await rig.api(method, f"/files/{file_id}{path}")).status == 404
    for command, params in (
        ("PutFile", {"url": name, "path": "/mnt/x"}),
        ("UPGRADE", {"file": file_id, "form": "2"}),
    ):
        body = {"command": command, "params": params}
        assert (await rig.api("POST", "/devices/T2/commands", body)).status == 400
    assert holds_people(await fetch(rig, await url_polled(rig)))


@pytest_twisted.ensureDeferred
async def test_nobody_but_the_terminal_learns_a_url(rig: Rig) -> None:
    """The API, its events and the audit log know the name of a file, and never the secret."""
    await with_people(rig)
    file = await add(rig)
    for params in (PACKAGE, {"url": file["path"], "path": "/mnt/x"}):
        await order(rig, "PutFile", **params)
    upgrade = await order(rig, "UPGRADE", file=file["id"], form=2)
    secrets = set()
    for _ in range(3):
        reply = await rig.get("getrequest?SN=T1")
        secrets |= set(re.findall(rb"file/([^/\s]+)/", reply.body))
    assert len(secrets) == 3
    for secret in secrets:
        await rig.get(f"file/{secret.decode()}/x", address=THERE)
        await rig.get(f"file?SN=T1&url=file/{secret.decode()}x/x", address=THERE)
    rig.clock.advance(10)
    shown = b"".join(
        [
            (await rig.api("GET", path)).body
            for path in (
                "/devices/T1/commands",
                f"/commands/{upgrade}",
                "/files",
                "/devices/T1",
                "/audit?limit=1000",
            )
        ]
    )
    events = await rig.store.read(
        lambda tx: repr(tx.connection.exec_driver_sql("SELECT data FROM events").all())
    )
    assert b"/fw%201.bin" in shown
    for secret in secrets:
        assert secret not in shown + events.encode()


@pytest_twisted.ensureDeferred
async def test_a_command_that_is_sent_again_has_the_same_url(rig: Rig) -> None:
    """A terminal that lost its connection goes on with a range of the same file."""
    await with_people(rig)
    file = await add(rig)
    await order(rig, "PutFile", url=file["path"], path="/mnt/fw.bin")
    first = await url_polled(rig)
    rig.clock.advance(301)
    assert await url_polled(rig) == first
    rest = await fetch(rig, first, "Range: bytes=5000-")
    assert (rest.status, rest.body) == (206, FIRMWARE[5000:])


@pytest_twisted.ensureDeferred
async def test_every_node_serves_the_file_of_a_command(make_rig, tmp_path) -> None:
    """A command that one process queues is polled from another, and fetched from both."""
    database = f"sqlite:///{tmp_path / 'db.sqlite'}"
    one, other = [await make_rig(database=database) for _ in range(2)]
    await with_people(one)
    await order(one, "PutFile", **PACKAGE)
    other.clock.advance(1)
    await other.registry.follow()
    url = await url_polled(other)
    for node in (one, other):
        assert holds_people(await fetch(node, url))
        part = await fetch(node, url, "Range: bytes=0-9")
        assert (part.status, len(part.body)) == (206, 10)
