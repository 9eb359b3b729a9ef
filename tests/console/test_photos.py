"""Photos of a person in the console."""

from __future__ import annotations

import pytest
import pytest_twisted

from ..rig import Rig
from ..server.test_uploaded_photos import OTHER, PICTURE
from .browser import Browser, document, forms_of, location, signed_in, text_of

PAGE = "/people/7/photos"


async def upload(browser: Browser, kind: str, content: bytes) -> int:
    """Upload a photo by the form of its kind; the status of the reply."""
    shown = await browser.get(PAGE)
    fields = next(fields for path, fields in forms_of(shown) if fields.get("kind") == kind)
    sent = await browser.upload(PAGE, fields, "file", content)
    if sent.status == 303:
        assert location(sent) == PAGE
    return sent.status


@pytest_twisted.ensureDeferred
async def test_photos_are_stored_shown_and_removed(rig: Rig) -> None:
    """Each kind by itself; the account is the author, and seeing one is recorded."""
    await rig.api("PUT", "/users/7", {"name": "Ann"})
    browser = await signed_in(rig)
    assert await upload(browser, "picture", PICTURE) == 303
    assert await upload(browser, "face", OTHER) == 303
    shown = (await browser.get(PAGE)).body.decode()
    assert 'src="/console/people/7/photo?kind=face"' in shown
    assert (await browser.get("/people/7/photo?kind=picture")).body == PICTURE
    assert (await browser.get("/people/7/photo?kind=face")).body == OTHER
    actions = [one["action"] for one in await rig.items("/audit?actor=account+ann")]
    assert actions.count("put photo") == 2
    assert "read photos" in actions
    page = await browser.get(PAGE)
    (token,) = {fields["csrf"] for path, fields in forms_of(page)}
    removal = {"csrf": token, "kind": "picture"}
    asked = await browser.post(f"{PAGE}/remove", removal)
    assert "Remove this photo?" in text_of(asked)
    assert (await browser.get("/people/7/photo?kind=picture")).status == 200
    assert location(await browser.post(f"{PAGE}/remove", {**removal, "confirmed": "true"})) == PAGE
    assert (await browser.get("/people/7/photo?kind=picture")).status == 404
    assert (await browser.get("/people/7/photo?kind=face")).status == 200


@pytest_twisted.ensureDeferred
async def test_what_is_no_photo_is_a_mistake(rig: Rig) -> None:
    """Texts, cut files and empty fields are not stored; a person has to exist."""
    await rig.api("PUT", "/users/7", {"name": "Ann"})
    browser = await signed_in(rig)
    for content in (b"", b"no picture", PICTURE[:20]):
        assert await upload(browser, "picture", content) == 422
    assert not (await rig.api("GET", "/users/7")).json["has_photo"]
    assert (await browser.get("/people/8/photos")).status == 404


@pytest_twisted.ensureDeferred
async def test_the_pictures_need_their_scope(rig: Rig) -> None:
    """An account that may change people stores photos, but sees none."""
    await rig.api("PUT", "/users/7", {"name": "Ann"})
    browser = await signed_in(rig, "read", "write")
    assert await upload(browser, "picture", PICTURE) == 303
    shown = await browser.get(PAGE)
    assert "Your account may not see it" in text_of(shown)
    assert b"<img" not in shown.body
    assert (await browser.get("/people/7/photo?kind=picture")).status == 403


@pytest.mark.parametrize("kind", ["picture", "face"])
@pytest_twisted.ensureDeferred
async def test_a_mistake_is_marked_at_the_form_that_was_sent(rig: Rig, kind: str) -> None:
    """Not at that of the other kind, whose field has the same name."""
    await rig.api("PUT", "/users/7", {"name": "Ann"})
    browser = await signed_in(rig)
    forms = forms_of(await browser.get(PAGE))
    (fields,) = [fields for _, fields in forms if fields.get("kind") == kind]
    wrong = await browser.upload(PAGE, fields, "file", b"no picture")
    assert wrong.status == 422
    marked = [one for one in document(wrong).iter("input") if "aria-invalid" in one.attrib]
    assert [one.attrib["id"] for one in marked] == [f"field-{kind}-file"]
    assert wrong.body.decode().count('class="wrong"') == 1
