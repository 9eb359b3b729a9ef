"""Parts of files: one range of bytes, as RFC 9110 has it (14)."""

from __future__ import annotations

import base64

import pytest
import pytest_twisted
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import reactor, threads
from twisted.internet.defer import Deferred

from zkpush.persist.vault import CHUNK
from zkpush.resources.file import find_range

from ..rig import Rig
from .files import FIRMWARE, by_url, content_md5, fetch, upgrade

ENCODED = base64.b64encode(FIRMWARE)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-127", 0, 128),
        ("bytes=5-", 5, None),
        ("bytes=-128", -128, None),
        ("bytes=0-", 0, None),
        ("Bytes=3-999999999999999999999999", 3, None),
        ("bytes=-99999999", 0, None),
        (f"bytes={len(FIRMWARE) - 1}-", -1, None),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_range_is_part_of_the_file(
    rig: Rig, text: str, start: int, end: int | None
) -> None:
    """206 with just these bytes, and where they are."""
    await rig.exchange()
    url = await upgrade(rig)
    response = await fetch(rig, by_url(url), f"Range: {text}")
    assert (response.status, response.body) == (206, FIRMWARE[start:end])
    first, last = FIRMWARE.index(response.body[:300]), None
    if len(response.body) > 300:
        last = first + len(response.body) - 1
        assert response.header(b"Content-Range") == b"bytes %d-%d/%d" % (
            first,
            last,
            len(FIRMWARE),
        )
    assert response.header(b"Content-Length") == b"%d" % len(response.body)
    assert response.header(b"Content-MD5") == content_md5(FIRMWARE)


@pytest.mark.parametrize("first", [0, CHUNK - 1, 2 * CHUNK, 3 * CHUNK + 5])
@pytest_twisted.ensureDeferred
async def test_a_range_of_a_large_file_is_served(rig: Rig, first: int) -> None:
    """Of a file that is sealed in several parts, also across the end of one."""
    await rig.exchange()
    content = b"".join(b"%08d" % number for number in range(4 * CHUNK // 8))
    url = await upgrade(rig, content)
    response = await fetch(rig, by_url(url), f"Range: bytes={first}-{first + 99}")
    assert (response.status, response.body) == (206, content[first : first + 100])


@pytest_twisted.ensureDeferred
async def test_a_range_of_another_content_is_ignored(rig: Rig) -> None:
    """If-Range names the content of which a terminal has a part (RFC 9110, 13.1.5)."""
    await rig.exchange()
    url = await upgrade(rig)
    tag = (await fetch(rig, by_url(url))).header(b"ETag").decode()
    for of, status in ((tag, 206), ('"other"', 200), ("Sun, 01 Mar 2026 12:00:00 GMT", 200)):
        response = await fetch(rig, by_url(url), "Range: bytes=5-", f"If-Range: {of}")
        assert (response.status, response.body) == (status, FIRMWARE[5 if status == 206 else 0 :])


@pytest.mark.parametrize(
    "text", [f"bytes={len(FIRMWARE)}-", "bytes=99999999-999999999", "bytes=-0"]
)
@pytest_twisted.ensureDeferred
async def test_a_range_behind_the_end_cannot_be_given(rig: Rig, text: str) -> None:
    """416 says how long the file is; the connection goes on."""
    await rig.exchange()
    url = await upgrade(rig)
    response = await fetch(rig, by_url(url), f"Range: {text}")
    assert response.status == 416
    assert response.header(b"Content-Range") == b"bytes */%d" % len(FIRMWARE)
    assert response.header(b"Content-Type") == b"text/plain"
    assert int(response.header(b"Content-Length")) == len(response.body) > 0
    assert b"OK" not in response.raw


@pytest.mark.parametrize(
    "headers",
    [
        ["Range: bytes=0-1,4-5"],
        ["Range: bytes=0-1", "Range: bytes=4-5"],
        ["Range: bytes=5-4"],
        ["Range: bytes=-"],
        ["Range: bytes=a-b"],
        ["Range: bytes=--5"],
        ["Range: bytes 0-1"],
        ["Range: lines=0-1"],
        ["Range: "],
        ["Range: bytes=0x1-2"],
        ["Range: bytes=\u0661-2"],
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_not_one_range_is_ignored(rig: Rig, headers: list[str]) -> None:
    """Everything is sent."""
    await rig.exchange()
    url = await upgrade(rig)
    response = await fetch(rig, by_url(url), *headers)
    assert (response.status, response.body) == (200, FIRMWARE)


@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 60))
def test_ranges_are_slices(length: int, first: int, last: int) -> None:
    """A range is what a slice of the bytes would be."""
    content = bytes(range(length))
    for text, expected in (
        (b"bytes=%d-%d" % (first, last), content[first : last + 1] if first <= last else None),
        (b"bytes=%d-" % first, content[first:]),
        (b"bytes=-%d" % last, content[-last:] if last else b""),
    ):
        found = find_range(text, length)
        assert (None if found is None else content[found[0] : found[1]]) == expected


@given(st.binary(max_size=30))
def test_no_bytes_are_more_than_the_file(text: bytes) -> None:
    """Whatever stands in the header, it is a range within the file, or none."""
    for header in (text, b"bytes=" + text):
        found = find_range(header, 10)
        assert found is None or found[0] >= 10 or 0 <= found[0] <= found[1] <= 10


@pytest_twisted.ensureDeferred
async def test_any_range_of_base64_is_a_slice_of_it(rig: Rig) -> None:
    """Also where it begins or ends within a group of four."""
    await rig.exchange()
    url = await upgrade(rig, form=1)
    whole = len(ENCODED)

    @settings(max_examples=60)
    @given(st.integers(0, whole - 1), st.integers(0, whole - 1))
    def any_range(first: int, last: int) -> None:
        first, last = min(first, last), max(first, last)

        async def ask() -> None:
            text = f"Range: bytes={first}-{last}"
            response = await fetch(rig, by_url(url), text)
            assert response.body == ENCODED[first : last + 1]

        threads.blockingCallFromThread(reactor, lambda: Deferred.fromCoroutine(ask()))

    await threads.deferToThread(any_range)
