"""Attacks as data: the bytes that are sent, and what must hold. Canaries say what was touched."""

from __future__ import annotations

import functools
import pathlib
import urllib.parse
from collections.abc import Iterable

import attrs

from . import bombs

SECRET = "canary-5e1f0b"
"""What the file outside holds: in no reply."""
INJECTED = "INJECTED-LINE"
"""What no line of the log begins with."""
EVIL = "EVIL"
"""The terminal of smuggled requests: it never comes to exist."""


@attrs.frozen
class Attack:
    """One attack, on a connection of its own."""

    name: str
    raw: bytes = attrs.field(repr=False)
    refused: bool = True
    """Whether no reply may say that all is well. Where not, what was sent is data, and kept."""
    waits: bool = False
    """Whether the server rightly waits for more."""
    direct_only: bool = False
    """Whether a proxy makes something sound of it."""


@attrs.frozen
class Canaries:
    """What must not be touched."""

    folder: pathlib.Path
    """Of the file `secret.txt`, which holds `SECRET`."""
    port: int
    """Where somebody listens, and nobody must call."""


def request(
    target: str | bytes, *lines: str | bytes, method: str = "GET", body: bytes = b""
) -> bytes:
    """A request that is the last of its connection."""
    encoded = [line.encode() if isinstance(line, str) else line for line in lines]
    path = target.encode() if isinstance(target, str) else target
    head = [b"%b %b HTTP/1.1" % (method.encode(), path), b"Host: s", b"Connection: close", *encoded]
    if body or method == "POST":
        head.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def upload(table: str, body: bytes, more: str = "") -> bytes:
    """An upload of the terminal that exists."""
    target = f"/iclock/cdata?SN=T1&table={table}&Stamp=1{more}"
    return request(target, method="POST", body=body)


def named(raw: Iterable[tuple[str, bytes]], **how: bool) -> list[Attack]:
    """Attacks of one kind."""
    return [Attack(name, data, **how) for name, data in raw]


# Reading what is outside.


def traversal(canaries: Canaries) -> list[Attack]:
    """Paths and URLs that are none of ours, in every place that takes one."""
    file = f"{canaries.folder}/secret.txt"
    up = "../" * 12
    wishes = [
        up + "etc/passwd",
        up.rstrip("/") + file,
        file,
        "file://" + file,
        "file:" + file,
        "FILE:///etc/passwd",
        up.replace("/", "\\") + "windows\\win.ini",
        "..\\" * 6 + "etc\\passwd",
        "....//" * 8 + "etc/passwd",
        "..;/" * 8 + "etc/passwd",
        "%2e%2e%2f" * 8 + "etc%2fpasswd",
        "%252e%252e%252f" * 8 + "etc%252fpasswd",
        "%c0%ae%c0%ae%c0%af" * 8 + "etc/passwd",
        "%uff0e%uff0e/" * 8 + "etc/passwd",
        "Li4vLi4vLi4vLi4vLi4vLi4vZXRjL3Bhc3N3ZA==",
        "\\\\127.0.0.1\\share\\secret.txt",
        "//127.0.0.1/share/secret.txt",
        "file/1/../../../../../.." + file,
        "file/1/..%2f..%2f..%2f..%2f.." + file,
        "file/1/emfw.cfg%00.jpg",
        "file/0/x",
        "file/-1/x",
        "file/1/x?y",
        "file/9999999999999999999999/x",
        f"http://127.0.0.1:{canaries.port}/",
        f"http://127.0.0.1:{canaries.port}/iclock/file/1/x",
        "http://169.254.169.254/latest/meta-data/",
        f"gopher://127.0.0.1:{canaries.port}/_x",
        "/proc/self/environ",
        "/proc/self/cwd/key",
        "key",
        "admin.token",
        "zkpush.sqlite",
        "php://filter/resource=/etc/passwd",
        "",
    ]
    attacks = []
    for number, wish in enumerate(wishes):
        for place, target in {
            "url of T1": f"/iclock/file?SN=T1&url={wish}",
            "url of nobody": f"/iclock/file?url={wish}",
            "url, quoted": f"/iclock/file?SN=T1&url={urllib.parse.quote(wish, safe='')}",
            "under file": f"/iclock/file/{wish}",
            "under iclock": f"/iclock/{wish}",
            "at the root": f"/{wish}",
            "above": f"/iclock/../{wish}",
        }.items():
            attacks.append(Attack(f"{place}, {number}: {wish[:40]}", request(target)))
    return attacks


EXPOSED = named(
    (f"{path!r}", request(path))
    for path in (
        *(
            "/",
            "/iclock",
            "/iclock/",
            "/zkpush.sqlite",
            "/zkpush.sqlite-wal",
            "/key",
            "/iclock/key",
        ),
        *("/admin.token", "/run.json", "/backup", "/files/backup/", "/iclock/backup.zip"),
        *("/.git/config", "/.env", "/iclock/../key", "/iclock/%2e%2e/key", "/iclock/..%2fkey"),
        *("/api/v1/devices", "/iclock/../api/v1/devices", "/health", "/metrics", "/console"),
        *("/iclock/cdata/../../key", "/iclock/file/..", "/server-status", "/WEB-INF/web.xml"),
        *("/iclock/devices", "/iclock/data", "/iclock/accounts/login/", "/phpmyadmin/"),
        "/iclock/file?SN=win&url=/../../../../../../windows/win.ini",
    )
)
"""What products of this kind have shown to everyone."""


# Writing what is outside.

_NAMES = (
    "../../../canary/x.jpg",
    "/tmp/canary-x.jpg",  # noqa: S108 - nothing is to be made of it
    "C:\\windows\\x.jpg",
    "..\\..\\x.jpg",
    "..%2f..%2fx.jpg",
    "x.jpg%00.txt",
    "con.jpg",
    "." * 200,
    "a" * 3000,
    "%2e%2e%2fkey",
    "key",
    "admin.token",
)


def _photo(name: str) -> bytes:
    return f"PIN={name}\nSN=T1\nsize=4\nCMD=uploadphoto".encode() + b"\0\xff\xd8\xff\xd9"


WRITING = [
    *named(
        (
            (f"photo {name[:30]!r} in the arguments", raw)
            for name in _NAMES
            for raw in (
                request(
                    f"/iclock/fdata?SN=T1&PIN={name}&PhotoStamp=1", method="POST", body=b"\xff\xd8"
                ),
            )
        ),
        refused=False,
    ),
    *named(
        ((f"photo {name[:30]!r} in the body", upload("ATTPHOTO", _photo(name))) for name in _NAMES),
        refused=False,
    ),
    *named(
        (
            (
                f"picture of {name[:30]!r}",
                upload(
                    "OPERLOG", f"USERPIC PIN={name}\tFileName={name}\tSize=4\tContent=AAAA".encode()
                ),
            )
            for name in _NAMES
        ),
        refused=False,
    ),
    *named(
        (
            (
                f"reply of GetFile with {name[:30]!r}",
                request(
                    "/iclock/devicecmd?SN=T1",
                    method="POST",
                    body=f"ID=1\nReturn=4\nCMD=GetFile\nFILENAME={name}\nContent=AAAA".encode(),
                ),
            )
            for name in _NAMES
        ),
        refused=False,
    ),
    *named(
        (method, request(path, method=method, body=b"written"))
        for method in ("PUT", "DELETE", "PATCH", "MKCOL", "COPY", "MOVE")
        for path in ("/iclock/file/1/x", "/iclock/file?SN=T1&url=file/1/x", "/canary.txt")
    ),
]
"""Names that would be paths if anything of a terminal became one."""


# Headers.

_POLL = "/iclock/getrequest?SN=T1"
_LINE = b"7\t2026-01-05 08:00:00\t0\t1\n"


def _raw(*lines: str | bytes, body: bytes = b"", end: bytes = b"\r\n") -> bytes:
    encoded = [line.encode("latin-1") if isinstance(line, str) else line for line in lines]
    return end.join(encoded) + end * 2 + body


_GET = f"GET {_POLL} HTTP/1.1"
_POST = "POST /iclock/cdata?SN=T1&table=ATTLOG&Stamp=1 HTTP/1.1"

HEADERS = [
    Attack("no version", _raw(f"GET {_POLL}"), direct_only=True),
    Attack("HTTP/0.9, named", _raw(f"GET {_POLL} HTTP/0.9", "Host: s")),
    Attack("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)),
    Attack("HTTP/3", _raw(f"GET {_POLL} HTTP/3.0", "Host: s"), direct_only=True),
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
    Attack("a huge target", _raw(f"GET {_POLL}&x={'a' * 100_000} HTTP/1.1", "Host: s")),
    Attack("a deep path", _raw(f"GET {'/iclock' * 10_000} HTTP/1.1", "Host: s")),
    Attack("100000 arguments", _raw(f"GET {_POLL}{'&a=b' * 100_000} HTTP/1.1", "Host: s")),
    Attack("4000 arguments", request(_POLL + "&a=b" * 3000), refused=False),
    Attack("an argument twice", request(_POLL + "&SN=T2")),
    Attack("a deep path that fits", request("/iclock" * 1500)),
    Attack(
        "absolute form of elsewhere", request("http://evil.example/iclock/file?url=/etc/passwd")
    ),
    Attack("CONNECT", _raw("CONNECT 127.0.0.1:22 HTTP/1.1", "Host: 127.0.0.1:22")),
    Attack("OPTIONS *", _raw("OPTIONS * HTTP/1.1", "Host: s", "Connection: close"), refused=False),
    Attack("TRACE", request(_POLL, "Cookie: secret", method="TRACE")),
    Attack("a method of 10000 letters", _raw("A" * 10_000 + f" {_POLL} HTTP/1.1", "Host: s")),
    Attack("a method of control characters", _raw(b"\x01\x02\x03 / HTTP/1.1", "Host: s")),
    Attack(
        "upgrade to HTTP/2",
        request(_POLL, "Upgrade: h2c", "HTTP2-Settings: AAMAAABk").replace(
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
    Attack("half a request", f"GET {_POLL}".encode(), waits=True),
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


# Text that could become more than text.

_BREAKS = ("%0d%0a", "%0a", "%0d", "%09", "%00", "%e2%80%a8", "%c2%85", "%1b[2J")
_HOSTILE = (
    "'; DROP TABLE devices; --",
    '" OR 1=1 --',
    "<script>alert(1)</script>",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "$(touch /tmp/canary-x)",
    "`touch /tmp/canary-x`",
    "| touch /tmp/canary-x",
    "%s%s%s%n{0.__class__}",
    "=cmd|' /C calc'!A0",
    "${jndi:ldap://127.0.0.1/x}",
    "__proto__",
)
INJECTION = [
    *named(
        (f"{brk} in SN", request(f"/iclock/{path}T1{brk}{INJECTED}&options=all"))
        for brk in _BREAKS
        for path in ("cdata?SN=", "getrequest?SN=", "ping?SN=")
    ),
    *named(
        (
            (
                f"{brk} in table and stamp",
                request(
                    f"/iclock/cdata?SN=T1&table=X{brk}{INJECTED}&Stamp=1{brk}{INJECTED}",
                    method="POST",
                    body=b"x",
                ),
            )
            for brk in _BREAKS
        ),
        refused=False,
    ),
    *named(
        (
            (
                f"{brk} in the exchange",
                request(f"/iclock/cdata?SN=T1&options=all&{argument}={value}"),
            )
            for brk in _BREAKS
            for argument in (
                "pushver",
                "language",
                "DeviceType",
                f"x{brk}{INJECTED}",
                "pushcommkey",
            )
            for value in (f"2.4.1{brk}{INJECTED}",)
        ),
        refused=False,
    ),
    *named(
        (
            (f"{text} in {what}", raw)
            for text in _HOSTILE
            for what, raw in (
                ("a name", upload("OPERLOG", f"USER PIN=66\tName={text}\n".encode())),
                ("a PIN", upload("OPERLOG", f"USER PIN={text}\tName=x\n".encode())),
                ("a record", upload("ATTLOG", f"{text}\t2026-01-05 08:00:00\t0\t1\n".encode())),
                ("an option", upload("options", f"~DeviceName={text},FWVersion={text}".encode())),
                (
                    "a reply",
                    request(
                        "/iclock/devicecmd?SN=T1",
                        method="POST",
                        body=f"ID={text}&Return=0&CMD={text}".encode(),
                    ),
                ),
                ("a table", upload(urllib.parse.quote(text), b"x")),
            )
        ),
        refused=False,
    ),
    *named(
        (
            (
                f"{brk!r} in a name",
                upload("OPERLOG", b"USER PIN=66\tName=a" + brk + b"C:1:REBOOT\n"),
            )
            for brk in (b"\r", b"\x0b", b"\x0c", b"\x85", b"\0", b"\xe2\x80\xa8", b"\x1b[2J")
        ),
        refused=False,
    ),
    *named(
        (f"SN {text!r}", request(f"/iclock/cdata?SN={urllib.parse.quote(text)}&options=all"))
        for text in (*_HOSTILE, "", "../x", "a/b", ".", "a" * 33, "é", "T1 ")
        if text != "__proto__"
    ),
    Attack(
        "a header that is a line of the log",
        request(_POLL, f"User-Agent: \x1b[2J{INJECTED}"),
        False,
    ),
]
"""Text that would be SQL, HTML, a command, or another line, wherever it is taken for that."""


# What costs more than it seems to.


@functools.cache
def expanding() -> list[Attack]:
    """Bodies that expand, or are read slowly by who reads them carelessly; made when needed."""
    return [
        *(
            Attack(name, upload("OPERLOG", body, "&ContentType=tgz"), refused)
            for name, body, refused in bombs.packets()
        ),
        *(Attack(name, upload(table, body), refused=False) for name, table, body in bombs.UPLOADS),
        *(
            Attack(name, request("/iclock/devicecmd?SN=T1", method="POST", body=body), False)
            for name, body in bombs.REPLIES
        ),
    ]


def attacks(canaries: Canaries) -> dict[str, list[Attack]]:
    """All of them, by what they are after."""
    return {
        "traversal": traversal(canaries),
        "exposed": EXPOSED,
        "writing": WRITING,
        "headers": HEADERS,
        "smuggling": SMUGGLING,
        "injection": INJECTION,
        "bombs": expanding(),
    }


KINDS = ("traversal", "exposed", "writing", "headers", "smuggling", "injection", "bombs")
