"""Uploads of any bytes: nothing is fatal, nothing is lost, and no secret is in a reason."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from tests.protocol.bodies import DECODER
from tests.protocol.strategies import ENCODINGS, MARKER, SECRETS, broken_bodies
from zkpush.protocol.dialect import Dialect
from zkpush.protocol.lines import find_keyword
from zkpush.protocol.packets import pack, pack_plain
from zkpush.protocol.reports import OPTIONS
from zkpush.protocol.requests import Upload
from zkpush.protocol.uploads import Contents

from ..declared import RECORD_TABLES

LINE_WISE = [
    "OPERLOG",
    *[
        name
        for table in RECORD_TABLES
        if table.name != "ATTPHOTO"
        for name in (table.name, *table.aliases)
    ],
]
NAMES = st.sampled_from([*LINE_WISE, "ATTPHOTO", OPTIONS.name, "INFO", "tabledata", ""])
KEYWORDS = {
    word.lower()
    for table in RECORD_TABLES
    if table.keyword is not None
    for word in (table.keyword, *table.aliases)
}


def decode(
    table: str, body: bytes, encoding: str, *, packed: bool = False, name: str | None = None
) -> Contents:
    """What an upload says; it holds in any case, and no reason has the secret."""
    upload = Upload(table=table, body=body, packed=packed, name=name)
    contents = DECODER.decode(upload, Dialect(encoding=encoding))
    for batch in contents.batches:
        assert batch.rejects is contents.rejects or batch.rejects == []
    for reject in contents.rejects:
        assert reject.reason
        assert MARKER.decode() not in reject.reason
        assert "\n" not in reject.reason
    assert MARKER.decode() not in (contents.refusal or "")
    return contents


def lines_of(body: bytes) -> list[bytes]:
    """The lines of a body that are not blank."""
    stripped = [line.rstrip(b"\r") for line in body.split(b"\n")]
    return [line for line in stripped if line.strip(b"\t ")]


@given(NAMES, broken_bodies(), ENCODINGS, st.none() | st.just("20081119172119-4.jpg"))
def test_no_upload_is_fatal(table: str, body: bytes, encoding: str, name: str | None) -> None:
    """Any bytes are read or kept, whatever table they are said to be of."""
    contents = decode(table, body, encoding, name=name)
    assert all(reject.raw in body for reject in contents.rejects)
    if lines_of(body):
        assert contents.count + contents.unread > 0


@given(NAMES, st.binary() | broken_bodies().map(pack_plain), ENCODINGS)
def test_no_packet_is_fatal(table: str, body: bytes, encoding: str) -> None:
    """Any bytes may be said to be packed; of those that are not, all are kept."""
    contents = decode(table, body, encoding, packed=True)
    for reject in contents.rejects:
        if reject.reason.startswith("packet: "):
            assert reject.raw == body
            assert contents.rejects == [reject]
            assert contents.batches == []


@given(st.sampled_from(LINE_WISE), broken_bodies(), ENCODINGS)
@example("USERINFO", b"\n\rUSER PIN=1\r\r\n \t\r\nPIN=2", "utf-8")
def test_every_line_is_a_record_or_a_mistake(table: str, body: bytes, encoding: str) -> None:
    """No line is lost: each that is not blank is one row or one reject, which has all of it."""
    contents = decode(table, body, encoding)
    lines = lines_of(body)
    assert contents.count + contents.unread == len(lines)
    for reject in contents.rejects:
        assert reject.raw in lines


@given(
    st.sampled_from(LINE_WISE),
    st.lists(broken_bodies(), min_size=1, max_size=3),
    ENCODINGS,
    st.none() | st.integers(1, 40),
)
def test_every_line_of_a_good_packet_is_a_record_or_a_mistake(
    table: str, bodies: list[bytes], encoding: str, cut: int | None
) -> None:
    """A packet is read as a whole, line by line; or none of it, and it is one reject."""
    packet = pack([(f"{number}.txt", body) for number, body in enumerate(bodies)])[
        : None if cut is None else -cut
    ]
    contents = decode(table, packet, encoding, packed=True)
    whole = [reject for reject in contents.rejects if reject.reason.startswith("packet: ")]
    if cut is not None or whole:
        assert contents.batches == []
        assert [reject.raw for reject in contents.rejects] == [packet]
        assert contents.refusal is None
    else:
        lines = [line for body in bodies for line in lines_of(body)]
        assert contents.count + contents.unread == len(lines)


@given(broken_bodies(), ENCODINGS)
def test_an_unknown_table_is_read_if_it_begins_with_what_is_known(
    body: bytes, encoding: str
) -> None:
    """Known lines are read under any name; else the whole body is one reject."""
    contents = decode("newtable", body, encoding)
    keyword = find_keyword(body)
    if keyword is not None and keyword.lower() in KEYWORDS:
        assert contents.count + contents.unread == len(lines_of(body))
        assert not contents.bare
    else:
        assert [reject.raw for reject in contents.rejects] == [body]
        assert contents.bare


@given(
    st.sampled_from(LINE_WISE),
    st.sampled_from(SECRETS),
    st.lists(
        st.sampled_from(
            [b"\t", b" ", b"PIN=", b"PIN=1", b"FID=", b"Type=", b"?", b"USER ", b"FP ", b"x" * 60]
        ),
        max_size=8,
    ),
    st.sampled_from([b"", b"\t", b" ", b"?", b"\tPIN=2", b"\0", b"\xff", b"\tSize=3"]),
)
def test_no_reason_has_a_secret_in_it(
    table: str, secret: bytes, before: list[bytes], after: bytes
) -> None:
    """A secret is in no reason, wherever in a damaged line it stands and whatever is around it."""
    decode(table, b"".join(before) + secret + after, "utf-8")
