"""Attacks by the head of a request, and by requests within requests."""

from __future__ import annotations

import urllib.parse

from .attack import EVIL, Attack, named, request

POLL = "/iclock/getrequest?SN=T1"
_LINE = b"7\t2026-01-05 08:00:00\t0\t1\n"


def _raw(*lines: str | bytes, body: bytes = b"", end: bytes = b"\r\n") -> bytes:
    encoded = [line.encode("latin-1") if isinstance(line, str) else line for line in lines]
    return end.join(encoded) + end * 2 + body


_GET = f"GET {POLL} HTTP/1.1"
_POST = "POST /iclock/cdata?SN=T1&table=ATTLOG&Stamp=1 HTTP/1.1"

HEADERS = [
    Attack("no version", _raw(f"GET {POLL}"), direct_only=True),
    Attack("HTTP/0.9, named", _raw(f"GET {POLL} HTTP/0.9", "Host: s")),
    Attack("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)),
    Attack("HTTP/3", _raw(f"GET {POLL} HTTP/3.0", "Host: s"), direct_only=True),
    Attack(
        "a handshake of TLS",
        b"\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03" + bytes(240),
        waits=True,
    ),
    Attack(
        "a PROXY line that nobody asked for", b"PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\n" + _raw(_GET)
    ),
    Attack("NUL in a header", _raw(_GET, "Host: s", b"X: a\0b")),
    Attack("NUL in the target", _raw(b"GET /iclock/getrequest?SN=T1\0 HTTP/1.1", "Host: s")),
    Attack("NUL in the method", _raw(b"G\0ET /iclock/getrequest?SN=T1 HTTP/1.1", "Host: s")),
    Attack("space before the colon", _raw(_POST, "Host: s", "Content-Length : 26", body=_LINE)),
    Attack("no name", _raw(_GET, "Host: s", ": x")),
    Attack("space in a name", _raw(_GET, "Host: s", "X Y: x"), direct_only=True),
    Attack("CR alone in a header", _raw(_GET, "Host: s", b"X: a\rY: b")),
    Attack("huge header", _raw(_GET, "Host: s", "X: " + "a" * 100_000)),
    Attack("a huge number of headers", _raw(_GET, "Host: s", *["X: y"] * 20_000)),
    Attack("a huge target", _raw(f"GET {POLL}&x={'a' * 100_000} HTTP/1.1", "Host: s")),
    Attack("a deep path", _raw(f"GET {'/iclock' * 10_000} HTTP/1.1", "Host: s")),
    Attack("100000 arguments", _raw(f"GET {POLL}{'&a=b' * 100_000} HTTP/1.1", "Host: s")),
    Attack("4000 arguments", request(POLL + "&a=b" * 3000), refused=False),
    Attack("an argument twice", request(POLL + "&SN=T2")),
    Attack("a deep path that fits", request("/iclock" * 1500)),
    Attack(
        "absolute form of elsewhere", request("http://evil.example/iclock/file?url=/etc/passwd")
    ),
    Attack("CONNECT", _raw("CONNECT 127.0.0.1:22 HTTP/1.1", "Host: 127.0.0.1:22")),
    Attack("OPTIONS *", _raw("OPTIONS * HTTP/1.1", "Host: s", "Connection: close"), refused=False),
    Attack("TRACE", request(POLL, "Cookie: secret", method="TRACE")),
    Attack("a method of 10000 letters", _raw("A" * 10_000 + f" {POLL} HTTP/1.1", "Host: s")),
    Attack("a method of control characters", _raw(b"\x01\x02\x03 / HTTP/1.1", "Host: s")),
    Attack(
        "upgrade to HTTP/2",
        request(POLL, "Upgrade: h2c", "HTTP2-Settings: AAMAAABk").replace(
            b"Connection: close", b"Connection: Upgrade, HTTP2-Settings"
        ),
        refused=False,
        waits=True,
    ),
    *named(
        (f"length {length!r}", _raw(_POST, "Host: s", f"Content-Length: {length}", body=_LINE))
        for length in (
            "+26",
            "-26",
            "0x1a",
            "1e1",
            "26.0",
            "",
            " ",
            "9" * 30,
            "2 6",
            "२६",
        )
        if length.isascii()
    ),
    *named(
        (f"chunk {chunk!r}", _raw(_POST, "Host: s", "Transfer-Encoding: chunked", body=chunk))
        for chunk in (
            *(b"zz\r\n", b"-1\r\n\r\n", b"0x5\r\nabcde\r\n0\r\n\r\n"),
            *(b"1\r\nab\r\n0\r\n\r\n", b"\r\n5\r\nabcde\r\n0\r\n\r\n"),
        )
    ),
    Attack(
        "a list of lengths",
        _raw(_POST, "Host: s", "Content-Length: 26, 26", body=_LINE),
        direct_only=True,
    ),
    Attack(
        "a chunk larger than any number",
        _raw(_POST, "Host: s", "Transfer-Encoding: chunked", body=b"f" * 40 + b"\r\n"),
        waits=True,
    ),
    Attack("half a request", f"GET {POLL}".encode(), waits=True),
    Attack("half a header", _raw(_GET, "Host: s")[:-4], waits=True),
    Attack("half a body", _raw(_POST, "Host: s", "Content-Length: 1000", body=_LINE), waits=True),
]
"""Requests that are none, or are too much of one."""


# Smuggling.

_INNER = f"GET /iclock/cdata?SN={EVIL}&options=all HTTP/1.1\r\nHost: s\r\n\r\n".encode()
_ENDS = b"0\r\n\r\n" + _INNER


def _smuggled(*lines: str | bytes, body: bytes = _ENDS, end: bytes = b"\r\n") -> bytes:
    return _raw(_POST, "Host: s", *lines, body=body, end=end)


_ALL = f"Content-Length: {len(_ENDS)}"
_CODINGS: tuple[str | bytes, ...] = (
    "Transfer-Encoding: chunked",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding:\tchunked",
    "Transfer-Encoding: \x0bchunked",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding: chunkedx",
    'Transfer-Encoding: "chunked"',
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: identity, chunked, chunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: CHUNKED",
    "Transfer-Encoding: chunked;q=1",
    "Transfer-Encoding:\r\n chunked",
    "Transfer-Encoding\r\n : chunked",
    " Transfer-Encoding: chunked",
    "X: x\nTransfer-Encoding: chunked",
    "X: x\rTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\0",
    b"Transfer-Encoding: chun\xc3\xb8ked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
    "Connection: Content-Length",
    "Transfer-Encoding: ",
)
SMUGGLING = [
    *(
        attack
        for coding in _CODINGS
        for attack in (
            Attack(f"length, then {coding!r}", _smuggled(_ALL, coding), refused=False),
            Attack(f"{coding!r}, then a length", _smuggled(coding, _ALL), refused=False),
        )
    ),
    *named(
        (
            (
                "two lengths, the longer one first",
                _smuggled(_ALL, "Content-Length: 0", body=_INNER),
            ),
            ("two lengths, the longer one last", _smuggled("Content-Length: 0", _ALL, body=_INNER)),
            ("a list of lengths", _smuggled(f"Content-Length: 0, {len(_INNER)}", body=_INNER)),
            (
                "a length that is folded",
                _smuggled(f"Content-Length: \r\n {len(_INNER)}", body=_INNER),
            ),
            (
                "a length after a line end of its own",
                _smuggled(f"Content-Length: 0\n\nContent-Length: {len(_INNER)}", body=_INNER),
            ),
            (
                "a second header in the target",
                _raw(
                    f"GET /iclock/ping?SN=T1&a=%0d%0a%0d%0a{urllib.parse.quote(_INNER)} HTTP/1.1",
                    "Host: s",
                ),
            ),
        ),
        refused=False,
        waits=True,
    ),
    Attack(
        "a body of GET",
        _raw(_GET, "Host: s", "Connection: close", f"Content-Length: {len(_INNER)}", body=_INNER),
        refused=False,
    ),
    Attack(
        "a chunk with an extension",
        _raw(
            *(_POST, "Host: s", "Connection: close", "Transfer-Encoding: chunked"),
            body=b"%x;a=%b\r\n%b\r\n0\r\n\r\n" % (len(_INNER), b"x" * 50, _INNER),
        ),
        refused=False,
    ),
    Attack(
        "a trailer that is a length",
        _raw(
            *(_POST, "Host: s", "Connection: close", "Transfer-Encoding: chunked"),
            body=b"1a\r\n%b\r\n0\r\nContent-Length: 500\r\n\r\n" % _LINE[:26],
        ),
        refused=False,
    ),
    Attack(
        "line ends that are bare",
        _smuggled(_ALL, "Transfer-Encoding: chunked", end=b"\n"),
        refused=False,
    ),
]
"""What two servers in a row could take for one request, and for two."""
