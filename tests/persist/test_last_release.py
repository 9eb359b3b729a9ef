"""A well filled database of the last release, revision 0008, serves on after the upgrade."""

from __future__ import annotations

import base64
import gzip
import hashlib
import pathlib
import re
from typing import Any
from urllib.parse import quote

import attrs
import pytest
import pytest_twisted

from zkpush.crypto.sealing import SessionKeys
from zkpush.datadir import read_key
from zkpush.device.zones import ZoneKeeper
from zkpush.handlers.attendance.photos import AttendancePhotoStore
from zkpush.handlers.people.store import PeopleStore
from zkpush.handlers.rejects.jobs import RejectRetry
from zkpush.maintenance import rotate_key
from zkpush.model import Page
from zkpush.persist.checking import check_thd
from zkpush.persist.commands import CommandStore
from zkpush.persist.devices import DeviceStore
from zkpush.persist.events import EventStore
from zkpush.persist.files import FileStore
from zkpush.persist.migrate import migrate_thd
from zkpush.persist.rotation import keys_of_thd

from ..rig import Response, Rig, talk
from ..sealed import SealedTerminal
from ..server.sse import Listening
from .conftest import open_database, opened
from .copied import Copied
from .test_migrations import contents, differences
from .thawing import frozen_facts, thaw

GATE, LOCK, QUEUE, WAITS, CHANGED = (
    "GATE000001",
    "LOCK000002",
    "QUEUE00003",
    "WAITS00004",
    "CHANGED006",
)
LATER = 600
"""Seconds after the freeze: leases of commands have run out."""
LINE = b"7\t2026-01-07 08:00:00\t0\t1\n"
BEGIN_AGAIN = (200, b"UNKNOWN DEVICE")


@attrs.frozen
class Upgraded:
    """A daemon on the upgraded database."""

    rig: Rig
    url: str
    known: dict[str, Any]
    seen: dict[str, Any]

    async def terminal(
        self, method: str, target: str, body: bytes = b"", *, cookie: str | None = None
    ) -> Response:
        """A request of a terminal, with a token."""
        lines = [f"{method} /iclock/{target} HTTP/1.1", "Host: s", f"Content-Length: {len(body)}"]
        lines += [] if cookie is None else [f"Cookie: token={cookie}"]
        return await talk(self.rig.terminals, "\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    async def upload(self, sn: str, cookie: str | None) -> tuple[int, bytes]:
        """The answer to the upload of a record."""
        target = f"cdata?SN={sn}&table=ATTLOG&Stamp=9"
        response = await self.terminal("POST", target, LINE, cookie=cookie)
        return response.status, response.body


def daemon(folder: pathlib.Path, url: str) -> Rig:
    """A daemon on a database of the last release, some time after it was frozen."""
    folder.mkdir(mode=0o700)
    rig = Rig(folder, admission="approve", database=url, remote_attendance={"enabled": True})
    rig.clock.advance(LATER)
    return rig


@pytest_twisted.async_fixture(scope="module")
async def first(databases: Copied, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The database of 0008, upgraded by the start of a daemon, which has stopped again."""
    url = databases.make()
    thaw(url, "0008")
    rig = daemon(tmp_path_factory.mktemp("first") / "data", url)
    await rig.start()
    await rig.stop()
    return url


@pytest_twisted.async_yield_fixture
async def upgraded(databases: Copied, first: str, tmp_path: pathlib.Path):
    """A daemon on a copy of the upgraded database: an upgrade takes longer than most tests."""
    url = databases.copy(first)
    rig = daemon(tmp_path / "data", url)
    await rig.start()
    yield Upgraded(rig, url, **frozen_facts(url, "0008"))
    await rig.stop()
    databases.drop(url)


def keeper(rig: Rig) -> ZoneKeeper:
    """What sets the zones of terminals that have none."""
    (found,) = (job for job in rig.daemon.jobs if isinstance(job, ZoneKeeper))
    return found


def as_before(before: object, after: object, path: str) -> object:
    """What the API shows now, cut down to what it showed; differences that are meant, undone."""
    if isinstance(before, list):
        assert isinstance(after, list)
        assert len(before) == len(after), path
        pairs = zip(before, after, strict=True)
        return [as_before(*pair, f"{path}/{place}") for place, pair in enumerate(pairs)]
    if isinstance(before, dict):
        assert isinstance(after, dict)
        return {
            name: value
            if name in MEANT.get(path.split("/")[1], ())
            else as_before(value, after.get(name, "missing"), f"{path}/{name}")
            for name, value in before.items()
        }
    return after


MORE = {"/users": "&secrets=true", "/attendance": "&record_type=all"}
"""What a list has only on request, and had always."""
MEANT = {
    # Uses are written every half minute, and passwords among options are shown to nobody.
    "tokens": ("last_used_at",),
    "devices": ("ComPwd",),
}


def in_order(path: str, items: list[dict[str, object]]) -> list[dict[str, object]]:
    """The items of a list from the oldest one on."""
    return items[::-1] if path == "/rejects" else items


@pytest_twisted.ensureDeferred
async def test_the_api_shows_what_it_showed(upgraded: Upgraded) -> None:
    """All records, people, photos, rejects, commands and terminals, and the content of files."""
    rig, seen = upgraded.rig, dict(upgraded.seen)
    await keeper(rig).follow()  # the configured zone, which is UTC, where no other was chosen
    contents_ = {path: base64.b64decode(held) for path, held in seen.pop("content").items()}
    del seen["/audit"], seen["events"]
    packages = [file for file in seen["/files"] if file["name"].endswith(".tgz")]
    seen["/files"] = [file for file in seen["/files"] if file not in packages]
    assert len(packages) == 3
    for path, before in seen.items():
        now = in_order(path, await rig.items(f"{path}?limit=1000{MORE.get(path, '')}"))
        assert as_before(before, now, path) == before
    for path, content in contents_.items():
        response = await rig.api("GET", path)
        if path in [f"/files/{file['id']}/content" for file in packages]:
            assert response.status == 404  # packages are not for people
        else:
            assert (response.status, response.body) == (200, content), path
    device = await rig.store.read(lambda tx: tx[DeviceStore].find(GATE))
    assert device.options["ComPwd"] == "4711"
    assert sum(map(len, seen.values())) > 50
    assert [problem["subject"] for problem in await rig.items("/problems")] == [
        f"terminal {CHANGED}"
    ]


@pytest_twisted.ensureDeferred
async def test_events_go_on_from_where_a_reader_was(upgraded: Upgraded) -> None:
    """A reader of the old daemon gets the events that it has not read, as they were."""
    frozen = upgraded.seen["events"]
    events = await upgraded.rig.store.read(lambda tx: tx[EventStore].page(Page(1000)))
    assert [[event.id, event.kind, event.data, event.at] for event in events] == frozen
    listening = await Listening(upgraded.rig, last="0.0").begun()
    told = [(kind, data) for _, kind, data in await listening.hear(len(frozen))]
    listening.hang_up()
    assert [name for name, _ in told if name != "attendance"] == [kind for _, kind, _, _ in frozen]


@pytest_twisted.ensureDeferred
async def test_uploads_that_were_taken_are_no_news(upgraded: Upgraded) -> None:
    """A terminal that sends everything again adds nothing: no record, no reject, no event."""
    (job,) = (job for job in upgraded.rig.daemon.jobs if isinstance(job, RejectRetry))
    await job.look()  # rejects that were kept before are problems now
    last = await upgraded.rig.store.read(lambda tx: tx[EventStore].last())
    cookie = upgraded.known["cookies"][GATE][0]
    assert len(upgraded.known["uploads"]) > 8
    for target, body in upgraded.known["uploads"]:
        again = await upgraded.terminal("POST", target, base64.b64decode(body), cookie=cookie)
        assert again.status == 200
    for path in ("/attendance", "/operations", "/errors", "/idcards", "/photos", "/rejects"):
        now = in_order(path, await upgraded.rig.items(f"{path}?limit=1000{MORE.get(path, '')}"))
        assert [item["id"] for item in now] == [item["id"] for item in upgraded.seen[path]], path
    assert await upgraded.rig.store.read(lambda tx: tx[EventStore].last()) == last


def names_of(upgraded: Upgraded) -> dict[str, str]:
    """The names of commands by their ids."""
    return {id_: name for name, id_ in upgraded.known["ids"].items()}


@pytest_twisted.ensureDeferred
async def test_open_commands_are_served(upgraded: Upgraded) -> None:
    """Each is sent and ends: a file is at a new URL, and other text is as it was.

    Firmware whose URL was sent before the upgrade is not sent again: the terminal may have it.
    """
    cookie = upgraded.known["cookies"][QUEUE][0]
    names, lines = names_of(upgraded), {}
    while True:
        polled = await upgraded.terminal("GET", f"getrequest?SN={QUEUE}", cookie=cookie)
        assert polled.status == 200, polled.raw
        if polled.body == b"OK":
            break
        for line in polled.body.decode().splitlines():
            _, id_, words = line.split(":", 2)
            url = re.search(r"(?:[a-z]+://[a-z.]+/iclock/)?file/[0-9a-z]{26}/[^\s,]+", words)
            content = None
            if url is not None:
                target = f"file?SN={QUEUE}&url={quote(url[0], safe='')}"
                fetched = await upgraded.terminal("GET", target, cookie=cookie)
                assert fetched.status == 200, fetched.raw
                content = fetched.body
                words = re.sub(r"file/[0-9a-z]{26}/", "file/SECRET/", words)
            lines[names[id_]] = (words, content)
            answer = f"ID={id_}&Return=0&CMD=DATA\n".encode()
            await upgraded.terminal("POST", f"devicecmd?SN={QUEUE}", answer, cookie=cookie)
    firmware, ring = (
        base64.b64decode(upgraded.seen["content"][f"/files/{number}/content"]) for number in (1, 2)
    )
    for name in ("package", "sync"):
        lines[name] = (lines[name][0], gzip.decompress(lines[name][1] or b"").decode())
    people = frozen_people(upgraded)
    md5 = hashlib.md5(firmware, usedforsecurity=False).hexdigest()
    assert lines == {
        "long text": ("SHELL md5sum /tmp/file/2/ring.jpg", None),
        "put": ("PutFile file/SECRET/ring.jpg\t/mnt/ring.jpg", ring),
        "put by host": (
            "PutFile http://zk.example/iclock/file/SECRET/ring.jpg\t/mnt/again.jpg",
            ring,
        ),
        "package": ("PutFile file/SECRET/people.tgz\tpeople.tgz\tAction=AppendData", people[5]),
        "sync": (
            "PutFile file/SECRET/fingertmp.tgz\tfingertmp.tgz\tAction=SyncData\t"
            "TableName=FINGERTMP\tRecordCount=1",
            people[6],
        ),
        "upgrade": (
            f"UPGRADE type=1,checksum={md5},size={len(firmware)},url=file/SECRET/emfw.cfg",
            firmware,
        ),
        "picture": ("DATA UPDATE USERPIC PIN=7\tUrl=file/SECRET/ring.jpg", ring),
        "text": ("SHELL cat /tmp/file/1/x", None),
        "message": (
            "DATA UPDATE SMS MSG=see file/1/x\tTAG=253\tUID=5\tMIN=0\t"
            "StartTime=2026-03-01 00:00:00",
            None,
        ),
        "open user": ("DATA UPDATE USERINFO PIN=8\tName=Ann Nobody\tPasswd=pass-0815", None),
        "reboot": ("REBOOT", None),
    }
    sent = next(id_ for id_, name in names.items() if name == "sent upgrade")
    once = await upgraded.rig.store.read(lambda tx: tx[CommandStore].get(sent))
    assert once.state == "unknown"
    files = await upgraded.rig.store.read(lambda tx: [tx[FileStore].get(n) for n in range(1, 7)])
    assert [file and file.id for file in files] == [1, 2, 3, None, None, None]


def frozen_people(upgraded: Upgraded) -> dict[int, str]:
    """The content of the packages, by the ids of their files."""
    return {
        number: gzip.decompress(
            base64.b64decode(upgraded.seen["content"][f"/files/{number}/content"])
        ).decode()
        for number in (5, 6)
    }


@pytest_twisted.ensureDeferred
async def test_an_old_url_gives_nothing(upgraded: Upgraded) -> None:
    """Neither that of an open command, nor that of one that has ended."""
    cookie = upgraded.known["cookies"][QUEUE][0]
    for url in (
        "file/1.b64/emfw.cfg",
        "file/2/ring.jpg",
        "file/5/people.tgz",
        "file/4/userinfo.tgz",
    ):
        for target in (url, f"file?SN={QUEUE}&url={quote(url, safe='')}"):
            response = await upgraded.terminal("GET", target, cookie=cookie)
            assert response.status in (403, 404), target


@pytest_twisted.ensureDeferred
async def test_pinned_keys_stay_pinned(upgraded: Upgraded) -> None:
    """A terminal needs the key that it was approved with; approval pins an offered key."""
    rig, keys = upgraded.rig, upgraded.known["keys"]
    for sn in (GATE, LOCK, CHANGED):
        assert (await rig.exchange(sn, pushcommkey="a-strange-key")).status == 403, sn
        assert (await rig.exchange(sn)).status == 403, sn
        assert (await rig.exchange(sn, pushcommkey=keys[sn])).status == 200, sn
    assert (await rig.exchange(WAITS, pushcommkey=keys[WAITS])).status == 403
    approved = await rig.api("PATCH", f"/devices/{WAITS}", {"state": "approved"})
    assert approved.status == 200, approved.raw
    assert (await rig.exchange(WAITS, pushcommkey="a-strange-key")).status == 403
    assert (await rig.exchange(WAITS, pushcommkey=keys[WAITS])).status == 200


@pytest_twisted.ensureDeferred
async def test_tokens_of_terminals_are_taken(upgraded: Upgraded) -> None:
    """All that a session was given; a wrong one, or none where one is required, is not."""
    for sn, cookies in upgraded.known["cookies"].items():
        for cookie in cookies:
            assert await upgraded.upload(sn, cookie) == (200, b"OK: 1"), sn
        assert await upgraded.upload(sn, "0" * 32) == BEGIN_AGAIN
    assert await upgraded.upload(QUEUE, None) == BEGIN_AGAIN


@pytest_twisted.ensureDeferred
async def test_an_encrypted_session_goes_on(upgraded: Upgraded) -> None:
    """With its keys and numbers: a command is answered, the next polls and uploads are served."""
    frozen = upgraded.known["sealed"]
    terminal = SealedTerminal(upgraded.rig, LOCK)
    keys = {name: base64.b64decode(key) for name, key in frozen["keys"].items()}
    terminal.cipher.keys = SessionKeys(**keys)
    terminal.cipher.sent, terminal.cipher.replied = frozen["sent"], frozen["replied"]
    answer = f"ID={upgraded.known['ids']['lock']}&Return=0&CMD=LOG\n".encode()
    assert await terminal.post(f"devicecmd?SN={LOCK}", answer) == b"OK"
    assert await terminal.get(f"getrequest?SN={LOCK}") == b"OK"
    assert await terminal.post(f"cdata?SN={LOCK}&table=ATTLOG&Stamp=6", LINE) == b"OK: 1"
    (command,) = await upgraded.rig.items(f"/devices/{LOCK}/commands")
    assert command["state"] == "done"
    assert await upgraded.upload(LOCK, None) == BEGIN_AGAIN  # it is required to encrypt


@pytest_twisted.ensureDeferred
async def test_tokens_of_people_are_taken(upgraded: Upgraded) -> None:
    """With their scopes; a revoked one is refused."""
    statuses = {}
    for name in ("hr", "it", "gone"):
        headers = (f"Authorization: Bearer {upgraded.known[name]}",)
        statuses[name] = [
            (await upgraded.rig.api("GET", path, headers=headers)).status
            for path in ("/devices", "/users/7/templates", "/files/1/content", "/audit")
        ]
    assert statuses == {
        "hr": [200, 200, 403, 403],
        "it": [200, 403, 200, 403],
        "gone": [401] * 4,
    }


@pytest_twisted.ensureDeferred
async def test_the_audit_log_is_chained_and_names_nobody(upgraded: Upgraded) -> None:
    """Its rows are there, in order; the check finds nothing wrong; people are found by user ID."""
    rig, before = upgraded.rig, upgraded.seen["/audit"]
    now = await rig.items("/audit?limit=1000")
    same = ("id", "recorded_at", "actor", "action")
    rows = [[row[name] for name in same] for row in now[: len(before)]]
    assert rows == [[row[name] for name in same] for row in before]
    assert now[len(before)]["action"] == "begin chain"
    pseudonym = await rig.person("7")
    named = [row["id"] for row in before if re.search(r"user 7\b|PIN=7\b", str(row))]
    assert [row["id"] for row in now if pseudonym in f"{row['subject']} {row['detail']}"] == named
    assert [row["id"] for row in await rig.items("/audit?pin=7")] == named
    assert len(named) >= 4
    for name in ("Ann Nobody", "user 7", "PIN=7", "ring.jpg", "see file/1"):
        assert [row for row in before if name in str(row)], name
        assert not [row for row in now if name in str(row)], name
    kept = [row["detail"] for row in now if row["subject"] == f"terminal {GATE}"]
    assert any("alias=Main gate" in detail for detail in kept)
    await rig.stop()
    database = open_database(upgraded.url)
    checked = check_thd(database, keys_of_thd(database, database.site).vault, None)
    database.close()
    assert checked.is_sound, (checked.faults, checked.damage)
    assert checked.rows == len(now)
    if upgraded.url.startswith("sqlite"):
        path = pathlib.Path(upgraded.url.partition(":///")[2])
        for file in (path, path.with_name(f"{path.name}-wal")):
            assert not file.exists() or b"see file/1" not in file.read_bytes()


CHANGED_COLUMNS = {
    "attendance": ("extra", "raw", "doubt"),
    "audit": ("subject", "detail"),
    "commands": ("folders", "body"),
    "devices": ("tokens", "offered_comm_key", "timezone", "problems"),
    "errors": ("extra", "raw"),
    "operations": ("extra", "raw", "doubt"),
    "attendance_photos": ("doubt",),
}
"""What the API and terminals show to be right, in the tests above."""


@pytest.mark.long
def test_no_row_is_lost(empty_url: str) -> None:
    """Each row is there, and each column that no migration is to change is as it was."""
    thaw(empty_url, "0008")
    database = open_database(empty_url)
    with database.engine.connect() as connection:
        before = contents(connection)
    migrate_thd(database)
    with database.engine.connect() as connection:
        after = contents(connection)
        assert differences(connection) == []
    database.close()
    (ended,) = (row for row in before["files"] if row["name"] == "userinfo.tgz")
    before["files"].remove(ended)
    after["audit"].pop()  # what the upgrade itself says
    after["keys"] = [key for key in after["keys"] if key["purpose"] in ("seal", "index")]
    empty = {table for table, rows in before.items() if not rows}
    assert empty <= {"pictures", "unfinished"}
    for table, rows in before.items():
        changed = CHANGED_COLUMNS.get(table, ())
        kept = [
            {name: row[name] for name in before[table][0] if name not in changed}
            for row in after[table]
        ]
        assert kept == [
            {name: value for name, value in row.items() if name not in changed} for row in rows
        ], table


@pytest_twisted.ensureDeferred
async def test_all_that_is_sealed_can_be_sealed_anew(upgraded: Upgraded) -> None:
    """A rotation of the key opens every value of the upgraded database, and loses none."""
    await upgraded.rig.stop()
    data = upgraded.rig.config.data
    rotated = rotate_key(data, None, upgraded.url, lambda done, total: None)
    assert rotated.damaged == 0
    store = opened(upgraded.url, read_key(rotated.key_file))

    def read(tx):
        photos = tx[AttendancePhotoStore].page(Page(1000), None, None)
        return [tx[AttendancePhotoStore].content(photo.id) for photo in photos], tx[
            PeopleStore
        ].users(Page(1), "7")

    pictures, (person,) = await store.read(read)
    await store.stop()
    assert pictures == [
        base64.b64decode(upgraded.seen["content"][f"/photos/{number}/content"]) for number in (1, 2)
    ]
    assert person.password == "pass-4711"
