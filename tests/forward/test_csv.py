"""The kind `csv`: files of days, complete at each moment, with each punch once."""

from __future__ import annotations

import datetime
import errno
import fcntl
import os
import pathlib
import re
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
import pytest_twisted
from twisted.internet import reactor

from zkpush.handlers.forward.kinds import dayfiles
from zkpush.handlers.forward.kinds.csvfiles import CSV, CSVSettings
from zkpush.handlers.forward.kinds.dayfiles import DayFiles, Line
from zkpush.handlers.forward.kinds.thread import DeliveryThread, StillBusy
from zkpush.values.forwarding import (
    Delivered,
    ForwardBatch,
    ForwardedEvent,
    ForwarderTarget,
    Outcome,
    RetryLater,
)

from ..rig import Rig
from .receivers import add, happens, punch, shown, turns

NAME = "punches-2026-03-01.csv"
JOURNAL = f".zkpush/{NAME}.jsonl"


def event(number: int, *, day: int = 1, **data: object) -> ForwardedEvent:
    """A punch."""
    time = f"2026-03-{day:02}T13:00:{number:02}"
    values = {"pin": str(number), "device": "T1", "time": time, "status": 0, **data}
    return ForwardedEvent(
        id=f"rec_{number}", type="attendance", timestamp="2026-03-01T12:00:00.000Z", data=values
    )


def batch(*events: ForwardedEvent) -> ForwardBatch:
    """A batch of events."""
    return ForwardBatch(id="msg_1", made_at=0, events=events)


Deliver = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def deliver(tmp_path: pathlib.Path) -> Deliver:
    """Deliver events to a folder by a new forwarder, as after a start of the daemon."""

    async def run(*events: ForwardedEvent, own: str = "", **settings: Any) -> Outcome:
        given = {"folder": str(tmp_path), **settings}
        value = msgspec.convert(given, CSVSettings)
        CSV().check(value)
        target = ForwarderTarget(
            name="payroll",
            settings=value,
            secrets=list,
            clock=reactor,
            wall=lambda: 0.0,
            own_folder=own,
        )
        delivery = CSV().open(target)
        outcome: Outcome = await delivery.deliver(batch(*events))
        delivery.close()
        return outcome

    return run


def lines(folder: pathlib.Path, name: str = NAME) -> list[str]:
    """The lines of a file."""
    return (folder / name).read_bytes().decode().split("\r\n")[:-1]


@pytest_twisted.ensureDeferred
async def test_late_punches_are_added_to_the_file_of_their_day(
    rig: Rig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each day has its file, sorted by the terminals' clocks."""
    folder = tmp_path_factory.mktemp("payroll")
    await rig.exchange()
    rules = {"since": "2020-01-01"}
    await add(rig, kind="csv", settings={"folder": str(folder)}, rules=rules)
    await punch(rig, [7], time="2026-03-01 13:00:00")
    await punch(rig, [8], time="2026-03-02 07:00:00")
    await turns(rig, 2)
    await punch(rig, [9], time="2026-03-01 06:00:00")
    await turns(rig, 2)
    assert lines(folder) == [
        "pin,date,clock,status,device",
        "9,2026-03-01,06:00:00,0,T1",
        "7,2026-03-01,13:00:00,0,T1",
    ]
    assert lines(folder, "punches-2026-03-02.csv")[1:] == ["8,2026-03-02,07:00:00,0,T1"]
    view = await shown(rig)
    assert (view["delivered"], view["backlog"], view["last_error"]) == (3, 0, None)
    words = [one["words"] for one in await rig.items("/forwarders/1/deliveries")]
    assert words[0] == f"Written to {NAME}, punches-2026-03-02.csv"


@pytest_twisted.ensureDeferred
async def test_a_missing_folder_loses_nothing(
    rig: Rig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The words say what is missing; the punches are written when it is there."""
    folder = tmp_path_factory.mktemp("payroll") / "mount"
    await rig.exchange()
    body = {"name": "early", "kind": "csv", "settings": {"folder": str(folder)}}
    refused = await rig.api("POST", "/forwarders", body)
    assert refused.status == 400
    assert f"There is no folder {folder} on the server" in refused.json["detail"]
    folder.mkdir()
    await add(rig, kind="csv", settings={"folder": str(folder)})
    folder.rmdir()
    await punch(rig, [7])
    await turns(rig, 2)
    view = await shown(rig)
    assert (view["backlog"], view["dead"]) == (1, 0)
    assert view["last_error"] == f"Not written: There is no folder {folder}: make it, or mount it"
    assert (await rig.api("POST", "/forwarders/1/test")).json["delivered"] is False
    folder.mkdir()
    tested = (await rig.api("POST", "/forwarders/1/test")).json
    assert (tested["delivered"], [*folder.glob("*")]) == (True, [folder / ".zkpush"])
    assert tested["words"].endswith(f"The file of this day is {NAME}. Nothing was written.")
    await turns(rig, 12)
    assert len(lines(folder)) == 2


@pytest_twisted.ensureDeferred
async def test_the_data_directory_is_no_place_for_files(
    rig: Rig, tmp_path: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nor is a folder in it, or a link to it."""
    data = tmp_path
    (data / "deep").mkdir()
    link = tmp_path_factory.mktemp("payroll") / "link"
    link.symlink_to(data)
    for number, folder in enumerate((data, data / "deep", link), 1):
        settings = {"folder": str(folder.absolute())}
        await add(rig, kind="csv", settings=settings, name=f"payroll{number}")
        tested = (await rig.api("POST", f"/forwarders/{number}/test")).json
        assert tested["words"].endswith(
            "belongs to the data directory of the server: choose another"
        )


@pytest_twisted.ensureDeferred
async def test_a_repeated_delivery_adds_nothing(deliver: Deliver, tmp_path: pathlib.Path) -> None:
    """Neither in the same process, nor in the next one; a corrected event replaces its line."""
    events = event(1), event(2), event(3)
    assert await deliver(*events[:2]) == Delivered(f"Written to {NAME}")
    before = (tmp_path / NAME).read_bytes()
    await deliver(*events[:2])
    assert (tmp_path / NAME).read_bytes() == before
    await deliver(*events[1:])
    assert [line.split(",")[0] for line in lines(tmp_path)[1:]] == ["1", "2", "3"]
    await deliver(event(2, status=1))
    assert [line.split(",")[3] for line in lines(tmp_path)[1:]] == ["0", "1", "0"]
    # A server that was set up anew counts from 1 again: that is another event.
    await deliver(event(1, pin="99"))
    assert [line.split(",")[0] for line in lines(tmp_path)[1:]] == ["1", "99", "2", "3"]


class FullDisk:
    """The module `os` with one call that fails."""

    CALLS = ("write", "fsync", "fchmod", "open", "replace")

    def __init__(self, step: int) -> None:
        self.left = step
        self.failed: str | None = None
        """The call that failed."""

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in self.CALLS:
            return real

        def call(*args: Any, **named: Any) -> object:
            self.left -= 1
            if self.left:
                return real(*args, **named)
            self.failed = name
            if name == "write":  # a full disk takes a part
                real(args[0], bytes(args[1])[: len(args[1]) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        return call


@pytest_twisted.ensureDeferred
async def test_a_failure_at_any_step_leaves_a_complete_file(
    deliver: Deliver, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is the old one or the new one, and the repeated delivery writes each line once."""
    failed = set()
    for step in range(1, 30):
        await deliver(event(1))
        disk = FullDisk(step)
        with monkeypatch.context() as patched:
            patched.setattr(dayfiles, "os", disk)
            outcome = await deliver(event(1), event(2))
        pins = [line[0] for line in lines(tmp_path)]
        if disk.failed is None:
            assert pins == ["p", "1", "2"]
            break
        failed.add(disk.failed)
        assert pins in (["p", "1"], ["p", "1", "2"])
        assert outcome == RetryLater("Not written: No space left on device")
        await deliver(event(1), event(2))
        assert [line[0] for line in lines(tmp_path)] == ["p", "1", "2"]
        assert [path.name for path in (tmp_path / ".zkpush").iterdir()] == [f"{NAME}.jsonl"]
        (tmp_path / JOURNAL).unlink()
        (tmp_path / NAME).unlink()
    assert failed == {*FullDisk.CALLS}


@pytest_twisted.ensureDeferred
async def test_a_crash_between_journal_and_file_is_made_good(
    deliver: Deliver, tmp_path: pathlib.Path
) -> None:
    """The journal has the event, maybe half of the next one, and the file is the old one."""
    await deliver(event(1))
    old = (tmp_path / NAME).read_bytes()
    await deliver(event(1), event(2))
    (tmp_path / NAME).write_bytes(old)
    with (tmp_path / JOURNAL).open("ab") as journal:
        journal.write(msgspec.json.encode(event(3))[:50])
    (tmp_path / ".zkpush" / f"{NAME}.new").write_bytes(b"half")
    await deliver(event(2), event(3))
    assert [line[0] for line in lines(tmp_path)] == ["p", "1", "2", "3"]
    assert await deliver(event(4)) == Delivered(f"Written to {NAME}")
    assert [line[0] for line in lines(tmp_path)] == ["p", "1", "2", "3", "4"]


def test_what_was_not_written_is_not_remembered(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repetition in the same process writes to the journal what a full disk did not take."""

    def files() -> DayFiles:
        def line(one: ForwardedEvent) -> Line:
            return Line(one.id, f"{one.id}\r\n".encode())

        return DayFiles(tmp_path, "punches-{date}.csv", b"", line, None)

    day, kept = datetime.date(2026, 3, 1), files()
    kept.add_thd(day, [event(1)])
    with monkeypatch.context() as patched:
        patched.setattr(dayfiles, "os", FullDisk(2))
        with pytest.raises(OSError, match="No space left"):
            kept.add_thd(day, [event(2)])
    kept.add_thd(day, [event(2)])
    files().add_thd(day, [event(3)])
    assert lines(tmp_path) == ["rec_1", "rec_2", "rec_3"]


@pytest_twisted.ensureDeferred
async def test_files_of_others_are_not_overwritten(
    deliver: Deliver, tmp_path: pathlib.Path
) -> None:
    """A file without a journal has lines that would be lost; a damaged journal is reported."""
    (tmp_path / NAME).write_text("pin\r\n5\r\n")
    outcome = await deliver(event(1))
    assert isinstance(outcome, RetryLater)
    assert "was not written by this server" in outcome.reason
    assert lines(tmp_path) == ["pin", "5"]
    (tmp_path / NAME).unlink()
    await deliver(event(1), event(2))
    journal = (tmp_path / JOURNAL).read_bytes()
    (tmp_path / JOURNAL).write_bytes(journal.replace(b"{", b"!", 1))
    outcome = await deliver(event(3))
    assert isinstance(outcome, RetryLater)
    assert f"line 1 of {JOURNAL} is damaged" in outcome.reason
    assert [line[0] for line in lines(tmp_path)] == ["p", "1", "2"]


@pytest_twisted.ensureDeferred
async def test_two_forwarders_do_not_write_a_file_at_once(
    deliver: Deliver, tmp_path: pathlib.Path
) -> None:
    """One of them writes later."""
    await deliver(event(1))
    with (tmp_path / JOURNAL).open("rb") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        assert await deliver(event(2)) == RetryLater(
            f"Not written: another forwarder is writing {NAME}"
        )
    assert isinstance(await deliver(event(2)), Delivered)


@pytest_twisted.ensureDeferred
async def test_files_are_readable_by_owner_and_group(
    deliver: Deliver, tmp_path: pathlib.Path
) -> None:
    """The journal by the owner alone."""
    before = os.umask(0)
    try:
        await deliver(event(1))
    finally:
        os.umask(before)
    modes = {
        path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.exists()
    }
    assert modes == {NAME: 0o640, ".zkpush": 0o700, f"{NAME}.jsonl": 0o600}


@pytest_twisted.ensureDeferred
async def test_columns_headings_and_formats_are_those_of_the_settings(
    deliver: Deliver, tmp_path: pathlib.Path
) -> None:
    """In the encoding that is wanted, with one mark at the beginning."""
    await deliver(
        event(1, work_code="Küche;1", status_meaning="Check in"),
        file="{date}-Zeiten.txt",
        columns=[
            "Nr=pin",
            "Tag=date",
            "um=clock",
            "Leer=",
            "WC=work_code",
            "data.status",
            "moment",
        ],
        delimiter=";",
        date_format="%d.%m.%Y",
        time_format="%H:%M",
        encoding="utf-16",
    )
    content = (tmp_path / "2026-03-01-Zeiten.txt").read_bytes()
    assert content.startswith(b"\xff\xfe")
    assert content.decode("utf-16").split("\r\n") == [
        "Nr;Tag;um;Leer;WC;data.status;moment",
        '1;01.03.2026;13:00;;"Küche;1";0;01.03.2026 13:00',
        "",
    ]
    await deliver(
        event(1, pin="张", work_code="é"),
        header=False,
        columns=["pin", "work_code"],
        encoding="cp1252",
        file="a{date}.csv",
    )
    assert (tmp_path / "a2026-03-01.csv").read_bytes() == b"\\u5f20,\xe9\r\n"
    await deliver(event(1), header=False, columns=["pin"], encoding="utf-8-sig", file="b{date}.csv")
    await deliver(event(2), header=False, columns=["pin"], encoding="utf-8-sig", file="b{date}.csv")
    assert (tmp_path / "b2026-03-01.csv").read_bytes() == b"\xef\xbb\xbf1\r\n2\r\n"


@pytest_twisted.ensureDeferred
async def test_a_new_format_holds_for_the_whole_day(
    deliver: Deliver, tmp_path: pathlib.Path
) -> None:
    """Lines that were written before are written anew."""
    await deliver(event(1))
    await deliver(event(2), columns=["device", "pin"], delimiter=";")
    assert lines(tmp_path) == ["device;pin", "T1;1", "T1;2"]


@pytest_twisted.ensureDeferred
async def test_cells_are_no_formulas(deliver: Deliver, tmp_path: pathlib.Path) -> None:
    """Whatever a terminal sends as a user ID or a work code."""
    await deliver(
        event(1, pin="=HYPERLINK(1)", work_code="@a\x1b"), columns=["=pin", "pin", "work_code"]
    )
    assert lines(tmp_path)[1] == "'=HYPERLINK(1),'=HYPERLINK(1),'@a\\x1b"


@pytest_twisted.ensureDeferred
async def test_other_events_have_files_too(deliver: Deliver, tmp_path: pathlib.Path) -> None:
    """By the time at which they were stored."""
    one = ForwardedEvent(
        id="evt_1",
        type="problem",
        timestamp="2026-03-01T23:59:00.000Z",
        data={"code": "silent", "device": "T1"},
    )
    await deliver(one, columns=["event_id", "event_type", "stored_at", "data.code", "clock"])
    assert lines(tmp_path)[1] == "evt_1,problem,2026-03-01T23:59:00.000Z,silent,23:59:00"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"folder": "payroll"}, "folder: It is an absolute path"),
        ({"folder": "/srv/../etc"}, "folder: It is an absolute path"),
        ({"file": "punches.csv"}, "file: It is a name such as"),
        ({"file": "{date}{date}.csv"}, "file: It is a name such as"),
        ({"file": "../{date}.csv"}, "file: It consists of letters"),
        ({"file": ".{date}.csv"}, "file: It consists of letters"),
        ({"file": "{date}{0}.csv"}, "file: It consists of letters"),
        ({"file": "{date}.sh"}, "file: It is a name such as"),
        ({"columns": ["pin", "name"]}, "columns: There is no value 'name'; there are event_id"),
        ({"columns": ["a=data.a b"]}, "columns: There is no value 'data.a b'"),
        ({"columns": []}, "columns: There are 1 to 50 columns"),
        ({"date_format": "%c"}, "date_format: It is a format such as"),
        ({"time_format": "%"}, "time_format: It is a format such as"),
    ],
)
def test_mistakes_in_settings_are_explained(changed: dict[str, Any], words: str) -> None:
    """Before anything is stored."""
    settings = msgspec.convert({"folder": "/srv/payroll", **changed}, CSVSettings)
    with pytest.raises(ValueError, match=f"^{re.escape(words)}"):
        CSV().check(settings)


@pytest_twisted.ensureDeferred
async def test_a_file_server_that_does_not_answer_blocks_its_own_thread_only() -> None:
    """Later deliveries fail at once while it lasts, and go on afterwards."""
    thread = DeliveryThread(reactor, "test")
    answers = threading.Event()
    threads = []

    def stuck() -> str:
        threads.append(threading.current_thread())
        assert answers.wait(30)
        return "done"

    first = thread.run(stuck)
    with pytest.raises(StillBusy):
        await thread.run(stuck)
    cancelled: list[object] = []
    first.addBoth(cancelled.append)
    first.cancel()
    assert len(cancelled) == 1
    with pytest.raises(StillBusy):
        await thread.run(stuck)
    answers.set()
    outcomes: list[str] = []

    def ask() -> bool:
        thread.run(stuck).addCallbacks(outcomes.append, lambda failure: failure.trap(StillBusy))
        return bool(outcomes)

    await happens(ask)
    await happens(lambda: outcomes.count("done") == len(outcomes) and not thread.is_busy)
    assert len({*threads}) == 1
    assert threads[0] is not threading.main_thread()
    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda: 1 // 0)
    thread.close()
    threads[0].join(30)
    assert not threads[0].is_alive()
