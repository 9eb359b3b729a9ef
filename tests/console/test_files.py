"""Pages of files, and files that are sent to terminals in waves."""

from __future__ import annotations

import tracemalloc

import pytest_twisted

from zkpush.manage.console.forms import read_form

from ..rig import Rig
from .browser import Browser, forms_of, location, signed_in, text_of

CONTENT = b"firmware of nobody" * 1000


async def stored(browser: Browser, name: str = "update.bin", content: bytes = CONTENT) -> str:
    """Store a file by the form; its page."""
    (token,) = {
        fields["csrf"] for path, fields in forms_of(await browser.get("/files")) if "files" in path
    }
    sent = await browser.upload("/files", {"csrf": token, "name": name}, "file", content)
    return location(sent)


@pytest_twisted.ensureDeferred
async def test_a_file_is_stored_downloaded_and_deleted(rig: Rig) -> None:
    """Its page has size and checksum; a file that a terminal has to fetch stays."""
    browser = await signed_in(rig)
    page = await stored(browser)
    shown = text_of(await browser.get(page))
    assert "update.bin" in shown
    assert "MD5" in shown
    assert (await browser.get(f"{page}/content")).body == CONTENT
    await rig.exchange("T1")
    number = page.rpartition("/")[2]
    body = {"command": "UPGRADE", "params": {"file": number, "form": "2"}}
    command = (await rig.api("POST", "/devices/T1/commands", body)).json["id"]
    needed = await browser.confirm(page, f"{page}/delete", {})
    assert needed.status == 422
    assert "has still to fetch this file" in text_of(needed)
    await rig.api("DELETE", f"/commands/{command}")
    assert location(await browser.confirm(page, f"{page}/delete", {})) == "/files"
    assert (await browser.get(page)).status == 404
    actions = [one["action"] for one in await rig.items("/audit?actor=account+ann")]
    assert {"add file", "remove file"} <= set(actions)


@pytest_twisted.ensureDeferred
async def test_wrong_names_and_empty_files_are_mistakes(rig: Rig) -> None:
    """Nothing is stored; a form above the limit is refused before it is read."""
    browser = await signed_in(rig)
    fields = dict(forms_of(await browser.get("/files")))["/console/files"]
    for name, content in (("../etc", CONTENT), ("a.bin", b"")):
        sent = await browser.upload("/files", {**fields, "name": name}, "file", content)
        assert sent.status == 422
    assert await rig.items("/files") == []


@pytest_twisted.ensureDeferred
async def test_the_size_of_a_file_is_limited(make_rig) -> None:
    """A longer form is refused before it is read."""
    rig = await make_rig(limits={"file_bytes": 10_000})
    browser = await signed_in(rig)
    fields = dict(forms_of(await browser.get("/files")))["/console/files"]
    sent = await browser.upload("/files", {**fields, "name": "a.bin"}, "file", b"x" * 90_000)
    assert sent.status == 413
    assert await rig.items("/files") == []


@pytest_twisted.ensureDeferred
async def test_firmware_is_sent_in_waves(rig: Rig) -> None:
    """Only with the tick; the job has the waves, the window and the limit of failures."""
    for sn in ("T1", "T2", "T3"):
        await rig.exchange(sn)
    browser = await signed_in(rig)
    page = await stored(browser)
    form, action = f"{page}/send?way=firmware", f"{page}/send"
    assert "may never start again" in text_of(await browser.get(form))
    fields = {"target": "all", "form": "2", "wave": "2", "stop_after": "1"}
    refused = await browser.send(form, action, fields)
    assert refused.status == 422
    assert "Tick the box" in text_of(refused)
    assert await rig.items("/jobs") == []
    fields |= {"sure": "true", "begin": "02:00"}
    assert "Give both times" in text_of(await browser.send(form, action, fields))
    sent = await browser.send(form, action, {**fields, "end": "04:00"})
    (job,) = await rig.items("/jobs")
    assert location(sent) == f"/jobs/{job['id']}"
    assert (job["wave"], job["stop_after"], job["devices"]) == (2, 1, 3)
    assert job["window"] == {"begin": "02:00", "end": "04:00"}
    assert job["command"].startswith("UPGRADE")


@pytest_twisted.ensureDeferred
async def test_a_file_is_put_on_a_terminal(rig: Rig) -> None:
    """At the path that the form names, without which nothing is sent."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    page = await stored(browser, "sound.wav")
    form, action = f"{page}/send?way=file", f"{page}/send"
    fields = {"target": "device", "device": "T1"}
    assert "This is needed" in text_of(await browser.send(form, action, fields))
    sent = await browser.send(form, action, {**fields, "path": "/mnt/sound.wav"})
    assert location(sent).startswith("/jobs/")
    (job,) = await rig.items("/jobs")
    assert job["command"].startswith("PutFile")
    assert job["wave"] == 10


@pytest_twisted.ensureDeferred
async def test_a_reader_sees_the_list_only(rig: Rig) -> None:
    """Without the scope for dangerous commands there is no form, no content and no checksum."""
    page = await stored(await signed_in(rig))
    browser = await signed_in(rig, "read", "write", name="bob")
    for path in ("/files", page):
        shown = await browser.get(path)
        assert [path for path, _ in forms_of(shown) if "/files" in path] == []
        assert "MD5" not in text_of(shown)
    assert (await browser.get(f"{page}/content")).status == 403
    assert (await browser.get(f"{page}/send")).status == 403


def test_a_file_of_a_form_is_held_once() -> None:
    """A form with a file takes the memory of one more copy of it while it is read."""
    content = bytes(4_000_000)
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
    body = b"".join((head, content, b"\r\n--x--\r\n"))
    tracemalloc.start()
    try:
        sent = read_form("multipart/form-data; boundary=x", body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sent.files["file"] == content
    assert peak < 1.5 * len(content)
