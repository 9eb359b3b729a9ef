"""The payroll sheet: a row for each person and day, as a file."""

from __future__ import annotations

import csv
import io
import zipfile
from xml.etree import ElementTree

import pytest_twisted

from ..rig import Rig
from .browser import signed_in, text_of
from .test_attendance import XML, line, person, punch

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
    assert [one[:11] for one in found] == [
        [*start, "2026-03-01", "08:00:00", "17:15:00", "3", "9:15", "", ODD, "no check-out"],
        [*start, "2026-03-02", "09:00:00", "", "1", "", "", "one punch only", ""],
        [*other, "2026-03-02", "08:00:00", "16:30:00", "2", "8:30", "", "", "no check-out"],
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
    """On a second sheet, with the sums that the page shows."""
    await _filled(rig)
    browser = await signed_in(rig)
    assert "9:15" in text_of(await browser.get("/attendance/people/9?month=2026-03"))
    book = await browser.get(f"/attendance/export.xlsx?person=9&{MARCH}")
    with zipfile.ZipFile(io.BytesIO(book.body)) as parts:
        sheet = ElementTree.fromstring(parts.read("xl/worksheets/sheet2.xml"))  # noqa: S314 - the server wrote it
        names = parts.read("xl/workbook.xml").decode()
    assert 'name="Days"' in names
    last = sheet.findall(".//s:row", XML)[-1]
    numbers = [float(one.text or 0) for one in last.findall("s:c[s:v]/s:v", XML)]
    assert numbers[:2] == [2, 4]
    assert round(numbers[2] * 24, 2) == 9.25


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
    """Below the rows."""
    await _filled(rig)
    sent = b"10\t2026-03-02 25:99:00\t0\t1\t0\t0\t0\t255\t\t\n"
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=2", sent)
    browser = await signed_in(rig)
    for name in ("days", "export"):
        *_, last = cells((await browser.get(f"/attendance/{name}.csv?{MARCH}")).body)
        assert last == ["1 line from T1 could not be read. It is missing here."]
