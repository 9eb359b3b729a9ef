"""Areas that send people to no terminals are named where people are put into them."""

from __future__ import annotations

import pytest
import pytest_twisted

from ..rig import Response, Rig
from .browser import document, location, signed_in, text_of

IDLE = "These areas do not send people to terminals"


async def plant(rig: Rig) -> None:
    """An area that keeps people on its terminals, one that does not, and a person of both."""
    await rig.api("PUT", "/areas/North", {"distributes": True})
    await rig.api("PUT", "/areas/South", {})
    await rig.api("PUT", "/users/1", {"name": "Ann", "areas": ["North", "South"]})


@pytest.mark.parametrize("path", ["/people/1", "/people/1/places", "/people/1/edit"])
@pytest_twisted.ensureDeferred
async def test_idle_areas_of_a_person_are_named_with_links(rig: Rig, path: str) -> None:
    """Only those that do not keep people on terminals; none once all of them do."""
    await plant(rig)
    browser = await signed_in(rig)
    shown = await browser.get(path)
    (notice,) = notices(shown)
    links = [f"/console/areas/{area}#progress" for area in ("South", "North")]
    assert [one in notice for one in links] == [True, False]
    assert is_plain(shown)
    setting = document(await browser.get("/areas/South")).find(".//h2[@id='progress']")
    assert setting is not None
    assert setting.text == "People kept on terminals"
    for area in ("South", "default"):
        await rig.api("PUT", f"/areas/{area}", {"distributes": True})
    assert IDLE not in text_of(await browser.get(path))


@pytest_twisted.ensureDeferred
async def test_saving_areas_says_which_of_them_send_nobody_to_terminals(rig: Rig) -> None:
    """In the notice; nothing is said if the areas stay, or if all of them send people."""
    await plant(rig)
    browser = await signed_in(rig)
    for areas, is_said in ((["South"], True), (["South"], False), (["North"], False)):
        page = "/people/1/edit"
        done = await browser.send(page, page, {"name": "Ann", "areas": areas})
        shown = text_of(await browser.get(location(done)))
        assert ("Saved. These areas do not send people to terminals: South." in shown) == is_said


@pytest_twisted.ensureDeferred
async def test_the_form_of_a_new_person_says_what_no_area_means(rig: Rig) -> None:
    """The person is put into the area for everybody; idle areas are named beside the boxes."""
    await plant(rig)
    browser = await signed_in(rig)
    shown = await browser.get("/people/new")
    assert "the person is put into the area: default" in text_of(shown)
    assert notices(shown) == [["/console/areas/South#progress", "/console/areas/default#progress"]]
    await browser.send("/people/new", "/people/new", {"pin": "7", "name": "Gus"})
    assert (await rig.api("GET", "/users/7")).json["areas"] == ["default"]
    changed = await browser.get("/people/1/edit")
    assert "is put into the area" not in text_of(changed)


@pytest_twisted.ensureDeferred
async def test_a_limited_account_reads_of_its_own_areas_only(rig: Rig) -> None:
    """The hint names the area that its people get."""
    await plant(rig)
    await rig.api("PUT", "/areas/West", {})
    await rig.api("PUT", "/users/1", {"areas": ["South", "West"]})
    browser = await signed_in(rig, "read", "write", name="ben", areas=["South"])
    for path in ("/people/1", "/people/1/places", "/people/new"):
        shown = await browser.get(path)
        assert notices(shown) == [["/console/areas/South#progress"]]
    assert "the person is put into the area: South" in text_of(shown)


def notices(shown: Response) -> list[list[str]]:
    """The links of each notice about idle areas."""
    return [
        [link.attrib["href"] for link in one.iter("a")]
        for one in document(shown).iter("p")
        if IDLE in "".join(one.itertext())
    ]


def is_plain(shown: Response) -> bool:
    """Whether the notice looks as other notices do, and not as small print."""
    boxes = [one for one in document(shown).iter("div") if one.get("class") == "notice"]
    return any(IDLE in "".join(one.itertext()) for one in boxes)
