"""Two servers that read HTTP otherwise let requests be smuggled: ours reads it as twisted.web."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from .differential import compare, compare_cut, in_parts
from .framing import HEADERS, SMUGGLING

LINE = b"7\t2026-01-05 08:00:00\t0\t1\n"

_LATER_IN_OTHER_CASE = re.compile(rb"(?s).(?:Get|post) ")
METHODS = st.sampled_from([b"GET", b"POST", b"Get", b"post", b"HEAD", b"PUT", b"G ET", b"", b"\0"])
TARGETS = st.sampled_from(
    [
        *(
            b"/iclock/cdata?SN=T1",
            b"/iclock/getrequest?SN=T1",
            b"/",
            b"*",
            b"",
            b"http://h/x",
            b"/a b",
        ),
        *(b"/\xc3\xa9", b"/%00", b"/a\tb", b"//", b"/?", b"/#x", b"/a?b=c&d"),
    ]
)
VERSIONS = st.sampled_from(
    [
        *(b"HTTP/1.1",) * 6,
        b"HTTP/1.0",
        b"HTTP/1.2",
        b"HTTP/2.0",
        b"http/1.1",
        b"HTTP/1.1 ",
        b"",
        b"HTTP/11",
    ]
)
ENDS = st.sampled_from([*(b"\r\n",) * 20, b"\n", b"\r", b"\r\r\n", b" \r\n", b"\r\n ", b"\r\n\t"])
NAMES = st.sampled_from(
    [
        *(b"Content-Length", b"content-length", b"Transfer-Encoding", b"TRANSFER-ENCODING"),
        *(b"Content-Length ", b" Content-Length", b"Content_Length", b"Content-Length\t", b"TE"),
        *(b"Host", b"Connection", b"X", b"", b"Expect", b"Upgrade", b"X\0", b"Trailer", b"Range"),
    ]
)
VALUES = st.sampled_from(
    [
        *(
            b"0",
            b"5",
            b"26",
            b"+5",
            b"-1",
            b"0x5",
            b"5, 5",
            b"05",
            b"5 5",
            b" 5",
            b"5 ",
            b"5\t",
            b"",
        ),
        *(
            b"chunked",
            b"Chunked",
            b" chunked",
            b"chunked ",
            b"identity",
            b"gzip, chunked",
            b"xchunked",
        ),
        *(b"chunked, chunked", b"chunked;x", b"\x0bchunked", b'"chunked"', b"close", b"keep-alive"),
        *(
            b"close, keep-alive",
            b"upgrade",
            b"websocket",
            b"100-continue",
            b"a\rb",
            b"a\0b",
            b"\xff",
        ),
        *(b"9" * 25, b"4097", b"bytes=0-4", b"h2c"),
    ]
)
CHUNKS = st.sampled_from(
    [
        *(b"5\r\nabcde\r\n", b"1a\r\n" + LINE[:26] + b"\r\n", b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n"),
        *(b"5;x=y\r\nabcde\r\n", b"5 \r\nabcde\r\n", b" 5\r\nabcde\r\n", b"05\r\nabcde\r\n"),
        *(
            b"0x5\r\nabcde\r\n",
            b"+5\r\nabcde\r\n",
            b"5\nabcde\n",
            b"5\r\nabcdeX\r\n",
            b"\r\n",
            b"A\r\n",
        ),
        *(b"5\rXabcde\r\n", b"0\r\nContent-Length: 5\r\n\r\n", b"-1\r\n", b"5;\r\nabcde\r\n"),
    ]
)
BODIES = st.sampled_from([b"", b"abcde", LINE[:26]]) | st.lists(CHUNKS, max_size=3).map(b"".join)


@st.composite
def headers(draw: st.DrawFn) -> bytes:
    """A header line that is often good."""
    if draw(st.booleans()):
        return draw(NAMES) + draw(st.sampled_from([b": ", b":", b" : ", b""])) + draw(VALUES)
    return draw(
        st.sampled_from(
            [
                *(b"Host: s", b"Content-Length: 5", b"Content-Length: 26", b"Content-Length: 0"),
                *(b"Transfer-Encoding: chunked", b"Connection: close", b"Connection: keep-alive"),
                *(b"Accept: */*", b"Expect: 100-continue"),
            ]
        )
    )


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Something like a request."""
    end = draw(ENDS)
    first = b" ".join([draw(METHODS), draw(TARGETS), draw(VERSIONS)])
    lines = [first, *draw(st.lists(headers(), max_size=4))]
    return end.join(lines) + end + draw(ENDS) + draw(BODIES)


GOOD = st.sampled_from(
    [
        b"GET /iclock/getrequest?SN=T1 HTTP/1.1\r\nHost: s\r\n\r\n",
        b"POST /iclock/cdata?SN=T1 HTTP/1.1\r\nHost: s\r\nContent-Length: 5\r\n\r\nabcde",
        b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
        b"GET /x HTTP/1.0\r\n\r\n",
    ]
)
STREAMS = st.lists(requests() | GOOD, min_size=1, max_size=4).map(b"".join)
CUTS = st.sets(st.integers(1, 300), max_size=8)


@pytest.mark.long
@settings(max_examples=500)
@given(STREAMS, CUTS)
def test_both_channels_see_the_same_requests(raw: bytes, cuts: set[int]) -> None:
    """The same method, target and body, or one of them refuses; however the bytes are cut."""
    compare(in_parts(raw, cuts))


@settings(max_examples=150)
@given(GOOD, st.binary(max_size=300), CUTS)
def test_they_do_so_whatever_follows(good: bytes, rubbish: bytes, cuts: set[int]) -> None:
    """After a good request, any bytes."""
    compare(in_parts(good + rubbish, cuts))


@settings(max_examples=150)
@given(STREAMS, CUTS)
@example(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcdeGET / HTTP/1.1\r\n\r\n", {1, 2, 50})
def test_it_does_not_matter_how_the_bytes_come(raw: bytes, cuts: set[int]) -> None:
    """Cut anywhere, our channel sees the same requests, and refuses the same ones.

    But for `Get`, behind another request: it is understood where a read begins, and else refused.
    Firmware that writes it sends one request on a connection.
    """
    assume(not _LATER_IN_OTHER_CASE.search(raw))
    compare_cut(raw, cuts)


def test_the_corpus_is_seen_alike() -> None:
    """No attack of the corpus is one request for us and another one for them."""
    different = []
    for attack in (*HEADERS, *SMUGGLING):
        raw = attack.raw[:20_000]
        try:
            compare([raw])
        except AssertionError:
            different.append(attack.name)
    assert different == []
