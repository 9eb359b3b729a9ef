"""What terminals send, as bytes."""

from __future__ import annotations

import datetime
import functools
import itertools
from collections.abc import Iterator

_HEADERS = (
    b"Host: 127.0.0.1:8081\r\nUser-Agent: iClock Proxy/1.09\r\nConnection: %b\r\nAccept: */*\r\n"
)
_FIRST = datetime.date.today() - datetime.timedelta(days=300)
"""The day of the first record: terminals send what has happened lately."""


def rows(start: int, count: int, users: int = 997) -> Iterator[bytes]:
    """Records that are all different, a second apart, of as many users as stated."""
    for number in range(start, start + count):
        minute, second = divmod(number, 60)
        hour, minute = divmod(minute, 60)
        day, hour = divmod(hour, 24)
        yield b"%d\t%b %02d:%02d:%02d\t0\t1\t0\t0\t0\n" % (
            number % users + 1,
            _day(day),
            hour,
            minute,
            second,
        )


@functools.cache
def _day(number: int) -> bytes:
    return str(_FIRST + datetime.timedelta(days=number)).encode()


def polls(connection: bytes, terminals: list[str]) -> Iterator[bytes]:
    """Idle polls of terminals in turn."""
    heads = [
        b"GET /iclock/getrequest?SN=%b HTTP/1.1\r\n%b\r\n" % (sn.encode(), _HEADERS % connection)
        for sn in terminals
    ]
    return itertools.cycle(heads)


def stranger_polls(start: int = 0) -> Iterator[bytes]:
    """Polls with serial numbers that nobody knows, all different."""
    for number in itertools.count(start):
        yield b"GET /iclock/getrequest?SN=X%d HTTP/1.1\r\n%b\r\n" % (number, _HEADERS % b"close")


def upload_head(sn: str, length: int) -> bytes:
    """The head of an upload of attendance records, on a connection of its own."""
    return (
        b"POST /iclock/cdata?SN=%b&table=ATTLOG&Stamp=9999 HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n"
    ) % (sn.encode(), _HEADERS % b"close", length)


def upload(
    sn: str, body: bytes, connection: bytes = b"close", query: str = "table=ATTLOG&Stamp=9999"
) -> bytes:
    """One upload, of attendance records unless its arguments say otherwise."""
    return (b"POST /iclock/cdata?SN=%b&%b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b") % (
        sn.encode(),
        query.encode(),
        _HEADERS % connection,
        len(body),
        body,
    )


def uploads(terminals: list[str], records: int, start: int = 0) -> Iterator[bytes]:
    """Uploads of so many new records each, of terminals in turn."""
    for number, sn in enumerate(itertools.cycle(terminals)):
        yield upload(sn, b"".join(rows(start + number * records, records)))
