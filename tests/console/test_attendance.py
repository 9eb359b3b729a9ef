"""Pages of attendance: search, days and months, and exports."""

from __future__ import annotations

import codecs
import csv
import datetime
import io
import re
import zipfile
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
import pytest_twisted

from zkpush.manage.console import terminalchoice
from zkpush.manage.console.languages import LANGUAGES

from ..rig import Response, Rig
from .browser import document, signed_in, text_of

JPEG = b"\xff\xd8\xff\xe0 an invented picture"
XML = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def line(pin: str, time: str, status: int = 0, verify: int = 1) -> str:
    """A line of an attendance upload."""
    return f"{pin}\t{time}\t{status}\t{verify}\t0\t0\t0\t255\t\t\n"


async def punch(rig: Rig, *lines: str, sn: str = "T1") -> None:
    """Upload attendance lines."""
    sent = await rig.post(f"cdata?SN={sn}&table=ATTLOG&Stamp=1", "".join(lines).encode())
    assert sent.body.startswith(b"OK"), sent.raw


async def person(rig: Rig, pin: str, name: str) -> None:
    """Store a person."""
    assert (await rig.api("PUT", f"/users/{pin}", {"name": name})).status == 200


def rows(shown: Response) -> list[str]:
    """The texts of the rows of the first table."""
    body = next(document(shown).iter("tbody"))
    return [" ".join(" ".join(row.itertext()).split()) for row in body.iter("tr")]


@pytest_twisted.ensureDeferred
async def test_todays_punches_are_shown_in_words(rig: Rig) -> None:
    """The page begins with today, newest first, with names and the words of codes."""
    await rig.exchange("T1")
    await person(rig, "1", "Ann Ash")
    await punch(
        rig,
        line("1", "2026-03-01 08:00:00"),
        line("2", "2026-03-01 09:30:00", 1, 15),
        line("1", "2026-02-28 17:00:00", 1),
    )
    browser = await signed_in(rig)
    found = rows(await browser.get("/attendance"))
    assert found == [
        "09:30:00 2 nobody here has this user ID Add a person 2 Check out T1 Face",
        "08:00:00 Ann Ash 1 Check in T1 Only fingerprint",
    ]
    assert [one[:16] for one in rows(await browser.get("/attendance?period=yesterday"))] == [
        "17:00:00 Ann Ash"
    ]


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        # 2026-03-01 is a Sunday.
        ("today", ["2026-03-01"]),
        ("yesterday", ["2026-02-28"]),
        ("this-week", ["2026-03-01", "2026-02-28", "2026-02-23"]),
        ("last-week", ["2026-02-22", "2026-02-16"]),
        ("this-month", ["2026-03-02", "2026-03-01"]),
        ("last-month", ["2026-02-28", "2026-02-23", "2026-02-22", "2026-02-16", "2026-02-01"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_periods_are_whole_days_weeks_and_months(
    rig: Rig, period: str, expected: list[str]
) -> None:
    """A week begins on Monday; each period ends with the day before the next one."""
    await rig.exchange("T1")
    days = ("01-31", "02-01", "02-16", "02-22", "02-23", "02-28", "03-01", "03-02")
    await punch(rig, *(line("1", f"2026-{day} 00:00:00") for day in days))
    browser = await signed_in(rig)
    shown = (await browser.get(f"/attendance?period={period}")).body.decode()
    found = re.findall(r'href="/console/attendance/people/1/([0-9-]+)"', shown)
    assert found == expected


@pytest_twisted.ensureDeferred
async def test_buttons_of_weeks_say_their_days(rig: Rig) -> None:
    """On both pages: a week of payroll ends on Sunday, and may be another one than meant."""
    browser = await signed_in(rig)
    for path in ("/attendance", "/attendance/check"):
        shown = text_of(await browser.get(path))
        assert "This week Mon 23 Feb 2026 \N{EN DASH} Sun 1 Mar 2026" in shown
        assert "Last week Mon 16 Feb 2026 \N{EN DASH} Sun 22 Feb 2026" in shown


@pytest_twisted.ensureDeferred
async def test_times_are_those_of_the_visitors_zone(rig: Rig) -> None:
    """A day is one of the visitor's zone; the terminal's own time is shown where it differs."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "America/New_York"})
    await rig.api("PUT", "/users/1", {})
    await punch(rig, line("1", "2026-02-28 18:59:59"), line("1", "2026-02-28 19:00:00"))
    browser = await signed_in(rig)
    assert rows(await browser.get("/attendance")) == [
        "00:00:00 Terminal's clock: Sat 28 Feb 2026 19:00:00 1 Check in T1 Only fingerprint"
    ]
    await browser.send("/account", "/account", {"zone": "America/New_York"})
    found = rows(await browser.get("/attendance?period=yesterday"))
    assert [one[:8] for one in found] == ["19:00:00", "18:59:59"]
    assert "Terminal's clock" not in "".join(found)


@pytest_twisted.ensureDeferred
async def test_doubtful_times_are_marked_and_explained(rig: Rig) -> None:
    """A punch with a doubtful time has a mark, whose meaning is on the page; both can be found."""
    await rig.exchange("T1")
    await punch(rig, line("1", "2026-03-09 08:00:00"), line("2", "2026-03-01 08:00:00"))
    browser = await signed_in(rig)
    shown = await browser.get("/attendance?since=2026-03-01&until=2026-03-31&doubt=future")
    (found,) = rows(shown)
    assert "in the future" in found
    assert "more than a day ahead" in text_of(shown)


@pytest_twisted.ensureDeferred
async def test_people_are_found_by_name_and_id(rig: Rig) -> None:
    """A part of a name is enough; several people are offered, and nobody is a mistake."""
    await rig.exchange("T1")
    await person(rig, "10", "Ann Ash")
    await person(rig, "11", "Anna Birch")
    await person(rig, "12", "Élodie Cedar")
    await punch(rig, *(line(pin, "2026-03-01 08:00:00") for pin in ("10", "11", "12", "99")))
    browser = await signed_in(rig)

    async def found(text: str) -> list[str]:
        return [one.split()[1] for one in rows(await browser.get(f"/attendance?person={text}"))]

    assert await found("birch") == ["Anna"]
    assert await found("%C3%89lodie") == ["Élodie"]
    assert await found("10") == ["Ann"]
    assert await found("99") == ["99"]
    several = await browser.get("/attendance?person=ann&period=today")
    assert "Which person do you mean?" in text_of(several)
    links = re.findall(r'href="/console(/attendance\?person=[^"]*)"', several.body.decode())
    assert [*map(_unescaped, links)][-2:] == [
        "/attendance?person=10&period=today",
        "/attendance?person=11&period=today",
    ]
    nobody = await browser.get("/attendance?person=zoe")
    assert "Nobody has the name or user ID" in text_of(nobody)
    refused = await browser.get("/attendance/export.csv?person=ann")
    assert refused.status == 400


def _unescaped(text: str) -> str:
    return text.replace("&amp;", "&")


@pytest_twisted.ensureDeferred
async def test_terminals_and_areas_are_filters(rig: Rig) -> None:
    """Punches of one terminal, or of the terminals of one area, are shown."""
    for sn, area in (("T1", "North"), ("T2", "South"), ("T3", "South")):
        await rig.exchange(sn)
        await rig.api("PATCH", f"/devices/{sn}", {"area": area, "timezone": "UTC"})
        await punch(rig, line("1", "2026-03-01 08:00:00"), sn=sn)
    browser = await signed_in(rig)

    async def found(query: str) -> list[str]:
        shown = rows(await browser.get(f"/attendance?{query}"))
        return sorted(one.removesuffix(" Only fingerprint").split()[-1] for one in shown)

    assert await found("device=T2") == ["T2"]
    assert await found("area=South") == ["T2", "T3"]
    listed = await rig.api("GET", "/attendance?area=North")
    assert [one["device"] for one in listed.json["items"]] == ["T1"]


@pytest_twisted.ensureDeferred
async def test_one_of_many_terminals_is_typed(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many terminals the name or serial number is typed, and must mean one of them."""
    monkeypatch.setattr(terminalchoice, "MOST_OPTIONS", 2)
    for sn, name in (("T1", "Gate"), ("T2", "Gate north"), ("T3", "Yard")):
        await rig.exchange(sn)
        await rig.api("PATCH", f"/devices/{sn}", {"alias": name, "timezone": "UTC"})
        await punch(rig, line("1", "2026-03-01 08:00:00"), sn=sn)
    browser = await signed_in(rig)
    shown = await browser.get("/attendance?device=yar")
    assert "<option" not in shown.body.decode().partition('name="device"')[2].partition("</div>")[0]
    assert ["Yard" in one for one in rows(shown)] == [True]
    assert ["Gate" in one for one in rows(await browser.get("/attendance?device=gate"))] == [True]
    assert "Several terminals are found" in text_of(await browser.get("/attendance?device=Ga"))
    assert "No terminal has the name or serial number roof." in text_of(
        await browser.get("/attendance?device=roof")
    )


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest_twisted.ensureDeferred
async def test_pages_follow_each_other_without_gaps(rig: Rig, order: str) -> None:
    """The links to next pages lead through all punches once, by their time, not their arrival."""
    await rig.exchange("T1")
    times = [f"2026-03-01 {n // 60:02}:{n % 60:02}:00" for n in range(120)]
    await punch(rig, *(line("1", time) for time in times[60:]))
    await punch(rig, *(line(str(n % 2 + 1), time) for n, time in enumerate(times[:60])))
    browser = await signed_in(rig)
    found: list[str] = []
    path: str | None = f"/attendance?period=today&order={order}"
    while path is not None:
        shown = await browser.get(path)
        found += [one[:5] for one in rows(shown)]
        link = re.search(r'href="/console(/attendance\?[^"]*past=[^"]*)"', shown.body.decode())
        path = None if link is None else _unescaped(link[1])
    assert found == [time[11:16] for time in (times if order == "oldest" else times[::-1])]


@pytest_twisted.ensureDeferred
async def test_the_order_is_kept_by_filters_periods_and_files(rig: Rig) -> None:
    """A link in the heading of the list turns it around, and back."""
    await rig.exchange("T1")
    await punch(rig, *(line("1", f"2026-03-01 {hour:02}:00:00") for hour in range(8, 12)))
    browser = await signed_in(rig)

    def links(shown: Response) -> list[str]:
        found = re.findall(r'href="/console(/attendance[?/][^"]*)"', shown.body.decode())
        return [_unescaped(one) for one in found if not re.search("/people/|/check", one)]

    newest = await browser.get("/attendance?device=T1")
    assert [one for one in links(newest) if "order" in one] == [
        "/attendance?device=T1&order=oldest"
    ]
    oldest = await browser.get("/attendance?device=T1&order=oldest")
    assert [one[:5] for one in rows(oldest)] == ["08:00", "09:00", "10:00", "11:00"]
    assert [one for one in links(oldest) if "order=oldest" not in one] == ["/attendance?device=T1"]
    assert len(links(oldest)) == 11  # two files of two kinds, six periods, and the other order
    assert '<input type="hidden" name="order" value="oldest">' in oldest.body.decode()
    (book,) = [one for one in links(oldest) if "export.xlsx" in one]
    _, *found = cells((await browser.get(book)).body)
    assert [row[1] for row in found] == sorted(row[1] for row in found)
    (text,) = [one for one in links(oldest) if "export.csv" in one]
    lines = (await browser.get(text)).body.decode("utf-8-sig").splitlines()[1:]
    assert [one.split(",")[1][:2] for one in lines] == ["08", "09", "10", "11"]


@pytest_twisted.ensureDeferred
async def test_late_punches_of_one_person_are_found_in_both_lists(rig: Rig) -> None:
    """The punches of a person are in the order of time, whether the list by person has them."""
    from zkpush.handlers.attendance.lists import add_entries, next_extension, set_last_listed

    await rig.exchange("T1")
    await punch(rig, line("1", "2026-03-01 09:00:00"), line("2", "2026-03-01 09:01:00"))

    def extend(tx: Any) -> None:
        extension = next_extension(tx, 2)
        assert extension is not None
        for entries in extension.entries:
            add_entries(tx, entries)
        set_last_listed(tx, extension.last_id)

    await rig.store.write(extend)
    await punch(rig, line("1", "2026-03-01 08:00:00"), line("1", "2026-03-01 10:00:00"))
    browser = await signed_in(rig)
    found = rows(await browser.get("/attendance?person=1"))
    assert [one[:5] for one in found] == ["10:00", "09:00", "08:00"]


@pytest_twisted.ensureDeferred
async def test_photos_are_beside_their_punches_for_those_who_may_see_them(rig: Rig) -> None:
    """A photo of the same second is shown, recorded as seen, and refused without the scope."""
    await rig.exchange("T1")
    await punch(rig, line("1", "2026-03-01 08:00:00"), line("1", "2026-03-01 09:00:00"))
    head = f"PIN=20260301080000-1.jpg\nSN=T1\nsize={len(JPEG)}\nCMD=uploadphoto"
    await rig.post("cdata?SN=T1&table=ATTPHOTO&Stamp=1", head.encode() + b"\0" + JPEG)
    browser = await signed_in(rig)
    shown = (await browser.get("/attendance")).body.decode()
    (path,) = set(re.findall(r'src="/console(/attendance/photos/[0-9]+)"', shown))
    picture = await browser.get(path)
    assert picture.body == JPEG
    assert picture.header(b"Content-Type") == b"image/jpeg"
    items = await rig.items("/audit")
    assert ("account ann", "read photos") in [(one["actor"], one["action"]) for one in items]
    other = await signed_in(rig, "read", name="bob")
    assert "/attendance/photos/" not in (await other.get("/attendance")).body.decode()
    assert (await other.get(path)).status == 403
    assert (await browser.get("/attendance/photos/999")).status == 404


@pytest_twisted.ensureDeferred
async def test_the_csv_has_the_cells_of_the_workbook(rig: Rig) -> None:
    """The same columns, words and order, in the language of the visit; no formulas."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"alias": "=Gate"})
    await person(rig, "1", "Ann, Ash")
    await punch(
        rig,
        line("1", "2026-03-01 08:00:00"),
        line("1", "2026-02-27 08:00:00"),
        line("=1+1", "2026-02-28 08:00:00", status=255),
    )
    browser = await signed_in(rig)
    browser.language = "es"
    period = "since=2026-02-28&until=2026-03-01"
    got = await browser.get(f"/attendance/export.csv?{period}")
    heading, *found = csv.reader(io.StringIO(got.body.decode("utf-8-sig")), delimiter=";")
    assert got.body.startswith(codecs.BOM_UTF8)
    book = cells((await browser.get(f"/attendance/export.xlsx?{period}")).body)
    assert heading == book[0]
    assert heading[0] == "Fecha"
    assert [row[:6] for row in found] == [
        ["2026-03-01", "08:00:00", "1", "Ann, Ash", "Entrada", "'=Gate"],
        ["2026-02-28", "08:00:00", "'=1+1", "nadie aquí tiene este ID de usuario", "", "'=Gate"],
    ]
    assert found[0][7] == book[1][7]
    name = got.header(b"Content-Disposition")
    assert name == b"attachment; filename*=UTF-8''Asistencia-2026-02-28_2026-03-01.csv"


def part_of(workbook: bytes, name: str) -> ElementTree.Element:
    """A part of a workbook."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        # The server under test wrote it: nobody else's XML is parsed.
        return ElementTree.fromstring(archive.read(f"xl/{name}"))  # noqa: S314


def cells(workbook: bytes) -> list[list[str]]:
    """The cells of the first sheet as text."""
    sheet = part_of(workbook, "worksheets/sheet1.xml")
    assert sheet.findall(".//s:f", XML) == []
    found = []
    for row in sheet.findall(".//s:row", XML):
        found.append(["".join(cell.itertext()) for cell in row.findall("s:c", XML)])
    return found


@pytest_twisted.ensureDeferred
async def test_the_workbook_has_what_is_shown(rig: Rig) -> None:
    """XLSX has names and words, days and times as such, and no formulas."""
    await rig.exchange("T1")
    await person(rig, "007", "=HYPERLINK(1)")
    await punch(rig, line("007", "2026-03-01 06:00:00"), line("8", "2026-03-01 12:00:00", 1, 15))
    browser = await signed_in(rig)
    got = await browser.get("/attendance/export.xlsx")
    assert got.header(b"Content-Type").startswith(b"application/vnd.openxmlformats")
    head, *found = cells(got.body)
    assert head[:6] == ["Date", "Time", "User ID", "Name", "Attendance state", "Terminal"]
    serial = str((datetime.date(2026, 3, 1) - datetime.date(1899, 12, 30)).days)
    assert found == [
        [serial, "0.5", "8", "nobody here has this user ID", "Check out", "T1", "T1", "Face"],
        [serial, "0.25", "007", "=HYPERLINK(1)", "Check in", "T1", "T1", "Only fingerprint"],
    ]
    with zipfile.ZipFile(io.BytesIO(got.body)) as archive:
        assert b'quotePrefix="1"' in archive.read("xl/styles.xml")


@pytest_twisted.ensureDeferred
async def test_files_of_one_person_have_the_user_id_in_their_names(rig: Rig) -> None:
    """A folder of exports tells them apart; characters that no file name has are replaced."""
    await rig.exchange("T1")
    await punch(rig, line("7", "2026-03-01 08:00:00"), line("a/b", "2026-03-01 09:00:00"))
    browser = await signed_in(rig)
    for pin, shown in (("7", "7"), ("a/b", "a_b")):
        for kind in ("xlsx", "csv"):
            got = await browser.get(f"/attendance/export.{kind}?person={quote(pin, safe='')}")
            name = got.header(b"Content-Disposition")
            assert name is not None
            assert name.decode().endswith(f"''Attendance-{shown}-2026-03-01.{kind}")
    got = await browser.get("/attendance/export.csv?area=default&device=T1")
    name = got.header(b"Content-Disposition")
    assert name is not None
    assert name.decode().endswith("''Attendance-default-T1-2026-03-01.csv")


@pytest.mark.parametrize("language", [one.code for one in LANGUAGES])
@pytest_twisted.ensureDeferred
async def test_the_sheet_is_named_in_the_language_of_the_page(rig: Rig, language: str) -> None:
    """As the page is headed."""
    browser = await signed_in(rig)
    browser.language = language
    (heading,) = document(await browser.get("/attendance")).iter("h1")
    got = await browser.get("/attendance/export.xlsx")
    book = part_of(got.body, "workbook.xml")
    assert [one.get("name") for one in book.findall(".//s:sheet", XML)] == [heading.text]


@pytest_twisted.ensureDeferred
async def test_a_workbook_is_made_in_slices(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long lists are read in slices of bounded size, and end up complete and in order."""
    monkeypatch.setattr("zkpush.handlers.attendance.exports.SLICE", 7)
    await rig.exchange("T1")
    await punch(rig, *(line(str(n), f"2026-03-01 00:00:{n:02}") for n in range(50)))
    browser = await signed_in(rig)
    _, *found = cells((await browser.get("/attendance/export.xlsx")).body)
    assert [row[2] for row in found] == [str(n) for n in range(49, -1, -1)]
    _, *found = cells((await browser.get("/attendance/export.xlsx?order=oldest")).body)
    assert [row[2] for row in found] == [str(n) for n in range(50)]


@pytest_twisted.ensureDeferred
async def test_too_long_a_list_is_no_workbook(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the maximum, the page says to choose a shorter period or CSV."""
    monkeypatch.setattr("zkpush.handlers.attendance.pages.MOST_ROWS", 2)
    await rig.exchange("T1")
    await punch(rig, *(line(str(n), "2026-03-01 08:00:00") for n in range(3)))
    browser = await signed_in(rig)
    refused = await browser.get("/attendance/export.xlsx")
    assert refused.status == 400
    assert "Choose a shorter period" in text_of(refused)
    assert (await browser.get("/attendance/export.csv")).status == 200


@pytest_twisted.ensureDeferred
async def test_an_empty_period_is_exported_as_headings(rig: Rig) -> None:
    """The buttons are there, the page says what the files have, and they have it."""
    browser = await signed_in(rig)
    period = "since=2026-01-01&until=2026-01-31"
    shown = await browser.get(f"/attendance?{period}")
    assert "headings of the columns, and no rows" in text_of(shown)
    for kind in ("xlsx", "csv"):
        assert f"/console/attendance/export.{kind}?{period}".replace("&", "&amp;") in (
            shown.body.decode()
        )
    assert [row[:3] for row in cells((await browser.get("/attendance/export.xlsx")).body)] == [
        ["Date", "Time", "User ID"]
    ]
    (heading,) = (await browser.get("/attendance/export.csv")).body.decode("utf-8-sig").splitlines()
    assert heading.startswith("Date,Time,User ID,")
