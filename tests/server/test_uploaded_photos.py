"""Photos of people that operators upload, by the API."""

from __future__ import annotations

import base64
import random

import pytest
import pytest_twisted

from zkpush.protocol.fields import Scope
from zkpush.simulator.picture import draw

from ..rig import Rig

PICTURE, OTHER, THIRD = (draw(random.Random(seed)) for seed in (1, 2, 3))


def upload(content: bytes, table: str = "USERPIC", more: str = "") -> bytes:
    """A photo as a terminal uploads it."""
    text = base64.b64encode(content).decode()
    return f"{table} PIN=7\tFileName=7.jpg{more}\tSize={len(text)}\tContent={text}\n".encode()


async def say(rig: Rig, body: bytes) -> None:
    """Let the terminal upload."""
    assert (await rig.post("cdata?SN=T1&table=OPERLOG", body)).status == 200


async def photos(rig: Rig) -> dict[tuple[str, int], bytes]:
    """The stored photos, by kind and type."""
    return {
        (one["kind"], one["type"]): base64.b64decode(one["content"])
        for one in await rig.items("/users/7/photos")
    }


@pytest_twisted.ensureDeferred
async def test_a_photo_is_stored_with_author_and_history(rig: Rig) -> None:
    """The photo is the person's, and the operator its author; nothing of it is in the history."""
    await rig.api("PUT", "/users/7", {"name": "Ann"})
    stored = await rig.api("PUT", "/users/7/photo", PICTURE)
    assert stored.json == {
        "pin": "7",
        "size": len(PICTURE),
        "width": 32,
        "height": 32,
    }
    assert await photos(rig) == {("USERPIC", 0): PICTURE}
    user = (await rig.api("GET", "/users/7")).json
    assert (user["has_photo"], user["authors"]["photo"]) == (True, "token admin")
    await rig.api("PUT", "/users/7/photo", OTHER)
    await rig.api("PUT", "/users/7/photo?kind=face", THIRD)
    assert await photos(rig) == {("USERPIC", 0): OTHER, ("BIOPHOTO", 9): THIRD}
    changes = [
        (one["field"], one["old"], one["new"]) for one in await rig.items("/users/7/history")
    ]
    assert changes[:3] == [
        ("face_photo", None, f"{len(THIRD)} bytes"),
        ("photo", "a photo", f"{len(OTHER)} bytes"),
        ("photo", None, f"{len(PICTURE)} bytes"),
    ]
    acts = [(one["action"], one["detail"].partition(";")[0]) for one in await rig.items("/audit")]
    assert ("put photo", f"photo, {len(OTHER)} bytes") in acts


@pytest_twisted.ensureDeferred
async def test_no_terminal_overwrites_an_uploaded_photo(rig: Rig) -> None:
    """A terminal's photo is taken where there is none of an operator, and only there."""
    await rig.exchange()
    await say(rig, b"USER PIN=7\tName=Ann\n" + upload(OTHER))
    assert await photos(rig) == {("USERPIC", 0): OTHER}
    await rig.api("PUT", "/users/7/photo", PICTURE)
    await say(rig, upload(THIRD))
    await say(rig, upload(THIRD, "BIOPHOTO", "\tType=9"))
    assert await photos(rig) == {("USERPIC", 0): PICTURE, ("BIOPHOTO", 9): THIRD}
    assert (await rig.api("DELETE", "/users/7/photo")).status == 204
    assert await photos(rig) == {("BIOPHOTO", 9): THIRD}
    await say(rig, upload(THIRD))  # the same word again is no news
    assert ("USERPIC", 0) not in await photos(rig)
    await say(rig, upload(OTHER))
    assert (await photos(rig))[("USERPIC", 0)] == OTHER


@pytest_twisted.ensureDeferred
async def test_what_a_terminal_was_sent_stays_the_operators(rig: Rig) -> None:
    """The executed command with the photo changes neither the photo nor its author."""
    await rig.exchange()
    await rig.api("PUT", "/users/7", {"name": "Ann"})
    await rig.api("PUT", "/users/7/photo", PICTURE)
    text = base64.b64encode(PICTURE).decode()
    params = {"PIN": "7", "Size": str(len(text)), "Content": text}
    body = {"command": "DATA UPDATE USERPIC", "params": params}
    command = (await rig.api("POST", "/devices/T1/commands", body)).json
    await rig.get("getrequest?SN=T1")
    await rig.post("devicecmd?SN=T1", f"ID={command['id']}&Return=0&CMD=DATA\n".encode())
    assert (await rig.api("GET", f"/commands/{command['id']}")).json["state"] == "done"
    (photo,) = await rig.items("/users/7/photos")
    assert (base64.b64decode(photo["content"]), photo["device"]) == (PICTURE, None)
    await say(rig, upload(OTHER))
    assert await photos(rig) == {("USERPIC", 0): PICTURE}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n", "The picture is no JPEG file."),
        (PICTURE[:-2], "cut off"),
        (b"", "The body is empty."),
        (PICTURE.replace(b"\0\x20\0\x20", b"\xff\xff\xff\xff", 1), "65535 x 65535 pixels"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_other_content_is_refused(rig: Rig, content: bytes, words: str) -> None:
    """Only a whole JPEG file of a sensible size is stored."""
    await rig.api("PUT", "/users/7", {"name": "Ann"})
    refused = await rig.api("PUT", "/users/7/photo", content)
    assert (refused.status, words in refused.json["detail"]) == (400, True)
    assert await photos(rig) == {}


@pytest_twisted.ensureDeferred
async def test_strangers_and_limits(rig: Rig) -> None:
    """Unknown people are 404, long bodies 413, and reading is not enough."""
    assert (await rig.api("PUT", "/users/7/photo", PICTURE)).status == 404
    assert (await rig.api("DELETE", "/users/7/photo")).status == 404
    await rig.api("PUT", "/users/7", {"name": "Ann"})
    assert (await rig.api("DELETE", "/users/7/photo")).json["detail"] == (
        "User 7 has no such photo."
    )
    long = PICTURE + bytes(12 * 1024 * 1024)
    assert (await rig.api("PUT", "/users/7/photo", long)).status == 413
    reader = [f"Authorization: Bearer {await rig.token('reader', Scope.READ)}"]
    assert (await rig.api("PUT", "/users/7/photo", PICTURE, headers=reader)).status == 403


@pytest_twisted.ensureDeferred
async def test_erasing_a_person_removes_the_photo(rig: Rig) -> None:
    """Nothing of the photo is left, and a person added again has none."""
    await rig.api("PUT", "/users/7", {"name": "Ann"})
    await rig.api("PUT", "/users/7/photo", PICTURE)
    assert (await rig.api("DELETE", "/users/7?erase=true")).status == 200
    await rig.api("PUT", "/users/7", {"name": "Eve"})
    user = (await rig.api("GET", "/users/7")).json
    assert (user["has_photo"], "photo" in user["authors"]) == (False, False)
    assert await rig.items("/users/7/history") != []
    assert all(one["field"] != "photo" for one in await rig.items("/users/7/history"))
