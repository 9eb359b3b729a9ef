"""The API of files."""

from __future__ import annotations

import base64
import hashlib

import pytest
import pytest_twisted

from zkpush.protocol.fields import Scope

from ..rig import TOKEN, Rig, talk
from .files import FIRMWARE, add, order, post

MD5 = hashlib.md5(FIRMWARE, usedforsecurity=False)


@pytest_twisted.ensureDeferred
async def test_a_file_is_added_listed_and_read(rig: Rig) -> None:
    """What was sent is what comes back, with its size, MD5 and path."""
    file = await add(rig, name="Zoë 1.bin")
    assert file == {
        "id": 1,
        "name": "Zoë 1.bin",
        "size": len(FIRMWARE),
        "md5": MD5.hexdigest(),
        "path": "file/1/Zo%C3%AB%201.bin",
        "origin": None,
        "created_at": "2026-03-01T12:00:00.000Z",
    }
    assert await rig.items("/files") == [file]
    assert (await rig.api("GET", "/files/1")).json == file
    content = await rig.api("GET", "/files/1/content")
    assert content.body == FIRMWARE
    assert content.header(b"Content-Type") == b"application/octet-stream"
    assert content.header(b"Content-MD5") == base64.b64encode(MD5.digest())
    assert content.header(b"X-Content-Type-Options") == b"nosniff"
    assert content.header(b"Content-Disposition") == (
        b"attachment; filename*=UTF-8''Zo%C3%AB%201.bin"
    )


@pytest_twisted.ensureDeferred
async def test_files_are_listed_in_parts(rig: Rig) -> None:
    """In the order they were added; the same content twice is two files."""
    for name in ("a", "b", "a"):
        await add(rig, b"same", name)
    first = (await rig.api("GET", "/files?limit=2")).json
    assert [file["name"] for file in first["items"]] == ["a", "b"]
    rest = (await rig.api("GET", f"/files?limit=2&after={first['next']}")).json
    assert [(file["id"], file["name"]) for file in rest["items"]] == [(3, "a")]


@pytest_twisted.ensureDeferred
async def test_what_came_from_a_terminal_is_a_file(rig: Rig) -> None:
    """Its origin is the terminal and the command."""
    await rig.exchange()
    command = await order(rig, "GetFile", path="/mnt/mtdblock/options.cfg")
    await rig.get("getrequest?SN=T1")
    answer = f"ID={command}\nSN=T1\nFILENAME=x\nCMD=GetFile\nReturn=4\nContent=a\0\nb"
    await rig.post("devicecmd?SN=T1", answer.encode())
    (file,) = await rig.items("/files")
    assert (file["name"], file["origin"]) == ("options.cfg", f"T1 {command}")
    assert (await rig.api("GET", f"/files/{file['id']}/content")).body == b"a\0\nb"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "..\\b", "a\0b", "a\nb", "x" * 256, "\u202e", "\udcff", "a\x7f"],
)
@pytest_twisted.ensureDeferred
async def test_a_bad_name_is_refused(rig: Rig, name: str) -> None:
    """A name is never part of a path, and yet none that could be is taken."""
    safe = name.encode("utf-8", "surrogatepass")
    response = await post(rig, FIRMWARE, safe)
    assert response.status == 400
    assert "name" in response.json["detail"]
    assert await rig.items("/files") == []


@pytest_twisted.ensureDeferred
async def test_a_file_needs_a_name_and_bytes(rig: Rig) -> None:
    """An upload without either is a mistake."""
    assert (await post(rig, b"", "a")).status == 400
    assert (await rig.api("POST", "/files", {})).status == 400
    assert (await rig.api("POST", "/files?name=a&name=b", {})).status == 400
    assert await rig.items("/files") == []


@pytest_twisted.ensureDeferred
async def test_a_file_may_be_as_long_as_configured(make_rig) -> None:
    """413 beyond that, of a body with a length or in chunks, and nothing is kept of it."""
    rig = await make_rig(limits={"file_bytes": 3_000_000})
    assert (await post(rig, bytes(3_000_000), "a")).status == 201
    longer = await post(rig, bytes(3_000_001), "b")
    assert (longer.status, longer.header(b"Content-Type")) == (413, b"application/problem+json")
    chunk = b"%x\r\n%b\r\n" % (500_000, bytes(500_000))
    head = (
        "POST /api/v1/files?name=c HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n"
        f"Authorization: Bearer {TOKEN}\r\n\r\n"
    )
    assert (await talk(rig.manage, head.encode() + chunk * 7 + b"0\r\n\r\n")).status == 413
    assert (await talk(rig.manage, head.encode() + chunk * 6 + b"0\r\n\r\n")).status == 201
    assert [file["name"] for file in await rig.items("/files")] == ["a", "c"]


@pytest_twisted.ensureDeferred
async def test_files_need_the_scope_of_what_they_can_do(rig: Rig) -> None:
    """Who reads sees that there are files; only who may endanger terminals has their bytes."""
    await add(rig)
    reader = await rig.token("reader", Scope.READ, Scope.WRITE)
    headers = (f"Authorization: Bearer {reader}",)
    for path, status in (("/files", 200), ("/files/1", 200), ("/files/1/content", 403)):
        assert (await rig.api("GET", path, headers=headers)).status == status
    assert (await rig.api("DELETE", "/files/1", headers=headers)).status == 403
    assert (await post(rig, FIRMWARE, "a", reader)).status == 403
    assert (await post(rig, FIRMWARE, "a", "")).status == 401


@pytest.mark.parametrize(
    ("command", "params"),
    [
        ("UPGRADE", {"file": 1, "form": 1}),
        ("UPGRADE", {"file": "001", "form": 2}),
        ("PutFile", {"url": "file/1/x", "path": "x"}),
        ("PutFile", {"url": "http://server:8081/iclock/file/1/x", "path": "x"}),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_file_that_a_terminal_will_fetch_stays(rig: Rig, command: str, params) -> None:
    """409 while there is an open command for it; then it can be removed."""
    await rig.exchange()
    await add(rig)
    await add(rig, b"other")
    queued = await order(rig, command, **params)
    refused = await rig.api("DELETE", "/files/1")
    assert refused.status == 409
    assert (await rig.api("DELETE", "/files/2")).status == 204
    assert (await rig.api("DELETE", f"/commands/{queued}")).status == 204
    assert (await rig.api("DELETE", "/files/1")).status == 204
    assert await rig.items("/files") == []


@pytest.mark.parametrize("file_id", ["2", "0", "9" * 18, str(2**63 - 1), "x", "-1", "1/x"])
@pytest_twisted.ensureDeferred
async def test_a_file_that_is_not_there_is_not_found(rig: Rig, file_id: str) -> None:
    """Whatever is asked of it."""
    await add(rig)
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        assert (await rig.api(method, f"/files/{file_id}{path}")).status == 404


@pytest_twisted.ensureDeferred
async def test_files_are_described(rig: Rig) -> None:
    """The name is needed, and the body is bytes."""
    described = (await rig.api("GET", "/openapi.json")).json["paths"]["/api/v1/files"]["post"]
    (name,) = described["parameters"]
    assert (name["name"], name["required"]) == ("name", True)
    assert list(described["requestBody"]["content"]) == ["application/octet-stream"]
    assert "201" in described["responses"]


@pytest_twisted.ensureDeferred
async def test_a_command_cannot_name_a_file_that_is_not_there(rig: Rig) -> None:
    """Nor a secret in the place of a name, nor a file of another server."""
    await rig.exchange()
    await add(rig)
    for url in (
        "file/2/x",
        "file/1.b64/x",
        f"file/{'0' * 26}/x",
        "http://evil.example/firmware",
        "/etc/passwd",
    ):
        body = {"command": "PutFile", "params": {"url": url, "path": "x"}}
        assert (await rig.api("POST", "/devices/T1/commands", body)).status == 400


@pytest_twisted.ensureDeferred
async def test_a_body_is_never_on_disk_as_it_came(rig: Rig, monkeypatch) -> None:
    """However long it is: what is in it may be secret, and is sealed before it is written."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    long = b"secret" * 100_000
    file = await add(rig, long)
    assert (await rig.api("GET", f"/files/{file['id']}/content")).body == long
