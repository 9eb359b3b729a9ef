"""The payroll sheet: a row for each person and day, as a file."""

from __future__ import annotations

import csv
import io
import re
from xml.etree import ElementTree

import pytest_twisted

from ..rig import Rig
from .browser import document, signed_in, text_of
from .test_attendance import XML, line, part_of, person, punch

ODD = "odd number of punches"
MARCH = "since=2026-03-01&until=2026-03-31"


async def _filled(rig: Rig) -> None:
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    await person(rig, "10", "Ann Ash")
    await person(rig, "9", "Bob Birch")
    times = [("10", "02 08:00"), ("10", "02 16:30"), ("9", "02 09:00"), ("9", "01 08:00")]
    times += [("9", "01 12:00"), ("9", "01 17:15")]
    await punch(rig, *(line(pin, f"2026-03-{time}:00") for pin, time in times))


def sheets(body: bytes) -> dict[str, list[list[str]]]:
    """The rows of the sheets of a workbook, by their names; they end with the last full cell."""
    names = [
        one.get("name", "") for one in part_of(body, "workbook.xml").findall(".//s:sheet", XML)
    ]
    parts = [part_of(body, f"worksheets/sheet{number + 1}.xml") for number in range(len(names))]
    rows = [[_row(one) for one in part.findall(".//s:row", XML)] for part in parts]
    return dict(zip(names, rows, strict=True))


def _row(row: ElementTree.Element) -> list[str]:
    found: list[str] = []
    for cell in row.findall("s:c", XML):
        place = ord(cell.get("r", "A")[0]) - ord("A")
        found += [""] * (place - len(found))
        found.append("".join(cell.itertext()))
    return found


def cells(body: bytes, separator: str = ",") -> list[list[str]]:
    """The rows of a CSV file."""
    return [*csv.reader(io.StringIO(body.decode("utf-8-sig")), delimiter=separator)]


@pytest_twisted.ensureDeferred
async def test_a_row_is_a_day_of_a_person(rig: Rig) -> None:
    """By user ID and day, with what is missing or doubtful."""
    await _filled(rig)
    browser = await signed_in(rig)
    heading, *found = cells((await browser.get(f"/attendance/days.csv?{MARCH}")).body)
    assert heading[:10] == [
        *("User ID", "Name", "Left", "Date", "First", "Last"),
        *("Punches", "Hours between", "Of which doubtful", "To check"),
    ]
    start, other = ["9", "Bob Birch", ""], ["10", "Ann Ash", ""]
    assert [one[:10] for one in found] == [
        [*start, "2026-03-01", "08:00:00", "17:15:00", "3", "9:15:00", "", f"{ODD}; no check-out"],
        [*start, "2026-03-02", "09:00:00", "", "1", "", "", "one punch only"],
        [
            *other,
            "2026-03-02",
            "08:00:00",
            "16:30:00",
            "2",
            "8:30:00",
            "",
            "no check-out; doubtful time",
        ],
    ]
    of_device = await browser.get(f"/attendance/days.csv?{MARCH}&device=T1&area=default")
    assert len(cells(of_device.body)) == 4
    nobody = await browser.get("/attendance/days.csv?since=2026-02-01&until=2026-02-02")
    assert cells(nobody.body) == [heading]


@pytest_twisted.ensureDeferred
async def test_many_people_are_read_in_parts(rig: Rig) -> None:
    """Nobody is missing, or there twice."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    pins = [str(number) for number in range(1, 60)]
    await punch(rig, *(line(pin, "2026-03-01 08:00:00") for pin in pins))
    browser = await signed_in(rig)
    year = "since=2025-06-01&until=2026-05-31"
    _, *found = cells((await browser.get(f"/attendance/days.csv?{year}")).body)
    assert [one[0] for one in found] == pins


@pytest_twisted.ensureDeferred
async def test_a_sheet_needs_both_ends_of_a_period(rig: Rig) -> None:
    """The page does not offer it then."""
    await _filled(rig)
    browser = await signed_in(rig)
    assert (await browser.get("/attendance/days.csv?since=2026-03-01")).status == 400
    open_end = (await browser.get("/attendance?since=2026-03-01")).body.decode()
    assert "/attendance/days." not in open_end
    shown = (await browser.get(f"/attendance?{MARCH}")).body.decode()
    assert "/console/attendance/days.xlsx?" in shown
    assert "/console/attendance/days.csv?" in shown


@pytest_twisted.ensureDeferred
async def test_the_file_of_a_month_has_its_days(rig: Rig) -> None:
    """On a second sheet, with the sums that the page shows on a third one."""
    await _filled(rig)
    browser = await signed_in(rig)
    assert "9:15" in text_of(await browser.get("/attendance/people/9?month=2026-03"))
    book = await browser.get(f"/attendance/export.xlsx?person=9&{MARCH}")
    found = sheets(book.body)
    assert [*found] == ["Attendance", "Payroll", "Totals", "Notes"]
    assert len(found["Payroll"]) == 3
    (total,) = found["Totals"][1:]
    assert total[:5] == ["9", "Bob Birch", "", "2", "4"]
    assert round(float(total[5]) * 24, 2) == 9.25


@pytest_twisted.ensureDeferred
async def test_everybody_has_totals_on_a_sheet_of_their_own(rig: Rig) -> None:
    """The sheet of the days has nothing but days, so that it can be sorted and imported."""
    await _filled(rig)
    browser = await signed_in(rig)
    found = sheets((await browser.get(f"/attendance/days.xlsx?{MARCH}")).body)
    assert [*found] == ["Payroll", "Totals", "Notes"]
    assert [one[0] for one in found["Payroll"][1:]] == ["9", "9", "10"]
    heading, *totals = found["Totals"]
    assert heading[:5] == ["User ID", "Name", "Left", "Days with punches", "Punches"]
    assert [one[:5] for one in totals] == [
        ["9", "Bob Birch", "", "2", "4"],
        ["10", "Ann Ash", "", "1", "2"],
    ]
    assert [round(float(one[5]) * 24, 2) for one in totals] == [9.25, 8.5]
    assert [one[7] for one in totals] == ["2", "1"]


@pytest_twisted.ensureDeferred
async def test_spanish_files_have_semicolons(rig: Rig) -> None:
    """As spreadsheet programs of the language expect them."""
    await _filled(rig)
    browser = await signed_in(rig)
    browser.language = "es"
    for path in (f"/attendance/days.csv?{MARCH}", f"/attendance/export.csv?{MARCH}"):
        heading, *found = cells((await browser.get(path)).body, ";")
        assert "ID de usuario" in heading
        assert {len(one) for one in found} == {len(heading)}
    people = cells((await browser.get("/people/export.csv")).body, ";")
    assert len({len(one) for one in people}) == 1


@pytest_twisted.ensureDeferred
async def test_files_say_what_could_not_be_read(rig: Rig) -> None:
    """On the page and on a sheet of its own in a workbook; a CSV file has rows only."""
    await _filled(rig)
    sent = b"10\t2026-03-02 25:99:00\t0\t1\t0\t0\t0\t255\t\t\n"
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=2", sent)
    browser = await signed_in(rig)
    note = "1 line from T1 could not be read. It is missing here."
    for name in ("days", "export"):
        heading, *found_lines = cells((await browser.get(f"/attendance/{name}.csv?{MARCH}")).body)
        assert {len(one) for one in found_lines} == {len(heading)}
        assert note.split(".")[0] in text_of(await browser.get(f"/attendance?{MARCH}"))
        found = sheets((await browser.get(f"/attendance/{name}.xlsx?{MARCH}")).body)
        assert found.pop("Notes")[-1] == [note]
        assert note not in str(found)


@pytest_twisted.ensureDeferred
async def test_each_file_has_a_name_of_its_own(rig: Rig) -> None:
    """No two buttons of the page say the same."""
    await _filled(rig)
    shown = document(await (await signed_in(rig)).get(f"/attendance?{MARCH}"))
    links = [one for one in shown.iter("a") if re.search(r"\.(csv|xlsx)\?", one.get("href", ""))]
    assert ["".join(one.itertext()) for one in links] == [
        *("Payroll sheet (Excel)", "Payroll sheet (CSV)"),
        *("List of punches (Excel)", "List of punches (CSV)"),
    ]


@pytest_twisted.ensureDeferred
async def test_hours_are_added_up_to_the_second(rig: Rig) -> None:
    """Days are not cut down to minutes before; the notes say what hours are."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    for day in ("02", "03"):
        times = (f"2026-02-{day} 08:00:00", f"2026-02-{day} 16:43:40")
        await punch(rig, *(line("7", time) for time in times))
    browser = await signed_in(rig)
    period = "since=2026-02-01&until=2026-02-28"
    _, *found = cells((await browser.get(f"/attendance/days.csv?{period}")).body)
    assert [one[7] for one in found] == ["8:43:40"] * 2
    book = sheets((await browser.get(f"/attendance/days.xlsx?{period}")).body)
    (total,) = book["Totals"][1:]
    assert round(float(total[5]) * 86_400) == 2 * (8 * 3600 + 43 * 60 + 40)
    assert "17:27" in text_of(await browser.get("/attendance/people/7?month=2026-02"))
    for words in ("breaks are not deducted", "A day without punches has no row."):
        assert words in str(book["Notes"])
        assert words in text_of(await browser.get(f"/attendance?{period}"))


@pytest_twisted.ensureDeferred
async def test_totals_name_the_days_on_which_somebody_is_missed(rig: Rig) -> None:
    """Not of a newcomer before the first punch, nor in the sheet of one terminal."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    days = {
        **dict.fromkeys(("1", "4", "6"), ("02-02", "02-03", "02-04")),
        "2": ("02-02", "02-04"),
        "3": ("02-04",),
        "5": ("01-30", "02-04", "02-07"),
    }
    for pin, own in days.items():
        await punch(rig, *(line(pin, f"2026-{day} 08:00:00") for day in own))
    browser = await signed_in(rig)

    async def missed(period: str) -> dict[str, str]:
        book = sheets((await browser.get(f"/attendance/days.xlsx?{period}")).body)
        heading, *totals = book["Totals"]
        place = heading.index("No punch, though most others had some")
        return {one[0]: (one[place] if len(one) > place else "") for one in totals}

    period = "since=2026-02-01&until=2026-02-08"
    assert await missed(period) == {
        **dict.fromkeys(("1", "4", "6"), ""),
        "2": "2026-02-03",
        "3": "",
        "5": "2026-02-02, 2026-02-03",
    }
    assert {*(await missed(f"{period}&device=T1")).values()} == {""}
