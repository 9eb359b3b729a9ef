"""All attacks, by what they are after."""

from __future__ import annotations

import functools
import urllib.parse

from . import bombs
from .attack import INJECTED, Attack, Canaries, named, request, upload
from .framing import HEADERS, POLL, SMUGGLING
from .outside import EXPOSED, WRITING, traversal

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
        request(POLL, f"User-Agent: \x1b[2J{INJECTED}"),
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
