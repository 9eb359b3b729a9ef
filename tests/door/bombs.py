"""Bodies that are small, or look harmless, and cost much where they are read carelessly."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib

_MIB = 1024 * 1024


def _zeros(mib: int) -> bytes:
    """A gzip of many zeros."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(_MIB)) for _ in range(mib)) + packer.flush()


def _tar(members: int, size: int, name: str = "{}") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for number in range(members):
            info = tarfile.TarInfo(name.format(number))
            info.size = size
            tar.addfile(info, io.BytesIO(b"USER PIN=1\n".ljust(size, b"\n")[:size]))
    return gzip.compress(stream.getvalue(), 6)


def _link() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for kind, target in ((tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "../../key")):
            info = tarfile.TarInfo("../../canary/link")
            info.type, info.linkname = kind, target
            tar.addfile(info)
    return gzip.compress(stream.getvalue())


def _chain() -> bytes:
    """A tar of extended headers that announce extended headers."""
    info = tarfile.TarInfo("x" * 4000)
    block = info.tobuf(tarfile.GNU_FORMAT)[:-512]
    return gzip.compress(block * 3000)


def packets() -> list[tuple[str, bytes, bool]]:
    """Name, packet, and whether it is more than what is taken; to make them takes seconds."""
    return [
        ("300 MiB of zeros", _zeros(300), True),
        ("20000 members", _tar(20_000, 0), True),
        ("a hundred thousand parts", gzip.compress(b"") * 100_000, True),
        ("names that lead outside", _tar(50, 20, "../../../canary/{}"), False),
        ("links that lead outside", _link(), False),
        ("a chain of extended headers", _chain(), False),
        ("packed four times", gzip.compress(gzip.compress(gzip.compress(_zeros(64)))), False),
        ("a gzip that breaks off", _zeros(4)[:-9], False),
        ("a gzip without an end", gzip.compress(b"USER PIN=1\n")[:12], False),
        ("no gzip", b"\x1f\x8b" + b"\xff" * 1000, False),
    ]


_PAIRS = 100_000
UPLOADS = [
    (
        "many pairs in a line",
        "OPERLOG",
        b"USER PIN=1" + b"".join(b"\ta%d=1" % n for n in range(_PAIRS)),
    ),
    ("the same pair again and again", "OPERLOG", b"USER " + b"PIN=1\t" * _PAIRS),
    ("tabs", "ATTLOG", b"\t" * 2_000_000),
    ("spaces", "ATTLOG", b" " * 2_000_000 + b"x"),
    ("spaces between digits", "ATTLOG", b"1 " * 1_000_000),
    ("empty lines", "ATTLOG", b"\n" * 2_000_000),
    ("one long line", "ATTLOG", b"7" * 4_000_000),
    ("a time of digits", "ATTLOG", b"7\t" + b"1" * 100_000 + b"\t0\t1\n"),
    ("a long number for a time", "OPERLOG", b"OPLOG 4\t14\t" + b"9" * 100_000 + b"\t0\t0\t0\t0\n"),
    ("long numbers", "OPERLOG", b"USER PIN=9\tPri=" + b"9" * 100_000 + b"\tGrp=" + b"8" * 50_000),
    (
        "a size of digits",
        "OPERLOG",
        b"FP PIN=9\tFID=1\tSize=" + b"9" * 10_000 + b"\tValid=1\tTMP=AAAA",
    ),
    (
        "a number in Unicode",
        "OPERLOG",
        "FP PIN=9\tFID=\u0661\tSize=\u00b2\tValid=1\tTMP=AAAA".encode(),
    ),
    ("a negative size", "OPERLOG", b"FP PIN=9\tFID=1\tSize=-1\tValid=1\tTMP=AAAA"),
    ("much base64", "OPERLOG", b"FP PIN=9\tFID=1\tSize=3\tValid=1\tTMP=" + b"A" * 4_000_000),
    (
        "base64 that is none",
        "OPERLOG",
        b"FP PIN=9\tFID=1\tSize=3\tValid=1\tTMP=" + b"=" * 2_000_000,
    ),
    ("commas", "options", b"," * 1_000_000),
    ("equals signs", "options", b"=" * 1_000_000),
    ("commas and equals signs", "options", b"a=b," * _PAIRS),
    ("tildes", "options", b"~" * 1_000_000 + b"=1"),
    ("words that might be keys", "options", b"a=" + b"b,c " * _PAIRS),
    ("brackets", "OPERLOG", b"USER PIN=9\tCard=" + b"[" * 500_000),
    ("a photo without an end of its lines", "ATTPHOTO", b"PIN=1.jpg\n" * 200_000),
    ("a photo of digits", "ATTPHOTO", b"PIN=1.jpg\nSN=T1\nsize=" + b"9" * 10_000 + b"\0\xff\xd8"),
    ("keywords of no table", "OPERLOG", b"X A=1\n" * 3000),
    ("an old packed form that claims much", "ATTLOG", b"LZO1\xff\xff\xff\x7f" + b"\0" * 1000),
    ("no text at all", "OPERLOG", bytes(range(256)) * 2000),
    ("broken text", "OPERLOG", b"USER PIN=9\tName=" + b"\xff\xfe\x80" * 50_000),
]
"""Name, table and body."""

REPLIES = [
    ("many replies", b"ID=1&Return=0&CMD=DATA\n" * 20_000),
    ("ampersands", b"&" * 1_000_000),
    ("a long id", b"ID=" + b"a" * 1_000_000 + b"&Return=0&CMD=DATA"),
    ("a long result", b"ID=1&Return=" + b"9" * 100_000 + b"&CMD=DATA"),
    ("many keys", b"".join(b"k%d=1\n" % n for n in range(30_000))),
    ("nothing", b""),
    ("NULs", bytes(100_000)),
]
"""Name and body of replies to commands."""
