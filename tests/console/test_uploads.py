"""Uploads in the console: their limits are stated, and judged before they are read."""

from __future__ import annotations

import re

import pytest_twisted

from ..rig import Rig, talk
from .browser import HOST, signed_in
from .test_attendance import punch
from .walk import forms_of_console, path_of

SIZE = re.compile(r"[0-9.,]+.(?:kB|KB|KiB|MB|MiB|GB|GiB)")


@pytest_twisted.ensureDeferred
async def test_the_limit_of_a_file_is_stated_and_kept(rig: Rig) -> None:
    """The page says the limit; a longer upload is refused by its head alone."""
    await rig.exchange("T1")
    await rig.api("PUT", "/users/1", {"name": "Ann"})
    await punch(rig, "1\t2026-03-01 08:00:00\t0\t1\t0\t0\t0\t0\t0\t0\t0\t\n")
    browser = await signed_in(rig)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    forms = [one for one in forms_of_console(rig) if one.file is not None]
    assert forms
    for form in forms:
        path = path_of(form.path)
        if "/access/" not in path:  # the table of the walk has no pictures
            shown = (await browser.get(path)).body.decode()
            assert SIZE.search(shown), path
        head = (
            f"POST /console{path} HTTP/1.1\r\nHost: {HOST}\r\nOrigin: http://{HOST}\r\n"
            f"Cookie: {cookies}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            f"Content-Length: {form.most_bytes + 1}\r\n\r\n"
        )
        refused = await talk(rig.manage, head.encode(), "127.0.0.1")
        assert refused.status == 413, (path, refused.raw[:200])
