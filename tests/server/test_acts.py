"""Everything that callers of the API change, and every secret they are shown, is recorded."""

from __future__ import annotations

import base64
import json

import pytest
import pytest_twisted

from zkpush import __version__
from zkpush.persist.audit import AuditStore
from zkpush.protocol.fields import Scope

from ..rig import TOKEN, Rig
from .files import add, order

TEMPLATE = base64.b64encode(b"a finger of nobody").decode()
PICTURE = base64.b64encode(b"\xff\xd8\xff a face of nobody").decode()
SIZE = len(base64.b64decode(PICTURE))
PASSWORD = "pass-4711"
PEOPLE = (
    f"USER PIN=7\tName=Ann\tPasswd={PASSWORD}\nUSER PIN=8\n"
    f"FP PIN=7\tFID=5\tValid=1\tTMP={TEMPLATE}\n"
    f"USERPIC PIN=7\tContent={PICTURE}\n"
)
FROM = "by API from 192.0.2.7"


async def acts(rig: Rig) -> list[tuple[object, ...]]:
    """What the audit log has."""
    return [
        (item["actor"], item["action"], item["subject"], item["detail"])
        for item in await rig.items("/audit?limit=1000")
    ]


@pytest_twisted.ensureDeferred
async def test_changes_of_terminals_are_recorded(rig: Rig) -> None:
    """Each with what was changed; what changed nothing is not there."""
    await rig.api("PUT", "/devices/T1", {"state": "approved"})
    await rig.api("PUT", "/devices/T1", {})
    settings = {"Delay": 5, "TransFlag": "digits"}
    await rig.api("PATCH", "/devices/T1", {"alias": "Gate", "area": None, "settings": settings})
    await rig.api("PATCH", "/devices/T1", {"timezone": "Mars/Olympus"})
    await rig.api("PATCH", "/devices/T9", {"alias": "x"})
    await rig.api("DELETE", "/devices/T9")
    await rig.api("DELETE", "/devices/T1")
    assert await acts(rig) == [
        ("token admin", "add terminal", "terminal T1", FROM),
        ("token admin", "change terminal", "terminal T1", f"state=approved; {FROM}"),
        (
            "token admin",
            "change terminal",
            "terminal T1",
            f"alias=Gate, area=, Delay=5, TransFlag=digits; {FROM}",
        ),
        ("token admin", "remove terminal", "terminal T1", FROM),
    ]


@pytest_twisted.ensureDeferred
async def test_commands_are_recorded_without_their_secrets(rig: Rig) -> None:
    """What was asked of which terminal; a secret parameter is named, and not shown."""
    await rig.exchange()
    user = await order(rig, "DATA UPDATE USERINFO", PIN="7", Passwd=PASSWORD)
    await order(rig, "DATA UPDATE FINGERTMP", PIN="7", FID="1", Valid="1", TMP=TEMPLATE)
    text = "x" * 200
    shell = {"command": "SHELL", "params": {"command": text}}
    await rig.api("POST", "/devices/T1/commands", shell)
    await rig.api("POST", "/devices/T1/commands", {"command": "NONSENSE"})
    await rig.api("DELETE", f"/commands/{user}")
    await rig.api("DELETE", f"/commands/{user}")
    found = await acts(rig)
    assert [(action, subject) for _, action, subject, _ in found] == [
        *[("queue command", "terminal T1")] * 3,
        ("cancel command", "terminal T1"),
    ]
    details = [detail for *_, detail in found]
    person = await rig.person("7")
    assert details[0] == f"{user}: DATA UPDATE USERINFO PIN={person} Passwd (not shown); {FROM}"
    assert f"DATA UPDATE FINGERTMP PIN={person} FID=1 Valid=1 TMP (not shown); {FROM}" in details[1]
    assert f"SHELL command (not shown); {FROM}" in details[2]
    assert details[3] == f"{user}: DATA UPDATE USERINFO; {FROM}"
    assert not any(secret in json.dumps(found) for secret in (PASSWORD, TEMPLATE))


@pytest_twisted.ensureDeferred
async def test_the_same_command_again_is_recorded_once(rig: Rig) -> None:
    """An Idempotency-Key that comes again changes nothing."""
    await rig.exchange()
    headers = (f"Authorization: Bearer {TOKEN}", "Idempotency-Key: 1")
    for _ in range(2):
        await rig.api("POST", "/devices/T1/commands", {"command": "INFO"}, headers=headers)
    assert [action for _, action, *_ in await acts(rig)] == ["queue command"]


@pytest_twisted.ensureDeferred
async def test_the_secrets_of_a_command_that_is_queued_again_are_shown_on_record(rig: Rig) -> None:
    """A caller who repeats it under its Idempotency-Key is recorded if shown its parameters."""
    await rig.exchange()
    scopes = (Scope.READ, Scope.WRITE)
    tokens = {
        "writer": await rig.token("writer", *scopes),
        "viewer": await rig.token("viewer", *scopes, Scope.BIOMETRICS),
    }
    user = {"command": "DATA UPDATE USERINFO", "params": {"PIN": "7", "Passwd": PASSWORD}}
    shown = {}
    for name in ("writer", "writer", "viewer", "viewer"):
        headers = (f"Authorization: Bearer {tokens[name]}", "Idempotency-Key: 1")
        reply = await rig.api("POST", "/devices/T1/commands", user, headers=headers)
        assert reply.status == 202
        command, shown[name] = reply.json["id"], reply.json["params"]["Passwd"]
    assert shown == {"writer": None, "viewer": PASSWORD}
    found = [act[:3] for act in await acts(rig)]
    assert [act for act in found if str(act[1]).startswith("read ")] == [
        ("token viewer", "read parameters of commands", f"command {command}")
    ]
    queued = [act for act in found if act[1] == "queue command"]
    assert queued == [("token writer", "queue command", "terminal T1")]


@pytest_twisted.ensureDeferred
async def test_resending_is_recorded(rig: Rig) -> None:
    """With the command that makes the terminal look at its stamps."""
    await rig.exchange()
    await rig.api("POST", "/devices/T1/resend", {"table": "attlog"})
    found = await acts(rig)
    assert found[0] == ("token admin", "resend", "terminal T1", f"ATTLOG; {FROM}")
    assert (found[1][1], "CHECK" in found[1][3]) == ("queue command", True)


@pytest_twisted.ensureDeferred
async def test_files_are_recorded(rig: Rig) -> None:
    """Who added which, who took it away, and who read it."""
    await add(rig, b"firmware", "fw.bin")
    await rig.api("GET", "/files/1/content")
    await rig.api("DELETE", "/files/1")
    await rig.api("DELETE", "/files/1")
    assert await acts(rig) == [
        ("token admin", "add file", "file 1", f"fw.bin, 8 bytes; {FROM}"),
        ("token admin", "read files", "file 1", FROM),
        ("token admin", "remove file", "file 1", f"fw.bin, 8 bytes; {FROM}"),
    ]


@pytest_twisted.ensureDeferred
async def test_tokens_are_recorded(rig: Rig) -> None:
    """Who gave whom what, and who took it away; then what was done with it."""
    token = await rig.token("clerk", Scope.ADMIN, Scope.READ)
    headers = (f"Authorization: Bearer {token}",)
    made = await rig.api("POST", "/tokens", {"name": "b", "scopes": ["read"]}, headers=headers)
    await rig.api("DELETE", "/tokens/clerk")
    found = await acts(rig)
    assert found == [
        ("token admin", "create token", "token clerk", f"admin, read; {FROM}"),
        ("token clerk", "create token", "token b", f"read; {FROM}"),
        ("token admin", "revoke token", "token clerk", FROM),
    ]
    for secret in (token, made.json["token"], TOKEN):
        assert secret not in json.dumps(found)


@pytest.mark.parametrize(
    ("path", "what", "of"),
    [
        ("/users?secrets=true", "passwords", "all users"),
        ("/users/7", "passwords", "{person}"),
        ("/users/7/templates", "templates", "{person}"),
        ("/users/7/photos", "photos", "{person}"),
        ("/photos/1/content", "photos", "attendance photo 1"),
        ("/idcards", "identity cards", "all terminals"),
        ("/idcards?device=T1", "identity cards", "terminal T1"),
        ("/rejects", "what was not understood", "all terminals"),
        ("/commands/{id}", "parameters of commands", "command {id}"),
        ("/devices/T1/commands", "parameters of commands", "terminal T1"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_who_is_shown_secrets_is_recorded(rig: Rig, path: str, what: str, of: str) -> None:
    """Once a minute, however often; nobody who may not see them is shown or recorded."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=OPERLOG", PEOPLE.encode())
    await rig.post("cdata?SN=T1&table=IDCARD", b"IDCARD PIN=7\tName=Ann\tPhoto=photo-of-the-card\n")
    photo = f"PIN=20260301080000-7.jpg\nSN=T1\nsize={SIZE}\nCMD=uploadphoto\0{PICTURE}"
    await rig.post("cdata?SN=T1&table=ATTPHOTO", photo.encode())
    await rig.post("cdata?SN=T1&table=OPERLOG", f"USER Passwd={PASSWORD}\n".encode())
    command = await order(rig, "DATA UPDATE USERINFO", PIN="7", Passwd=PASSWORD)
    path, of = path.replace("{id}", command), of.replace("{id}", command)
    of = of.replace("{person}", await rig.person("7"))
    reader = await rig.token("reader", Scope.READ)
    viewer = await rig.token("viewer", Scope.READ, Scope.BIOMETRICS)
    for token in (reader, viewer, viewer):
        await rig.api("GET", path, headers=(f"Authorization: Bearer {token}",))
    reads = [act for act in await acts(rig) if str(act[1]).startswith("read ")]
    assert reads == [("token viewer", f"read {what}", of, FROM)]
    rig.clock.advance(60)
    await rig.api("GET", path, headers=(f"Authorization: Bearer {viewer}",))
    reads = [act for act in await acts(rig) if str(act[1]).startswith("read ")]
    assert len(reads) == 2


@pytest_twisted.ensureDeferred
async def test_what_is_not_secret_is_read_without_a_trace(rig: Rig) -> None:
    """A user without a password, a command without secrets, records, an empty list."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=8\n")
    command = await order(rig, "INFO")
    before = await acts(rig)
    for path in ("users", "users/8", "rejects", "idcards", "attendance", f"commands/{command}"):
        assert (await rig.api("GET", f"/{path}")).status == 200
    assert await acts(rig) == before


@pytest_twisted.ensureDeferred
async def test_nothing_is_done_or_shown_unrecorded(rig: Rig, monkeypatch) -> None:
    """Without its record in the audit log, a change is none, and a secret stays one."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=OPERLOG", PEOPLE.encode())
    await rig.token("it", Scope.READ)
    await add(rig, b"firmware", "fw.bin")
    command = await order(rig, "INFO")

    async def shown() -> list[object]:
        paths = ("devices", "devices/T1/commands", "files", "tokens")
        return [await rig.items(f"/{path}") for path in paths]

    before = await shown()

    def fail(*_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(AuditStore, "add", fail)
    for method, path, body in (
        ("PUT", "devices/T2", {"state": "approved"}),
        ("PATCH", "devices/T1", {"alias": "Gate"}),
        ("POST", "devices/T1/resend", {"table": "ATTLOG"}),
        ("POST", "devices/T1/commands", {"command": "INFO"}),
        ("DELETE", f"commands/{command}", None),
        ("POST", "files?name=other", {}),
        ("DELETE", "files/1", None),
        ("POST", "tokens", {"name": "hr", "scopes": ["read"]}),
        ("DELETE", "tokens/it", None),
        ("GET", "users/7", None),
        ("GET", "users/7/templates", None),
        ("GET", "files/1/content", None),
    ):
        response = await rig.api(method, f"/{path}", body)
        assert response.status == 500, path
        assert PASSWORD.encode() not in response.body
        assert TEMPLATE.encode() not in response.body
    assert await shown() == before


@pytest.mark.parametrize(
    ("agent", "by"),
    [
        (f"zkpush-cli/{__version__}", f"by zkpush-cli/{__version__} from 192.0.2.7"),
        ("curl/8.0", FROM),
        ("zkpush-cli/1.0 (secret)", FROM),
        (f"zkpush-cli/{'9' * 33}", FROM),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_command_line_is_known(rig: Rig, agent: str, by: str) -> None:
    """What else a client says of itself is not recorded: it may be anything."""
    headers = (f"Authorization: Bearer {TOKEN}", f"User-Agent: {agent}")
    await rig.api("PUT", "/devices/T1", {}, headers=headers)
    assert await acts(rig) == [("token admin", "add terminal", "terminal T1", by)]


@pytest.mark.parametrize(
    "path", ["/users?secrets=true", "/users/9", "/users/9/templates", "/users/9/photos"]
)
@pytest_twisted.ensureDeferred
async def test_a_reply_without_secrets_is_no_reading(rig: Rig, path: str) -> None:
    """A caller who may see passwords, templates and photos was shown none: there are none."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=9\tName=Bob\tPasswd=\tCard=17\n")
    viewer = await rig.token("viewer", Scope.READ, Scope.BIOMETRICS)
    shown = await rig.api("GET", path, headers=(f"Authorization: Bearer {viewer}",))
    assert shown.status == 200
    assert [act for act in await acts(rig) if str(act[1]).startswith("read ")] == []


@pytest_twisted.ensureDeferred
async def test_a_list_of_users_shows_passwords_only_if_asked(rig: Rig) -> None:
    """So that a list to look at is no reading of all passwords, in any form."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=7\tName=Ann\tPasswd=7q7q\n")
    for number, accept in enumerate(("application/json", "text/csv", "application/x-ndjson")):
        headers = (f"Authorization: Bearer {TOKEN}", f"Accept: {accept}")
        listed = await rig.api("GET", "/users", headers=headers)
        assert b"Ann" in listed.body
        assert b"7q7q" not in listed.body
        readings = [act for act in await acts(rig) if str(act[1]).startswith("read ")]
        assert len(readings) == number
        rig.clock.advance(61)
        asked = await rig.api("GET", "/users?secrets=true", headers=headers)
        assert b"7q7q" in asked.body
        reader = await rig.token(f"reader-{len(accept)}", Scope.READ)
        headers = (f"Authorization: Bearer {reader}", f"Accept: {accept}")
        asked = await rig.api("GET", "/users?secrets=true", headers=headers)
        assert b"7q7q" not in asked.body
