"""Files for the terminals that were told to fetch them (12.5.2, 12.8.2), and for nobody else."""

from __future__ import annotations

import base64

import pytest
import pytest_twisted
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import reactor, threads
from twisted.internet.defer import Deferred

from ..rig import Rig, everything, talk
from .files import (
    FIRMWARE,
    add,
    by_url,
    content_md5,
    fetch,
    order,
    request,
    upgrade,
    url_in,
)


@pytest.mark.parametrize(
    "form",
    [
        "file/{}/emfw.cfg",
        "/file/{}/emfw.cfg",
        "/iclock/file/{}/emfw.cfg",
        "http://192.0.2.1:8081/iclock/file/{}/emfw.cfg",
        "https://elsewhere.example/iclock/iclock/file/{}/emfw.cfg",
        "HTTP://[2001:db8::1]:8081/iClock/file/{}/another%20name",
    ],
)
@pytest_twisted.ensureDeferred
async def test_an_upgrade_fetches_its_file_by_url(rig: Rig, form: str) -> None:
    """However the URL is completed, it is the file; length, type and MD5 are said."""
    await rig.exchange()
    _, secret, _ = (await upgrade(rig)).split("/")
    response = await fetch(rig, by_url(form.format(secret)))
    assert (response.status, response.body) == (200, FIRMWARE)
    assert response.header(b"Content-Type") == b"application/octet-stream"
    assert response.header(b"Content-Length") == b"%d" % len(FIRMWARE)
    assert response.header(b"Content-MD5") == content_md5(FIRMWARE)
    assert response.header(b"Accept-Ranges") == b"bytes"
    assert response.header(b"Date") is not None


@pytest_twisted.ensureDeferred
async def test_what_the_command_says_is_what_the_terminal_finds(rig: Rig) -> None:
    """The URL, the MD5 and the size on the wire are those of the file that is served."""
    await rig.exchange()
    file = await add(rig)
    await order(rig, "UPGRADE", file=file["id"], form=1)
    line = (await rig.get("getrequest?SN=T1")).body.decode()
    facts = dict(pair.split("=") for pair in line.strip().partition(" ")[2].split(","))
    response = await fetch(rig, by_url(facts["url"]))
    assert base64.b64decode(response.body, validate=True) == FIRMWARE
    assert facts["checksum"] == file["md5"]
    assert bytes.fromhex(facts["checksum"]) == base64.b64decode(content_md5(FIRMWARE))
    assert int(facts["size"]) == len(FIRMWARE)


@pytest.mark.parametrize("content", [b"1", b"12", b"123", FIRMWARE], ids=len)
@pytest_twisted.ensureDeferred
async def test_form_1_is_base64_without_line_breaks(rig: Rig, content: bytes) -> None:
    """Length, MD5 and ranges are those of the base64."""
    await rig.exchange()
    url = by_url(await upgrade(rig, content, form=1))
    expected = base64.b64encode(content)
    response = await fetch(rig, url)
    assert (response.status, response.body) == (200, expected)
    assert response.header(b"Content-MD5") == content_md5(expected)
    tail = await fetch(rig, url, "Range: bytes=-3")
    assert (tail.status, tail.body) == (206, expected[-3:])
    assert tail.header(b"Content-Range") == b"bytes %d-%d/%d" % (
        len(expected) - 3,
        len(expected) - 1,
        len(expected),
    )
    assert tail.header(b"Content-MD5") == content_md5(expected)


@pytest.mark.parametrize("suffix", ["", "?SN=T1"])
@pytest.mark.parametrize("base", ["", "http://server:8081/iclock/"])
@pytest_twisted.ensureDeferred
async def test_putfile_fetches_by_path(rig: Rig, base: str, suffix: str) -> None:
    """The path is that of the request; the terminal may say who it is, or not."""
    await rig.exchange()
    file = await add(rig, name="Zoë 100%.tgz")
    command = await order(rig, "PutFile", url=f"{base}{file['path']}", path="/mnt/x.tgz")
    url = await url_in(rig, command)
    assert url.startswith(f"{base}file/")
    assert url.endswith("/Zo%C3%AB%20100_.tgz")
    path = url.removeprefix(base)
    for target in (path, f"iclock/{path}"):
        response = await fetch(rig, f"{target}{suffix}")
        assert (response.status, response.body) == (200, FIRMWARE)
    assert (await fetch(rig, by_url(url))).body == FIRMWARE


@pytest_twisted.ensureDeferred
async def test_a_package_of_people_is_served(rig: Rig) -> None:
    """What SyncData is made of is a file like others."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=OPERLOG&Stamp=1", b"USER PIN=7\tName=Ann\n")
    await order(rig, "PutFile", Action="SyncData", TableName="USERINFO")
    line = (await rig.get("getrequest?SN=T1")).body.decode()
    url = line.partition("PutFile ")[2].partition("\t")[0]
    assert (await fetch(rig, url)).body.startswith(b"\x1f\x8b")


@pytest_twisted.ensureDeferred
async def test_only_who_has_an_open_command_gets_a_file(rig: Rig) -> None:
    """Not another terminal, not by another secret, and not after the command has ended."""
    await rig.exchange("T1")
    await rig.exchange("T2")
    file = await add(rig)
    command = await order(rig, "UPGRADE", file=file["id"], form=2)
    url = await url_in(rig, command)
    _, secret, _ = url.split("/")
    targets = [by_url(url), url, f"{url}?SN=T1"]
    assert [(await fetch(rig, target)).status for target in targets] == [200] * 3
    for target in (
        by_url(url, "T2"),
        f"{url}?SN=T2",
        url.replace(secret, "0" * len(secret)),
        by_url(url.replace(secret, "0" * len(secret))),
        url.replace(secret, secret[:-1] + ("y" if secret[-1] == "x" else "x")),
    ):
        refused = await fetch(rig, target)
        assert (refused.status, b"OK" in refused.raw) == (403, False), target
    await rig.get("getrequest?SN=T1")
    assert [(await fetch(rig, target)).status for target in targets] == [200] * 3
    await rig.post("devicecmd?SN=T1", f"ID={command}&Return=0&CMD=UPGRADE".encode())
    assert [(await fetch(rig, target)).status for target in targets] == [403] * 3


@pytest_twisted.ensureDeferred
async def test_only_an_approved_terminal_gets_a_file(make_rig) -> None:
    """One that waits, is blocked or has not begun a session is refused, whatever its command."""
    rig = await make_rig(admission="approve")
    await rig.api("PUT", "/devices/T1", {"state": "approved"})
    url = await upgrade(rig)
    assert (await fetch(rig, by_url(url))).status == 403
    assert (await fetch(rig, url)).status == 200
    await rig.exchange()
    assert (await fetch(rig, by_url(url))).status == 200
    await rig.api("PATCH", "/devices/T1", {"state": "blocked"})
    for target in (by_url(url), url, by_url(url, "T9")):
        refused = await fetch(rig, target)
        assert (refused.status, b"OK" in refused.raw) == (403, False)


SECRET = "0" * 26
"""The secret of no command, well formed."""
_HOSTILE = [
    "/etc/passwd",
    "file:///etc/passwd",
    "file:///file/1/x",
    "ftp://server/file/1/x",
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:8082/api/v1/devices",
    "//evil.example/file/1/x",
    "../file/1/x",
    "file/../file/1/x",
    "file/1/../../../../etc/passwd",
    "file/1/..",
    "file/1/.",
    "file/1/",
    "file/1",
    "file//1/x",
    "file/1//x",
    "file/01/x",
    "file/0/x",
    "file/-1/x",
    "file/+1/x",
    "file/1e0/x",
    "file/\u0661/x",
    "file/ 1/x",
    "file/1 /x",
    "file/1\x00/x",
    "file/1/x\x00",
    "file/1/x\n",
    "fi\nle/1/x",
    " file/1/x",
    "file%2f1%2fx",
    "file/1%2fx",
    "file/1/..%2f..%2fetc",
    "file/1/x%5c..%5cy",
    "file/1/x%00.cfg",
    "file\\1\\x",
    "http:\\\\server\\file\\1\\x",
    "file/1\\x",
    "file/1/x\\y",
    f"file/{10**18}/x",
    f"file/{2**63}/x",
    f"file/{'9' * 400}/x",
    "file/1.b64.b64/x",
    "file/1.B64/x",
    "file/1.txt/x",
    "elsewhere/file/1/x",
    "http://h/elsewhere/file/1/x",
    "http://h?/file/1/x",
    "http://h#/file/1/x",
    "http://[/file/1/x?",
    "file/1/x?y",
    "file/1/x#y",
    "FILE/1/x",
    "file/1;DROP TABLE files/x",
    "file/1' OR '1'='1/x",
    "javascript:file/1/x",
    "",
]
HOSTILE = ["file/1/x", *(url.replace("file/1", f"file/{SECRET}") for url in _HOSTILE)]


@pytest.mark.parametrize("url", HOSTILE)
@pytest_twisted.ensureDeferred
async def test_a_url_that_is_none_of_ours_is_not_found(rig: Rig, monkeypatch, url: str) -> None:
    """Nothing is opened or fetched for it, and its refusal is none that looks like success."""
    await rig.exchange()
    await upgrade(rig)

    def forbidden(*args: object) -> None:
        raise AssertionError(args)

    monkeypatch.setattr(rig.store, "read", forbidden)
    response = await fetch(rig, by_url(url))
    assert response.status == 404
    assert b"OK" not in response.raw
    assert b"\r\n\r\n" in response.raw


@pytest.mark.parametrize(
    "form",
    [
        "file",
        "file/",
        "file/{}",
        "file/{}/",
        "file/{}/../../file/{}/x",
        "file/../file/{}/x",
        "file/{}/x/y",
        "file/{}%2fx",
        "file/1/x",
        "file/{}/%2e%2e%2fx",
        "file/{}/x?url=file/{}/x",
        "file/passwd?url=file/{}/x",
        "file/{}/x?SN=T1&url=",
        "../file/{}/x",
        "cdata/file/{}/x",
        "getrequest/../file/{}/x",
        "file/" + "9" * 30 + "/x",
        "file/{}x/x",
        "file/{}/x?url=",
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_path_that_is_none_of_ours_is_not_found(rig: Rig, form: str) -> None:
    """Only `file/SECRET/NAME` is a path of a file, however it is written."""
    await rig.exchange()
    file = await add(rig)
    url = await url_in(rig, await order(rig, "PutFile", url=file["path"], path="x"))
    response = await fetch(rig, form.replace("{}", url.split("/")[1]))
    assert response.status == 404, response.raw
    assert b"OK" not in response.raw


@pytest_twisted.ensureDeferred
async def test_whatever_the_url_is_nothing_but_the_file_comes(rig: Rig) -> None:
    """Any text at all is refused, or is a way to write the URL of the file."""
    await rig.exchange()
    _, secret, _ = (await upgrade(rig)).split("/")
    await add(rig, b"secret")
    words = st.sampled_from(
        [
            "file",
            "iclock",
            "/",
            "1",
            "2",
            secret,
            secret,
            "..",
            "\\",
            "%2f",
            "http://h",
            "x",
            "?",
            "\0",
            ":",
        ]
    )
    urls = st.one_of(st.text(), st.lists(words, max_size=12).map("".join))

    @settings(max_examples=200)
    @given(urls, st.booleans())
    def any_url(url: str, in_path: bool) -> None:
        target = url.encode("utf-8", "surrogatepass").decode("latin-1") if in_path else by_url(url)
        raw = (
            b"GET /iclock/file/"
            + "".join(character for character in target if "!" <= character <= "~").encode()
            if in_path
            else b"GET /iclock/" + target.encode()
        )

        async def ask() -> None:
            response = await talk(rig.terminals, raw + b" HTTP/1.1\r\nHost: s\r\n\r\n")
            if response.status == 200:
                assert response.body == FIRMWARE
            else:
                assert response.status in (400, 403, 404)
                assert b"OK" not in response.raw

        threads.blockingCallFromThread(reactor, lambda: Deferred.fromCoroutine(ask()))

    await threads.deferToThread(any_url)


@pytest_twisted.ensureDeferred
async def test_head_says_what_get_would(rig: Rig) -> None:
    """The same header, for a file, a range and a refusal, and no body."""
    await rig.exchange()
    url = await upgrade(rig)
    close = "Connection: close"
    for headers in ([close], [close, "Range: bytes=1-2"], [close, "Range: bytes=99999999-"]):
        replies = [
            await everything(rig.terminals, request(by_url(url), *headers, method=method))
            for method in ("GET", "HEAD")
        ]
        head, _, body = replies[0].partition(b"\r\n\r\n")
        assert body
        dated = replies[1].replace(_date(replies[1]), _date(replies[0]))
        assert dated == head + b"\r\n\r\n"


def _date(reply: bytes) -> bytes:
    return reply.partition(b"Date: ")[2].partition(b"\r\n")[0]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest_twisted.ensureDeferred
async def test_a_file_is_only_fetched(rig: Rig, method: str) -> None:
    """Terminals do not upload files here."""
    await rig.exchange()
    response = await fetch(rig, by_url("file/1/x"), "Content-Length: 0", method=method)
    assert response.status == 405
    assert b"OK" not in response.raw
