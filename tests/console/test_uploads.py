"""Uploads in the console: their limits are stated, and judged before they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pytest_twisted

from ..rig import Response, Rig, talk
from .browser import HOST, Browser, document, forms_of, signed_in, text_of
from .walk import english_left, forms_of_console

SIZE = re.compile(r"[0-9.,]+.(?:kB|KB|KiB|MB|MiB|GB|GiB)")


class _Upload(NamedTuple):
    """A form with a file as it is used."""

    page: str
    fields: Mapping[str, str] = {}
    wrong: Sequence[bytes] = ()
    """Contents that are not of its type."""


UPLOADS = {
    "/access/<area>/<table>/edit": _Upload(
        "/access/default/pictures/edit", {"key": "1"}, (b"no picture", b"\x89PNG\r\n\x1a\n")
    ),
    "/files": _Upload("/files", {"name": "a.bin"}),
    "/people/<pin>/photos": _Upload(
        "/people/1/photos", {"kind": "picture"}, (b"no picture", b"\x89PNG\r\n\x1a\n")
    ),
    "/people/import": _Upload(
        "/people/import", {}, (b"\xff\xd8\xff\xe0", b"PK\x03\x04 a workbook")
    ),
}
"""The forms with a file, by the paths of their routes."""


def action_of(path: str) -> str:
    """The path of a form with values for its variables."""
    return path.replace("<area>/<table>", "default/pictures").replace("<pin>", "1")


async def refused_by_its_head(
    rig: Rig, browser: Browser, path: str, length: int, *, is_known: bool = True
) -> Response:
    """What is answered to the head of an upload."""
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    head = (
        f"POST /console{path} HTTP/1.1\r\nHost: {HOST}\r\nOrigin: http://{HOST}\r\n"
        + (f"Cookie: {cookies}\r\n" if is_known else "")
        + "Content-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {length}\r\n\r\n"
    )
    return await talk(rig.manage, head.encode(), "127.0.0.1")


async def prepared(rig: Rig, language: str) -> Browser:
    """A browser of an account with a language of its own, and a person."""
    await rig.api("PUT", "/users/1", {"name": "Ann"})
    browser = await signed_in(rig)
    await browser.send("/account", "/account", {"language": language, "zone": ""})
    browser.cookies = {name: text for name, text in browser.cookies.items() if "lang" not in name}
    return browser


@pytest_twisted.ensureDeferred
async def test_the_limit_of_each_file_is_stated_and_kept(rig: Rig) -> None:
    """A longer one is refused by its head, with the limit in the language of the account."""
    browser = await prepared(rig, "es")
    forms = {one.path: one for one in forms_of_console(rig) if one.file is not None}
    assert forms.keys() == UPLOADS.keys()
    for path, form in forms.items():
        shown = (await browser.get(UPLOADS[path].page)).body.decode()
        assert SIZE.search(shown), path
        action = action_of(path)
        refused = await refused_by_its_head(rig, browser, action, form.most_bytes + 1)
        assert refused.status == 413, (path, refused.raw[:200])
        words = refused.body.decode()
        assert "El archivo es demasiado grande" in words
        assert SIZE.search(words), words


@pytest_twisted.ensureDeferred
async def test_a_stranger_uploads_nothing(rig: Rig) -> None:
    """A long form without a session is refused by its head, and says that the session is over."""
    browser = await prepared(rig, "en")
    for path in UPLOADS:
        refused = await refused_by_its_head(
            rig, browser, action_of(path), 10_000_000, is_known=False
        )
        assert refused.status == 403
        assert "Your session has ended. Sign in again" in refused.body.decode()


@pytest_twisted.ensureDeferred
async def test_an_empty_or_wrong_file_is_a_mistake_in_the_language_of_the_account(
    rig: Rig,
) -> None:
    """Nothing is stored, the form is shown again, and a sentence says what is wrong."""
    browser = await prepared(rig, "en-XA")
    for path, one in UPLOADS.items():
        for content in (b"", *one.wrong):
            action = action_of(path)
            fields = dict(forms_of(await browser.get(one.page)))[f"/console{action}"]
            sent = await browser.upload(action, {**fields, **one.fields}, "file", content)
            about = (path, content, text_of(sent))
            found = document(sent)
            alerts = [each for each in found.iter() if each.get("role") == "alert"]
            wrong = [each for each in found.iter("p") if each.get("class") == "wrong"]
            assert alerts or wrong, about
            assert english_left(found) == [], about
            assert sent.status in (200, 422), about  # 200 is the preview of an import
    for items in ("/files", "/areas/default/pictures"):
        assert await rig.items(items) == []
    assert len(await rig.items("/users")) == 1
