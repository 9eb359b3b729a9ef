"""Words of the protocol on pages of terminals with faults: what they mean stands before them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import pytest_twisted

from ..promises.causes import CAUSES
from .browser import document, signed_in
from .test_jargon import JARGON, KNOWN, terms_in, texts

PAGES = ("/", "/terminals/T1", "/terminals/T1/doctor")
BESIDE: Mapping[str, tuple[str, ...]] = {
    "token": ("secret", "the same terminal"),
    "Token": ("secret", "the same terminal"),
    "UNKNOWN": ("refused",),
    "DEVICE": ("refused",),
    "DeviceType": ("for access control",),
    "PUSH": ("access-control protocol",),
}
"""Words that stand on these pages, each with words one of which stands there before it."""
TO_COMPARE = frozenset({"HTTP", "inBio", "POST", "Pin"})
"""What a port speaks, a kind of controllers, a path for a proxy, and a column of a line."""


@pytest.mark.parametrize("name", CAUSES)
@pytest_twisted.ensureDeferred
async def test_pages_of_a_fault_say_what_words_of_the_protocol_mean(
    make_rig: Any, name: str
) -> None:
    """On the overview, on the page of the terminal, and where it says why punches are missing."""
    cause = CAUSES[name]
    rig = await make_rig(admission=cause.admission, timezone="UTC")
    await cause.set_up(rig)
    browser = await signed_in(rig)
    left = set()
    for path in PAGES:
        shown = await browser.get(path)
        if shown.status != 200:
            continue
        text = " ".join(texts(document(shown))).replace("API tokens", "")
        for word in {*JARGON.findall(text), *terms_in(path, text)} - KNOWN - TO_COMPARE:
            before = text.partition(word)[0]
            if not any(one in before for one in BESIDE.get(word, ())):
                left.add((path, word))
    assert left == set()
