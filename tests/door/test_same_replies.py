"""Two servers that read HTTP otherwise let requests be smuggled: ours answers as twisted.web."""

from __future__ import annotations

import pathlib
import re
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
import pytest_twisted
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import ServerFactory
from twisted.python.failure import Failure

from zkpush.interfaces import StoreError
from zkpush.protocol.errors import TooLarge
from zkpush.protocol.packets import pack

from ..reference import ReferenceSite
from ..rig import CONTINUE, Response, Rig, Wire, is_whole
from ..sealed import SealedTerminal
from ..server.files import FIRMWARE, add, by_url, order, url_in

pytestmark = pytest.mark.long

PROXY = "192.0.2.1"
ADDRESS = "192.0.2.7"
BODY_BYTES = 2048
LINE = b"7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\n"
PHOTO = b"PIN=20260301080000-7.jpg\nSN=T1\nsize=9\nCMD=uploadphoto\0\xff\xd8\xff picture"
PACKET = pack([("a", b"USER PIN=8\tName=Ann\tPri=0\n")])
FILE, FOLDER, OTHER, TOKEN = b"{file}", b"{folder}", b"{other file}", b"{token}"
"""Stand for what each daemon makes: URLs of files for T1, and for T2, and the token of T1."""
STATES = {"T1": "approved", "T2": "approved", "T3": "blocked", "T4": "approved"}
"""The terminals of each daemon; T4 has made no exchange since it was approved."""
REQUESTS_PER_MINUTE = 100

TARGETS: dict[str, tuple[bytes, bytes]] = {
    # A name, the target, and the body that a POST to it has.
    "exchange": (b"/iclock/cdata?SN=T1&options=all&pushver=2.4.1&language=69", b""),
    "exchange of a stranger": (b"/iclock/cdata?SN=T9&options=all&pushver=2.4.1", b""),
    "upload": (b"/iclock/cdata?SN=T1&table=ATTLOG&Stamp=1", LINE),
    "upload of what is not understood": (b"/iclock/cdata?SN=T1&table=ATTLOG&Stamp=2", b"\xff\0\n"),
    "upload of an unknown table": (b"/iclock/cdata?SN=T1&table=NOSUCH", LINE),
    "upload of a packet": (b"/iclock/cdata?SN=T1&table=OPERLOG&ContentType=tgz", PACKET),
    "upload without a table": (b"/iclock/cdata?SN=T1", LINE),
    "options": (b"/iclock/cdata?SN=T1&table=options", b"FingerFunOn=1,FaceFunOn=1"),
    "decision": (b"/iclock/cdata?SN=T1&type=PostVerifyData", b"PIN=7\tCard=1"),
    "user": (b"/iclock/cdata?SN=T1&table=RemoteAtt&PIN=7", b""),
    "photo": (b"/iclock/fdata?SN=T1&table=ATTPHOTO&Stamp=3", PHOTO),
    "poll": (b"/iclock/getrequest?SN=T1", b""),
    "poll with information": (b"/iclock/getrequest?SN=T1&INFO=Ver%201,1,2,3,192.0.2.7", b""),
    "answer": (b"/iclock/devicecmd?SN=T1", b"ID=1&Return=0&CMD=LOG\n"),
    "ping": (b"/iclock/ping?SN=T1", b""),
    "keys": (b"/iclock/exchange?SN=T1&type=publickey", b"PublicKey=nothing"),
    "factors": (b"/iclock/exchange?SN=T1&type=factors", b"Factors=nothing"),
    "file": (b"/iclock/" + FILE, b""),
    "file by its path": (b"/iclock/" + FOLDER, b""),
    "file of another terminal": (b"/iclock/" + OTHER, b""),
    "no such file": (b"/iclock/file/0/x?SN=T1", b""),
    "file without its URL": (b"/iclock/file?SN=T1", b""),
    "a terminal that was blocked": (b"/iclock/getrequest?SN=T3", b""),
    "poll before the exchange": (b"/iclock/getrequest?SN=T4", b""),
    "file before the exchange": (b"/iclock/file?SN=T4&url=file/0/x", b""),
    "a stranger": (b"/iclock/getrequest?SN=T9", b""),
    "no serial number": (b"/iclock/getrequest", b""),
    "bad serial number": (b"/iclock/getrequest?SN=..%2FOK", b""),
    "two serial numbers": (b"/iclock/getrequest?SN=T1&sn=T2", b""),
    "half a quotation": (b"/iclock/getrequest?SN=T1%&x=%zz", b""),
    "not UTF-8": (b"/iclock/getrequest?SN=T1&x=\xff%ff%00", b""),
    "other case": (b"/IClock/GetRequest?sn=T1", b""),
    "aspx": (b"/iclock.aspx/getrequest.aspx?SN=T1", b""),
    "doubled": (b"/iclock/iclock/ping?SN=T1", b""),
    "slash at the end": (b"/iclock/getrequest/?SN=T1", b""),
    "slashes at the end": (b"/iclock/getrequest//?SN=T1", b""),
    "slashes at the beginning": (b"//iclock/getrequest?SN=T1", b""),
    "below a leaf": (b"/iclock/ping/below?SN=T1", b""),
    "nothing but a suffix": (b"/iclock/ping/.aspx?SN=T1", b""),
    "outside": (b"/iclock/../admin?SN=T1", b""),
    "no such path": (b"/iclock/nothing?SN=T1", b""),
    "quoted path": (b"/iclock/%70ing/?SN=T1", b""),
    "only /iclock": (b"/iclock", b""),
    "only /iclock/": (b"/iclock/?SN=T1", b""),
    "root": (b"/", b""),
    "elsewhere": (b"/api/v1/devices?SN=T1", b""),
    "absolute": (b"http://server/iclock/ping?SN=T1", b""),
}
METHODS = (b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"Get", b"post")
HEADERS: dict[str, tuple[bytes, ...]] = {
    "none": (),
    "keep-alive": (b"Connection: keep-alive",),
    "close": (b"Connection: close",),
    "of the specification": (b"Connection: starting", b"Accept: application/push"),
    "upgrade": (b"Connection: Upgrade", b"Upgrade: websocket"),
    "form": (b"Content-Type: application/x-www-form-urlencoded",),
    "parts of a form": (b"Content-Type: multipart/form-data; boundary=x",),
    "continue": (b"Expect: 100-continue",),
    "first bytes": (b"Range: bytes=0-9",),
    "last bytes": (b"range: Bytes=-9",),
    "the rest": (b"Range: bytes=100-",),
    "no such bytes": (b"Range: bytes=99999999-",),
    "several ranges": (b"Range: bytes=0-1,4-5",),
    "two ranges": (b"Range: bytes=0-1", b"Range: bytes=4-5"),
    "no range": (b"Range: lines=0-1",),
    "a token of nobody": (b"Cookie: token=cb386eb5f8219329db63356fb262ddff",),
    "token": (b"Cookie: token=" + TOKEN,),
    "token among others": (b"Cookie: a=b", b"Cookie: token=" + TOKEN + b"; c=d"),
    "other cookies": (b"Cookie: a=b; c=d", b"Cookie: e=f"),
    "origin": (b"Origin: http://evil.example",),
    "fetched": (b"Sec-Fetch-Site: cross-site",),
    "browser": (b"User-Agent: Mozilla/5.0 (X11)",),
    "terminal": (b"User-Agent: iClock Proxy/1.09",),
    "forwarded": (b"X-Forwarded-For: 203.0.113.5",),
    "forwarded twice": (b"X-Forwarded-For: 198.51.100.66", b"X-Forwarded-For: 203.0.113.5"),
    "forwarded by nobody": (b"X-Forwarded-For: <script>",),
    "forwarded in other words": (b"Forwarded: for=203.0.113.5", b"X-Real-IP: 203.0.113.5"),
    "almost forwarded": (b"X-Forwarded-Fox: 203.0.113.5",),
    "accepting gzip": (b"Accept-Encoding: gzip, deflate",),
    "gzip": (b"Content-Encoding: gzip",),
}


def chunked(*parts: bytes) -> bytes:
    """A body in chunks."""
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def framed(form: str, body: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """The headers and the bytes that a body takes."""
    in_chunks, long = (b"Transfer-Encoding: chunked",), bytes(BODY_BYTES + 1)
    forms: dict[str, tuple[tuple[bytes, ...], bytes]] = {
        "none": ((), b""),
        "empty": ((b"Content-Length: 0",), b""),
        "length": ((b"Content-Length: %d" % len(body),), body),
        "chunks": (in_chunks, chunked(*filter(None, (body[:5], body[5:])))),
        "one chunk": (in_chunks, chunked(body) if body else chunked()),
        "too long": ((b"Content-Length: %d" % len(long),), long),
        "too long in chunks": (in_chunks, chunked(long)),
    }
    return forms[form]


FORMS = ("none", "empty", "length", "chunks", "one chunk", "too long", "too long in chunks")


class Case(NamedTuple):
    """One request, in words."""

    target: str
    method: bytes = b"GET"
    form: str = "none"
    headers: str = "none"
    version: bytes = b"1.1"
    address: str = ADDRESS

    def raw(self, own: dict[bytes, bytes]) -> bytes:
        """Its bytes, with what a daemon has made."""
        target, body = TARGETS[self.target]
        framing, content = framed(self.form, body)
        headers = HEADERS[self.headers]
        first = b"%b %b HTTP/%b" % (self.method, target, self.version)
        raw = b"\r\n".join((first, b"Host: s", *headers, *framing, b"", content))
        for name, value in own.items():
            raw = raw.replace(name, value)
        return raw


class Reply(NamedTuple):
    """A reply without what differs from one daemon to another: times, tokens and identifiers."""

    status_line: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    asked: bool
    """Whether the server asked for the body first."""

    @property
    def status(self) -> int:
        """The status."""
        return int(self.status_line.split(b" ")[1])


def read_reply(raw: bytes) -> Reply:
    """Take a reply apart."""
    rest = raw.removeprefix(CONTINUE)
    response = Response(rest)
    headers = []
    for name, value in response.headers:
        if name == b"Date":
            value = b""
        elif name == b"Set-Cookie":
            value = re.sub(rb"token=\w+", b"token=", value)
        if name != b"Connection":
            headers.append((name, value))
    body = re.sub(rb"file/[0-9a-z]{26}/|\bC:\w+:", b"", response.body)
    # twisted.web has no words for the status of those who ask too often.
    status_line = response.status_line.replace(b"429 Unknown Status", b"429 Refused")
    return Reply(status_line, sorted(headers), body, rest != raw)


def differences(raw: bytes, ours: Reply, theirs: Reply) -> list[str]:
    """The fields in which two replies differ, but for those in which they may."""
    if is_early(raw, ours) and theirs.status == TooLarge.status:
        return []
    fields = {name for name in Reply._fields if getattr(ours, name) != getattr(theirs, name)}
    if is_early(raw, ours) and not ours.asked:
        fields.discard("asked")
    if ours.status == theirs.status and b"Content-Type" not in dict(theirs.headers):
        return []  # it says little of what it cannot read
    return sorted(fields)


def is_early(raw: bytes, ours: Reply) -> bool:
    """Whether a request is refused by its head, and its body neither read nor asked for."""
    head, _, body = raw.partition(b"\r\n\r\n")
    return ours.status >= 400 and (body != b"" or b"\r\nExpect: " in head)


def may_end(raw: bytes, ours: Reply) -> bool:
    """Whether ours ends a connection: what comes next is a body, or another protocol."""
    return is_early(raw, ours) or b"\r\nUpgrade: " in raw


async def answer(site: ServerFactory, raw: bytes, address: str) -> tuple[bytes, bool]:
    """What is written to a request, and whether the connection ends then."""
    wire = Wire(address)
    channel = site.buildProtocol(wire.getPeer())
    channel.makeConnection(wire)
    channel.dataReceived(raw)
    is_head = raw.startswith(b"HEAD ")
    while not is_whole(wire, is_head=is_head):
        await wire.changed()
    channel.connectionLost(Failure(ConnectionDone()))
    return wire.value(), wire.closed


async def file_for(rig: Rig, sn: str) -> str:
    """The URL of a file for a terminal, by a command that an exchange does not end."""
    file = await add(rig, FIRMWARE)
    return await url_in(rig, await order(rig, "PutFile", sn, url=file["path"], path="x"))


class Twins:
    """Two daemons that have seen the same; twisted.web serves the second."""

    def __init__(self, ours: Rig, theirs: Rig) -> None:
        theirs.terminals = ReferenceSite(theirs)
        self.rigs = (ours, theirs)
        self.own: list[dict[bytes, bytes]] = []
        """What stands for what, in each."""
        self.seen: set[int] = set()
        """Each status that both have answered with."""

    async def prepare(self) -> None:
        """Give both the same terminals and files."""
        for rig in self.rigs:
            for sn, state in STATES.items():
                await rig.exchange(sn)
                assert (await rig.api("PATCH", f"/devices/{sn}", {"state": state})).status == 200
            for sn in ("T1", "T2", "T3"):
                await rig.exchange(sn)
            url, other = await file_for(rig, "T1"), await file_for(rig, "T2")
            self.own.append(
                {
                    FILE: by_url(url).encode(),
                    FOLDER: re.sub(".*/iclock/", "", url).encode(),
                    OTHER: by_url(other).encode(),
                    TOKEN: b"",
                }
            )

    async def check(self, case: Case, seconds: float = 2) -> None:
        """Send a request to both, so long after the last; `AssertionError` unless they agree."""
        raws, replies, ends = [], [], []
        for rig, own in zip(self.rigs, self.own, strict=True):
            rig.clock.advance(seconds)
            raw = case.raw(own)
            written, is_ended = await answer(rig.terminals, raw, case.address)
            if (token := re.search(rb"Set-Cookie: token=(\w+)", written)) is not None:
                own[TOKEN] = token[1]
            raws.append(raw)
            replies.append(read_reply(written))
            ends.append(is_ended)
        ours, theirs = replies
        wrong = differences(raws[0], ours, theirs)
        if ends[0] != ends[1] and not may_end(raws[0], ours):
            wrong.append("the end of the connection")
        assert not wrong, f"{case}: {', '.join(wrong)} ({ours}; {theirs})"
        self.seen.add(ours.status)


@pytest_twisted.async_yield_fixture
async def twins(tmp_path: pathlib.Path) -> AsyncIterator[Twins]:
    """Two daemons that approve terminals by hand, behind a trusted proxy."""
    rigs = []
    for name in ("ours", "theirs"):
        folder = tmp_path / name
        folder.mkdir()
        limits = {"body_bytes": BODY_BYTES, "requests_per_minute": REQUESTS_PER_MINUTE}
        rig = Rig(folder, admission="approve", limits=limits, proxies={"trusted": [PROXY]})
        rigs.append(await rig.start())
    twins = Twins(*rigs)
    await twins.prepare()
    yield twins
    for rig in rigs:
        await rig.stop()


FOR_HEADERS = ("poll", "upload", "exchange", "file", "no such path")
CASES = {
    "methods": [Case(target, method) for target in TARGETS for method in METHODS],
    "bodies": [
        Case(target, method, form)
        for target in TARGETS
        for method in (b"POST", b"GET")
        for form in FORMS
    ],
    "headers": [
        Case(target, method, form, headers, version, address)
        for target in FOR_HEADERS
        for method, form in ((b"GET", "none"), (b"HEAD", "none"), (b"POST", "length"))
        for headers in HEADERS
        if headers not in ("token", "token among others")
        for version in (b"1.0", b"1.1")
        for address in (ADDRESS, PROXY)
        if (method, headers) != (b"POST", "upgrade")  # which ours refuses
    ],
    "tokens": [
        Case("exchange"),
        *(Case(target, headers="token") for target in ("poll", "file")),
        Case("upload", b"POST", "length", "token among others"),
        *(Case("poll", headers=headers) for headers in ("none", "a token of nobody")),
        Case("upload", b"POST", "length"),
        Case("exchange", headers="token"),
        Case("poll", headers="token"),
    ],
}


@pytest.mark.parametrize("name", CASES)
@pytest_twisted.ensureDeferred
async def test_replies_are_those_of_twisted_web(twins: Twins, name: str) -> None:
    """Each path, method, body and header gets the status, headers and body that it gets there."""
    for case in CASES[name]:
        await twins.check(case)


@pytest_twisted.ensureDeferred
async def test_too_many_requests_are_refused_alike(twins: Twins) -> None:
    """Both answer as many polls of a minute, and refuse the rest with 429."""
    for _ in range(REQUESTS_PER_MINUTE + 20):
        await twins.check(Case("poll"), seconds=0)
    await twins.check(Case("upload", b"POST", "chunks"), seconds=0)
    assert 429 in twins.seen


@pytest.mark.parametrize("error", [StoreError("the disk is full"), RuntimeError("a mistake")])
@pytest_twisted.ensureDeferred
async def test_a_store_that_fails_shows_alike(twins: Twins, error: Exception) -> None:
    """Uploads, answers, exchanges and files get 503, or 500 where the server is at fault."""

    async def fail(*_: object) -> None:
        raise error

    for rig in twins.rigs:
        rig.store.read = rig.store.write = fail
    for target in ("upload", "options", "photo", "answer"):
        await twins.check(Case(target, b"POST", "length"))
    for target in ("exchange", "file", "poll with information"):
        await twins.check(Case(target))
    assert twins.seen == {503 if isinstance(error, StoreError) else 500}


@pytest_twisted.ensureDeferred
async def test_a_sealed_session_is_the_same(twins: Twins) -> None:
    """What terminals encrypt arrives, and what they are sent opens, on either."""
    said = []
    for rig in twins.rigs:
        terminal = SealedTerminal(rig)
        await terminal.begin()
        answers = [await terminal.get("ping?SN=T1")]
        answers.append(await terminal.post("cdata?SN=T1&table=ATTLOG&Stamp=1", LINE))
        answers.append(await terminal.post("cdata?SN=T1&table=NOSUCH", b"\xff\0"))
        answers.append(re.sub(rb"C:\w+:|file/\w+/", b"", await terminal.get("getrequest?SN=T1")))
        said.append(answers)
    assert said[0] == said[1]
    assert said[0][:2] == [b"OK", b"OK: 1"]


@pytest_twisted.ensureDeferred
async def test_the_table_reaches_every_kind_of_reply(twins: Twins) -> None:
    """Success, parts of files, and each refusal that a head or a body can have."""
    for case in (*CASES["methods"], *CASES["bodies"][::3], *CASES["headers"][::5]):
        await twins.check(case)
    assert twins.seen == {200, 206, 400, 403, 404, 405, 413, 416}
